"""HEIC and AVIF: upright and in their colours, or a reason that says what to install."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from catgan.core import photos
from catgan.core.colours import to_srgb
from catgan.core.errors import UnreadablePhoto
from catgan.core.kinds import SNIFF, looks_like_picture
from catgan.core.photos import read_photo
from tests.core.test_photos import P3, icc_profile, p3_to_srgb

KINDS = ("HEIF", "AVIF")


def scene() -> Image.Image:
    """96 x 64: red left above, green right above, blue left below, grey right below."""
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:32, :48] = (200, 30, 30)
    pixels[:32, 48:] = (30, 180, 40)
    pixels[32:, :48] = (40, 50, 190)
    pixels[32:, 48:] = (128, 128, 128)
    return Image.fromarray(pixels)


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    if kind == "HEIF":
        pytest.importorskip("pillow_heif", reason="needs the extra: pip install pillow-heif")
        photos._heif_formats()
    elif "AVIF" not in Image.SAVE:
        Image.init()
        if "AVIF" not in Image.SAVE:
            pytest.skip("this Pillow was built without AVIF")
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=95, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_colours(kind: str) -> None:
    data = encode(scene(), kind)
    assert looks_like_picture(data[:SNIFF])
    photo = read_photo(data)
    assert (photo.width, photo.height) == (96, 64)
    # lossy, with half the colour resolution: the middles of the patches are right to a few levels
    expected = np.asarray(scene()).astype(int)
    for y, x in ((16, 24), (16, 72), (48, 24), (48, 72)):
        assert np.abs(photo.pixels[y, x].astype(int) - expected[y, x]).max() <= 6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(kind: str, orientation: int) -> None:
    """However the camera was held, the red patch ends up left above."""
    to_stored = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = scene()
    if orientation > 1:
        stored = stored.transpose(to_stored[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = read_photo(encode(stored, kind, exif=exif.tobytes()))
    assert (photo.width, photo.height) == (96, 64)
    expected = np.asarray(scene()).astype(int)
    for y, x in ((16, 24), (16, 72), (48, 24), (48, 72)):
        assert np.abs(photo.pixels[y, x].astype(int) - expected[y, x]).max() <= 6


@pytest.mark.parametrize("kind", KINDS)
def test_an_iphones_colours_come_to_srgb(kind: str) -> None:
    profile = icc_profile(P3, "Display P3")
    red = Image.new("RGB", (64, 64), (200, 60, 60))
    photo = read_photo(encode(red, kind, icc_profile=profile))
    assert photo.profile == profile
    seen = to_srgb(photo.pixels, photo.profile)[32, 32].astype(int)
    # The same numbers are a deeper red in Display P3; lossy coding is off by a level or two more.
    assert np.abs(seen - p3_to_srgb((200, 60, 60))).max() <= 4
    assert np.abs(seen - (200, 60, 60)).max() > 8


def test_without_the_package_the_reason_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = encode(scene(), "HEIF")
    photos._heif_formats.cache_clear()
    monkeypatch.setitem(sys.modules, "pillow_heif", None)  # as if it were not installed
    try:
        with pytest.raises(UnreadablePhoto, match="pip install pillow-heif"):
            read_photo(data)
    finally:
        photos._heif_formats.cache_clear()


def test_a_cut_one_is_refused() -> None:
    data = encode(scene(), "HEIF")
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(UnreadablePhoto):
            read_photo(data[: int(len(data) * share)])
