"""In which order things come: by likeness, by what was learnt, by time."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from catgan.core.pictures import Pictures
from catgan.core.taken import taken
from catgan.review.learn import LEAST, chances
from catgan.review.likeness import HEAP, Likeness, Vectors, in_a_row, reduced
from tests.review.conftest import colours


def crowd(number: int, groups: int, seed: int = 0) -> tuple[Vectors, NDArray[np.intp]]:
    """Vectors around so many middles, and which each belongs to."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(groups, 40))
    group = rng.integers(0, groups, number)
    features = (middles[group] + 0.4 * rng.normal(size=(number, 40))).astype(np.float16)
    return reduced(features), group


def test_reduced_features_have_length_1() -> None:
    vectors, _ = crowd(200, 5)
    assert vectors.shape == (200, 40)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("number", [1, 2, 50, 3 * HEAP])
def test_a_row_has_each_once_and_keeps_groups_together(number: int) -> None:
    vectors, group = crowd(number, 4)
    row = in_a_row(vectors)
    assert sorted(row) == list(range(number))
    if number >= 50:
        # by chance three of four neighbours are of different groups
        changes = int((np.diff(group[row]) != 0).sum())
        assert changes < number / 10


def test_below_the_least_nothing_is_learnt() -> None:
    vectors, _ = crowd(200, 4)
    rejected = np.zeros(200, dtype=bool)
    none = np.zeros(200, dtype=bool)
    rejected[: LEAST - 1] = True
    assert chances(vectors, rejected, none) is None
    rejected[LEAST] = True
    found = chances(vectors, rejected, none)
    assert found is not None
    assert ((found > 0) & (found < 1)).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_is_like_the_rejected_comes_first(seed: int) -> None:
    vectors, group = crowd(600, 5, seed)
    bad = group == 0
    rejected = bad & (np.cumsum(bad) <= LEAST)
    left = bad & ~rejected
    found = chances(vectors, rejected, np.zeros(600, dtype=bool))
    assert found is not None
    order = [index for index in np.argsort(found, kind="stable") if not rejected[index]]
    first = left[order[: left.sum()]]
    # groups are 2.5 of their own spreads apart in 40 directions: nearly all are told apart
    assert first.mean() > 0.95


def test_keeping_one_of_them_says_that_not_all_are_meant() -> None:
    vectors, group = crowd(300, 3)
    bad = group == 0
    rejected = bad & (np.cumsum(bad) <= LEAST)
    kept = bad & ~rejected
    without = chances(vectors, rejected, np.zeros(300, dtype=bool))
    having = chances(vectors, rejected, kept)
    assert without is not None
    assert having is not None
    assert having[kept].mean() > without[kept].mean()


def test_likeness_looks_at_each_crop_once(album: Path) -> None:
    paths = sorted((album / "curated" / "face-crop" / "train").glob("*.png"))
    seen = []

    def look(pictures: Pictures) -> NDArray[np.float32]:
        seen.append(len(pictures))
        return colours(pictures)

    likeness = Likeness(look)
    assert likeness.nearest(0) == []
    for _ in range(2):
        likeness.start(dict(enumerate(paths)))
        likeness.wait()
    assert sum(seen) == len(paths)
    assert likeness.nearest(3)[0] == 3
    assert sorted(likeness.row()) == list(range(len(paths)))


def test_likeness_says_why_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"none")
    likeness = Likeness(colours)
    likeness.start({0: tmp_path / "a.png"})
    likeness.wait()
    assert "a.png" in likeness.why_not


def test_when_a_photo_was_taken(tmp_path: Path) -> None:
    picture = Image.new("RGB", (8, 8))
    exif = Image.Exif()
    exif[0x0132] = "2020:05:06 07:08:09"
    picture.save(tmp_path / "with.jpg", exif=exif)
    picture.save(tmp_path / "without.jpg")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe1 nonsense")
    for name in ("without.jpg", "broken.jpg"):
        os.utime(tmp_path / name, (10**9, 10**9))
        assert taken(tmp_path / name) == 10**9
    assert taken(tmp_path / "gone.jpg") == 0
    assert abs(taken(tmp_path / "with.jpg") - 1588748889) <= 14 * 3600  # whatever the zone
