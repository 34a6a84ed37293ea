"""Cutting a face out of a photo: level, square, centred, never enlarged."""

import dataclasses
import math

import numpy as np
from PIL import Image

from catgan.core.errors import FaceTooSmall
from catgan.core.photos import Photo, to_srgb
from catgan.core.pictures import Picture
from catgan.curate.cut import cut_level
from catgan.curate.square import Square, head_of

OVERSAMPLE = 2  # source pixels for one of the crop that are plenty for antialiasing


def square_around(ears: Square, *, margin: float, width: int, height: int) -> Square:
    """The square to cut out: the ears' square, grown by the margin, around the head's centre.

    It is shifted inside the photo as an upright square of its size would have to be; where it is
    larger than the photo, it is centred. What a turned one's corners still reach beyond the edge is
    mirrored by `crop_face`.

    Args:
        ears: As detectors find it, pixels of the whole photo.
        margin: Growth on each side, in sides of the ears' square.
        width: Width of the whole photo, pixels.
        height: Height likewise.
    """
    side = ears.side * (1 + 2 * margin)
    head = head_of(ears)
    return dataclasses.replace(
        head, cx=_inside(head.cx, side, width), cy=_inside(head.cy, side, height), side=side
    )


def _inside(centre: float, side: float, length: int) -> float:
    if side >= length:
        return length / 2
    return min(max(centre, side / 2), length - side / 2)


def side_needed(square: Square, size: int, *, width: int, height: int) -> int:
    """The longer side that the photo must be decoded to, at least, for a crop of `size`."""
    longer = max(width, height)
    return min(longer, math.ceil(longer * OVERSAMPLE * size / square.side))


def crop_face(photo: Photo, ears: Square, *, size: int = 64, margin: float = 0.25) -> Picture:
    """Cut the levelled square around a face out of a photo.

    Args:
        photo: Upright, (H, W, 3) uint8; may be reduced as far as `side_needed` allows.
        ears: The face as detectors find it, in pixels of the whole photo.
        size: Side of the result in pixels.
        margin: Growth of the ears' square on each side, in sides of it.

    Returns:
        (size, size, 3) uint8 in sRGB, never enlarged from fewer source pixels.

    Raises:
        FaceTooSmall: The square covers fewer than `size` pixels of the photo.
        UnreadablePhoto: See `cut_level`.
    """
    square = square_around(ears, margin=margin, width=photo.width, height=photo.height)
    if square.side < size:
        raise FaceTooSmall(f"the crop would be {square.side:.0f} pixels wide, fewer than {size}")
    # Cut at the decoded resolution, then reduce: turning and antialiasing stay apart.
    here = square.scaled(photo.scale)
    pixels = max(size, round(here.side))
    cut = cut_level(photo.pixels, here, pixels, kernel="cubic")
    if pixels > size:
        cut = np.asarray(Image.fromarray(cut).resize((size, size), Image.Resampling.LANCZOS))
    return to_srgb(np.asarray(cut, dtype=np.uint8), photo.profile)
