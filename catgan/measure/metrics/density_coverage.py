"""How densely samples lie where real images do, and how many of these they reach.

Both ask about the same balls: around every real image one that reaches to its k-th nearest real
neighbour. A sample in many balls lies where real images are dense; a real image with a sample
in its ball is covered. Unlike precision, one odd real image with a wide ball lifts neither by
much; unlike recall, samples far from everything lift neither at all.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from catgan.core.errors import TooFewPictures
from catgan.measure.statistics.estimate import Estimate

NEIGHBOURS = 5  # Naeem et al. 2020, section 3.3
ROOM = 4_000_000  # distances in memory at a time: 32 MB
# Distances are sums whose last digits depend on their order. What is nearer by less than this,
# relative to the points' size, counts as equally far, so that ties are the same however computed.
TIE = 1e-11

Matrix = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DensityCoverage:
    """How densely samples lie among real images, and how many of these they reach."""

    density: Estimate
    """How many real images a sample is close to, next to what a new real image would be: 1 as
    many, 0 none.

    Above 1 is no praise: samples then crowd where real images are most alike, as blurred ones do.
    Its error is too small where the samples crowd around a few real images, as in a collapse: most
    choices of real images then leave those few out.
    """
    coverage: Estimate
    """Share of real images that some sample is close to, 0 to 1; its error is up to twice too
    large, on the safe side."""
    coverage_of_equals: float
    """What as many new real images would reach on average, 0 to 1: all that there is to win."""
    neighbours: int
    """How many neighbours of a real image count as close to it."""


def density_coverage(
    fake: NDArray[np.floating],
    real: NDArray[np.floating],
    *,
    neighbours: int = NEIGHBOURS,
    extractor: str = "",
) -> DensityCoverage:
    """Density and coverage of samples against real images.

    Naeem et al. 2020 (arXiv:2002.09797), section 3. Coverage rises with the number of samples:
    compare values of equal counts, or each with its `coverage_of_equals`. Without a real image
    its ball is gone, and the balls of those that it was a neighbour of reach to the next one: both
    are reckoned with.

    Args:
        fake: (N, D) features of samples, N from 2.
        real: (M, D) features of real images, M from `neighbours` + 2.
        neighbours: k.
        extractor: Whose features these are, for the record.

    Raises:
        TooFewPictures: Fewer than that.
    """
    n, m, k = len(fake), len(real), neighbours
    if n < 2 or m < k + 2:
        raise TooFewPictures(
            f"Density and coverage need at least 2 samples and {k + 2} real images; "
            f"here are {n} and {m}."
        )
    centre = real.mean(axis=0, dtype=np.float64)  # distances lose fewer digits around it
    x, y = real - centre, fake - centre
    x2, y2 = np.einsum("ij,ij->i", x, x), np.einsum("ij,ij->i", y, y)

    inside = np.zeros(m)  # samples in the ball around each real image
    inside_wide = np.zeros(m)  # in the ball that reaches one neighbour further
    neighbour = np.empty((m, k), dtype=np.intp)  # which real images the ball reaches to
    balls = np.zeros(n)  # balls that each sample lies in
    alone = np.zeros(n)  # those of them that no other sample lies in
    rows = max(1, ROOM // max(n, m))
    for start in range(0, m, rows):
        part = slice(start, min(start + rows, m))
        size = part.stop - part.start
        among = x2[part, None] + x2 - 2 * (x[part] @ x.T)
        among[np.arange(size), np.arange(start, part.stop)] = np.inf  # nobody neighbours itself
        nearest = np.argpartition(among, (k - 1, k), axis=1)[:, : k + 1]
        neighbour[part] = nearest[:, :k]
        radius, wide = np.take_along_axis(among, nearest[:, k - 1 : k + 1], axis=1).T[:, :, None]
        away = (1 + TIE) * (x2[part, None] + y2) - 2 * (x[part] @ y.T)
        within = away < radius
        inside[part] = within.sum(axis=1)
        inside_wide[part] = (away < wide).sum(axis=1)
        balls += within.sum(axis=0)
        alone += within[inside[part] == 1].sum(axis=0)

    def handed_on(gain: Matrix) -> Matrix:
        """What the balls that reach to each real image gain by reaching past it."""
        to = neighbour.ravel()
        return np.bincount(to, weights=np.repeat(gain, k), minlength=m).astype(np.float64)

    total, covered = inside.sum(), inside > 0
    density = Estimate(
        value=float(total / (k * n)),
        without_fake=(total - balls) / (k * (n - 1)),
        without_real=(total - inside + handed_on(inside_wide - inside)) / (k * n),
        extractor=extractor,
    )
    newly = (~covered & (inside_wide > 0)).astype(np.float64)
    coverage = Estimate(
        value=float(covered.mean()),
        without_fake=(covered.sum() - alone) / m,
        without_real=(covered.sum() - covered + handed_on(newly)) / (m - 1),
        share_of=m,
        extractor=extractor,
    )
    return DensityCoverage(
        density=density,
        coverage=coverage,
        coverage_of_equals=coverage_of_equals(n, m, neighbours=k),
        neighbours=k,
    )


def coverage_of_equals(n_fake: int, n_real: int, *, neighbours: int = NEIGHBOURS) -> float:
    """The expected coverage where samples and real images are alike.

    Naeem et al. 2020, lemma 2: a ball stays empty where the k nearest of all other images are
    real ones, which is 1 - product over j = 1 to k of (M - j) / (N + M - j); about 1 - 2^-k for
    equal counts, whatever the features. The expected density is 1.

    Args:
        n_fake: N, samples.
        n_real: M, real images, more than k.
        neighbours: k.
    """
    steps = np.arange(1, neighbours + 1)
    return float(1 - np.prod((n_real - steps) / (n_fake + n_real - steps)))
