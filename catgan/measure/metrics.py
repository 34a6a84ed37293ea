"""How far samples are from real pictures: KID, precision and recall, and the recognised rate.

Features first, statistics next, the number last. KID, precision and recall are torch-fidelity's,
on features extracted beforehand; what is added here is how sure one can be of them.
"""

import dataclasses
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch_fidelity.metric_kid import (
    KEY_METRIC_KID_MEAN,
    KEY_METRIC_KID_STD,
    kid_features_to_metric,
)
from torch_fidelity.metric_prc import (
    KEY_METRIC_PRECISION,
    KEY_METRIC_RECALL,
    prc_features_to_metric,
)

from catgan.core.errors import BadUsage, TooFewPictures
from catgan.measure import estimate
from catgan.measure.estimate import Estimate
from catgan.measure.features import Features

MIN_PICTURES = 50  # below, the error of KID is as large as what it is to tell apart
SUBSETS = 100
SUBSET_SIZE = 100
NEIGHBOURS = 3  # Kynkäänniemi et al. 2019, section 3.1
ROOM = 4_000_000  # values of the kernel in memory at a time: 32 MB
Z95 = estimate.Z95

Matrix = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kid:
    """A kernel inception distance, and how sure one can be of it.

    Its unit is that of the squared maximum mean discrepancy of the extractor's features: only
    values made with the same extractor compare. Equal distributions give 0 on average, whatever
    the counts, so a value slightly below 0 is possible and means "no difference seen".
    """

    kid: float
    """The distance: mean over random subsets of the unbiased estimate."""
    kid_std: float
    """Standard deviation between the subsets: what torch-fidelity prints behind its plus-minus.

    It is no error of `kid`. It tells how much KID on `subset_size` pictures would vary, and tends
    to 0 as the subsets become the whole set, however few pictures that is.
    """
    kid_error: float
    """Standard error of `kid`: what other samples and other real pictures would change.

    The jackknife over the pictures of both sides, and the error from drawing only so many
    subsets; see `kid_jackknife`.
    """
    n_fake: int
    """Samples measured."""
    n_real: int
    """Real pictures they were measured against."""
    subset_size: int
    """Pictures of each side in a subset."""
    subsets: int
    """Subsets drawn."""
    seed: int
    """Which subsets were drawn."""
    extractor: str
    """Whose features these are; "" where the caller did not say."""

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval (low, high)."""
        half = Z95 * self.kid_error
        return self.kid - half, self.kid + half


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionRecall:
    """How many samples look real, and how much of the real variety the samples reach.

    Both depend on the counts: compare values of equal counts only.
    """

    precision: float
    """Share of samples that lie among the real pictures, 0 to 1."""
    recall: float
    """Share of real pictures that lie among the samples, 0 to 1."""
    n_fake: int
    """Samples measured."""
    n_real: int
    """Real pictures they were measured against."""
    neighbours: int
    """How many neighbours of a picture its surroundings reach to."""
    extractor: str
    """Whose features these are; "" where the caller did not say."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share of pictures, with the interval that the true share lies in 19 times out of 20.

    The interval says what other pictures would change. Where the mark that they are held against
    was measured too (`neighbours.too_close`), `below` and `above` say what another one would.
    """

    hits: int
    """Pictures that count."""
    total: int
    """Pictures looked at."""
    low: float
    """Lower end of the interval, 0 to 1."""
    high: float
    """Upper end of the interval, 0 to 1."""
    extractor: str
    """Whose judgement it is; "" where the caller did not say."""
    below: float = 0.0
    """How much smaller the share would be by the lowest mark there may be; 0 where it is fixed."""
    above: float = 0.0
    """How much larger by the highest one, likewise."""

    @property
    def share(self) -> float:
        """The share itself, 0 to 1."""
        return self.hits / self.total


def kid(
    fake: NDArray[np.floating],
    real: NDArray[np.floating],
    seed: int = 0,
    *,
    extractor: str = "",
    subsets: int = SUBSETS,
) -> Kid:
    """The kernel inception distance of samples from real pictures.

    Bińkowski et al. 2018 (arXiv:1801.01401), section 4: the unbiased squared maximum mean
    discrepancy under the kernel k(x, y) = (x.y / D + 1)^3, by torch-fidelity on subsets of at
    most 100 pictures. Unlike FID it reads 0 between equal distributions at any count.

    Args:
        fake: (N, D) features of samples.
        real: (M, D) features of real pictures; N and M may differ.
        seed: Draws the subsets.
        extractor: Whose features these are, for the record.
        subsets: How many are drawn; more make it slower and the least bit more exact.

    Raises:
        TooFewPictures: Fewer than 50 on either side.
    """
    n_fake, n_real = len(fake), len(real)
    if min(n_fake, n_real) < MIN_PICTURES:
        raise TooFewPictures(
            f"KID needs at least {MIN_PICTURES} samples and {MIN_PICTURES} real pictures to mean "
            f"anything; here are {n_fake} and {n_real}."
        )
    size = min(SUBSET_SIZE, n_fake, n_real)
    found = kid_features_to_metric(
        _tensor(fake),
        _tensor(real),
        kid_subsets=subsets,
        kid_subset_size=size,
        rng_seed=seed,
        verbose=False,
    )
    std = float(found[KEY_METRIC_KID_STD])
    _, jackknife = kid_jackknife(fake, real)
    return Kid(
        kid=float(found[KEY_METRIC_KID_MEAN]),
        kid_std=std,
        kid_error=math.hypot(jackknife, std / math.sqrt(subsets)),
        n_fake=n_fake,
        n_real=n_real,
        subset_size=size,
        subsets=subsets,
        seed=seed,
        extractor=extractor,
    )


def kid_jackknife(fake: NDArray[np.floating], real: NDArray[np.floating]) -> tuple[float, float]:
    """KID on all pictures at once, and its standard error; see `kid_estimate`.

    Args:
        fake: (N, D) features, N from 3.
        real: (M, D) features, M from 3.

    Returns:
        (KID, standard error).
    """
    found = kid_estimate(fake, real)
    return found.value, found.error


def kid_estimate(fake: NDArray[np.floating], real: NDArray[np.floating]) -> Estimate:
    """KID on all pictures at once, and what it would be without each of them.

    The mean over random subsets estimates the same value (a subset's estimate has the whole
    set's as its expectation), so this error is that value's too. Leaving out picture i of n gives
    KID_i; the error is sqrt of (n - 1) / n sum (KID_i - mean)^2, added over both sides (Arvesen
    1969, "Jackknifing U-statistics", for two samples). On average it is never too small (Efron &
    Stein 1981, "The jackknife estimate of variance").

    Args:
        fake: (N, D) features, N from 3.
        real: (M, D) features, M from 3.
    """
    x, y = fake.astype(np.float64), real.astype(np.float64)
    n, m = len(x), len(y)
    xx, _ = _kernel_sums(x, x)
    yy, _ = _kernel_sums(y, y)
    xy, yx = _kernel_sums(x, y)
    sum_xx, sum_yy, sum_xy = xx.sum(), yy.sum(), xy.sum()
    among_x, among_y = sum_xx / (n * (n - 1)), sum_yy / (m * (m - 1))
    # a sum over all pairs loses the row of the picture left out, and its column
    among_x_without = (sum_xx - 2 * xx) / ((n - 1) * (n - 2))
    among_y_without = (sum_yy - 2 * yy) / ((m - 1) * (m - 2))
    return Estimate(
        value=float(among_x + among_y - 2 * sum_xy / (n * m)),
        without_fake=among_x_without + among_y - 2 * (sum_xy - xy) / ((n - 1) * m),
        without_real=among_x + among_y_without - 2 * (sum_xy - yx) / (n * (m - 1)),
    )


def _kernel_sums(x: Matrix, y: Matrix) -> tuple[Matrix, Matrix]:
    """The sums of k(x, y) = (x.y / D + 1)^3 over all y of each x, and over all x of each y.

    Where both are the same pictures, none is paired with itself.
    """
    rows, columns = np.empty(len(x)), np.zeros(len(y))
    step = max(1, ROOM // len(y))
    for start in range(0, len(x), step):
        linear = x[start : start + step] @ y.T / x.shape[1] + 1
        kernel = linear * linear * linear
        if x is y:
            here = np.arange(len(kernel))
            kernel[here, start + here] = 0
        rows[start : start + step] = kernel.sum(axis=1)
        columns += kernel.sum(axis=0)
    return rows, columns


def precision_recall(
    fake: NDArray[np.floating],
    real: NDArray[np.floating],
    *,
    neighbours: int = NEIGHBOURS,
    extractor: str = "",
) -> PrecisionRecall:
    """Precision and recall of samples against real pictures.

    Kynkäänniemi et al. 2019 (arXiv:1904.06991), equations 1 and 2, by torch-fidelity: a sample is
    precise where it lies nearer to some real picture than that one's k-th real neighbour does; a
    real picture is recalled where the same holds with the sides exchanged.

    Args:
        fake: (N, D) features of samples.
        real: (M, D) features of real pictures.
        neighbours: k.
        extractor: Whose features these are, for the record.

    Raises:
        TooFewPictures: A side has no k-th neighbour.
    """
    n_fake, n_real = len(fake), len(real)
    _need_neighbours(n_fake, n_real, neighbours)
    # torch-fidelity's convention: the first are the generated ones, the second the real ones
    found = prc_features_to_metric(
        _tensor(fake), _tensor(real), prc_neighborhood=neighbours, verbose=False
    )
    return PrecisionRecall(
        precision=float(found[KEY_METRIC_PRECISION]),
        recall=float(found[KEY_METRIC_RECALL]),
        n_fake=n_fake,
        n_real=n_real,
        neighbours=neighbours,
        extractor=extractor,
    )


def precision_recall_estimates(
    fake: NDArray[np.floating],
    real: NDArray[np.floating],
    *,
    neighbours: int = NEIGHBOURS,
) -> tuple[Estimate, Estimate]:
    """Precision and recall, and what each would be without each of the pictures that it counts.

    Precision counts samples and recall real pictures; the other side, whose surroundings they are
    counted in, is taken as it is. So these intervals leave out what other real pictures would
    change in precision, and other samples in recall.

    Args:
        fake: (N, D) features of samples.
        real: (M, D) features of real pictures.
        neighbours: k.

    Returns:
        (precision, recall), the same values as `precision_recall`.

    Raises:
        TooFewPictures: A side has no k-th neighbour.
    """
    n_fake, n_real = len(fake), len(real)
    _need_neighbours(n_fake, n_real, neighbours)
    x, y = _tensor(fake), _tensor(real)
    between = torch.cdist(x, y)
    # the first of all neighbours is the picture itself
    reach_real = torch.cdist(y, y).kthvalue(neighbours + 1).values
    reach_fake = torch.cdist(x, x).kthvalue(neighbours + 1).values
    precise = (between <= reach_real).any(dim=1).double().numpy()
    recalled = (reach_fake >= between.T).any(dim=1).double().numpy()
    precision, recall = float(precise.mean()), float(recalled.mean())
    return (
        Estimate(
            value=precision,
            without_fake=(precise.sum() - precise) / (n_fake - 1),
            without_real=np.full(n_real, precision),
        ),
        Estimate(
            value=recall,
            without_fake=np.full(n_fake, recall),
            without_real=(recalled.sum() - recalled) / (n_real - 1),
        ),
    )


def _need_neighbours(n_fake: int, n_real: int, neighbours: int) -> None:
    if min(n_fake, n_real) <= neighbours:
        raise TooFewPictures(
            f"Precision and recall need more than {neighbours} samples and real pictures; "
            f"here are {n_fake} and {n_real}."
        )


def recognised_rate(features: Features, *, extractor: str = "") -> Rate:
    """How many pictures are more likely a cat than not: probability above one half.

    Args:
        features: Of N pictures, N from 1, by a net that judges cats.
        extractor: Whose judgement it is, for the record.

    Raises:
        TooFewPictures: There is none.
        BadUsage: The net does not judge cats: its probabilities are no numbers.
    """
    if np.isnan(features.cat).any():
        raise BadUsage(
            f"{extractor or 'This net'} sees features but does not say what is a cat; "
            "let another net judge that beside it (catgan.measure.Paired)."
        )
    return rate(features.cat > 0.5, extractor=extractor)


def rate(counts: NDArray[np.bool_], *, extractor: str = "") -> Rate:
    """The share of pictures that count, with its interval.

    Args:
        counts: (N,), whether each picture does, N from 1.
        extractor: Whose judgement it is, for the record.

    Raises:
        TooFewPictures: There is none.
    """
    hits, total = int(counts.sum()), len(counts)
    if total == 0:
        raise TooFewPictures("No share can be taken of no pictures.")
    low, high = wilson(hits, total)
    return Rate(hits=hits, total=total, low=low, high=high, extractor=extractor)


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95% interval of a share, right even at 0 and at all (Wilson 1927).

    The shares p with |hits / total - p| = z sqrt(p (1 - p) / total), z = 1.96.

    Args:
        hits: 0 to `total`.
        total: From 1.

    Returns:
        (low, high), 0 to 1.
    """
    share, z2 = hits / total, Z95 * Z95
    middle = share + z2 / (2 * total)
    half = Z95 * math.sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    scale = 1 + z2 / total
    # exact at the ends, where middle and half are equal but round differently
    low = 0.0 if hits == 0 else (middle - half) / scale
    high = 1.0 if hits == total else (middle + half) / scale
    return low, high


def _tensor(features: NDArray[np.floating]) -> torch.Tensor:
    """For torch-fidelity, which takes tensors; its precision stays the caller's."""
    return torch.from_numpy(np.ascontiguousarray(features))
