"""What can be told from a picture's pixels alone: how sharp, how bright, and what it looks like.

All three are measured at a fixed size, on what would go into a data set: a photo of twelve
megapixels may be soft and its small crop crisp, and judging the whole photo flags sharp pictures of
smooth things.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catgan.core.pictures import Picture
from catgan.curate.opencv import cv2

SIDE = 64  # pictures are brought to this side before they are measured

# Thresholds from 646 labelled faces of 64 x 64, and the same faces spoiled (benchmarks/screens.py).
# Sharpness: 0.6% of the good faces lie below, and they do look blurred; of faces blurred by 1.5
# pixels all do, and 99.5% of those moved by 7; of those blurred by 1 or moved by 5, 77% and 92%.
LEAST_SHARPNESS = 0.55
# Brightness: 0.15% of the good faces lie below; of faces exposed by a quarter 56% do, by a seventh
# all.
LEAST_BRIGHTNESS = 50.0
BLUR_KERNEL = 9  # of Crete et al.'s second blur, pixels
GROUND_SIDE = 256  # a picture is brought to this longer side to look for its ground, pixels
GROUND_LEVELS = 20  # by which what lies on a ground differs from it: JPEG and paper are within
GROUND_SPECK = 3  # pixels of a row or column that are no dust
GROUND_MOST = 0.9  # of the picture; what takes more of it has no ground worth the name
HASH_SIDE = 32  # the whole picture is brought to this before it is hashed
# (8, 32): the lowest frequencies of the cosine transform (DCT-II, not normalised).
COSINES = np.cos(np.pi / HASH_SIDE * np.outer(np.arange(8), np.arange(HASH_SIDE) + 0.5))


def sharpness(picture: Picture, *, own_size: bool = False) -> float:
    """How much a picture loses when it is blurred: near 0 if it was blurred before.

    Crete et al. 2007, "The blur effect: perception and estimation with a new no-reference
    perceptual blur metric", equations 1 to 6: blurring a sharp picture takes much of the difference
    between neighbouring pixels away, blurring a blurred one little. This is one minus their blur,
    the worse of the two directions, so that the smear of a moving cat counts in full.

    Args:
        picture: (H, W, 3) uint8, square.
        own_size: Measure it as it is. At 64 x 64, as verdicts are given, what was scaled down is
            sharp however soft it was.

    Returns:
        0 (nothing but blur, or all of one colour) to 1.
    """
    luma = _grey(picture) if own_size else _luma(picture)
    return min(_loss(luma, axis=0), _loss(luma, axis=1))


def _loss(luma: NDArray[np.float32], axis: int) -> float:
    """The share of the differences along an axis that a blur along it takes away, 0 to 1."""
    kernel = (1, BLUR_KERNEL) if axis == 0 else (BLUR_KERNEL, 1)
    before = np.abs(np.diff(luma, axis=axis))
    after = np.abs(np.diff(cv2.blur(luma, kernel), axis=axis))
    total = float(before.sum())
    return float(np.maximum(0, before - after).sum()) / total if total > 0 else 0.0


def brightness(picture: Picture) -> float:
    """The luma that a tenth of the pixels reach.

    A black cat has eyes, a nose and something behind it; a picture that is dark even at its
    brightest shows nothing.

    Args:
        picture: (H, W, 3) uint8, square; measured at 64 x 64.

    Returns:
        0 (black) to 255.
    """
    return float(np.percentile(_luma(picture), 90))


def _luma(picture: Picture) -> NDArray[np.float32]:
    luma = _grey(picture)
    if luma.shape != (SIDE, SIDE):
        luma = cv2.resize(luma, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return luma


def _grey(picture: Picture) -> NDArray[np.float32]:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)


def content_of(picture: Picture) -> Picture:
    """The part of a picture that lies on an even ground; all of it where there is none.

    A print on a scanner's glass, a photo pasted on white: a hash of the whole says where the ground
    ends, and little of what is on it.

    Args:
        picture: (H, W, 3) uint8, of any shape.

    Returns:
        (H', W', 3) uint8, a view.
    """
    height, width = picture.shape[:2]
    factor = min(1.0, GROUND_SIDE / max(height, width))
    shape = (max(1, round(width * factor)), max(1, round(height * factor)))
    grey = cv2.cvtColor(
        cv2.resize(picture, shape, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY
    ).astype(np.int64)
    rim = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    stands_out = abs(grey - np.median(rim)) > GROUND_LEVELS
    rows = np.flatnonzero(stands_out.sum(axis=1) >= GROUND_SPECK)
    columns = np.flatnonzero(stands_out.sum(axis=0) >= GROUND_SPECK)
    if not len(rows) or not len(columns):
        return picture
    (top, bottom), (left, right) = (rows[0], rows[-1] + 1), (columns[0], columns[-1] + 1)
    if (bottom - top) * (right - left) > GROUND_MOST * grey.size:
        return picture
    y = [round(int(edge) * height / grey.shape[0]) for edge in (top, bottom)]
    x = [round(int(edge) * width / grey.shape[1]) for edge in (left, right)]
    return picture[y[0] : y[1], x[0] : x[1]]


def fingerprint(picture: Picture) -> str:
    """The perceptual hash of a picture: near for near-equal ones, whatever their size.

    Which of the 64 lowest frequencies of the whole picture in grey are above their median: Krawetz
    2011, "Looks Like It", with the median for the average, as imagehash's `phash` has it.

    Args:
        picture: (H, W, 3) uint8, of any shape.

    Returns:
        16 hexadecimal digits, 64 bits; see `duplicates`.
    """
    grey = Image.fromarray(picture).convert("L")
    small = grey.resize((HASH_SIDE, HASH_SIDE), Image.Resampling.LANCZOS)
    # rounded, so that what is 0 by symmetry is 0: of a picture all of one colour, say
    low = (COSINES @ np.asarray(small, dtype=np.float64) @ COSINES.T).round(6)
    return np.packbits(low > np.median(low)).tobytes().hex()
