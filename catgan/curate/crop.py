"""Cutting a face out of a photo: level, square, centred, never enlarged."""

import dataclasses
import math

import cv2
import numpy as np
from PIL import Image

from catgan.core.errors import FaceTooSmall
from catgan.core.images import Photo, Picture, to_srgb
from catgan.curate.detect import Face

# The cascades' box runs from ear base to ear base with the eyes at 0.4 of its height, so the
# ears stand above it while the chin ends inside: the head's middle lies this much higher, in
# widths of the box.
LIFT = 0.10
OVERSAMPLE = 2  # source pixels for one of the crop that are plenty for antialiasing


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """A turned square on a photo, in pixels of the whole photo."""

    cx: float
    """Centre from the left."""
    cy: float
    """Centre from the top."""
    side: float
    """Side."""
    roll: float
    """Turn, degrees anticlockwise."""


def square_around(face: Face, *, margin: float, width: int, height: int) -> Square:
    """The square to cut out: the face box, grown by the margin, lifted for the ears.

    It is shifted inside the photo as an upright square of its size would have to be; where it is
    larger than the photo, it is centred. What a turned one's corners still reach beyond the edge is
    mirrored by `crop_face`.

    Args:
        face: Box and roll.
        margin: Growth on each side, in widths of the box.
        width: Width of the whole photo, pixels.
        height: Height likewise.
    """
    side = face.w * (1 + 2 * margin)
    turn = math.radians(face.roll)
    cx, cy = face.centre
    cx -= LIFT * face.w * math.sin(turn)
    cy -= LIFT * face.w * math.cos(turn)
    return Square(
        cx=_inside(cx, side, width), cy=_inside(cy, side, height), side=side, roll=face.roll
    )


def _inside(centre: float, side: float, length: int) -> float:
    if side >= length:
        return length / 2
    return min(max(centre, side / 2), length - side / 2)


def side_needed(square: Square, size: int, *, width: int, height: int) -> int:
    """The longer side that the photo must be decoded to, at least, for a crop of `size`."""
    longer = max(width, height)
    return min(longer, math.ceil(longer * OVERSAMPLE * size / square.side))


def crop_face(photo: Photo, face: Face, *, size: int = 64, margin: float = 0.25) -> Picture:
    """Cut the levelled square around a face out of a photo.

    Args:
        photo: Upright, (H, W, 3) uint8; may be reduced as far as `side_needed` allows.
        face: Box in pixels of the whole photo and roll in degrees, anticlockwise.
        size: Side of the result in pixels.
        margin: Growth of the box on each side, in widths of the box.

    Returns:
        (size, size, 3) uint8 in sRGB, never enlarged from fewer source pixels.

    Raises:
        FaceTooSmall: The square covers fewer than `size` pixels of the photo.
    """
    square = square_around(face, margin=margin, width=photo.width, height=photo.height)
    if square.side < size:
        raise FaceTooSmall(f"the crop would be {square.side:.0f} pixels wide, fewer than {size}")
    # Cut at the decoded resolution, then reduce: turning and antialiasing stay apart.
    scale = photo.scale
    pixels = max(size, round(square.side * scale))
    step = square.side * scale / pixels
    cos, sin = math.cos(math.radians(square.roll)), math.sin(math.radians(square.roll))
    right = np.array([cos, -sin]) * step
    down = np.array([sin, cos]) * step
    # Coordinates run from the photo's corner; OpenCV's from the middle of its first pixel.
    corner = np.array([square.cx, square.cy]) * scale + (right + down) * (0.5 - pixels / 2) - 0.5
    to_source = np.column_stack([right, down, corner])
    cut = cv2.warpAffine(
        photo.pixels,
        to_source,
        (pixels, pixels),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    if pixels > size:
        cut = np.asarray(Image.fromarray(cut).resize((size, size), Image.Resampling.LANCZOS))
    return to_srgb(np.asarray(cut, dtype=np.uint8), photo.profile)
