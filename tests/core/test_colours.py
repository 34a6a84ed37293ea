"""Colours by what a profile does: within 3 levels of what the numbers mean, whatever its name."""

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from catgan.core.colours import (
    adobe_rgb,
    differs_from_srgb,
    make_profile,
    profile_of_png,
    to_srgb,
)
from catgan.core.photos import read_photo
from catgan.core.png import Colours
from tests.core.test_photos import P3, SRGB, icc_profile, p3_to_srgb, quarters
from tests.core.test_png import chunk, with_chunks
from tests.drawing import encode

WITHIN = 3
GREYS = np.arange(256, dtype=np.uint8)
D65 = (0.3127, 0.3290)
BT709 = (*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
DISPLAY_P3 = (*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)


def ramp() -> NDArray[np.uint8]:
    return np.repeat(GREYS.reshape(16, 16, 1), 3, axis=2)


def curved(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """IEC 61966-2-1, to 0 ... 255."""
    return 255 * np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def seen(data: bytes) -> NDArray[np.uint8]:
    photo = read_photo(data)
    return to_srgb(photo.pixels, photo.profile)


def test_a_linear_profile_that_is_called_srgb() -> None:
    profile = make_profile(BT709, 1.0)
    assert profile is not None
    name = "from the picture".encode("utf-16-be")
    called = profile.replace(name, "sRGB linear curv".encode("utf-16-be"))
    assert "sRGB" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(called)))
    got = seen(encode(ramp(), "PNG", icc_profile=called))
    assert np.abs(got[..., 1].reshape(-1) - curved(GREYS / 255)).max() <= WITHIN
    assert np.abs(curved(GREYS / 255) - GREYS).max() > 60, "or nothing is tried"


def test_srgb_under_another_name_is_srgb() -> None:
    assert not differs_from_srgb(icc_profile(SRGB, "the printer of my aunt"))
    assert differs_from_srgb(icc_profile(P3, "sRGB IEC61966-2.1"))
    made = make_profile(BT709, None)
    assert made is not None
    assert not differs_from_srgb(made)
    assert not differs_from_srgb(b"not a profile" * 20)


@pytest.mark.parametrize("colour", [(128, 128, 128), (200, 100, 50), (90, 140, 60), (255, 0, 0)])
def test_a_made_profile_is_right(colour: tuple[int, int, int]) -> None:
    flat = np.full((8, 8, 3), colour, np.uint8)
    profile = make_profile(DISPLAY_P3, None)
    assert profile is not None
    assert np.abs(to_srgb(flat, profile)[0, 0] - p3_to_srgb(colour)).max() <= WITHIN


class TestPng:
    @pytest.mark.parametrize("gamma", [1.0, 0.5, 1 / 1.8])
    @pytest.mark.parametrize("grey", [False, True])
    def test_gamma(self, gamma: float, grey: bool) -> None:
        picture = ramp()[..., 0] if grey else ramp()
        data = with_chunks(
            encode(picture, "PNG"), chunk(b"gAMA", struct.pack(">I", round(gamma * 1e5)))
        )
        expected = curved((GREYS / 255) ** (1 / gamma))
        assert np.abs(seen(data)[..., 0].reshape(-1) - expected).max() <= WITHIN

    def test_the_usual_gamma_means_srgb(self) -> None:
        for more in ((), (chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 100_000)))):
            usual = chunk(b"gAMA", struct.pack(">I", 45455)) if not more else b""
            data = with_chunks(encode(quarters(), "PNG"), usual, *more)
            assert read_photo(data).profile is None

    def test_chromaticities(self) -> None:
        values = struct.pack(">8I", *(round(value * 1e5) for value in DISPLAY_P3))
        flat = np.full((8, 8, 3), (200, 100, 50), np.uint8)
        data = with_chunks(encode(flat, "PNG"), chunk(b"cHRM", values))
        assert np.abs(seen(data)[0, 0] - p3_to_srgb((200, 100, 50))).max() <= WITHIN

    def test_coded_numbers_go_before_all_else(self) -> None:
        flat = np.full((8, 8, 3), (200, 100, 50), np.uint8)
        data = with_chunks(
            encode(flat, "PNG"), chunk(b"cICP", b"\x0c\x0d\0\1"), chunk(b"sRGB", b"\0")
        )
        assert np.abs(seen(data)[0, 0] - p3_to_srgb((200, 100, 50))).max() <= WITHIN

    @pytest.mark.parametrize(
        "colours",
        [
            Colours(gamma=1e-5),
            Colours(gamma=40_000.0),
            Colours(chromaticities=(0.0,) * 8),
            Colours(chromaticities=(0.3, 0.3) * 4),
            Colours(coded=(77, 99)),
        ],
    )
    def test_numbers_that_no_light_has_count_for_nothing(self, colours: Colours) -> None:
        profile = profile_of_png(colours)
        assert profile is None or not differs_from_srgb(profile) or len(profile) > 128


def grey_profile(curve: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> bytes:
    """A grey ICC profile (version 2) with a table for a curve."""
    values = np.round(curve(np.linspace(0, 1, 256)) * 65535).astype(">u2").tobytes()
    text = b"desc\0\0\0\0\0\0\0\5grey\0" + bytes(79)
    tags = {
        b"desc": text,
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061),
        b"kTRC": b"curv\0\0\0\0" + struct.pack(">I", 256) + values,
    }
    table, body = struct.pack(">I", len(tags)), b""
    start = 132 + 12 * len(tags)
    for tag, value in tags.items():
        table += tag + struct.pack(">II", start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"", 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_a_grey_picture_has_its_curve_applied(kind: str) -> None:
    smooth = np.repeat(GREYS[None], 16, axis=0)
    options = {"quality": 100} if kind == "JPEG" else {}
    data = encode(smooth, kind, icc_profile=grey_profile(lambda x: x), **options)
    got = seen(data)[8, :, 0]
    # a JPEG is off by a level, which is 13 where a linear curve is steepest
    first = 24 if kind == "JPEG" else 0
    assert np.abs(got - curved(GREYS / 255))[first:].max() <= WITHIN + (kind == "JPEG") * 3


def test_a_camera_set_to_adobe_rgb() -> None:
    """No profile, only two letters and a number in its EXIF (DCF 2.0)."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    flat = np.full((16, 16, 3), (60, 160, 80), np.uint8)
    plain, marked = seen(encode(flat))[8, 8], seen(encode(flat, exif=exif))[8, 8]
    expected = to_srgb(flat, adobe_rgb())[8, 8].astype(int)
    assert np.abs(plain.astype(int) - flat[0, 0]).max() <= WITHIN
    assert np.abs(marked - expected).max() <= WITHIN + 2, "JPEG's own rounding, enlarged"
    assert np.abs(expected - flat[0, 0]).max() > 20
