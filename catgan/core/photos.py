"""Photos: any file of a picture, read upright and whole, its colours brought to sRGB.

Everything goes through Pillow, one reader for all: its `draft` mode is as fast as any other
reduced JPEG decode, it raises on a file that is cut short where OpenCV hands over a half-grey
picture, and its turns and sizes agree with each other.
"""

import dataclasses
import functools
import io
import math
import re
import struct
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from catgan.core.errors import UnreadablePhoto
from catgan.core.pictures import Picture

MAX_PIXELS = 250_000_000  # phones with 200 megapixels exist; beyond is a decompression bomb
NEUTRAL = (128, 128, 128)  # the ground under transparent pixels: neither dark nor light
SNIFF = 64  # bytes that tell a picture from other files

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
    """The ICC profile that `pixels` is in, or None for sRGB; see `to_srgb`."""

    @property
    def scale(self) -> float:
        """Pixels here for one pixel of the whole photo, at most 1."""
        whole = max(self.width, self.height)
        here: int = max(self.pixels.shape[:2])
        # A decoder halves exactly and rounds the size up: 1001 pixels become 126, each of them 8.
        halved = max(1, round(whole / here))
        return 1 / halved if math.ceil(whole / halved) == here else here / whole


def looks_like_picture(head: bytes) -> bool:
    """Whether a file that begins with these bytes claims to be a picture.

    Args:
        head: The first `SNIFF` bytes of the file, or all of it where it is shorter.
    """
    return (
        head.startswith(SIGNATURES)
        or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")
        or (head.startswith(b"BM") and len(head) > 26 and head[6:10] == b"\0\0\0\0")
        or _is_heif(head)
    )


SIGNATURES = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"II*\x00",  # TIFF, little and big endian, and BigTIFF
    b"MM\x00*",
    b"II+\x00",
    b"MM\x00+",
)
HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}
)


def read_photo(
    data: bytes,
    *,
    side: int | None = None,
    short: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Photo:
    """Decode a photo upright, from the bytes of its file.

    Args:
        data: The whole file.
        side: Where given, the photo may come back reduced, its longer side to no less than this;
            only formats that decode faster that way (JPEG) are.
        short: Where given too, the shorter side stays at no less than this.
        max_pixels: Refuse larger ones, before anything is decoded.

    Raises:
        UnreadablePhoto: It is broken, cut short, of an unknown kind or too large; says which.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd EXIF; what matters raises
            return _decode(data, side, short, max_pixels)
    except UnreadablePhoto:
        raise
    except UnidentifiedImageError as error:
        raise UnreadablePhoto(_unknown(data)) from error
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


def _is_heif(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS


def _decode(data: bytes, side: int | None, short: int | None, max_pixels: int) -> Photo:
    formats = _formats() + (_heif_formats() if _is_heif(data) else ())
    with Image.open(io.BytesIO(data), formats=formats) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise UnreadablePhoto(
                f"{width} x {height} is more than the {max_pixels / 1e6:g} megapixels allowed"
            )
        jpeg = image.format in ("JPEG", "MPO")
        scan_ends = _scan_ends(data) if jpeg else None
        if jpeg and scan_ends is None:
            raise UnreadablePhoto("the file is cut short")
        size = _reduced(width, height, side, short)
        if size:
            image.draft(None, size)
        profile = image.info.get("icc_profile")
        image.load()
        if scan_ends is not None and _rest_is_missing(image, data, scan_ends, size):
            raise UnreadablePhoto("the file is broken (a part of the picture is missing)")
        turn = _turn(image)
        flat, profile = _flatten(image, profile)
        upright = flat if turn is None else flat.transpose(turn)
    if turn in SIDEWAYS:
        width, height = height, width
    return Photo(
        pixels=np.asarray(upright, dtype=np.uint8), width=width, height=height, profile=profile
    )


def _reduced(
    width: int, height: int, side: int | None, short: int | None
) -> tuple[int, int] | None:
    """What to ask Pillow's `draft` for, or None for the full size.

    It picks the largest of 8, 4 and 2 that leaves at least the size asked for.
    """
    if side is None:
        return None
    factor = max(width, height) / side
    if short is not None:
        factor = min(factor, min(width, height) / short)
    step = next((step for step in (8, 4, 2) if step <= factor), 1)
    return (max(1, width // step), max(1, height // step)) if step > 1 else None


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


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What brings a loaded image upright; None where it is, or where its EXIF cannot be read.

    Pillow turns a TIFF itself while loading and takes the tag away, hence loaded.
    """
    try:
        return TURNS.get(image.getexif().get(0x0112, 1))
    except Exception:  # whatever a broken EXIF block makes its parser raise
        return None


def _flatten(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, bytes | None]:
    """Any mode to RGB; a profile that RGB pixels no longer have is applied and gone."""
    mode = image.mode
    in_rgb = mode in ("RGB", "RGBA", "RGBa", "P", "PA")  # what the profile of others means is over
    kept = profile if in_rgb and _differs_from_srgb(profile) else None
    if mode == "CMYK":
        return (_convert(image, profile) if profile else image.convert("RGB")), None
    if mode.startswith("I") or mode == "F":
        return Image.fromarray(_to_eight_bits(np.asarray(image), mode)).convert("RGB"), None
    if image.has_transparency_data or mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        rgba = image.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, (*NEUTRAL, 255))
        return Image.alpha_composite(ground, rgba).convert("RGB"), kept
    return (image if mode == "RGB" else image.convert("RGB")), kept  # L, P, 1, YCbCr, HSV


def _to_eight_bits(values: NDArray[Any], mode: str) -> NDArray[np.uint8]:
    """16- and 32-bit grey to 8 bits; Pillow's own conversion clips everything to white."""
    if mode == "F":
        finite = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
        top = float(finite.max(initial=0.0))
        scale = 255.0 if top <= 1.0 else (1.0 if top <= 255.0 else 255.0 / top)
        return (finite * scale).clip(0, 255).astype(np.uint8)
    wide = values.astype(np.int64)
    top = int(wide.max(initial=0))
    shift = 8 if top <= 0xFFFF else 24
    if mode == "I" and top <= 0xFF:
        shift = 0
    return (wide >> shift).clip(0, 255).astype(np.uint8)


# A marker that is neither a stuffed zero, nor a fill byte, nor a restart inside a scan.
_MARKER = re.compile(rb"\xff([^\x00\x01\xff\xd0-\xd7])")
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9


def _scan_ends(data: bytes) -> list[int] | None:
    """Where the scans of a JPEG's first picture end, or None where the file ends before they do.

    libjpeg itself fills in grey silently. The segments are walked (ITU-T T.81, annex B): end
    markers inside an EXIF thumbnail say nothing, and what a camera appends after the picture (a
    second one, a video) may hold anything.

    Returns:
        For each scan, the offset of the first marker after its data.
    """
    ends: list[int] = []
    position, in_scan = 2, False
    while found := _MARKER.search(data, position):
        if in_scan:
            ends.append(found.start())
        marker = found[1][0]
        if marker == _END_OF_IMAGE:
            return ends
        in_scan = marker == _START_OF_SCAN
        length = int.from_bytes(data[found.end() : found.end() + 2], "big")
        position = found.end() + length
    return None


# Bytes without a marker among them that decode to something on any Huffman table.
_NOISE = bytes((37 * index + 11) % 251 for index in range(64))


def _rest_is_missing(
    image: Image.Image, data: bytes, scan_ends: list[int], size: tuple[int, int] | None
) -> bool:
    """Whether a JPEG that has its end marker lacks data before it, so that libjpeg filled in grey.

    A picture whose last corner is that grey may just be so. Then bytes are added at the end of
    every scan: a decoder that has all it needs passes over them, one that lacks some uses them.
    """
    corner = np.asarray(image.crop((image.width - 2, image.height - 2, image.width, image.height)))
    if corner.min() < 127 or corner.max() > 128:
        return False
    pieces = [data[i:j] for i, j in zip([0, *scan_ends], [*scan_ends, len(data)], strict=True)]
    with Image.open(io.BytesIO(_NOISE.join(pieces)), formats=("JPEG",)) as longer:
        if size:
            longer.draft(None, size)
        return longer.tobytes() != image.tobytes()


def _differs_from_srgb(profile: bytes | None) -> bool:
    """Whether a profile is there, can be read, and is not sRGB under its many names."""
    if not profile:
        return False
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        description = ImageCms.getProfileDescription(opened)
    except (ImageCms.PyCMSError, OSError, ValueError, struct.error):
        return False  # a broken profile: take the numbers as sRGB, as browsers do
    return "srgb" not in description.lower()


def _convert(image: Image.Image, profile: bytes) -> Image.Image:
    """An image's colours from a profile to sRGB; an unusable profile changes nothing."""
    try:
        converted = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        converted = None
    return converted if converted is not None else image.convert("RGB")


def to_srgb(pixels: Picture, profile: bytes | None) -> Picture:
    """Colours from a photo's own profile (Display P3 on phones) to sRGB.

    Meant for the small picture that is kept: converting twelve megapixels takes a second.

    Args:
        pixels: (H, W, 3) uint8 in the profile's colours.
        profile: ICC profile, or None where they are sRGB already.

    Returns:
        (H, W, 3) uint8 in sRGB.
    """
    if profile is None:
        return pixels
    return np.asarray(_convert(Image.fromarray(pixels), profile), dtype=np.uint8)


def _unknown(data: bytes) -> str:
    if not data:
        return "the file is empty"
    if _is_heif(data):
        if data[8:12] in (b"avif", b"avis"):
            if "AVIF" in Image.OPEN:
                return "the file is broken: it starts like an AVIF photo"
            return "AVIF photos need a newer Pillow: pip install --upgrade pillow"
        if _heif_formats():
            return "the file is broken: it starts like a HEIC photo"
        return "HEIC photos need one more package: pip install pillow-heif"
    if looks_like_picture(data[:SNIFF]):
        return "the file is broken: it starts like an image but cannot be decoded"
    return "not a picture"


def _why(error: Exception) -> str:
    words = str(error).strip().lower()
    if any(sign in words for sign in ("truncated", "unexpected end", "eof", "not enough")):
        return "the file is cut short"
    detail = str(error).strip().splitlines()[0][:120] if str(error).strip() else ""
    kind = type(error).__name__
    return f"the file is broken ({detail or kind})"
