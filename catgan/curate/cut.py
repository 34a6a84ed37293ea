"""Pictures cut and reduced by OpenCV: a turned square, level, of a picture however long."""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from catgan.core.errors import UnreadablePhoto
from catgan.core.pictures import Picture
from catgan.curate.opencv import cv2
from catgan.curate.square import Square

LONGEST = 32_766  # pixels of a side that OpenCV warps: it counts them in 16 bits
SPARE = 4  # pixels around a square that the kernels reach for, and to spare


def to_longer_side(pixels: NDArray[np.uint8], side: int) -> tuple[NDArray[np.uint8], float]:
    """A picture brought to a longer side.

    Args:
        pixels: (H, W) or (H, W, 3) uint8.
        side: Pixels.

    Returns:
        The picture, its sides from one pixel; and its pixels for one of `pixels`.
    """
    height, width = pixels.shape[:2]
    factor = side / max(height, width)
    if factor == 1:
        return pixels, factor
    shape = (max(1, round(width * factor)), max(1, round(height * factor)))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, shape, interpolation=how), dtype=np.uint8), factor


def cut_level(
    pixels: Picture,
    square: Square,
    size: int,
    *,
    kernel: Literal["linear", "cubic"],
    ground: int | None = None,
    mirrored: bool = False,
) -> Picture:
    """The square cut out upright.

    Args:
        pixels: (H, W, 3) uint8.
        square: In pixels of `pixels`.
        size: Side of what is cut out, pixels.
        kernel: How pixels are interpolated.
        ground: Grey of what lies beyond the picture, 0 to 255; None to mirror the picture there.
        mirrored: Left and right exchanged.

    Returns:
        (size, size, 3) uint8.

    Raises:
        UnreadablePhoto: The square alone is larger than OpenCV can warp.
    """
    matrix = square.levelled(size, mirrored=mirrored)
    if max(pixels.shape[:2]) > LONGEST:
        top, left, pixels = _around(pixels, square)
        matrix[:, 2] -= (left, top)
    flags = cv2.INTER_CUBIC if kernel == "cubic" else cv2.INTER_LINEAR
    cut = cv2.warpAffine(
        pixels,
        matrix,
        (size, size),
        flags=flags | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101 if ground is None else cv2.BORDER_CONSTANT,
        borderValue=(ground or 0,) * 3,
    )
    return np.asarray(cut, dtype=np.uint8)


def _around(pixels: Picture, square: Square) -> tuple[int, int, Picture]:
    """What of a picture a square reaches, with what is mirrored into it; and where that begins."""
    height, width = pixels.shape[:2]
    reach = square.side * math.sqrt(0.5) + SPARE
    top, bottom = _within(square.cy, reach, height)
    left, right = _within(square.cx, reach, width)
    if max(bottom - top, right - left) > LONGEST:
        raise UnreadablePhoto(
            f"a face of {square.side:.0f} pixels is more than can be cut out of a photo of "
            f"{width} x {height}"
        )
    return top, left, np.ascontiguousarray(pixels[top:bottom, left:right])


def _within(centre: float, reach: float, length: int) -> tuple[int, int]:
    # of a square with its centre beyond an edge, more is mirrored than it reaches into the picture
    low = min(centre - reach, 2 * length - centre - reach)
    high = max(centre + reach, reach - centre)
    start = min(max(math.floor(low), 0), length - 1)
    return start, max(min(math.ceil(high), length), start + 1)
