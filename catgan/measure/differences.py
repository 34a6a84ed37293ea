"""Whether two arms differ, and by how much: differences with an interval, over one run or several.

An interval of one run each says what other samples and other real pictures would change. Training
again with another seed changes more, and only several runs of an arm show how much.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np

from catgan.core.errors import TooFewPictures
from catgan.measure.estimate import Z95, Estimate, left_out, mean_without_real, t95
from catgan.measure.metrics import Rate, wilson

NO_DIFFERENCE = "no difference shown"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """By how much the first of two arms lies above the second, as far as that can be told."""

    value: float
    """First less second, in their unit."""
    low: float
    """Lower end of its 95% interval."""
    high: float
    """Upper end likewise."""
    seeds: bool
    """Whether the interval allows for training again with other seeds, as several runs of an arm
    make possible; else it holds for these very runs."""

    @property
    def shown(self) -> bool:
        """Whether the arms differ: the interval leaves 0 out."""
        return self.low > 0 or self.high < 0

    def verdict(self, first: str, second: str, *, most: bool) -> str:
        """Which arm is ahead, in words; "no difference shown" where the interval includes 0.

        That is not to say that there is none.

        Args:
            first: Name of the first arm.
            second: Name of the second.
            most: Whether more is better.
        """
        if not self.shown:
            return NO_DIFFERENCE
        return f"{'more' if most else 'less'} in {first if (self.value > 0) == most else second}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OverRuns:
    """The mean of several runs of one arm, which differ in nothing but their seeds."""

    value: float
    """The mean."""
    low: float
    """Lower end of its 95% interval: other seeds, other samples and other real pictures; with one
    run, no other seeds."""
    high: float
    """Upper end likewise."""
    spread: float | None
    """Standard deviation between the runs; None with one."""
    runs: int
    """How many they are. From two or three little is known of the spread between seeds, so the
    interval is wide: 9 spreads to either side with two runs, 2.5 with three, 1.2 with five."""


def estimate_over_runs(estimates: Sequence[Estimate]) -> OverRuns:
    """The mean of a number over several runs of an arm.

    Its interval is made of two parts, added as squares. Seeds and samples: Student's t on the
    runs' own spread, which holds both; or, where the runs agree better than their samples allow,
    which is luck, the error from the samples. Real pictures, which all runs share and which their
    spread therefore does not show: the jackknife's error of the mean.

    Args:
        estimates: One a run, from one on, measured on the same real pictures in the same order.

    Raises:
        ValueError: They were measured on different numbers of real pictures.
    """
    values = [estimate.value for estimate in estimates]
    seeds = _half_of_seeds(values, [])
    samples = Z95 * math.sqrt(_from_samples(estimates))
    half = math.hypot(max(seeds, samples), Z95 * math.sqrt(left_out(mean_without_real(estimates))))
    mean = float(np.mean(values))
    return OverRuns(
        value=mean,
        low=mean - half,
        high=mean + half,
        spread=_deviation(values),
        runs=len(values),
    )


def rate_over_runs(rates: Sequence[Rate]) -> OverRuns:
    """The mean share over several runs of an arm.

    Its interval is the wider of two: Student's t on the runs' own spread, and Wilson's of all
    their pictures taken together, which holds where the runs agree by luck or at 0. What another
    mark to hold them against would change, which all runs share, is added as squares.

    Args:
        rates: One a run, from one on.
    """
    values = [rate.share for rate in rates]
    mean, half = float(np.mean(values)), _half_of_seeds(values, [])
    low, high = _pooled(rates)
    below, above = _by_mark(rates)
    return OverRuns(
        value=mean,
        low=max(0.0, mean - math.hypot(max(mean - low, half), below)),
        high=min(1.0, mean + math.hypot(max(high - mean, half), above)),
        spread=_deviation(values),
        runs=len(values),
    )


def estimate_difference(
    first: Sequence[Estimate], second: Sequence[Estimate], *, same_real: bool = True
) -> Difference:
    """How far a number of one arm lies above that of another.

    Measured on the same real pictures, what these change in both arms alike falls out. The parts
    of the interval are those of `estimate_over_runs`; with several runs of both arms, seeds by
    Welch's t. Where only one arm has several runs, the other is taken to vary as much.

    Args:
        first: One a run of the first arm, from one on, on the same real pictures.
        second: Of the second arm likewise.
        same_real: Whether both arms were measured on the same real pictures in the same order. A
            number that depends on them (KID, density, coverage) is not comparable otherwise; a
            ratio to them (diversity) is.

    Raises:
        ValueError: What should be the same real pictures are not as many.
    """
    ours, theirs = mean_without_real(first), mean_without_real(second)
    if same_real and len(ours) != len(theirs):
        raise ValueError(f"measured on {len(ours)} and {len(theirs)} real pictures: not the same")
    real = left_out(ours - theirs) if same_real else left_out(ours) + left_out(theirs)
    values, others = [one.value for one in first], [one.value for one in second]
    samples = Z95 * math.sqrt(_from_samples(first) + _from_samples(second))
    seeds = _half_of_seeds(values, others)
    half = math.hypot(max(seeds, samples), Z95 * math.sqrt(real))
    value = float(np.mean(values) - np.mean(others))
    return Difference(
        value=value, low=value - half, high=value + half, seeds=max(len(first), len(second)) > 1
    )


def rate_difference(
    first: Sequence[Rate], second: Sequence[Rate], *, same_real: bool = False
) -> Difference:
    """How far the share of one arm lies above that of another, counted on different pictures.

    Newcombe 1998 ("Interval estimation for the difference between independent proportions"),
    method 10, made of both shares' Wilson intervals; with several runs of an arm, the wider of
    that and of Student's t on the runs, as in `estimate_difference`. What other marks to hold them
    against would change is added as squares.

    Args:
        first: One a run of the first arm, from one on.
        second: Of the second arm likewise.
        same_real: Whether both arms were held against the same mark, measured on the same real
            pictures: then what it moves in both alike falls out.
    """
    values, others = [rate.share for rate in first], [rate.share for rate in second]
    value = float(np.mean(values) - np.mean(others))
    (low, high), (other_low, other_high) = _pooled(first), _pooled(second)
    share, other = _pooled_share(first), _pooled_share(second)
    below = math.hypot(share - low, other_high - other)
    above = math.hypot(high - share, other - other_low)
    seeds = _half_of_seeds(values, others)
    (ours_below, ours_above), (theirs_below, theirs_above) = _by_mark(first), _by_mark(second)
    if same_real:
        moved = theirs_below - ours_below, ours_above - theirs_above
        down, up = max(0.0, -min(moved)), max(0.0, *moved)
    else:
        down, up = math.hypot(ours_below, theirs_above), math.hypot(ours_above, theirs_below)
    return Difference(
        value=value,
        low=max(-1.0, value - math.hypot(max(below, seeds), down)),
        high=min(1.0, value + math.hypot(max(above, seeds), up)),
        seeds=max(len(first), len(second)) > 1,
    )


def level_with_best(
    values: Sequence[float], differ: Callable[[int, int], Difference], *, most: bool
) -> list[int]:
    """Which arms are best, as far as can be told.

    Args:
        values: One an arm, from one on.
        differ: The difference between the arms of two places in `values`.
        most: Whether more is better.

    Returns:
        Places: the best arm first, then all that it shows no difference from.
    """
    if not values:
        raise TooFewPictures("No run was measured, so none is best.")
    best = max(range(len(values)), key=lambda arm: values[arm] if most else -values[arm])
    others = [arm for arm in range(len(values)) if arm != best]
    return [best, *(arm for arm in others if not differ(best, arm).shown)]


def _half_of_seeds(first: Sequence[float], second: Sequence[float]) -> float:
    """Half the interval of a mean, or of a difference of means, by the spread between runs.

    0 where no arm has two runs, so that nothing is known of the spread.
    """
    arms = [np.asarray(values) for values in (first, second) if len(values)]
    measured = [values for values in arms if len(values) > 1]
    if not measured:
        return 0.0
    if len(measured) < len(arms):  # one run on the other side: taken to vary as much as this one
        parts = [float(measured[0].var(ddof=1)) / len(values) for values in arms]
        return t95(len(measured[0]) - 1) * math.sqrt(sum(parts))
    parts = [float(values.var(ddof=1)) / len(values) for values in arms]
    total = sum(parts)
    if total == 0:
        return 0.0
    # Welch 1947; whole degrees of freedom, rounded down to the safe side
    degrees = total**2 / sum(
        part**2 / (len(values) - 1) for part, values in zip(parts, arms, strict=True)
    )
    return t95(max(1, math.floor(degrees + 1e-9))) * math.sqrt(total)


def _from_samples(estimates: Sequence[Estimate]) -> float:
    """The variance of a mean over runs that comes from the samples drawn."""
    return sum(left_out(estimate.without_fake) for estimate in estimates) / len(estimates) ** 2


def _deviation(values: Sequence[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def _pooled(rates: Sequence[Rate]) -> tuple[float, float]:
    return wilson(sum(rate.hits for rate in rates), sum(rate.total for rate in rates))


def _by_mark(rates: Sequence[Rate]) -> tuple[float, float]:
    """How far a mean share may lie too high and too low by the mark that all runs share."""
    return (
        float(np.mean([rate.below for rate in rates])),
        float(np.mean([rate.above for rate in rates])),
    )


def _pooled_share(rates: Sequence[Rate]) -> float:
    return sum(rate.hits for rate in rates) / sum(rate.total for rate in rates)
