"""How different samples are from each other, with real images as the measure of it."""

import numpy as np
from numpy.typing import NDArray

from catgan.core.errors import TooFewPictures
from catgan.measure.statistics.estimate import Estimate

FEWEST = 3  # images of a side: with one left out, two are still two
SAME = 1e-12  # spread of images over their size, below which it is rounding


def diversity(
    fake: NDArray[np.floating], real: NDArray[np.floating], *, extractor: str = ""
) -> Estimate:
    """How varied samples are, next to real images: 1 where two samples differ as much as two real
    images do, 0 where all are the same.

    The mean squared distance between two different samples over that between two different real
    images. Above 1 is no praise: images of nothing in particular differ more than cats do. Half
    that mean is the variance of the features, so no pair has to be looked at. A real image is left
    out to first order only, so that a crowd whose variety is all one odd image divides nothing by
    zero.

    Args:
        fake: (N, D) features of samples, N from 3.
        real: (M, D) features of real images, M from 3.
        extractor: Whose features these are, for the record.

    Raises:
        TooFewPictures: Fewer than 3 on a side, or all real images are the same.
    """
    if min(len(fake), len(real)) < FEWEST:
        raise TooFewPictures(
            f"Variety needs at least {FEWEST} samples and {FEWEST} real images; "
            f"here are {len(fake)} and {len(real)}."
        )
    ours, ours_without = _variances(fake)
    theirs, theirs_without = _variances(real)
    if theirs <= SAME * float(np.square(real, dtype=np.float64).sum(axis=1).mean()):
        raise TooFewPictures(
            "All the real images are the same, so nothing can be as varied as they are; "
            "measure against images that differ."
        )
    value = ours / theirs
    return Estimate(
        value=value,
        without_fake=ours_without / theirs,
        without_real=value * (2 - theirs_without / theirs),
        extractor=extractor,
    )


def _variances(features: NDArray[np.floating]) -> tuple[float, NDArray[np.float64]]:
    """The variance summed over the features, and the same with each image left out."""
    x = features.astype(np.float64)
    x -= x.mean(axis=0)
    from_mean = np.einsum("ij,ij->i", x, x)
    n, total = len(x), float(from_mean.sum())
    return total / (n - 1), (total - from_mean * n / (n - 1)) / (n - 2)
