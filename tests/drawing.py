"""Photos drawn for the tests: "cats" whose eyes tell where the head is and how it is turned.

A drawn head is a light disk as wide as its box, with a red eye and a blue eye where the cascades'
boxes have the eyes (0.25 and 0.75 of the width, 0.4 of the height). `EyeDetector` finds it again by
the colours, so that whatever is done to a photo, the truth can be read off the result.
"""

import dataclasses
import io
import json
import math
import os
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catgan.core.files import Json
from catgan.core.photos import Photo
from catgan.core.pictures import Picture
from catgan.curate.square import Square

LEFT_EYE = (255, 0, 0)  # of the head upright, as the viewer sees it
RIGHT_EYE = (0, 0, 255)
HEAD = (235, 220, 200)
EYE_RADIUS = 0.09  # widths of the box
EYE_HEIGHT = 0.4  # of the box

Mask = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A head to draw: the centre and width of its box in pixels, its turn in degrees."""

    cx: float
    cy: float
    w: float
    roll: float = 0.0


def draw_photo(width: int, height: int, *heads: Head, seed: int = 0) -> Picture:
    """A photo of soft greenish shapes, different for each seed, with heads on it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] + 0.5
    ground = np.zeros((height, width, 3))
    for channel, (low, high) in enumerate(((40, 110), (90, 190), (40, 110))):
        wave = sum(
            np.sin(x * fx + y * fy + phase)
            for fx, fy, phase in rng.uniform((-0.05, -0.05, 0), (0.05, 0.05, 6), (3, 3))
        )
        ground[..., channel] = low + (high - low) * (wave + 3) / 6
    for head in heads:
        turn = math.radians(head.roll)
        # head's own right and down, in widths of the box from the box's centre
        across = ((x - head.cx) * math.cos(turn) - (y - head.cy) * math.sin(turn)) / head.w
        down = ((x - head.cx) * math.sin(turn) + (y - head.cy) * math.cos(turn)) / head.w
        ground[np.hypot(across, down) < 0.5] = HEAD
        for colour, place in ((LEFT_EYE, -0.25), (RIGHT_EYE, 0.25)):
            ground[np.hypot(across - place, down + 0.5 - EYE_HEIGHT) < EYE_RADIUS] = colour
    return ground.round().astype(np.uint8)


def encode(picture: Picture, kind: str = "JPEG", **options: Any) -> bytes:
    """A picture as the bytes of a file; JPEG at its best, so that colours stay where they are."""
    if kind == "JPEG":
        options = {"quality": 95, "subsampling": 0} | options
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, kind, **options)
    return buffer.getvalue()


# How a camera that was held otherwise stores an upright picture: the inverse of what the
# EXIF tag asks a viewer to do.
STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: np.rot90(upright, 1),  # the viewer turns it clockwise
    7: lambda upright: upright.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda upright: np.rot90(upright, -1),
}


def encode_turned(upright: Picture, orientation: int, kind: str = "JPEG", **options: Any) -> bytes:
    """A file that shows `upright` to whoever heeds its EXIF orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(STORED[orientation](upright))
    return encode(stored, kind, exif=exif, **options)


def eyes(picture: Picture) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """The centres of the left eyes and of the right eyes, each the largest first, pixels."""
    red, green, blue = (picture[..., channel].astype(int) for channel in range(3))
    left = (red - np.maximum(green, blue)) > 100
    right = (blue - np.maximum(green, red)) > 100
    return _centres(left), _centres(right)


def _centres(mask: Mask) -> list[tuple[float, float]]:
    count, _, stats, centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = [(int(stats[index, cv2.CC_STAT_AREA]), index) for index in range(1, count)]
    return [
        (float(centres[index][0]) + 0.5, float(centres[index][1]) + 0.5)
        for area, index in sorted(areas, reverse=True)
        if area >= 4
    ]


@dataclasses.dataclass(frozen=True, slots=True)
class EyeDetector:
    """Finds drawn heads by their eyes; a class and not a function, so that it can be pickled."""

    name: str = "eyes"
    side: int = 320
    wait: float = 0.0

    def __call__(self) -> "EyeDetector":
        """Make a detector: itself."""
        return self

    def find(self, photo: Photo) -> Sequence[Square]:
        """The heads of a photo, the largest eyes first."""
        time.sleep(self.wait)
        squares = []
        for (lx, ly), (rx, ry) in zip(*eyes(photo.pixels), strict=False):
            w = 2 * math.hypot(rx - lx, ry - ly) / photo.scale
            turn = math.atan2(ly - ry, rx - lx)
            below = (0.5 - EYE_HEIGHT) * w
            cx = (lx + rx) / 2 / photo.scale + below * math.sin(turn)
            cy = (ly + ry) / 2 / photo.scale + below * math.cos(turn)
            squares.append(Square(cx=cx, cy=cy, side=w, roll=math.degrees(turn), score=w))
        return squares


ALBUM = {
    "2023/balcony.jpg": "kept",
    "2023/deep/er/turned.png": "kept",
    "2023/sideways.jpg": "kept",
    "bomb.png": "unreadable",
    "cmyk.jpg": "no-face",
    "copy of balcony.jpg": "duplicate",
    "cut.jpg": "unreadable",
    "empty.jpg": "unreadable",
    "first frame.gif": "kept",
    "grey16.png": "no-face",
    "lossless.webp": "kept",
    "meadow.jpg": "no-face",
    "no_suffix": "kept",
    "noise.heic": "unreadable",
    "old.bmp": "kept",
    "scan.tif": "kept",
    "small.jpg": "face-too-small",
    "text.jpg": "unreadable",
    "two.jpg": "kept",
}
"""The photos of the drawn album and their verdicts, in the order in which they are found."""


def draw_album(folder: Path) -> None:
    """Write the album of `ALBUM`, and beside it what is no photo."""
    balcony = encode(draw_photo(320, 240, Head(cx=150, cy=120, w=100), seed=1))
    tall = draw_photo(240, 320, Head(cx=120, cy=150, w=90, roll=-12), seed=3)
    photos = {
        "2023/balcony.jpg": balcony,
        "2023/deep/er/turned.png": encode(
            draw_photo(300, 260, Head(cx=150, cy=130, w=96, roll=25), seed=2), "PNG"
        ),
        "2023/sideways.jpg": encode_turned(tall, 6),
        "bomb.png": png_header(60_000, 60_000),
        "cmyk.jpg": _encode_image(Image.fromarray(draw_photo(320, 240, seed=4)).convert("CMYK")),
        "copy of balcony.jpg": balcony,
        "cut.jpg": balcony[: len(balcony) * 2 // 3],
        "empty.jpg": b"",
        "first frame.gif": encode(draw_photo(320, 240, Head(cx=170, cy=110, w=88), seed=5), "GIF"),
        "grey16.png": _encode_image(
            Image.fromarray(np.linspace(0, 65535, 80 * 90).reshape(80, 90).astype("u2")), "PNG"
        ),
        "lossless.webp": encode(
            draw_photo(320, 240, Head(cx=160, cy=120, w=110, roll=40), seed=6),
            "WEBP",
            lossless=True,
        ),
        "meadow.jpg": encode(draw_photo(320, 200, seed=7)),
        "no_suffix": encode(draw_photo(330, 240, Head(cx=100, cy=130, w=84), seed=8)),
        "noise.heic": np.random.default_rng(0).bytes(2000),
        "old.bmp": encode(draw_photo(200, 200, Head(cx=100, cy=100, w=90), seed=9), "BMP"),
        "scan.tif": encode(
            draw_photo(240, 240, Head(cx=120, cy=120, w=80, roll=8), seed=10),
            "TIFF",
            compression="tiff_lzw",
        ),
        "small.jpg": encode(draw_photo(320, 240, Head(cx=160, cy=120, w=36), seed=11)),
        "text.jpg": b"Dear diary, today the cat looked at me.\n" * 20,
        "two.jpg": encode(
            draw_photo(400, 260, Head(cx=110, cy=130, w=120), Head(cx=290, cy=130, w=80), seed=12)
        ),
        # none of these is a photo
        "notes.txt": b"balcony: 2023\n",
        ".hidden.jpg": balcony,
        ".thumbnails/balcony.jpg": balcony,
        "2023/film.mp4": b"\0\0\0\x18ftypmp42" + bytes(100),
    }
    for name, data in photos.items():
        write(folder / name, data)


def write(path: Path, data: bytes) -> None:
    """Write a photo, changed last at a time that is the same in every album."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, ns=(10**18, 10**18))


def png_header(width: int, height: int) -> bytes:
    """A few bytes of PNG that claim any size."""
    data = bytearray(encode(np.zeros((1, 1, 3), np.uint8), "PNG"))
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def _encode_image(image: Image.Image, kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too, and what is in it; folders end in a slash."""
    return {
        str(path.relative_to(folder)) + "/" * path.is_dir(): b""
        if path.is_dir()
        else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


def read_jsonl(path: Path) -> list[Json]:
    """The objects of a file of JSON lines, whatever catgan may think of them."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]
