"""Laws that distances between crowds of pictures obey, on drawn features with a known truth."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch_fidelity.metric_prc import prc_features_to_metric

from catgan.core.errors import BadUsage, TooFewPictures
from catgan.measure.choices import MIN_PICTURES
from catgan.measure.extractors.base import Features
from catgan.measure.metrics import kid as kid_module
from catgan.measure.metrics import precision_recall as precision_recall_module
from catgan.measure.metrics.kid import kid, kid_estimate
from catgan.measure.metrics.precision_recall import precision_recall
from catgan.measure.metrics.recognised import recognised_rate
from catgan.measure.statistics.intervals import wilson
from catgan.measure.statistics.rate import rate
from tests.measure.crowds import DIMENSIONS, crowd, true_kid


def kid_jackknife(a: NDArray[np.floating], b: NDArray[np.floating]) -> tuple[float, float]:
    """KID on all images, and its error."""
    found = kid_estimate(a, b)
    return found.value, found.error


def test_two_halves_of_one_crowd_are_not_told_apart() -> None:
    everyone = crowd(800, 1)
    found = kid(everyone[:400], everyone[400:])
    # three standard errors: one seed in 370 would fail, and this one is fixed
    assert abs(found.kid) < 3 * found.kid_error
    assert 0 < found.kid_error < 0.05


def test_kid_is_what_the_moments_say() -> None:
    found = kid(crowd(600, 2, mean=0.5), crowd(600, 3))
    assert abs(found.kid - true_kid(0.5)) < 3 * found.kid_error
    assert true_kid(0.5) > 10 * found.kid_error, "or the line above says nothing"


def test_kid_does_not_depend_on_how_many_pictures_there_are() -> None:
    # unlike FID, which reads lower the more pictures there are
    shifted = [kid(crowd(n, 10 + n, mean=0.4), crowd(n, 11 + n)) for n in (60, 200, 600)]
    for found in shifted:
        assert abs(found.kid - true_kid(0.4)) < 3 * found.kid_error
    assert shifted[0].kid_error > shifted[1].kid_error > shifted[2].kid_error


def test_kid_is_symmetric() -> None:
    a, b = crowd(300, 4), crowd(300, 5, mean=0.3)
    # the subsets drawn are others, so only up to the error of drawing 100 of them, five times over
    there, back = kid(a, b), kid(b, a)
    assert there.kid == pytest.approx(back.kid, abs=5 * there.kid_std / math.sqrt(there.subsets))
    # with nothing drawn, to the last digits
    assert kid_jackknife(a, b) == pytest.approx(kid_jackknife(b, a), rel=1e-9)


def test_kid_grows_with_the_distance() -> None:
    real = crowd(300, 6)
    found = [kid(crowd(300, 7, mean=shift), real).kid for shift in (0.0, 0.2, 0.5, 1.0)]
    assert found == sorted(found)


def test_subsets_average_to_the_whole() -> None:
    a, b = crowd(250, 8, mean=0.3), crowd(220, 9)
    found = kid(a, b, subsets=1000)
    whole, _ = kid_jackknife(a, b)
    # the mean of 1000 subsets, four of its own standard errors
    assert abs(found.kid - whole) < 4 * found.kid_std / math.sqrt(1000)


def test_the_same_seed_gives_the_same_kid_and_another_seed_another_one() -> None:
    a, b = crowd(150, 10), crowd(150, 11)
    assert kid(a, b, 3) == kid(a, b, 3)
    assert kid(a, b, 3).kid != kid(a, b, 4).kid


def test_the_jackknife_is_the_one_of_leaving_pictures_out() -> None:
    a, b = crowd(12, 12).astype(np.float64), crowd(9, 13, mean=0.5).astype(np.float64)

    def whole(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        """The unbiased estimate, pair by pair."""

        def k(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
            return float((p @ q / DIMENSIONS + 1) ** 3)

        def within(z: NDArray[np.float64]) -> float:
            return float(
                np.mean([k(z[i], z[j]) for i in range(len(z)) for j in range(len(z)) if i != j])
            )

        return within(x) + within(y) - 2 * float(np.mean([k(p, q) for p in x for q in y]))

    left_a = np.array([whole(np.delete(a, i, axis=0), b) for i in range(len(a))])
    left_b = np.array([whole(a, np.delete(b, i, axis=0)) for i in range(len(b))])
    error = math.sqrt(
        (len(a) - 1) * np.mean((left_a - left_a.mean()) ** 2)
        + (len(b) - 1) * np.mean((left_b - left_b.mean()) ** 2)
    )
    assert kid_jackknife(a, b) == pytest.approx((whole(a, b), error), rel=1e-9)


@pytest.mark.parametrize("mean", [0.0, 0.4])
def test_the_error_of_kid_covers_the_truth(mean: float) -> None:
    """Over 200 repetitions, the interval of 1.96 errors holds the true value about 95 times in 100.

    Two standard deviations of 200 draws at 95% are 3%, so a right error gives 92% or more; one too
    small by a third would give 81%. Far too large is wrong as well: the spread says what is right.
    """
    truth = true_kid(mean)
    found = [kid_jackknife(crowd(80, 1000 + i, mean=mean), crowd(80, 5000 + i)) for i in range(200)]
    covered = np.mean([abs(value - truth) < 1.96 * error for value, error in found])
    assert covered >= 0.92
    spread = float(np.std([value for value, _ in found]))
    # On equal crowds the jackknife's first order vanishes and it errs on the safe side (Efron &
    # Stein 1981), by up to the square root of two; elsewhere it is right to a few percent.
    assert 0.85 * spread < float(np.mean([error for _, error in found])) < 1.6 * spread


def test_kid_takes_no_more_memory_than_allowed_and_no_notice_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a, b = crowd(90, 31, mean=0.3), crowd(70, 32)
    whole = kid_estimate(a, b)
    monkeypatch.setattr(kid_module, "ROOM", 1000)  # some ten rows at a time instead of all
    parts = kid_estimate(a, b)
    assert parts.value == pytest.approx(whole.value, rel=1e-9)
    np.testing.assert_allclose(parts.without_fake, whole.without_fake, rtol=1e-9)
    np.testing.assert_allclose(parts.without_real, whole.without_real, rtol=1e-9)


def test_kid_of_pictures_against_themselves_is_about_nothing_and_below() -> None:
    a = crowd(200, 33)
    found = kid_estimate(a, a)
    # every picture meets its own copy on the other side and not on its own: less than nothing
    assert -0.1 < found.value < 0


def test_kid_refuses_too_few_and_says_how_many() -> None:
    enough = crowd(MIN_PICTURES, 14)
    kid(enough, enough + 1)
    with pytest.raises(TooFewPictures, match=f"{MIN_PICTURES}.*49"):
        kid(enough, enough[:-1])
    with pytest.raises(TooFewPictures):
        kid(enough[:-1], enough)


def test_kid_states_what_it_rests_on() -> None:
    found = kid(crowd(70, 15), crowd(120, 16), 5, extractor="net", subsets=30)
    assert (found.subset_size, found.subsets, found.seed) == (70, 30, 5)
    stated = found.estimate.n_fake, found.estimate.n_real, found.estimate.extractor
    assert stated == (70, 120, "net")


def test_precision_and_recall_of_equals_are_high_and_equal() -> None:
    everyone = crowd(800, 17)
    found = precision_recall(everyone[:400], everyone[400:])
    assert found.precision.value > 0.6
    assert found.recall.value > 0.6
    assert found.precision.value == pytest.approx(found.recall.value, abs=0.1)


def test_rubbish_costs_precision_and_not_recall() -> None:
    real, good = crowd(300, 18), crowd(300, 19)
    before = precision_recall(good, real)
    rubbish = crowd(300, 20, mean=30, spread=0.1)  # a heap far from everything
    after = precision_recall(np.concatenate([good, rubbish]), real)
    assert after.precision.value == pytest.approx(before.precision.value / 2)
    assert after.recall.value == pytest.approx(before.recall.value)


def test_mode_collapse_costs_recall_and_not_precision() -> None:
    # two kinds of real pictures; the samples show one of them
    left, right = crowd(150, 21, mean=-10), crowd(150, 22, mean=10)
    real = np.concatenate([left, right])
    both = np.concatenate([crowd(150, 23, mean=-10), crowd(150, 24, mean=10)])
    one = crowd(300, 25, mean=-10)
    before, after = precision_recall(both, real), precision_recall(one, real)
    # a tenth: the two kinds differ by that much by chance, at 150 pictures each
    assert after.precision.value == pytest.approx(before.precision.value, rel=0.1)
    assert after.recall.value < 0.6 * before.recall.value


def test_exchanging_the_sides_exchanges_precision_and_recall() -> None:
    wide, narrow = crowd(120, 26), crowd(120, 27, spread=0.7)
    there, back = precision_recall(narrow, wide), precision_recall(wide, narrow)
    assert (
        there.precision.value == back.recall.value > back.precision.value == there.recall.value
    ), "narrow samples: precise, and little variety reached"


def test_precision_and_recall_come_with_what_each_picture_counts() -> None:
    fake, real = crowd(90, 34, spread=1.2), crowd(60, 35)
    theirs = prc_features_to_metric(
        torch.from_numpy(fake), torch.from_numpy(real), prc_neighborhood=3, verbose=False
    )
    found = precision_recall(fake, real)
    precision, recall = found.precision, found.recall
    # torch-fidelity means in single precision: seven digits
    assert precision.value == pytest.approx(theirs["precision"], rel=1e-6)
    assert recall.value == pytest.approx(theirs["recall"], rel=1e-6)
    assert 0.1 < precision.value < 0.9, "or the line below says nothing"
    # the jackknife of a share is its usual error, sqrt(p (1 - p) / (n - 1))
    for share, n in ((precision, 90), (recall, 60)):
        usual = math.sqrt(share.value * (1 - share.value) / (n - 1))
        assert share.error == pytest.approx(usual, rel=1e-9)


def test_precision_and_recall_take_no_more_memory_than_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake, real = crowd(90, 34, spread=1.2), crowd(60, 35)
    whole = precision_recall(fake, real)
    monkeypatch.setattr(precision_recall_module, "ROOM", 2000)  # some thirty rows at a time
    parts = precision_recall(fake, real)
    assert parts == whole
    np.testing.assert_array_equal(parts.precision.without_fake, whole.precision.without_fake)
    np.testing.assert_array_equal(parts.recall.without_real, whole.recall.without_real)


def test_no_number_depends_on_the_order_of_pictures() -> None:
    fake, real = crowd(120, 36, mean=0.2), crowd(90, 37)
    rng = np.random.default_rng(38)
    p, q = rng.permutation(120), rng.permutation(90)
    whole, moved = kid_estimate(fake, real), kid_estimate(fake[p], real[q])
    # sums in another order: the last digits of a double
    assert moved.value == pytest.approx(whole.value, rel=1e-9)
    np.testing.assert_allclose(moved.without_fake, whole.without_fake[p], rtol=1e-9)
    whole_prc, moved_prc = precision_recall(fake, real), precision_recall(fake[p], real[q])
    assert moved_prc == whole_prc
    for one, other in (
        (moved_prc.precision, whole_prc.precision),
        (moved_prc.recall, whole_prc.recall),
    ):
        assert one.error == pytest.approx(other.error, rel=1e-12)
    # the subsets of `kid` are others then: within five errors of drawing a hundred of them
    first, second = kid(fake, real), kid(fake[p], real[q])
    assert first.kid == pytest.approx(second.kid, abs=5 * first.kid_std / math.sqrt(100))


def test_precision_needs_neighbours() -> None:
    for few in ((crowd(3, 28), crowd(9, 29)), (crowd(9, 28), crowd(3, 29))):
        with pytest.raises(TooFewPictures, match="3"):
            precision_recall(*few)
    assert precision_recall(crowd(4, 28), crowd(4, 29)).neighbours == 3


def test_wilson_gives_the_known_intervals() -> None:
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29, by the method he numbers 3
    for hits, total, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson(hits, total) == pytest.approx((low, high), abs=5e-5)


def test_wilson_is_symmetric_and_never_leaves_the_possible() -> None:
    for hits in range(8):
        low, high = wilson(hits, 7)
        assert 0 <= low <= hits / 7 <= high <= 1
        assert wilson(7 - hits, 7) == pytest.approx((1 - high, 1 - low))


def test_wilson_narrows_with_the_count() -> None:
    widths = [high - low for low, high in (wilson(n // 4, n) for n in (8, 40, 400))]
    assert widths == sorted(widths, reverse=True)


def test_recognised_means_more_likely_a_cat_than_not() -> None:
    cat = np.array([0.0, 0.49, 0.5, 0.51, 1.0], dtype=np.float32)
    found = recognised_rate(Features(pooled=crowd(5, 30), cat=cat), extractor="net")
    assert (found.hits, found.total, found.share) == (2, 5, 0.4)
    assert found.low < 0.4 < found.high
    with pytest.raises(TooFewPictures):
        recognised_rate(Features(pooled=crowd(5, 30)[:0], cat=cat[:0]))


def test_a_net_that_does_not_judge_cats_has_no_recognised_rate() -> None:
    unjudged = np.full(5, np.nan, dtype=np.float32)
    with pytest.raises(BadUsage, match="inception sees features but"):
        recognised_rate(Features(pooled=crowd(5, 30), cat=unjudged), extractor="inception")


def test_a_rate_is_the_share_of_what_counts() -> None:
    found = rate(np.array([True, False, True, True]), extractor="finder")
    assert (found.hits, found.total, found.share) == (3, 4, 0.75)
    assert (found.low, found.high) == wilson(3, 4)
    assert found.extractor == "finder"
    with pytest.raises(TooFewPictures):
        rate(np.array([], dtype=np.bool_))
