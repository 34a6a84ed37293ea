"""KID, the kernel inception distance: how far samples are from real images.

What is quoted is torch-fidelity's number; what is added here is how sure one can be of it.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from catgan.core.errors import TooFewPictures
from catgan.measure.choices import MIN_PICTURES
from catgan.measure.statistics.estimate import Estimate

SUBSETS = 100
SUBSET_SIZE = 100
ROOM = 4_000_000  # values of the kernel in memory at a time: 32 MB

Matrix = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kid:
    """A kernel inception distance, and how sure one can be of it.

    Its unit is that of the squared maximum mean discrepancy of the extractor's features: only
    values made with the same extractor compare. Equal distributions give 0 on average, whatever
    the counts, so a value slightly below 0 is possible and means "no difference seen".
    """

    estimate: Estimate
    """The distance: on all images; quoted, the mean over random subsets of the unbiased estimate.
    Its error is the jackknife's over the images of both sides, and that of drawing only so many
    subsets."""
    kid_std: float
    """Standard deviation between the subsets: what torch-fidelity prints behind its plus-minus.

    It is no error of KID. It tells how much KID on `subset_size` images would vary, and tends
    to 0 as the subsets become the whole set, however few images that is.
    """
    subset_size: int
    """Images of each side in a subset."""
    subsets: int
    """Subsets drawn."""
    seed: int
    """Which subsets were drawn."""

    @property
    def kid(self) -> float:
        """The distance that is quoted."""
        return self.estimate.number

    @property
    def kid_error(self) -> float:
        """Its standard error."""
        return self.estimate.error


def kid(
    fake: NDArray[np.floating],
    real: NDArray[np.floating],
    seed: int = 0,
    *,
    extractor: str = "",
    subsets: int = SUBSETS,
) -> Kid:
    """The kernel inception distance of samples from real images.

    Bińkowski et al. 2018 (arXiv:1801.01401), section 4: the unbiased squared maximum mean
    discrepancy under the kernel k(x, y) = (x.y / D + 1)^3, by torch-fidelity on subsets of at
    most 100 images. Unlike FID it reads 0 between equal distributions at any count.

    Args:
        fake: (N, D) features of samples.
        real: (M, D) features of real images; N and M may differ.
        seed: Draws the subsets.
        extractor: Whose features these are, for the record.
        subsets: How many are drawn; more make it slower and the least bit more exact.

    Raises:
        TooFewPictures: Fewer than 50 on either side.
    """
    # here: torch-fidelity takes torchvision along, and both take seconds
    from torch_fidelity import metric_kid

    n_fake, n_real = len(fake), len(real)
    if min(n_fake, n_real) < MIN_PICTURES:
        raise TooFewPictures(
            f"KID needs at least {MIN_PICTURES} samples and {MIN_PICTURES} real images to mean "
            f"anything; here are {n_fake} and {n_real}."
        )
    size = min(SUBSET_SIZE, n_fake, n_real)
    found = metric_kid.kid_features_to_metric(
        *(torch.from_numpy(np.ascontiguousarray(side)) for side in (fake, real)),
        kid_subsets=subsets,
        kid_subset_size=size,
        rng_seed=seed,
        verbose=False,
    )
    std = float(found[metric_kid.KEY_METRIC_KID_STD])
    estimate = dataclasses.replace(
        kid_estimate(fake, real, extractor=extractor),
        quoted=float(found[metric_kid.KEY_METRIC_KID_MEAN]),
        quoted_error=std / math.sqrt(subsets),
    )
    return Kid(estimate=estimate, kid_std=std, subset_size=size, subsets=subsets, seed=seed)


def kid_estimate(
    fake: NDArray[np.floating],
    real: NDArray[np.floating],
    *,
    extractor: str = "",
    between: Callable[[], None] | None = None,
) -> Estimate:
    """KID on all images at once, and what it would be without each of them.

    The mean over random subsets estimates the same value (a subset's estimate has the whole
    set's as its expectation), so this error is that value's too. Leaving out image i of n gives
    KID_i; the error is sqrt of (n - 1) / n sum (KID_i - mean)^2, added over both sides (Arvesen
    1969, "Jackknifing U-statistics", for two samples). On average it is never too small (Efron &
    Stein 1981, "The jackknife estimate of variance").

    Args:
        fake: (N, D) features, N from 3.
        real: (M, D) features, M from 3.
        extractor: Whose features these are, for the record.
        between: Called every now and then; what it raises ends the call. Of 50,000 samples it
            takes minutes.
    """
    x, y = fake.astype(np.float64), real.astype(np.float64)
    n, m = len(x), len(y)
    xx, _ = _kernel_sums(x, x, between)
    yy, _ = _kernel_sums(y, y, between)
    xy, yx = _kernel_sums(x, y, between)
    sum_xx, sum_yy, sum_xy = xx.sum(), yy.sum(), xy.sum()
    among_x, among_y = sum_xx / (n * (n - 1)), sum_yy / (m * (m - 1))
    # a sum over all pairs loses the row of the image left out, and its column
    among_x_without = (sum_xx - 2 * xx) / ((n - 1) * (n - 2))
    among_y_without = (sum_yy - 2 * yy) / ((m - 1) * (m - 2))
    return Estimate(
        value=float(among_x + among_y - 2 * sum_xy / (n * m)),
        without_fake=among_x_without + among_y - 2 * (sum_xy - xy) / ((n - 1) * m),
        without_real=among_x + among_y_without - 2 * (sum_xy - yx) / (n * (m - 1)),
        extractor=extractor,
    )


def _kernel_sums(x: Matrix, y: Matrix, between: Callable[[], None] | None) -> tuple[Matrix, Matrix]:
    """The sums of k(x, y) = (x.y / D + 1)^3 over all y of each x, and over all x of each y.

    Where both are the same images, none is paired with itself.
    """
    rows, columns = np.empty(len(x)), np.zeros(len(y))
    step = max(1, ROOM // len(y))
    for start in range(0, len(x), step):
        if between is not None:
            between()
        linear = x[start : start + step] @ y.T / x.shape[1] + 1
        kernel = linear * linear * linear
        if x is y:
            here = np.arange(len(kernel))
            kernel[here, start + here] = 0
        rows[start : start + step] = kernel.sum(axis=1)
        columns += kernel.sum(axis=0)
    return rows, columns
