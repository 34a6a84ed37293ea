"""Differences between arms: intervals that hold the truth, over one run and over several."""

import math

import numpy as np
import pytest

from catgan.measure.metrics.density_coverage import density_coverage
from catgan.measure.metrics.diversity import diversity
from catgan.measure.metrics.kid import kid, kid_estimate
from catgan.measure.statistics.differences import (
    Difference,
    difference,
    estimate_difference,
    estimate_over_runs,
    over_runs,
    rate_difference,
    rate_over_runs,
)
from catgan.measure.statistics.estimate import Estimate
from catgan.measure.statistics.intervals import Z95, t95
from catgan.measure.statistics.rate import Rate, rate
from tests.measure.crowds import crowd, true_kid


def share(hits: int, total: int) -> Rate:
    return rate(np.arange(total) < hits)


def known(low: float, high: float) -> Difference:
    return Difference(value=(low + high) / 2, low=low, high=high, seeds=False)


def test_students_distribution_is_the_tables() -> None:
    # any table of it, 97.5% one-sided
    for degrees, expected in (
        (1, 12.7062),
        (2, 4.3027),
        (3, 3.1824),
        (4, 2.7764),
        (5, 2.5706),
        (10, 2.2281),
        (30, 2.0423),
        (120, 1.9799),
    ):
        assert t95(degrees) == pytest.approx(expected, abs=5e-5)
    assert t95(10**6) == pytest.approx(Z95, rel=1e-5)
    assert t95(10**6) > Z95


def test_newcombes_own_examples_come_out() -> None:
    # Newcombe 1998, table II, method 10
    for (a, n), (b, m), interval in (
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ):
        found = rate_difference([share(a, n)], [share(b, m)])
        assert found.value == pytest.approx(a / n - b / m)
        assert (found.low, found.high) == pytest.approx(interval, abs=5e-5)
        back = rate_difference([share(b, m)], [share(a, n)])
        assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


def test_exchanging_the_arms_turns_a_difference_round() -> None:
    real = crowd(60, 1)
    ours, theirs = kid_estimate(crowd(70, 2, mean=0.4), real), kid_estimate(crowd(50, 3), real)
    there, back = estimate_difference([ours], [theirs]), estimate_difference([theirs], [ours])
    assert there.value == pytest.approx(ours.value - theirs.value)
    assert (back.value, back.low, back.high) == pytest.approx(
        (-there.value, -there.high, -there.low)
    )


@pytest.mark.parametrize(("ours", "theirs"), [(0.5, 0.4), (0.4, 0.4)])
def test_the_interval_of_a_kid_difference_holds_the_truth(ours: float, theirs: float) -> None:
    """Over 200 repetitions about 95 times in 100; two standard deviations of that are 3."""
    truth = true_kid(ours) - true_kid(theirs)
    held = shown = apart = 0
    for i in range(200):
        real = crowd(80, 100 + i)
        a = kid_estimate(crowd(80, 1000 + i, mean=ours), real)
        b = kid_estimate(crowd(80, 2000 + i, mean=theirs), real)
        found = estimate_difference([a], [b])
        held += found.low <= truth <= found.high
        shown += found.shown
        apart += a.interval[0] > b.interval[1] or b.interval[0] > a.interval[1]
    assert held >= 0.91 * 200
    if ours == theirs:
        assert shown <= 0.09 * 200
    else:
        # the same real pictures move both arms alike: that falls out, and two intervals that
        # overlap would have hidden most of what is there
        assert shown > 0.7 * 200 > 2 * apart


def test_every_estimate_can_be_taken_off_another() -> None:
    real = crowd(80, 4)
    # another place, and less variety
    good, poor = crowd(80, 5), crowd(80, 6, mean=0.8, spread=0.6)
    for measure, sign in (
        (kid_estimate, -1),
        (diversity, 1),
        (lambda fake, real: density_coverage(fake, real).coverage, 1),
    ):
        found = estimate_difference([measure(good, real)], [measure(poor, real)])
        assert found.shown
        assert math.copysign(1, found.value) == sign
        same = estimate_difference([measure(good, real)], [measure(crowd(80, 7), real)])
        assert not same.shown


def test_other_real_pictures_add_their_own_uncertainty() -> None:
    fakes = [crowd(60, seed, spread=0.8) for seed in (8, 9)]
    reals = [crowd(50, seed) for seed in (10, 11)]
    apart = estimate_difference(
        [diversity(fakes[0], reals[0])],
        [diversity(fakes[1], reals[1])],
        same_real=False,
    )
    errors = [diversity(*sides).error for sides in zip(fakes, reals, strict=True)]
    assert apart.high - apart.value == pytest.approx(Z95 * math.hypot(*errors))
    together = estimate_difference(*([diversity(fake, reals[0])] for fake in fakes))
    assert together.high - together.low < apart.high - apart.low


def test_what_cannot_be_the_same_real_pictures_is_refused() -> None:
    a = kid_estimate(crowd(60, 12), crowd(50, 13))
    b = kid_estimate(crowd(60, 12), crowd(51, 13))
    with pytest.raises(ValueError, match="50 and 51"):
        estimate_difference([a], [b])
    with pytest.raises(ValueError, match=r"\[50, 51\]"):
        estimate_over_runs([a, b])


def run(rng: np.random.Generator, real: np.ndarray, seeds: float) -> Estimate:
    """A run whose number is its samples' mean less the real pictures': the truth is 0."""
    fake = seeds * rng.standard_normal() + rng.standard_normal(50)
    n, m = len(fake), len(real)
    return Estimate(
        value=float(fake.mean() - real.mean()),
        without_fake=(fake.sum() - fake) / (n - 1) - real.mean(),
        without_real=fake.mean() - (real.sum() - real) / (m - 1),
    )


@pytest.mark.parametrize("seeds", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("counts", [(3, 0), (2, 2), (3, 3), (3, 1), (5, 2)])
def test_intervals_over_runs_hold_the_truth(seeds: float, counts: tuple[int, int]) -> None:
    """Whatever the seeds change, 95 times in 100 or more often.

    Over 400 repetitions; three standard deviations below 95% are 92%. Intervals from within the
    runs alone hold it in fewer than 70 at the largest spread.
    """
    rng = np.random.default_rng(14)
    held = within = 0
    for _ in range(400):
        real = rng.standard_normal(50)
        first, second = ([run(rng, real, seeds) for _ in range(count)] for count in counts)
        found = estimate_difference(first, second) if second else estimate_over_runs(first)
        held += found.low <= 0 <= found.high
        one = estimate_difference(first[:1], second[:1]) if second else None
        within += one is not None and one.low <= 0 <= one.high
    assert held >= 0.92 * 400
    if seeds == 0.5 and counts[1]:
        assert within < 0.7 * 400, "or seeds changed nothing here"


def test_runs_that_agree_by_luck_are_not_believed_to_agree() -> None:
    rng, real = np.random.default_rng(15), np.random.default_rng(16).standard_normal(50)
    one = run(rng, real, 0.0)
    alone, thrice = estimate_over_runs([one]), estimate_over_runs([one, one, one])
    assert thrice.value == pytest.approx(alone.value)
    # the samples' part shrinks with three runs, the real pictures' part does not
    samples, reals = (
        Z95 * math.sqrt((len(left) - 1) * left.var())
        for left in (one.without_fake, one.without_real)
    )
    assert alone.high - alone.value == pytest.approx(math.hypot(samples, reals))
    assert thrice.high - thrice.value == pytest.approx(math.hypot(samples / math.sqrt(3), reals))


def test_one_run_says_nothing_of_seeds_and_is_said_to() -> None:
    real = crowd(60, 17)
    runs = [kid_estimate(crowd(60, seed, mean=0.3), real) for seed in (18, 19, 20, 21)]
    alone = estimate_over_runs(runs[:1])
    assert alone.runs == 1
    assert (alone.low, alone.high) == pytest.approx(runs[0].interval)
    assert not estimate_difference(runs[:1], runs[1:2]).seeds
    assert estimate_difference(runs[:2], runs[2:]).seeds
    assert estimate_difference(runs[:1], runs[1:]).seeds
    assert not rate_difference([share(3, 10)], [share(4, 10)]).seeds
    assert rate_difference([share(3, 10), share(3, 10)], [share(4, 10)]).seeds


def test_few_runs_know_little_of_the_spread() -> None:
    values = [0.30, 0.40, 0.35, 0.33, 0.41]
    halves = []
    for count in (2, 3, 5):
        rates = [share(round(100_000 * value), 100_000) for value in values[:count]]
        found = rate_over_runs(rates)
        half = t95(count - 1) * np.std(values[:count], ddof=1) / math.sqrt(count)
        assert found.value == pytest.approx(np.mean(values[:count]))
        assert found.runs == count
        halves.append(half)
        assert found.high - found.value == pytest.approx(min(half, 1 - found.value), rel=1e-3)
    assert halves[0] > 4 * halves[1] > 4 * halves[2]


def test_runs_in_which_nothing_counts_leave_room_for_chance() -> None:
    nothing = rate_over_runs([share(0, 100)] * 3)
    assert (nothing.value, nothing.low) == (0.0, 0.0)
    assert nothing.high == share(0, 300).high > 0.01
    something = [share(30, 100), share(35, 100), share(33, 100)]
    found = rate_difference(something, [share(0, 100)] * 3)
    assert found.shown
    assert found.value > 0


def test_arms_whose_runs_scatter_show_no_difference() -> None:
    # each run of 500 pictures alone would have shown one
    ours, theirs = [share(100, 500), share(300, 500)], [share(60, 500), share(150, 500)]
    assert rate_difference(ours[:1], theirs[:1]).shown
    assert rate_difference(ours[1:], theirs[1:]).shown
    assert not rate_difference(ours, theirs).shown


def test_a_difference_is_shown_when_its_interval_leaves_nought_out() -> None:
    assert known(0.1, 0.3).shown
    assert known(-0.3, -0.1).shown
    assert not known(-0.1, 0.3).shown
    assert not known(0.0, 0.3).shown


class TestSharesAtTheirEnds:
    """The jackknife sees nothing that could change in a share of 0 or 1."""

    def at(self, count: int, total: int = 60) -> Estimate:
        """A share of real images, so many of which count."""
        which = np.arange(total) < count
        return Estimate(
            value=count / total,
            without_fake=np.full(80, count / total),
            without_real=(which.sum() - which) / (total - 1),
            share_of=total,
        )

    def test_they_differ_by_at_most_all_and_leave_room_for_chance(self) -> None:
        found = estimate_difference([self.at(60)], [self.at(0)])
        assert (found.value, found.high) == (1, 1)
        assert 0.8 < found.low < 0.95
        back = estimate_difference([self.at(0)], [self.at(60)])
        assert (back.low, back.high) == pytest.approx((-found.high, -found.low))

    def test_four_of_sixty_against_none_may_be_chance(self) -> None:
        """One time in eight (McNemar), though the jackknife of the four alone leaves 0 out."""
        assert not estimate_difference([self.at(4)], [self.at(0)]).shown

    def test_their_own_interval_is_as_wide_as_counting_makes_it(self) -> None:
        low, high = self.at(0).interval
        assert (low, high) == pytest.approx((0, share(0, 60).high))
        over = estimate_over_runs([self.at(60)] * 2)
        assert (over.low, over.high) == pytest.approx((share(60, 60).low, 1))


def test_what_is_quoted_is_averaged_and_what_is_on_all_images_is_subtracted() -> None:
    real = crowd(60, 22)
    ours, theirs = kid(crowd(70, 23, mean=0.4), real), kid(crowd(70, 24), real)
    one = estimate_over_runs([ours.estimate])
    assert one.value == ours.kid != ours.estimate.value
    assert one.high - one.value == pytest.approx(Z95 * ours.kid_error)
    both = estimate_over_runs([ours.estimate, theirs.estimate])
    assert both.value == pytest.approx((ours.kid + theirs.kid) / 2)
    apart = estimate_difference([ours.estimate], [theirs.estimate])
    assert apart.value == pytest.approx(ours.estimate.value - theirs.estimate.value)


def test_each_kind_of_number_finds_its_way() -> None:
    real = crowd(60, 25)
    estimates = [kid_estimate(crowd(70, seed, mean=0.2), real) for seed in (26, 27)]
    assert over_runs(estimates) == estimate_over_runs(estimates)
    assert difference(estimates[:1], estimates[1:], same_real=True) == estimate_difference(
        estimates[:1], estimates[1:]
    )
    rates = [share(3, 10), share(5, 10)]
    assert over_runs(rates) == rate_over_runs(rates)
    for same in (True, False):
        assert difference(rates[:1], rates[1:], same_real=same) == rate_difference(
            rates[:1], rates[1:], same_real=same
        )
