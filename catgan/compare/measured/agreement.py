"""How much of the light and dark of an image is at the same place in all of them."""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from catgan.core.pictures import Picture, Pictures
from catgan.measure.statistics.estimate import left_out

FEWEST = 3  # images: with one left out, two still make a pair
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How much of the light and dark of an image is at the same place in all of them."""

    share: float
    """At most 1: all images are the same; 0, or below by chance, where knowing one says nothing
    of another."""
    error: float
    """Standard error of `share`: what other images would change (the jackknife)."""


def agreement(pictures: Pictures) -> Agreement | None:
    """How much of the light and dark of an image is at the same place in all of them.

    The covariance of two different images over their pixels, averaged over all pairs, as a share
    of the variance of one. Overall brightness and contrast between images are left out. For N
    images x_i with their own mean subtracted, their sum s, and |.|^2 the mean over the pixels of
    the square, the average over pairs is (|s|^2 - sum |x_i|^2) / (N (N - 1)), since |s|^2 sums
    every pair and every image itself.

    Args:
        pictures: (N, H, W, 3) uint8.

    Returns:
        None for fewer than three images or blank ones.
    """
    count = len(pictures)
    if count < FEWEST:
        return None
    total: NDArray[np.float64] = np.zeros(pictures.shape[1:3])
    own, with_total = np.empty(count), np.empty(count)
    for index, picture in enumerate(pictures):
        grey = _pattern(picture)
        total += grey
        own[index] = np.square(grey).mean()
    for index, picture in enumerate(pictures):
        with_total[index] = (_pattern(picture) * total).mean()
    all_own, pairs = own.sum(), float(np.square(total).mean()) - own.sum()
    own_without = all_own - own
    if min(own_without) <= 0:
        return None
    # without an image, the sum over all pairs loses its row and its column
    pairs_without = pairs - 2 * (with_total - own)
    without = pairs_without / ((count - 2) * own_without)
    return Agreement(
        share=float(pairs / ((count - 1) * all_own)), error=math.sqrt(left_out(without))
    )


def _pattern(picture: Picture) -> NDArray[np.float32]:
    """(H, W) float32, the light and dark of an image about its mean."""
    grey = picture.astype(np.float32) @ LUMA
    return np.asarray(grey - grey.mean())
