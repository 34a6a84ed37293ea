"""What drawn things are made of: soft noise, fur that lies one way, planes and their edges."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catgan.core.pictures import Picture

Plane = NDArray[np.floating[Any]]
"""One value a pixel: (H, W), float32 wherever there are many."""

Colours = NDArray[np.floating[Any]]
"""Colours: (H, W, 3), sRGB, 0 to 1, likewise; or one colour, (3,)."""

HAIR = 9  # places that a hair is smeared over, to either side of its middle together


def smoothstep(low: float, high: float, values: Plane) -> Plane:
    """0 up to `low`, 1 from `high` on (or the other way round), smooth between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


def resize(plane: Plane, height: int, width: int) -> Plane:
    """A plane brought to another size, bicubic."""
    return np.asarray(
        Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32
    )


def resize_colours(colours: Colours, height: int, width: int) -> Colours:
    """Colours brought to another size, bicubic."""
    planes = [resize(np.ascontiguousarray(colours[..., c]), height, width) for c in range(3)]
    return np.stack(planes, axis=-1)


def cloud(rng: np.random.Generator, height: int, width: int, scale: float) -> Plane:
    """Soft noise.

    Args:
        rng: Where it comes from.
        height: Of the plane, pixels.
        width: Likewise.
        scale: Distance between two independent places, pixels.

    Returns:
        (height, width) float32 of mean 0, mostly from -1 to 1.
    """
    rows, columns = int(height / scale) + 3, int(width / scale) + 3
    coarse = rng.standard_normal((rows, columns)).astype(np.float32) * 0.6
    full = resize(coarse, max(height, round(rows * scale)), max(width, round(columns * scale)))
    top, left = (full.shape[0] - height) // 2, (full.shape[1] - width) // 2
    return full[top : top + height, left : left + width]


def grain(rng: np.random.Generator, height: int, width: int, scale: float) -> Plane:
    """Noise whose grains are `scale` pixels wide (1: white), of mean 0 and deviation 1."""
    if scale <= 1.05:
        return rng.standard_normal((height, width), dtype=np.float32)
    rows, columns = int(height / scale) + 1, int(width / scale) + 1
    coarse = rng.standard_normal((rows, columns), dtype=np.float32)
    fine = resize(coarse, height, width)
    return fine / max(float(fine.std()), 1e-6)


def streaks(noise: Plane, right: Plane, down: Plane, length: float) -> Plane:
    """Noise smeared along a direction that each place has: hairs.

    A line integral convolution (Cabral & Leedom 1993) along straight lines instead of streamlines:
    hairs are short against the bends of what they grow on.

    Args:
        noise: (H, W).
        right: (H, W), the direction's part to the right; unit vectors.
        down: (H, W), its part downward.
        length: Of a hair, pixels.

    Returns:
        (H, W) of mean 0 and deviation about 1.
    """
    height, width = noise.shape
    rows = np.arange(height, dtype=np.float32)[:, None] + 0.5
    columns = np.arange(width, dtype=np.float32)[None] + 0.5
    flat = noise.ravel()
    total = np.zeros_like(noise)
    for step in np.linspace(-0.5, 0.5, HAIR):
        reach = np.float32(step * length)
        y = np.clip(rows + reach * down, 0, height - 1).astype(np.int32)
        x = np.clip(columns + reach * right, 0, width - 1).astype(np.int32)
        total += (1.2 - abs(step)) * flat[y * width + x]
    return np.asarray(total / max(float(total.std()), 1e-6), dtype=np.float32)


def to_picture(colours: Colours) -> Picture:
    """Colours as a picture: (H, W, 3) uint8."""
    return np.asarray(np.clip(colours * 255 + 0.5, 0, 255), dtype=np.uint8)


def to_colours(picture: Picture) -> Colours:
    """A picture as colours."""
    return np.asarray(picture, dtype=np.float32) / np.float32(255)
