"""Which arms are ahead: by more than chance, and the right way round."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from catgan.compare.config import CompareConfig
from catgan.compare.differences.verdicts import leaders, verdict
from catgan.compare.differences.words import NO_DIFFERENCE
from catgan.compare.pipeline import compare_runs
from catgan.compare.quantities.catalogue import QUANTITIES
from catgan.compare.quantities.quantity import Better
from catgan.measure.statistics.differences import Difference, rate_difference
from catgan.measure.statistics.rate import rate
from tests.compare.conftest import Projection, draw_dataset, make_run


def known(value: float, half: float) -> Difference:
    return Difference(value=value, low=value - half, high=value + half, seeds=False)


def verdict_of(hits: list[int], better: Better) -> str:
    """The verdict on arms with so many of 100 samples each."""
    rates = [[rate(np.arange(100) < count)] for count in hits]
    shares = [count / 100 for count in hits]
    names = list("abc")[: len(hits)]
    return verdict(names, shares, lambda i, j: rate_difference(rates[i], rates[j]), better)


@pytest.mark.parametrize(
    ("hits", "better", "words"),
    [
        ([50, 55], Better.MORE, NO_DIFFERENCE),
        ([50, 55], Better.LESS, NO_DIFFERENCE),
        ([50, 80], Better.MORE, "more in b"),
        ([50, 80], Better.LESS, "less in a"),
        ([50, 80], Better.NEITHER, "more in b"),
        ([80, 20, 75], Better.MORE, f"more in a and c; {NO_DIFFERENCE} between those"),
        ([80, 20, 75], Better.LESS, "less in b"),
        ([80, 20, 25], Better.LESS, f"less in b and c; {NO_DIFFERENCE} between those"),
    ],
)
def test_verdicts_need_a_difference_that_is_more_than_chance(
    hits: list[int], better: Better, words: str
) -> None:
    assert verdict_of(hits, better) == words


def test_ahead_are_all_that_show_no_difference_from_the_first() -> None:
    values = [0.2, 0.9, 0.8, 0.1]

    def differ(a: int, b: int) -> Difference:
        return known(values[a] - values[b], 0.3)

    assert leaders(values, differ, Better.MORE) == [1, 2]
    assert leaders(values, differ, Better.LESS) == [3, 0]
    assert leaders([0.4], differ, Better.MORE) == [0]


def test_less_is_better_of_copies_and_kid_and_more_of_what_is_good_to_have() -> None:
    ways = {quantity.key: quantity.better for quantity in QUANTITIES}
    assert ways == {
        "recognised": Better.MORE,
        "diversity": Better.NEITHER,
        "close": Better.LESS,
        "faces": Better.MORE,
        "kid": Better.LESS,
        "precision": Better.MORE,
        "recall": Better.MORE,
        "density": Better.NEITHER,
        "coverage": Better.MORE,
        "second_recognised": Better.MORE,
        "second_kid": Better.LESS,
        "cascades": Better.NEITHER,  # a collapsed run scores highest
    }
    assert all(one.opinion for one in QUANTITIES if one.key.startswith(("second_", "cascades")))


@pytest.fixture
def copiers(tmp_path: Path, projection: Projection) -> Callable[[], dict[str, str]]:
    """Three folders of "samples", of which all, half and none are copies of training images."""
    make_run(tmp_path / "runs", "trained", tmp_path / "data", train=120)
    data = sorted((tmp_path / "data").glob("*.png"))
    draw_dataset(tmp_path / "new", 80, first=7000)
    new = sorted((tmp_path / "new").glob("*.png"))
    for name, copied in (("all", 80), ("half", 40), ("none", 0)):
        (tmp_path / name).mkdir()
        for index, path in enumerate([*data[:copied], *new[copied:]]):
            (tmp_path / name / f"{index:03d}.png").write_bytes(path.read_bytes())

    def verdicts() -> dict[str, str]:
        config = CompareConfig(samples=80, against="trained")
        names = [str(tmp_path / name) for name in ("all", "half", "none")]
        found = compare_runs(names, config, runs=tmp_path / "runs", extractor=projection)
        return {row.key: row.verdict for row in found.rows}

    return verdicts


def test_of_three_arms_the_one_that_copies_least_is_named(
    copiers: Callable[[], dict[str, str]],
) -> None:
    assert copiers()["close"] == "less in none"
