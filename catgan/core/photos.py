"""Photos: any file of a picture, read upright and whole, its colours brought to sRGB.

One reader for all. JPEGs are decoded by `jpeg`, everything else by Pillow, which raises on a file
that is cut short where OpenCV hands over a half-grey picture.
"""

import dataclasses
import functools
import io
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from catgan.core import jpeg, png, raw
from catgan.core.colours import (
    adobe_rgb,
    convert,
    differs_from_srgb,
    grey_table,
    profile_of_png,
    space_of,
)
from catgan.core.errors import UnreadablePhoto
from catgan.core.kinds import (
    SNIFF,
    is_closed_raw,
    is_heif,
    is_jpeg_2000,
    is_jpeg_xl,
    is_tiff,
    is_video,
    looks_like_picture,
)
from catgan.core.pictures import Picture

MAX_PIXELS = 250_000_000  # phones with 200 megapixels exist; beyond is a decompression bomb
LARGE = 24_000_000  # pixels from which any photo comes back reduced where that will do
BAND = 4_000_000  # pixels converted at a time
NEUTRAL = (128, 128, 128)  # the ground under transparent pixels: neither dark nor light

# Pillow warns and refuses by a limit of its own, for the whole process; the check below, on the
# size that the header states, takes its place.
Image.MAX_IMAGE_PIXELS = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A photo as decoded: upright, perhaps reduced, in the colours of its own profile."""

    pixels: Picture
    """(H, W, 3) uint8, upright; transparent parts lie on neutral grey."""
    width: int
    """Width of the whole upright photo in its own pixels, whatever `pixels` was reduced to."""
    height: int
    """Height likewise."""
    profile: bytes | None
    """The ICC profile that `pixels` is in, or None for sRGB; see `colours.to_srgb`."""

    @property
    def scale(self) -> float:
        """Pixels here for one pixel of the whole photo, at most 1."""
        whole = max(self.width, self.height)
        here: int = max(self.pixels.shape[:2])
        # A decoder halves exactly and rounds the size up: 1001 pixels become 126, each of them 8.
        halved = max(1, round(whole / here))
        return 1 / halved if math.ceil(whole / halved) == here else here / whole


def read_photo(
    data: bytes,
    *,
    side: int | None = None,
    short: int | None = None,
    short_if_long: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Photo:
    """Decode a photo upright, from the bytes of its file.

    Of a raw photo it is the largest preview inside.

    Args:
        data: The whole file.
        side: Where given, the photo may come back reduced, its longer side to no less than this: a
            JPEG, which decodes faster that way, and any other large one, to bound the memory.
        short: Where given too, the shorter side stays at no less than this.
        short_if_long: Likewise, of photos that are twice as long as wide, or more.
        max_pixels: Refuse larger ones, before anything is decoded.

    Raises:
        UnreadablePhoto: It is broken, cut short, of an unknown kind or too large; says which.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd EXIF; what matters raises
            return _decode(data, _Limits(side, short, short_if_long, max_pixels))
    except UnreadablePhoto:
        raise
    except UnidentifiedImageError as error:
        raise UnreadablePhoto(why_none(data)) from error
    except MemoryError as error:
        raise UnreadablePhoto("too large for this machine's memory") from error
    except Exception as error:
        # Decoders raise whatever their parsers stumble over (OSError, SyntaxError, struct.error,
        # ValueError, KeyError ...); whichever it is, the photo cannot be read.
        raise UnreadablePhoto(_why(error)) from error


@functools.cache
def _formats() -> tuple[str, ...]:
    """The formats read: those of photos, out of some forty that Pillow would try.

    EPS among the others would hand the file over to a program.
    """
    Image.init()
    named = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "AVIF")
    return tuple(name for name in named if name in Image.OPEN)


@functools.cache
def _heif_formats() -> tuple[str, ...]:
    """The format of HEIC photos, where the package that reads them is installed."""
    try:
        from pillow_heif import register_heif_opener
    except (ImportError, OSError):  # OSError: a shared library of its does not load
        return ()
    register_heif_opener(thumbnails=False)
    return ("HEIF",)


@dataclasses.dataclass(frozen=True, slots=True)
class _Limits:
    """What a photo is to be read for."""

    side: int | None
    short: int | None
    short_if_long: int | None
    max_pixels: int

    def check(self, width: int, height: int) -> None:
        if width * height > self.max_pixels:
            raise UnreadablePhoto(
                f"{width} x {height} is more than the {self.max_pixels / 1e6:g} megapixels allowed"
            )

    def step(self, width: int, height: int) -> int:
        """How many pixels become one along each side: 8, 4, 2, or 1 for the full size."""
        if self.side is None:
            return 1
        factor = max(width, height) / self.side
        long = max(width, height) >= 2 * min(width, height)
        least = max(self.short or 1, (self.short_if_long or 1) if long else 1)
        factor = min(factor, min(width, height) / least)
        return next((step for step in (8, 4, 2) if step <= factor), 1)


def _decode(data: bytes, limits: _Limits) -> Photo:
    if data.startswith(b"\xff\xd8"):
        return _decode_jpeg(data, limits)
    if is_closed_raw(data):
        raise UnreadablePhoto(raw.REASON)
    if is_tiff(data) and (preview := raw.find_preview(data)) is not None:
        return _decode_jpeg(preview.jpeg, limits, TURNS.get(preview.orientation))
    if data[:1] == b"P" and data[:2] not in (b"P4", b"P5", b"P6"):
        raise UnreadablePhoto("not a picture")  # one in plain text takes minutes
    stated: bytes | None = None
    if data.startswith(png.SIGNATURE):
        data, colours = png.split(data)
        stated = profile_of_png(colours)
    formats = _formats() + (_heif_formats() if is_heif(data) else ())
    with Image.open(io.BytesIO(data), formats=formats) as image:
        width, height = image.size
        limits.check(width, height)
        step = limits.step(width, height) if width * height > LARGE else 1
        profile = stated or image.info.get("icc_profile")
        image.load()
        # Pillow turns a TIFF itself while loading and takes the tag away, hence only now.
        turn = _turn(image)
        pixels, profile = _flatten(image, profile or _adobe(image), step)
    return _upright(pixels, width, height, turn, profile)


def _decode_jpeg(data: bytes, limits: _Limits, turn: Image.Transpose | None = None) -> Photo:
    layout = jpeg.lay_out(data)
    limits.check(layout.width, layout.height)
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        width, height = image.size
        limits.check(width, height)
        step = limits.step(width, height)
        size = (max(1, -(-width // step)), max(1, -(-height // step))) if step > 1 else None
        profile = image.info.get("icc_profile") or _adobe(image)
        own = _turn(image)
        turn = turn if own is None else own
        decoded = jpeg.decode(data, layout, image.mode, size)
    pixels, profile = _flatten(decoded, profile, 1)
    return _upright(pixels, width, height, turn, profile)


def _upright(
    pixels: Picture,
    width: int,
    height: int,
    turn: Image.Transpose | None,
    profile: bytes | None,
) -> Photo:
    if turn is not None:
        pixels = np.ascontiguousarray(_TURNED[turn](pixels))
    if turn in SIDEWAYS:
        width, height = height, width
    return Photo(pixels=pixels, width=width, height=height, profile=profile)


# EXIF 2.32, tag 0x0112: what brings a picture so tagged upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = frozenset(TURNS[tag] for tag in (5, 6, 7, 8))
_TURNED: dict[Image.Transpose, Callable[[Picture], Picture]] = {
    Image.Transpose.FLIP_LEFT_RIGHT: lambda pixels: pixels[:, ::-1],
    Image.Transpose.ROTATE_180: lambda pixels: pixels[::-1, ::-1],
    Image.Transpose.FLIP_TOP_BOTTOM: lambda pixels: pixels[::-1],
    Image.Transpose.TRANSPOSE: lambda pixels: pixels.swapaxes(0, 1),
    Image.Transpose.ROTATE_270: lambda pixels: pixels.swapaxes(0, 1)[:, ::-1],
    Image.Transpose.TRANSVERSE: lambda pixels: pixels.swapaxes(0, 1)[::-1, ::-1],
    Image.Transpose.ROTATE_90: lambda pixels: pixels.swapaxes(0, 1)[::-1],
}


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What brings an image upright; None where it is, or where its EXIF cannot be read."""
    try:
        return TURNS.get(image.getexif().get(0x0112, 1))
    except Exception:  # whatever a broken EXIF block makes its parser raise
        return None


def _adobe(image: Image.Image) -> bytes | None:
    """Adobe RGB, where a camera was set to it: then EXIF says so, and there is no profile."""
    try:
        return adobe_rgb() if image.getexif().get_ifd(0xA005).get(1) == "R03" else None
    except Exception:  # as above
        return None


def _flatten(image: Image.Image, profile: bytes | None, step: int) -> tuple[Picture, bytes | None]:
    """Any mode to RGB, band by band; a profile that is not for RGB is applied and gone.

    Args:
        image: Loaded.
        profile: Of its pixels.
        step: Pixels along each side that become one.

    Returns:
        (H, W, 3) uint8, rounded up where `step` does not divide the sides; and its profile, if that
        differs from sRGB.
    """
    space = space_of(profile) if profile else None
    foreign = profile if space in ("GRAY", "CMYK") else None
    kept = profile if profile and space == "RGB" and differs_from_srgb(profile) else None
    if image.mode == "CMYK":
        kept = None  # what an RGB profile means here is over
    band = _band_reader(image, foreign)
    width, height = image.size
    pixels = np.empty((-(-height // step), -(-width // step), 3), dtype=np.uint8)
    rows = max(1, BAND // (width * step)) * step
    for top in range(0, height, rows):
        part = band(image.crop((0, top, width, min(height, top + rows))))
        if step > 1:
            part = part.reduce(step)
        pixels[top // step : top // step + part.height] = np.asarray(part)
    return pixels, kept


def _band_reader(image: Image.Image, foreign: bytes | None) -> Callable[[Image.Image], Image.Image]:
    """What brings a band of an image to RGB."""
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        shift = _shift_of(image)
        return lambda band: Image.fromarray(shift(np.asarray(band))).convert("RGB")
    if image.has_transparency_data or mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        transparency = image.info.get("transparency")

        def on_ground(band: Image.Image) -> Image.Image:
            if transparency is not None:
                band.info["transparency"] = transparency
            rgba = band.convert("RGBA")
            ground = Image.new("RGBA", rgba.size, (*NEUTRAL, 255))
            return Image.alpha_composite(ground, rgba).convert("RGB")

        return on_ground
    if mode == "CMYK" and foreign is not None:
        return lambda band: convert(band, foreign) or band.convert("RGB")
    if mode == "L" and foreign is not None and (table := grey_table(foreign)) is not None:
        return lambda band: Image.fromarray(table[np.asarray(band)])
    return lambda band: band.convert("RGB")  # L, P, 1, RGB, YCbCr, HSV


def _shift_of(image: Image.Image) -> Callable[[NDArray[Any]], NDArray[np.uint8]]:
    """16- and 32-bit grey to 8 bits; Pillow's own conversion clips everything to white."""
    if image.mode == "F":
        top = max(
            float(np.nan_to_num(band, posinf=0.0, neginf=0.0).max(initial=0.0))
            for band in _bands(image)
        )
        scale = 255.0 if top <= 1.0 else (1.0 if top <= 255.0 else 255.0 / top)
        return lambda values: (
            (np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0) * scale)
            .clip(0, 255)
            .astype(np.uint8)
        )
    highest = max(int(band.max(initial=0)) for band in _bands(image))
    shift = 8 if highest <= 0xFFFF else 24
    if image.mode == "I" and highest <= 0xFF:
        shift = 0
    return lambda values: (values >> shift).clip(0, 255).astype(np.uint8)


def _bands(image: Image.Image) -> Iterator[NDArray[Any]]:
    rows = max(1, BAND // image.width)
    for top in range(0, image.height, rows):
        yield np.asarray(image.crop((0, top, image.width, min(image.height, top + rows))))


def why_none(data: bytes) -> str:
    """Why a file is no photo that can be opened, in words.

    Args:
        data: The file, or its first `kinds.SNIFF` bytes.
    """
    head = data[:SNIFF]
    if not data:
        return "the file is empty"
    if is_heif(data):
        if data[8:12] in (b"avif", b"avis"):
            if "AVIF" in Image.OPEN:
                return "the file is broken: it starts like an AVIF photo"
            return "AVIF photos need a newer Pillow: pip install --upgrade pillow"
        if _heif_formats():
            return "the file is broken: it starts like a HEIC photo"
        return "HEIC photos need one more package: pip install pillow-heif"
    if looks_like_picture(head):
        return "the file is broken: it starts like an image but cannot be decoded"
    if is_jpeg_xl(head, "") or is_jpeg_2000(head, ""):
        return "a JPEG XL or JPEG 2000: export it as JPEG"
    if is_video(head, ""):
        return "a video, not a photo"
    return "not a picture"


def _why(error: Exception) -> str:
    words = str(error).strip().lower()
    if any(sign in words for sign in ("truncated", "unexpected end", "eof", "not enough")):
        return "the file is cut short"
    detail = str(error).strip().splitlines()[0][:120] if str(error).strip() else ""
    kind = type(error).__name__
    return f"the file is broken ({detail or kind})"
