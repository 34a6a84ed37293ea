"""How different samples are from each other, with real pictures as the measure of it."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from catgan.core.errors import TooFewPictures
from catgan.measure.estimate import Estimate

FEWEST = 3  # pictures of a side: with one left out, two are still two
SAME = 1e-12  # spread of pictures over their size, below which it is rounding


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """How varied samples are, next to real pictures."""

    ratio: float
    """1 where two samples differ as much as two real pictures do, 0 where all are the same.

    The mean squared distance between two different samples over that between two different real
    pictures. Above 1 is no praise: pictures of nothing in particular differ more than cats do.
    """
    error: float
    """Standard error of `ratio`: what other samples and other real pictures would change."""
    n_fake: int
    """Samples measured."""
    n_real: int
    """Real pictures they were held against."""
    extractor: str
    """Whose features these are; "" where the caller did not say."""


def diversity(
    fake: NDArray[np.floating], real: NDArray[np.floating], *, extractor: str = ""
) -> Diversity:
    """How varied samples are, next to real pictures.

    Args:
        fake: (N, D) features of samples, N from 3.
        real: (M, D) features of real pictures, M from 3.
        extractor: Whose features these are, for the record.

    Raises:
        TooFewPictures: Fewer than 3 on a side, or all real pictures are the same.
    """
    found = diversity_estimate(fake, real)
    return Diversity(
        ratio=found.value,
        error=found.error,
        n_fake=len(fake),
        n_real=len(real),
        extractor=extractor,
    )


def diversity_estimate(fake: NDArray[np.floating], real: NDArray[np.floating]) -> Estimate:
    """The ratio of `Diversity`, and what it would be without each picture.

    Half the mean squared distance between two different pictures is the variance of their
    features, so no pair has to be looked at. A real picture is left out to first order only, so
    that a crowd whose variety is all one odd picture divides nothing by zero.

    Args:
        fake: (N, D) features, N from 3.
        real: (M, D) features, M from 3.

    Raises:
        TooFewPictures: Fewer than 3 on a side, or all real pictures are the same.
    """
    if min(len(fake), len(real)) < FEWEST:
        raise TooFewPictures(
            f"How varied pictures are can be told from {FEWEST} samples and {FEWEST} real "
            f"pictures on; here are {len(fake)} and {len(real)}."
        )
    ours, ours_without = _variances(fake)
    theirs, theirs_without = _variances(real)
    if theirs <= SAME * float(np.square(real, dtype=np.float64).sum(axis=1).mean()):
        raise TooFewPictures(
            "All the real pictures are the same, so nothing can be as varied as they are; "
            "measure against pictures that differ."
        )
    value = ours / theirs
    return Estimate(
        value=value,
        without_fake=ours_without / theirs,
        without_real=value * (2 - theirs_without / theirs),
    )


def _variances(features: NDArray[np.floating]) -> tuple[float, NDArray[np.float64]]:
    """The variance summed over the features, and the same with each picture left out."""
    x = features.astype(np.float64)
    x -= x.mean(axis=0)
    from_mean = np.einsum("ij,ij->i", x, x)
    n, total = len(x), float(from_mean.sum())
    return total / (n - 1), (total - from_mean * n / (n - 1)) / (n - 2)
