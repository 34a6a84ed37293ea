"""Pictures: small arrays of pixels, resized, encoded, averaged, and many of them on one sheet."""

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
"""One picture: (H, W, 3) uint8, RGB, 0 to 255."""

Pictures = NDArray[np.uint8]
"""Pictures of equal size: (N, H, W, 3) uint8, RGB, 0 to 255."""


def resize_shorter_side(pixels: Picture, size: int) -> Picture:
    """The whole picture with its shorter side `size`, then its centre square.

    What torchvision's `Resize(size)` and `CenterCrop(size)` make, whole pixels and all, with the
    Lanczos kernel for their bilinear one: sharper, as free of aliasing.

    Args:
        pixels: (H, W, 3) uint8.
        size: Side of the result in pixels.

    Returns:
        (size, size, 3) uint8.
    """
    height, width = pixels.shape[:2]
    left, right = _centre_of(width, min(height, width), size)
    top, bottom = _centre_of(height, min(height, width), size)
    square = Image.fromarray(pixels).resize(
        (size, size), Image.Resampling.LANCZOS, box=(left, top, right, bottom)
    )
    return np.asarray(square, dtype=np.uint8)


def _centre_of(length: int, short: int, size: int) -> tuple[float, float]:
    """The part of a side of `length` that is the middle `size` once `short` is made `size`."""
    resized = size * length // short
    start = round((resized - size) / 2)
    return start * length / resized, (start + size) * length / resized


def encode_png(picture: Picture) -> bytes:
    """A picture as the bytes of a PNG file, without metadata; the same bytes each time."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=False, compress_level=6)
    return buffer.getvalue()


def encode_jpeg(picture: Picture, quality: int = 88) -> bytes:
    """A picture as the bytes of a JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def mean_picture(pictures: Pictures) -> Picture:
    """The average of pictures, pixel by pixel.

    Args:
        pictures: (N, H, W, 3) uint8, N from 1.

    Returns:
        (H, W, 3) uint8.
    """
    # A sum over the first axis of uint8 needs no float copy of all of them.
    total = pictures.sum(axis=0, dtype=np.uint64)
    return np.asarray((total / len(pictures)).round(), dtype=np.uint8)


def sheet(pictures: Pictures, *, columns: int, gap: int = 2, ground: int = 255) -> Picture:
    """Many pictures on one, row by row.

    Args:
        pictures: (N, H, W, 3) uint8, N from 1.
        columns: Pictures in a row.
        gap: Pixels between and around them.
        ground: Grey of the ground, 0 to 255.

    Returns:
        ((H + gap) * rows + gap, (W + gap) * columns + gap, 3) uint8.
    """
    count, height, width, _ = pictures.shape
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    shape = (rows * (height + gap) + gap, columns * (width + gap) + gap, 3)
    canvas = np.full(shape, ground, dtype=np.uint8)
    for index, picture in enumerate(pictures):
        top = gap + (index // columns) * (height + gap)
        left = gap + (index % columns) * (width + gap)
        canvas[top : top + height, left : left + width] = picture
    return canvas


def cut_sheet(grid: Picture, size: int, gap: int = 2) -> Pictures:
    """The pictures of a sheet, row by row; a last row that is not full ends in empty ground.

    Args:
        grid: What `sheet` made of square pictures; anything else is taken for one picture.
        size: Side of a picture, pixels.
        gap: Between and around them, pixels.

    Returns:
        (N, size, size, 3) uint8, or (1, H, W, 3) for what is no such sheet.
    """
    height, width = grid.shape[:2]
    step = size + gap
    rows, columns = (height - gap) // step, (width - gap) // step
    if rows < 1 or columns < 1 or (rows * step + gap, columns * step + gap) != (height, width):
        return grid[None]
    tiles = grid[gap:, gap:].reshape(rows, step, columns, step, 3)[:, :size, :, :size]
    return np.ascontiguousarray(tiles.swapaxes(1, 2)).reshape(-1, size, size, 3)


def spread_evenly(count: int, most: int) -> NDArray[np.intp]:
    """Up to `most` places among `count`, spread evenly, the first and the last among them.

    Args:
        count: Things there are, from 0.
        most: Places wanted, from 1.

    Returns:
        (min(count, most),) ascending.
    """
    return np.linspace(0, count - 1, min(most, count)).round().astype(np.intp)
