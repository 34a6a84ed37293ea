"""The most alike pictures of a set: copies that slipped through stand out here."""

import dataclasses

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catgan.core.pictures import Pictures

SIDE = 16  # pictures are compared in grey at this side
BLOCK = 1024  # pictures compared at a time, against all


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two pictures of a set."""

    first: int
    """Index of the one, below `second`."""
    second: int
    """Index of the other."""
    alike: float
    """Correlation of the two, -1 to 1; 1 for the same picture, whatever its brightness."""


def nearest_pairs(pictures: Pictures, most: int = 8) -> list[Pair]:
    """The pairs of pictures that correlate most, each picture in one pair at most.

    Args:
        pictures: (N, H, W, 3) uint8.
        most: Pairs wanted.

    Returns:
        Up to `most` pairs, the most alike first.
    """
    shapes = _shapes(pictures)
    candidates: list[tuple[float, int, int]] = []
    for start in range(0, len(shapes), BLOCK):
        alike = shapes[start : start + BLOCK] @ shapes.T
        for offset in range(len(alike)):  # each pair once: with an earlier picture
            alike[offset, start + offset :] = -2.0
        best = alike.argmax(axis=1)
        candidates += [
            (float(alike[offset, other]), int(other), start + offset)
            for offset, other in enumerate(best)
            if start + offset > 0
        ]
    candidates.sort(key=lambda candidate: (-candidate[0], candidate[1:]))
    pairs: list[Pair] = []
    taken: set[int] = set()
    for alike_as, first, second in candidates:
        if len(pairs) == most:
            break
        if first in taken or second in taken:
            continue
        taken |= {first, second}
        pairs.append(Pair(first=first, second=second, alike=alike_as))
    return pairs


def _shapes(pictures: Pictures) -> NDArray[np.float32]:
    """Each picture in grey at 16 x 16, its mean taken off and its length made 1: (N, 256)."""
    small = np.stack(
        [
            np.asarray(
                Image.fromarray(picture).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX),
                dtype=np.float32,
            ).ravel()
            for picture in pictures
        ]
    )
    small -= small.mean(axis=1, keepdims=True)
    length = np.linalg.norm(small, axis=1, keepdims=True)
    return np.asarray(small / np.maximum(length, 1e-6), dtype=np.float32)
