"""Diversity: how different samples are from each other, measured by real pictures."""

import numpy as np
import pytest

from catgan.core.errors import TooFewPictures
from catgan.measure.metrics.diversity import diversity
from tests.measure.crowds import Matrix, crowd


def mean_squared_distance(points: Matrix) -> float:
    """Over all pairs of two different ones."""
    away = points[:, None].astype(np.float64) - points[None]
    return float((away**2).sum() / (len(points) * (len(points) - 1)))


def test_it_is_the_ratio_of_mean_squared_distances() -> None:
    fake, real = crowd(30, 1, spread=0.6), crowd(40, 2, mean=3)
    expected = mean_squared_distance(fake) / mean_squared_distance(real)
    assert diversity(fake, real).value == pytest.approx(expected, rel=1e-6)


def test_equals_are_equally_varied_whatever_the_counts() -> None:
    for n, m in ((20, 400), (400, 20), (300, 300)):
        found = diversity(crowd(n, 3), crowd(m, 4))
        assert abs(found.value - 1) < 3 * found.error


def test_samples_all_the_same_have_none() -> None:
    one = np.repeat(crowd(1, 5), 50, axis=0)
    found = diversity(one, crowd(50, 6))
    assert found.value == pytest.approx(0, abs=1e-12)
    assert found.error == pytest.approx(0, abs=1e-12)


def test_mode_collapse_costs_variety_and_noise_adds_some() -> None:
    real = np.concatenate([crowd(100, 7, mean=-3), crowd(100, 8, mean=3)])
    one_kind = crowd(200, 9, mean=3)
    assert diversity(one_kind, real).value < 0.2
    assert diversity(crowd(200, 10, spread=9), real).value > 2


def test_neither_order_nor_place_matters_and_scale_falls_out() -> None:
    fake, real = crowd(60, 11, spread=0.8), crowd(50, 12)
    expected = diversity(fake, real)
    shuffled = diversity(fake[::-1], real[np.random.default_rng(0).permutation(50)])
    assert shuffled.value == pytest.approx(expected.value, rel=1e-9)
    assert shuffled.error == pytest.approx(expected.error, rel=1e-9)
    moved = diversity(4 * fake + 1, 4 * real + 1)
    assert moved.value == pytest.approx(expected.value, rel=1e-5)


def test_leaving_out_is_leaving_out() -> None:
    fake, real = crowd(12, 13), crowd(200, 14)
    found = diversity(fake, real)
    for i in range(12):
        without = diversity(np.delete(fake, i, axis=0), real).value
        assert found.without_fake[i] == pytest.approx(without, rel=1e-9)
    for j in range(0, 200, 20):
        # to first order: what is left out of 200 pictures changes the ratio by a percent at most
        change = diversity(fake, np.delete(real, j, axis=0)).value - found.value
        assert found.without_real[j] - found.value == pytest.approx(change, rel=0.03)


def test_the_error_covers_the_truth() -> None:
    """Over 300 repetitions, 1.96 errors hold the true ratio 95 times in 100, give or take 3."""
    truth = 0.7**2
    found = [
        diversity(crowd(60, 2000 + i, spread=0.7), crowd(50, 6000 + i, mean=1)) for i in range(300)
    ]
    covered = np.mean([abs(one.value - truth) < 1.96 * one.error for one in found])
    assert 0.91 <= covered <= 0.99
    spread = np.std([one.value for one in found])
    assert np.mean([one.error for one in found]) == pytest.approx(spread, rel=0.15)


def test_one_odd_real_picture_among_equals_divides_nothing_by_zero() -> None:
    real = np.repeat(crowd(1, 15), 30, axis=0)
    real[7] += 1
    found = diversity(crowd(30, 16), real)
    assert np.isfinite([found.value, found.error]).all()


def test_what_cannot_be_told_is_refused() -> None:
    with pytest.raises(TooFewPictures, match="2 and 9"):
        diversity(crowd(2, 17), crowd(9, 18))
    with pytest.raises(TooFewPictures, match="9 and 2"):
        diversity(crowd(9, 17), crowd(2, 18))
    with pytest.raises(TooFewPictures, match="same"):
        diversity(crowd(9, 17), np.repeat(crowd(1, 19), 9, axis=0))
