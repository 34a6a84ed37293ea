"""Which training image a sample is most like, and whether it is too like it."""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from catgan.measure.statistics.intervals import Z95, wilson
from catgan.measure.statistics.rate import Rate

CHUNK = 1000  # rows of distances in memory at a time
REACH = 5  # neighbours to the last of which a distance is compared
CLOSE = 0.05  # the share of real images that is called close to a training image
FEWEST = 20  # held-out images below which that share is less than one image
FEWEST_AMONG = 8  # training images among themselves below which nothing can be said
SAME = 1e-4  # of a distance over the features' size, below which two images are one


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """For each of N images, the nearest of others."""

    index: NDArray[np.intp]
    """(N,), which of the others it is."""
    distance: NDArray[np.float64]
    """(N,), Euclidean between the features; infinite where there is no other."""
    relative: NDArray[np.float64]
    """(N,), 0 to 1: the same over the distance to the fifth nearest, or the last of fewer. Small
    where the image is like one of the others and like no other; 1 where there is but one."""
    independent: int
    """How many of the N say something of their own: all of them, but only half of images among
    themselves, where two that are near each other say it twice."""


def nearest(queries: NDArray[np.floating], others: NDArray[np.floating]) -> Nearest:
    """The nearest neighbour of each query among others, the first of equals.

    Args:
        queries: (N, D) features.
        others: (M, D) features, M from 1.
    """
    return _nearest(queries, others, themselves=False)


def among(images: NDArray[np.floating]) -> Nearest:
    """The nearest neighbour of each image among the others.

    Images that are equal count as one: how near different ones are is the question.

    Args:
        images: (N, D) features, N from 1.
    """
    return _nearest(images, images, themselves=True)


def usual(held_out: NDArray[np.floating], train: NDArray[np.floating]) -> Nearest:
    """How near real images that were not trained on lie to those that were.

    Told by images held out where there are 20; else each training image stands for one that was
    not trained on, among the rest. Both agree: docs/log.md has the figures.

    Args:
        held_out: (M, D) features, M from 0.
        train: (N, D) features, N from 1.
    """
    return nearest(held_out, train) if len(held_out) >= FEWEST else among(train)


def _nearest(
    queries: NDArray[np.floating], others: NDArray[np.floating], *, themselves: bool
) -> Nearest:
    y = others.astype(np.float64)
    y2 = np.einsum("ij,ij->i", y, y)
    index = np.empty(len(queries), dtype=np.intp)
    distance, relative = np.empty(len(queries)), np.empty(len(queries))
    last = min(REACH, len(y)) - 1
    for start in range(0, len(queries), CHUNK):
        rows = slice(start, start + CHUNK)
        x = queries[rows].astype(np.float64)
        x2 = np.einsum("ij,ij->i", x, x)[:, None]
        squares = np.maximum(x2 + y2 - 2 * (x @ y.T), 0)
        if themselves:
            squares[squares <= SAME**2 * x2] = np.inf
        found = squares.argmin(axis=1)
        exact = np.linalg.norm(x - y[found], axis=1)  # squares lose digits near 0
        exact[np.isinf(squares.min(axis=1))] = np.inf
        index[rows], distance[rows] = found, exact
        relative[rows] = _over(exact, _farthest(squares, last))
    independent = len(queries) // 2 if themselves else len(queries)
    return Nearest(index=index, distance=distance, relative=relative, independent=independent)


def _farthest(squares: NDArray[np.float64], last: int) -> NDArray[np.float64]:
    """(N,), the distance to the neighbour of that place, or to the last one there is."""
    near = np.partition(squares, range(last + 1), axis=1)[:, : last + 1]
    return np.asarray(np.sqrt(np.where(np.isfinite(near), near, 0).max(axis=1)))


def _over(near: NDArray[np.float64], far: NDArray[np.float64]) -> NDArray[np.float64]:
    """A distance over a farther one: 0 where the image is there, 1 where there is no other."""
    there = near > 0
    over = np.divide(near, far, out=np.ones_like(near), where=there & (far > 0))
    return np.where(there, np.minimum(over, 1), 0)


def too_close(fake: Nearest, real: Nearest, *, extractor: str = "") -> Rate | None:
    """How many samples are nearer to one training image than real images usually are.

    Nearer than to others: a sample is held by how far its nearest training image is, over how far
    the fifth nearest is, since a blurred or noisy copy is far from everything, but much farther
    from all images other than its own (the ratio test of Lowe 2004, "Distinctive image features
    from scale-invariant keypoints", section 7.1). "Usually" is all but 5% of the real images, so
    about 5% is what a generator of new images as good as photos would give, and one that copies
    would give far more. Samples that look like nothing are as far from all: a low share is no
    praise.

    Below the true limit lies each real image with a chance of 5%, so of n independent ones 5% give
    or take 1.96 sqrt(0.05 0.95 / n): with 70, somewhere between none and a tenth. `below` and
    `above` say what these limits would change.

    Args:
        fake: Nearest training images of samples.
        real: Those of real images that were not trained on, or what stands for them: see `usual`.
        extractor: In whose features, for the record.

    Returns:
        None with no samples, or fewer than 8 real images.
    """
    total = len(fake.relative)
    if len(real.relative) < FEWEST_AMONG or total == 0:
        return None
    off = Z95 * math.sqrt(CLOSE * (1 - CLOSE) / real.independent)
    # below the k-th of n lies k / (n + 1) of what they were drawn from, on average: "weibull"
    shares = [max(0.0, CLOSE - off), CLOSE, CLOSE + off]
    limits = np.quantile(real.relative, shares, method="weibull")
    fewest, hits, most = (int((fake.relative < limit).sum()) for limit in limits)
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


def by_chance(real: Nearest) -> float:
    """The share of close samples up to which nothing is wrong, 0 to 1.

    Five per cent by construction, and two standard errors more, since the limit was read off so
    many real images only.

    Args:
        real: What the limit was read off, as in `too_close`.
    """
    return CLOSE + 2 * math.sqrt(CLOSE * (1 - CLOSE) / max(1, real.independent))
