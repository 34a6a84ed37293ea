"""Whether two arms differ, and by how much: differences with an interval, over one run or several.

An interval of one run each says what other samples and other real images would change. Training
again with another seed changes more, and only several runs of an arm show how much.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from catgan.measure.statistics.estimate import (
    Estimate,
    around,
    counted,
    left_out,
    mean_without_real,
)
from catgan.measure.statistics.intervals import Z95, t95, wilson
from catgan.measure.statistics.rate import Rate

Number: TypeAlias = Estimate | Rate
"""What a metric gives for one run."""


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
        """Whether the arms differ: the interval leaves 0 out. Else they may still do."""
        return self.low > 0 or self.high < 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OverRuns:
    """The mean of several runs of one arm, which differ in nothing but their seeds."""

    value: float
    """The mean."""
    low: float
    """Lower end of its 95% interval: other seeds, other samples and other real images; with one
    run, no other seeds."""
    high: float
    """Upper end likewise."""
    runs: int
    """How many they are. From two or three little is known of the spread between seeds, so the
    interval is wide: 9 spreads to either side with two runs, 2.5 with three, 1.2 with five."""


def over_runs(numbers: Sequence[Number]) -> OverRuns:
    """The mean of a number over several runs of an arm; see the next two.

    Args:
        numbers: One a run, from one on, all of a kind.
    """
    rates = [one for one in numbers if isinstance(one, Rate)]
    estimates = [one for one in numbers if isinstance(one, Estimate)]
    return rate_over_runs(rates) if rates else estimate_over_runs(estimates)


def estimate_over_runs(estimates: Sequence[Estimate]) -> OverRuns:
    """The mean of an estimate over several runs of an arm.

    Its interval is made of parts, added as squares. Seeds and samples: Student's t on the runs'
    own spread, which holds both; or, where the runs agree better than their samples allow, which
    is luck, the error from the samples. Real images, which all runs share and which their spread
    therefore does not show: the jackknife's error of the mean. And that of drawing subsets.

    Args:
        estimates: One a run, from one on, measured on the same real images in the same order.

    Raises:
        ValueError: They were measured on different numbers of real images.
    """
    seeds = _half_of_seeds([estimate.value for estimate in estimates], [])
    samples = Z95 * math.sqrt(_from_samples(estimates))
    real = Z95 * math.sqrt(left_out(mean_without_real(estimates)))
    subsets = Z95 * math.hypot(*(one.quoted_error for one in estimates)) / len(estimates)
    mean = float(np.mean([estimate.number for estimate in estimates]))
    half = math.hypot(max(seeds, samples), real, subsets)
    low, high = around(mean, half, estimates[0].share_of)
    return OverRuns(value=mean, low=low, high=high, runs=len(estimates))


def rate_over_runs(rates: Sequence[Rate]) -> OverRuns:
    """The mean share over several runs of an arm.

    Its interval is the wider of two: Student's t on the runs' own spread, and Wilson's of all
    their images taken together, which holds where the runs agree by luck or at 0. What another
    threshold to hold them against would change, which all runs share, is added as squares.

    Args:
        rates: One a run, from one on.
    """
    values = [rate.share for rate in rates]
    mean, half = float(np.mean(values)), _half_of_seeds(values, [])
    _, low, high = _pooled(rates)
    below, above = _by_threshold(rates)
    return OverRuns(
        value=mean,
        low=max(0.0, mean - math.hypot(max(mean - low, half), below)),
        high=min(1.0, mean + math.hypot(max(high - mean, half), above)),
        runs=len(values),
    )


def difference(first: Sequence[Number], second: Sequence[Number], *, same_real: bool) -> Difference:
    """How far a number of one arm lies above that of another; see the next two.

    Args:
        first: One a run of the first arm, from one on, all of a kind.
        second: Of the second arm likewise, of the same kind.
        same_real: Whether both arms were measured on the same real images in the same order.
    """
    rates = [[one for one in arm if isinstance(one, Rate)] for arm in (first, second)]
    if all(rates):
        return rate_difference(*rates, same_real=same_real)
    ours, theirs = ([one for one in arm if isinstance(one, Estimate)] for arm in (first, second))
    return estimate_difference(ours, theirs, same_real=same_real)


def estimate_difference(
    first: Sequence[Estimate], second: Sequence[Estimate], *, same_real: bool = True
) -> Difference:
    """How far an estimate of one arm lies above that of another.

    Measured on the same real images, what these change in both arms alike falls out. The parts
    of the interval are those of `estimate_over_runs`; with several runs of both arms, seeds by
    Welch's t. Where only one arm has several runs, the other is taken to vary as much. Estimates
    on all images are compared, to which subsets add no noise.

    Args:
        first: One a run of the first arm, from one on, on the same real images.
        second: Of the second arm likewise.
        same_real: Whether both arms were measured on the same real images in the same order. A
            number that depends on them (KID, density, coverage) is not comparable otherwise; a
            ratio to them (diversity) is.

    Raises:
        ValueError: What should be the same real images are not as many.
    """
    ours, theirs = mean_without_real(first), mean_without_real(second)
    if same_real and len(ours) != len(theirs):
        raise ValueError(f"measured on {len(ours)} and {len(theirs)} real images: not the same")
    real = left_out(ours - theirs) if same_real else left_out(ours) + left_out(theirs)
    values, others = [one.value for one in first], [one.value for one in second]
    samples = Z95 * math.sqrt(_from_samples(first) + _from_samples(second))
    half = math.hypot(max(_half_of_seeds(values, others), samples), Z95 * math.sqrt(real))
    mean, other = float(np.mean(values)), float(np.mean(others))
    (down, up), (other_down, other_up) = _at_its_end(first, mean), _at_its_end(second, other)
    most = math.inf if first[0].share_of is None else 1.0
    return Difference(
        value=mean - other,
        low=max(-most, mean - other - math.hypot(half, down, other_up)),
        high=min(most, mean - other + math.hypot(half, up, other_down)),
        seeds=max(len(first), len(second)) > 1,
    )


def rate_difference(
    first: Sequence[Rate], second: Sequence[Rate], *, same_real: bool = False
) -> Difference:
    """How far the share of one arm lies above that of another, counted on different images.

    Newcombe 1998 ("Interval estimation for the difference between independent proportions"),
    method 10, made of both shares' Wilson intervals; with several runs of an arm, the wider of
    that and of Student's t on the runs, as in `estimate_difference`. What other thresholds to hold
    them against would change is added as squares.

    Args:
        first: One a run of the first arm, from one on.
        second: Of the second arm likewise.
        same_real: Whether both arms were held against the same threshold, measured on the same real
            images: then what it moves in both alike falls out.
    """
    values, others = [rate.share for rate in first], [rate.share for rate in second]
    value = float(np.mean(values) - np.mean(others))
    (share, low, high), (other, other_low, other_high) = _pooled(first), _pooled(second)
    below = math.hypot(share - low, other_high - other)
    above = math.hypot(high - share, other - other_low)
    seeds = _half_of_seeds(values, others)
    (ours_below, ours_above), (theirs_below, theirs_above) = map(_by_threshold, (first, second))
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


def _at_its_end(estimates: Sequence[Estimate], share: float) -> tuple[float, float]:
    """How far a mean share of 0 or 1, in which the jackknife sees nothing that could change, may
    lie too high and too low by its counting; nothing elsewhere, nor where it is no share."""
    total = estimates[0].share_of
    if total is None or share not in (0, 1):
        return 0.0, 0.0
    low, high = counted(share, total)
    return share - low, high - share


def _pooled(rates: Sequence[Rate]) -> tuple[float, float, float]:
    """The share of the images of all runs together, and Wilson's interval of it."""
    hits, total = sum(rate.hits for rate in rates), sum(rate.total for rate in rates)
    return hits / total, *wilson(hits, total)


def _by_threshold(rates: Sequence[Rate]) -> tuple[float, float]:
    """How far a mean share may lie too high and too low by the threshold that all runs share."""
    return (
        float(np.mean([rate.below for rate in rates])),
        float(np.mean([rate.above for rate in rates])),
    )
