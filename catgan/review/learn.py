"""What a person would reject next, learnt from what they rejected on this album.

A logistic layer on the crops' features, pulled towards 0 (ridge), fitted by Newton's method. It
only sorts: nothing is rejected by it.
"""

import numpy as np
from numpy.typing import NDArray

from catgan.review.likeness import Vectors

LEAST = 30  # rejections from which it is of use
RIDGE = 3.0  # weight of the squared length of the layer's weights
UNDECIDED = 1.0  # all crops not decided about weigh so many times as much as all rejected ones
STEPS = 25
SAMPLE = 3000  # crops not decided about that are taken for kept, at most


def chances(
    vectors: Vectors,
    rejected: NDArray[np.bool_],
    kept: NDArray[np.bool_],
) -> NDArray[np.float64] | None:
    """How likely each crop is to be kept; None where too few were rejected.

    Crops that nobody decided about are mostly good, or this would be another album: together they
    count as kept, as much as all rejected ones do.

    Args:
        vectors: (N, D): of all crops.
        rejected: (N,): those rejected.
        kept: (N,): those kept by hand.

    Returns:
        (N,) float64, 0 to 1.
    """
    if rejected.sum() < LEAST:
        return None
    undecided = np.flatnonzero(~rejected & ~kept)
    step = max(1, len(undecided) // SAMPLE)
    shown = undecided[::step]
    rows = np.concatenate([np.flatnonzero(rejected), np.flatnonzero(kept), shown])
    target = np.concatenate([np.zeros(rejected.sum()), np.ones(kept.sum()), np.ones(len(shown))])
    weight = np.ones(len(rows))
    if len(shown):
        weight[-len(shown) :] = min(1.0, UNDECIDED * float(rejected.sum()) / len(shown))
    # features of length 1 in 128 directions: of size 1 each, so that the ridge means the same
    scale = float(np.sqrt(vectors.shape[1]))
    design = np.column_stack([vectors[rows].astype(np.float64) * scale, np.ones(len(rows))])
    layer = _fit(design, target, weight)
    everything = np.column_stack([vectors.astype(np.float64) * scale, np.ones(len(vectors))])
    return _sigmoid(everything @ layer)


def _fit(
    design: NDArray[np.float64], target: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The weights of a logistic layer, (D,), the last of them the offset, which is not pulled."""
    layer = np.zeros(design.shape[1])
    ridge = np.full(design.shape[1], RIDGE)
    ridge[-1] = 1e-6
    for _ in range(STEPS):
        chance = _sigmoid(design @ layer)
        slope = design.T @ (weight * (chance - target)) + ridge * layer
        spread = weight * np.maximum(chance * (1 - chance), 1e-6)
        bend = (design * spread[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(bend, slope)
        layer -= step
        if float(np.abs(step).max()) < 1e-6:
            break
    return layer


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -40, 40))), dtype=np.float64)
