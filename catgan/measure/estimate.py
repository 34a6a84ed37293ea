"""A number measured on samples and real pictures, and what other ones would have changed.

The jackknife (Efron & Stein 1981, "The jackknife estimate of variance") over both sides: how a
number moves when one picture is left out tells how it would move with other pictures. What is kept
here is the number without each single picture, so that numbers measured on the same real pictures
can be taken off each other, or averaged, picture by picture.
"""

import dataclasses
import functools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054  # 95% of a normal distribution lies within this many deviations
MOST_DEGREES = 1000  # beyond, Student's distribution is the normal one to three digits


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimate:
    """A number, and the same number without each of the pictures that it rests on."""

    value: float
    """The number itself."""
    without_fake: NDArray[np.float64]
    """(N,), the number with one sample left out, in the samples' order."""
    without_real: NDArray[np.float64]
    """(M,), the number with one real picture left out, in the real pictures' order."""

    @property
    def error(self) -> float:
        """Standard error: what other samples and other real pictures would change."""
        return math.sqrt(left_out(self.without_fake) + left_out(self.without_real))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval (low, high)."""
        half = Z95 * self.error
        return self.value - half, self.value + half


def left_out(values: NDArray[np.float64]) -> float:
    """The jackknife's variance of a number: (n - 1) / n sum (value_i - mean)^2.

    Args:
        values: (n,), the number with picture i of n left out; 0 for fewer than two.
    """
    return float((len(values) - 1) * values.var()) if len(values) > 1 else 0.0


def mean_without_real(estimates: Sequence[Estimate]) -> NDArray[np.float64]:
    """The mean of several numbers with one real picture left out of all of them: (M,).

    Args:
        estimates: From one on, measured on the same real pictures in the same order.

    Raises:
        ValueError: They were measured on different numbers of real pictures.
    """
    counts = {len(estimate.without_real) for estimate in estimates}
    if len(counts) != 1:
        raise ValueError(f"measured on {sorted(counts)} real pictures, so not on the same ones")
    return np.asarray(np.mean([estimate.without_real for estimate in estimates], axis=0))


@functools.cache
def t95(degrees: int) -> float:
    """Within how many standard errors of a mean 95% of Student's distribution lies.

    Student's distribution has a closed form at whole degrees of freedom (Abramowitz & Stegun
    1964, 26.7.3 and 26.7.4); this turns it round by bisection.

    Args:
        degrees: Of freedom, from 1: one fewer than the values whose spread was measured.

    Returns:
        12.71 for 1, 4.30 for 2, 3.18 for 3, and down to 1.96.
    """
    if degrees > MOST_DEGREES:
        return Z95
    low, high = 0.0, math.pi / 2
    for _ in range(80):  # halvings: more than a double's digits
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < 0.95 else (low, middle)
    return math.sqrt(degrees) * math.tan(low)


def _within(angle: float, degrees: int) -> float:
    """The share of Student's distribution within tan(angle) sqrt(degrees) on both sides."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for k in range(2 + odd, degrees - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
