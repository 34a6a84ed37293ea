"""Photos without a face, made of photos with one: for fitting the face finder and for measuring it.

What is to be kept out, backs of heads, hidden faces and bodies, is rare in albums, and one has to
look for it by eye. Of a photo whose faces are labelled it can be made: the face painted over with
what is beside it, with the ears or without, or the part of the photo beside the face alone.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from benchmarks.labels import Box
from catgan.core.pictures import Picture

LEAST = 40  # pixels of a face that is worth painting over
LEAST_SHARE = 0.35  # shorter side of a part beside a face, in shorter sides of the photo
ROOM = 0.6  # sides of a head that a face keeps clear of what counts as beside it


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """A photo without a face, or with none left."""

    kind: str
    """`back`: the ears are left; `hidden`: nothing of the head is; `body`: a part beside it."""
    pixels: Picture
    """(H, W, 3) uint8."""
    boxes: tuple[Box, ...]
    """Where the faces were, in pixels of `pixels`; none for a body."""


def mine(
    pixels: Picture, boxes: Sequence[Box], rng: np.random.Generator, kinds: Sequence[str]
) -> Iterator[Mined]:
    """What can be made of a photo, of the kinds asked for.

    Args:
        pixels: (H, W, 3) uint8.
        boxes: All its faces, in pixels of `pixels`: each a box around the head.
        rng: Chooses what faces are painted over with.
        kinds: Of `back`, `hidden`, `body`.
    """
    for kind in kinds:
        if kind == "body":
            if (part := beside(pixels, boxes)) is not None:
                yield Mined(kind=kind, pixels=part, boxes=())
        elif boxes and min(min(box.w, box.h) for box in boxes) >= LEAST:
            painted: Picture | None = pixels
            for box in boxes:
                if painted is not None:
                    painted = painted_over(painted, box, boxes, rng, ears=kind == "back")
            if painted is not None:
                yield Mined(kind=kind, pixels=painted, boxes=tuple(boxes))


def painted_over(
    pixels: Picture, box: Box, boxes: Sequence[Box], rng: np.random.Generator, *, ears: bool
) -> Picture | None:
    """The photo with a face painted over with what lies beside it, its seams blended.

    None where there is no room beside it for anything to be taken.

    Args:
        pixels: (H, W, 3) uint8.
        box: Around the head.
        boxes: All heads: nothing is taken from them.
        rng: Chooses which way what is taken lies.
        ears: Leave them: the face alone goes, from the brow down.
    """
    height, width = pixels.shape[:2]
    # A box has the ears in its upper third; what is painted over is an ellipse.
    half_w, half_h = (0.5 * box.w, 0.42 * box.h) if ears else (0.68 * box.w, 0.68 * box.h)
    cx, cy = box.cx, box.cy + (0.13 * box.h if ears else 0.0)
    x0, x1 = max(2, round(cx - half_w)), min(width - 2, round(cx + half_w))
    y0, y1 = max(2, round(cy - half_h)), min(height - 2, round(cy + half_h))
    if x1 - x0 < 8 or y1 - y0 < 8:
        return None
    mask = np.zeros((height, width), np.uint8)
    middle, axes = ((x0 + x1) // 2, (y0 + y1) // 2), ((x1 - x0) * 7 // 15, (y1 - y0) * 7 // 15)
    cv2.ellipse(mask, middle, axes, 0, 0, 360, 255, -1)
    patch = _beside_patch(pixels, (x0, y0, x1, y1), boxes, rng)
    if patch is None:
        return None
    rows, columns = slice(y0, y1), slice(x0, x1)
    soft = cv2.GaussianBlur(mask[rows, columns].astype(np.float32) / 255, (0, 0), (x1 - x0) / 16)
    rim = (soft > 0.05) & (soft < 0.5)
    old = pixels[rows, columns].astype(np.float32)
    new = patch.astype(np.float32)
    if rim.any():  # brought half-way to the colour of where it goes
        new += 0.5 * (old[rim].mean(axis=0) - new[rim].mean(axis=0))
    blended = pixels.copy()
    mixed = old + (new - old) * soft[..., None]
    blended[rows, columns] = np.clip(mixed, 0, 255).astype(np.uint8)
    return blended


def _beside_patch(
    pixels: Picture,
    place: tuple[int, int, int, int],
    boxes: Sequence[Box],
    rng: np.random.Generator,
) -> Picture | None:
    """A part of the photo near a place, with no face, brought to its size; below it rather."""
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = place
    for share in (1.0, 0.6, 0.35):
        w, h = round((x1 - x0) * share), round((y1 - y0) * share)
        found = []
        for _ in range(60):
            way = rng.uniform(-np.pi, np.pi)
            far = rng.uniform(0.9, 2.2) * (0.5 + 0.5 * share)
            left = round((x0 + x1 - w) / 2 + far * (x1 - x0) * np.cos(way))
            top = round((y0 + y1 - h) / 2 + far * (y1 - y0) * np.sin(way))
            clear = all(
                left + w < box.cx - 0.4 * box.w
                or left > box.cx + 0.4 * box.w
                or top + h < box.cy - 0.4 * box.h
                or top > box.cy + 0.4 * box.h
                for box in boxes
            )
            if clear and 0 <= left <= width - w and 0 <= top <= height - h:
                found.append((far - 0.8 * np.sin(way), left, top))  # below it is more often the cat
        if found:
            _, left, top = min(found)
            patch = pixels[top : top + h, left : left + w]
            patch = patch[:, ::-1] if rng.random() < 0.5 else patch
            size = (x1 - x0, y1 - y0)
            return np.asarray(cv2.resize(patch, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    return None


def beside(pixels: Picture, boxes: Sequence[Box]) -> Picture | None:
    """The largest part of a photo that lies left, right, above or below all faces; None if small.

    Args:
        pixels: (H, W, 3) uint8.
        boxes: All faces.
    """
    height, width = pixels.shape[:2]
    left = int(min((box.cx - ROOM * box.w for box in boxes), default=width))
    right = int(max((box.cx + ROOM * box.w for box in boxes), default=0))
    top = int(min((box.cy - ROOM * box.h for box in boxes), default=height))
    bottom = int(max((box.cy + ROOM * box.h for box in boxes), default=0))
    parts = [
        pixels[:, : max(0, left)],
        pixels[:, min(width, right) :],
        pixels[: max(0, top)],
        pixels[min(height, bottom) :],
    ]
    best = max(parts, key=lambda part: (min(part.shape[:2]), max(part.shape[:2])))
    if min(best.shape[:2]) < LEAST_SHARE * min(height, width):
        return None
    return np.ascontiguousarray(best)
