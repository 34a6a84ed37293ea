"""Colours: whether a profile differs from sRGB, and what it makes of pixels.

A profile is judged by what it does, never by its name: there are linear ones called sRGB, and sRGB
has a dozen names.
"""

import functools
import io
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from catgan.core import png
from catgan.core.pictures import Picture

SAME = 2  # levels of 255 within which a profile counts as sRGB: two roundings
USUAL_GAMMA = 1 / 2.2  # what a PNG writes that means sRGB's own curve
_BROKEN = (ImageCms.PyCMSError, OSError, ValueError, TypeError, struct.error)

# x and y of white, red, green and blue.
_BT709 = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
_BT2020 = (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046)
_ADOBE = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
_CODED_PRIMARIES = {1: _BT709, 9: _BT2020, 12: _P3}  # ITU-T H.273, table 2
_CODED_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}  # likewise, table 3; 13 is sRGB's curve
ADOBE_GAMMA = 563 / 256

# Bradford's adaptation from D65 to D50, as ICC.1:2022, annex E, has it.
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array(
    [(0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)]
)


@functools.lru_cache(maxsize=64)
def space_of(profile: bytes) -> str | None:
    """What kind of pixels a profile is for (RGB, GRAY, CMYK); None where it cannot be used."""
    try:
        space = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space
    except _BROKEN:
        return None
    return str(space).strip()


@functools.lru_cache(maxsize=64)
def differs_from_srgb(profile: bytes) -> bool:
    """Whether an RGB profile gives other colours than sRGB; a broken one counts for nothing."""
    steps = np.array([0, 16, 48, 96, 144, 192, 232, 255], dtype=np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(8, 64, 3)
    converted = convert(Image.fromarray(colours), profile)
    if converted is None:
        return False
    return int(np.abs(np.asarray(converted).astype(int) - colours).max()) > SAME


def convert(
    image: Image.Image, profile: bytes, *, more: ImageCms.Flags = ImageCms.Flags.NONE
) -> Image.Image | None:
    """An image's colours from a profile to sRGB; None where the profile is not for such an image.

    Args:
        image: RGB, L or CMYK.
        profile: An ICC profile.
        more: How LittleCMS is to go about it.
    """
    try:
        return ImageCms.applyTransform(image, _to_srgb(profile, image.mode, more))
    except _BROKEN:
        return None


@functools.lru_cache(maxsize=16)
def _to_srgb(profile: bytes, mode: str, more: ImageCms.Flags) -> ImageCms.ImageCmsTransform:
    """What converts images of a mode: made once a profile, as all photos of a phone have one."""
    return ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION | more,
    )


@functools.lru_cache(maxsize=64)
def grey_table(profile: bytes) -> Picture | None:
    """What each grey level becomes in sRGB.

    Converted one by one: the table that LittleCMS would make for speed has 33 steps, and is off by
    ten levels where a linear curve is steep.

    Args:
        profile: An ICC profile for grey.

    Returns:
        (256, 3) uint8; None where the profile is not for grey.
    """
    levels = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    table = convert(levels, profile, more=ImageCms.Flags.NOOPTIMIZE)
    return None if table is None else np.asarray(table, dtype=np.uint8)[0]


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
    converted = convert(Image.fromarray(pixels), profile)
    return pixels if converted is None else np.asarray(converted, dtype=np.uint8)


def profile_of_png(colours: png.Colours) -> bytes | None:
    """The profile of a PNG's pixels; None where they are sRGB, or it does not say.

    The order of precedence is that of the PNG specification, third edition, 11.3.2: coded numbers,
    a profile, sRGB, gamma and chromaticities.
    """
    if colours.coded is not None:
        primaries, transfer = colours.coded
        if primaries in _CODED_PRIMARIES and (transfer == 13 or transfer in _CODED_GAMMAS):
            return make_profile(_CODED_PRIMARIES[primaries], _CODED_GAMMAS.get(transfer))
    if colours.profile is not None:
        return colours.profile
    if colours.srgb or (colours.gamma is None and colours.chromaticities is None):
        return None
    gamma = colours.gamma or USUAL_GAMMA
    # 1/2.2 is how a PNG says sRGB to whoever does not know the word.
    exponent = None if abs(gamma - USUAL_GAMMA) < 0.005 else 1 / gamma
    return make_profile(colours.chromaticities or _BT709, exponent)


def adobe_rgb() -> bytes:
    """The profile that a camera means by "R03" in its EXIF (DCF 2.0, optional colour space)."""
    profile = make_profile(_ADOBE, ADOBE_GAMMA)
    assert profile is not None
    return profile


@functools.lru_cache(maxsize=64)
def make_profile(chromaticities: Sequence[float], exponent: float | None) -> bytes | None:
    """An ICC profile (version 4, matrix and curve) for RGB pixels.

    Args:
        chromaticities: x and y of white, red, green and blue.
        exponent: What values are raised to; None for sRGB's curve.

    Returns:
        The profile; None for numbers that no light has.
    """
    points = np.array(chromaticities, dtype=np.float64).reshape(4, 2)
    if (points[:, 1] <= 0).any() or (exponent is not None and not 0.1 <= exponent <= 10):
        return None
    light = np.column_stack([points[:, 0], points[:, 1], 1 - points.sum(axis=1)])
    light /= points[:, 1:]
    white, primaries = light[0], light[1:]
    try:
        primaries *= np.linalg.solve(primaries.T, white)[:, None]
    except np.linalg.LinAlgError:
        return None
    gain = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    adapted = primaries @ (np.linalg.inv(_BRADFORD) @ np.diag(gain) @ _BRADFORD).T
    return _encode(adapted, exponent)


def _encode(primaries: NDArray[np.float64], exponent: float | None) -> bytes:
    if exponent is None:  # IEC 61966-2-1
        curve = b"para\0\0\0\0" + struct.pack(">HH", 3, 0)
        curve += _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    else:
        curve = b"para\0\0\0\0" + struct.pack(">HH", 0, 0) + _fixed(exponent)
    tags = {b"desc": _text("from the picture"), b"cprt": _text("none")}
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + _fixed(*_D50)
    for letter, primary in zip(b"rgb", primaries, strict=True):
        tags[bytes([letter]) + b"XYZ"] = b"XYZ \0\0\0\0" + _fixed(*primary)
        tags[bytes([letter]) + b"TRC"] = curve
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, value in tags.items():
        table += tag + struct.pack(">II", start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    header = struct.pack(">I4sI4s4s4s", start + len(body), b"", 4 << 24, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(*_D50)
    return header.ljust(128, b"\0") + table + body


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _text(words: str) -> bytes:
    encoded = words.encode("utf-16-be")
    return (
        b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(encoded), 28) + encoded
    )
