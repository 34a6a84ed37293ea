"""A number measured on samples and real images, and what other ones would have changed.

The jackknife (Efron & Stein 1981, "The jackknife estimate of variance") over both sides: how a
number moves when one image is left out tells how it would move with other images. What is kept
here is the number without each single image, so that numbers measured on the same real images
can be subtracted from each other, or averaged, image by image.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catgan.measure.statistics.intervals import Z95, wilson


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number, and the same number without each of the images that it rests on."""

    value: float
    """The number, on all images."""
    without_fake: NDArray[np.float64] = dataclasses.field(compare=False, repr=False)
    """(N,), the number with one sample left out, in the samples' order."""
    without_real: NDArray[np.float64] = dataclasses.field(compare=False, repr=False)
    """(M,), the number with one real image left out, in the real images' order."""
    share_of: int | None = None
    """How many images it is a share of; None where it is no share."""
    quoted: float | None = None
    """What is quoted in its stead: a mean over random subsets, which estimates the same number;
    None for the number itself."""
    quoted_error: float = 0.0
    """Standard error from drawing only so many subsets."""
    extractor: str = ""
    """Whose features it was measured on; "" where the caller did not say."""

    @property
    def number(self) -> float:
        """What is quoted."""
        return self.value if self.quoted is None else self.quoted

    @property
    def n_fake(self) -> int:
        """Samples measured."""
        return len(self.without_fake)

    @property
    def n_real(self) -> int:
        """Real images that they were measured against."""
        return len(self.without_real)

    @property
    def error(self) -> float:
        """Standard error of `number`: what other samples, other real images and other subsets would
        change."""
        return math.sqrt(
            left_out(self.without_fake) + left_out(self.without_real) + self.quoted_error**2
        )

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval (low, high)."""
        return around(self.number, Z95 * self.error, self.share_of)


def around(number: float, half: float, share_of: int | None) -> tuple[float, float]:
    """An interval around a number; that of a share is as wide as its counting makes it, at least.

    The jackknife sees nothing to change in a share of 0 or 1, Wilson's interval none of the other
    side's part: the wider of both.

    Args:
        number: In the middle.
        half: Half the interval's width, by the jackknife or by the spread between runs.
        share_of: How many images the number is a share of; None where it is no share.
    """
    low, high = number - half, number + half
    if share_of is None:
        return low, high
    counted_low, counted_high = counted(number, share_of)
    return max(0.0, min(low, counted_low)), min(1.0, max(high, counted_high))


def counted(share: float, total: int) -> tuple[float, float]:
    """Wilson's interval of a share, as if its images had been counted once."""
    return wilson(round(share * total), total)


def left_out(values: NDArray[np.float64]) -> float:
    """The jackknife's variance of a number: (n - 1) / n sum (value_i - mean)^2.

    Args:
        values: (n,), the number with image i of n left out; 0 for fewer than two.
    """
    return float((len(values) - 1) * values.var()) if len(values) > 1 else 0.0


def mean_without_real(estimates: Sequence[Estimate]) -> NDArray[np.float64]:
    """The mean of several numbers with one real image left out of all of them: (M,).

    Args:
        estimates: From one on, measured on the same real images in the same order.

    Raises:
        ValueError: They were measured on different numbers of real images.
    """
    counts = {estimate.n_real for estimate in estimates}
    if len(counts) != 1:
        raise ValueError(f"measured on {sorted(counts)} real images, so not on the same ones")
    return np.asarray(np.mean([estimate.without_real for estimate in estimates], axis=0))
