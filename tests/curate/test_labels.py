"""Decisions as labels for fitting the face finder."""

from pathlib import Path

import pytest

from benchmarks.decided import decided_photos
from benchmarks.shown import examples
from catgan.curate.square import head_of, square_of
from tests.curate.test_decisions import Album


@pytest.fixture
def album(tmp_path: Path) -> Album:
    album = Album(tmp_path)
    album.curate()
    album.decide("mine.jpg", "kept")
    album.decide("other.jpg", "rejected")
    album.decide("two.jpg", "kept", 1)
    album.decide("nobody.jpg", "kept", (100.0, 60.0, 100.0, 100.0), roll=8.0)
    album.curate()
    return album


def test_kept_and_drawn_faces_are_labels(album: Album) -> None:
    found = {one.path.name: one.fractions for one in decided_photos(album.curated)}
    assert {name: len(faces) for name, faces in found.items()} == {
        "mine.jpg": 1,
        "nobody.jpg": 1,
        "two.jpg": 2,
    }
    head = head_of(square_of((100.0, 60.0, 100.0, 100.0), 8.0))
    ((x, y, w, h),) = found["nobody.jpg"]
    assert (x * 320, y * 240) == pytest.approx((head.cx, head.cy))
    assert (w * 320, h * 240) == pytest.approx((head.side, head.side))


def test_rejected_ones_are_no_faces_where_that_is_said(album: Album) -> None:
    found = {one.path.name: one.fractions for one in decided_photos(album.curated, rejected=True)}
    assert found["other.jpg"] == ()


def test_the_fit_takes_them(album: Album, tmp_path: Path) -> None:
    (tmp_path / "none" / "no-cat").mkdir(parents=True)
    taken = [one for one in examples(tmp_path / "none", [album.curated]) if not one.made]
    assert sorted(one.labelled.path.name for one in taken) == ["mine.jpg", "nobody.jpg", "two.jpg"]
    for one in taken:
        opened = one.open()
        assert opened is not None
        assert len(opened[1]) == len(one.labelled.fractions)
