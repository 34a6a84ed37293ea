"""Which training image a sample is most like, and whether it is too like it."""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from catgan.measure.statistics.intervals import Z95, wilson
from catgan.measure.statistics.rate import Rate

CHUNK = 1000  # rows of distances in memory at a time
CLOSE = 0.05  # the share of real images that is called close to a training image
FEWEST = 20  # held-out images below which that share is less than one image


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """For each of N images, the nearest of others."""

    index: NDArray[np.intp]
    """(N,), which of the others it is."""
    distance: NDArray[np.float64]
    """(N,), Euclidean between the features."""


def nearest(queries: NDArray[np.floating], others: NDArray[np.floating]) -> Nearest:
    """The nearest neighbour of each query among others, the first of equals.

    Args:
        queries: (N, D) features.
        others: (M, D) features, M from 1.
    """
    y = others.astype(np.float64)
    y2 = np.einsum("ij,ij->i", y, y)
    index = np.empty(len(queries), dtype=np.intp)
    distance = np.empty(len(queries))
    for start in range(0, len(queries), CHUNK):
        x = queries[start : start + CHUNK].astype(np.float64)
        # |x - y|^2 less |x|^2, which every candidate shares
        found = (y2 - 2 * (x @ y.T)).argmin(axis=1)
        index[start : start + CHUNK] = found
        distance[start : start + CHUNK] = np.linalg.norm(x - y[found], axis=1)
    return Nearest(index=index, distance=distance)


def too_close(fake: Nearest, held_out: Nearest, *, extractor: str = "") -> Rate | None:
    """How many samples are nearer to a training image than real images usually are.

    "Usually" is all but 5% of the held-out images, so about 5% is what a generator of new
    images as good as photos would give, and one that copies would give far more. Samples that
    look like nothing are far from everything: a low share is no praise.

    Below the true limit lies each held-out image with a chance of 5%, so of n of them 5% give or
    take 1.96 sqrt(0.05 0.95 / n): with 70, somewhere between none and a tenth. `below` and `above`
    say what these limits would change.

    Args:
        fake: Nearest training images of samples.
        held_out: Nearest training images of images held out of training.
        extractor: In whose features, for the record.

    Returns:
        None with fewer than 20 held-out images, where 5% is less than one of them.
    """
    total = len(fake.distance)
    if len(held_out.distance) < FEWEST or total == 0:
        return None
    off = Z95 * math.sqrt(CLOSE * (1 - CLOSE) / len(held_out.distance))
    limits = np.quantile(held_out.distance, [max(0.0, CLOSE - off), CLOSE, CLOSE + off])
    fewest, hits, most = (int((fake.distance < limit).sum()) for limit in limits)
    low, high = wilson(hits, total)
    return Rate(
        hits=hits,
        total=total,
        low=low,
        high=high,
        extractor=extractor,
        below=(hits - fewest) / total,
        above=(most - hits) / total,
    )
