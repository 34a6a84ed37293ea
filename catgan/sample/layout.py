"""How pictures are laid out to be looked at: columns, scale, room between them."""

import math

import numpy as np
from PIL import Image

from catgan.core.pictures import Picture, Pictures, sheet
from catgan.core.settings import require

COMFORTABLE = 128  # a side that can be looked at on a screen of today, pixels
MAX_PIXELS = 100_000_000  # of one picture, or of all frames of a GIF together
GROUND = 255


def auto_scale(size: int) -> int:
    """Times that pictures of a side (pixels) are enlarged to be looked at."""
    return max(1, COMFORTABLE // size)


def gap_of(scale: int) -> int:
    """Pixels between pictures."""
    return 2 if scale == 1 else 4


def columns_of(count: int) -> int:
    """Columns of a grid of so many pictures: about as wide as high, rather wider, few gaps.

    64 lie in 8 columns, 10 in 5, 7 in 4.
    """
    narrow = math.isqrt(count - 1) + 1
    choices = range(narrow, min(narrow + narrow // 4 + 1, count) + 1)
    return min(choices, key=lambda columns: (-count % columns, columns))


def grid_shape(count: int, size: int, scale: int) -> tuple[int, int]:
    """Height and width of `arrange`'s picture, pixels."""
    step, gap = size * scale + gap_of(scale), gap_of(scale)
    columns = columns_of(count)
    return -(-count // columns) * step + gap, columns * step + gap


def check_room(height: int, width: int, frames: int, advice: str) -> None:
    """Refuse what no screen shows and little memory holds.

    Args:
        height: Pixels.
        width: Pixels.
        frames: Of that size.
        advice: What to change, as in "a smaller --count".

    Raises:
        BadSettings: It is too much.
    """
    total = height * width * frames
    of_frames = f" in {frames} frames" if frames > 1 else ""
    require(
        total <= MAX_PIXELS,
        f"That would be {width} x {height} pixels{of_frames}, more than "
        f"{MAX_PIXELS // 1_000_000} million; use {advice}, or a smaller --scale.",
    )


def enlarge(picture: Picture, scale: int) -> Picture:
    """A picture with each side so many times as long, smoothly: these are photos, not icons."""
    if scale == 1:
        return picture
    height, width = picture.shape[:2]
    large = Image.fromarray(picture).resize(
        (width * scale, height * scale), Image.Resampling.LANCZOS
    )
    return np.asarray(large, dtype=np.uint8)


def arrange(pictures: Pictures, scale: int) -> Picture:
    """Pictures on one, each enlarged by itself.

    Args:
        pictures: (N, H, W, 3) uint8, N from 1.
        scale: Times that each side is enlarged.
    """
    enlarged = np.stack([enlarge(picture, scale) for picture in pictures])
    columns = columns_of(len(pictures))
    return sheet(enlarged, columns=columns, gap=gap_of(scale), ground=GROUND)
