"""`curate` applies what a person decided: whatever else is done, and undone, meanwhile."""

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from catgan.core.errors import BadRecord, BadUsage
from catgan.core.files import sha256
from catgan.core.loading import load_picture
from catgan.core.pictures import Picture
from catgan.curate.config import CurateConfig
from catgan.curate.finding import Finding
from catgan.curate.pipeline import CurateResult, curate_photos
from catgan.curate.selection import Selection
from catgan.formats.datasets import FACE_CROP, FULL_BODY, groups_of, open_dataset
from catgan.formats.decisions import NAME, Box, Decision, append_decisions
from catgan.formats.photos import PhotoRecord, Verdict, read_photos
from tests.curate.test_crop import assert_eyes
from tests.drawing import (
    EyeDetector,
    Head,
    draw_photo,
    encode,
    eyes,
    tree,
    write,
)

HERE = CurateConfig(workers=1)
WHEN = "2026-11-27T14:05:09Z"


class Album:
    """An album, its curated folder, and somebody who decides."""

    def __init__(self, folder: Path) -> None:
        self.raw, self.curated = folder / "raw", folder / "curated"
        self.detector = EyeDetector()
        for name, photo in {
            "far.jpg": draw_photo(320, 240, Head(cx=160, cy=120, w=36), seed=3),
            "mine.jpg": draw_photo(320, 240, Head(cx=150, cy=120, w=100), seed=1),
            "nobody.jpg": draw_photo(320, 240, seed=4),
            "other.jpg": draw_photo(320, 240, Head(cx=170, cy=110, w=90, roll=10), seed=2),
            "two.jpg": draw_photo(
                400, 260, Head(cx=110, cy=130, w=120), Head(cx=290, cy=130, w=80), seed=12
            ),
        }.items():
            write(self.raw / name, encode(photo))

    def curate(self, config: CurateConfig = HERE, decisions: Path | None = None) -> CurateResult:
        return curate_photos(
            self.raw, self.curated, config, decisions=decisions, make_detector=self.detector
        )

    def record(self, name: str) -> PhotoRecord:
        return next(one for one in read_photos(self.curated) if one.path == name)

    def decide(
        self,
        name: str,
        choice: str,
        face: int | Box | None = 0,
        square: Box | None = None,
        roll: float = 0.0,
        path: Path | None = None,
    ) -> None:
        box, turn = face, roll
        if isinstance(face, int):
            found = self.record(name).faces[face]
            box, turn = found.box, found.roll
        assert not isinstance(box, int)
        one = Decision(
            sha256=sha256((self.raw / name).read_bytes()),
            box=box,
            roll=turn,
            decision=choice,
            square=square,
            square_roll=None if square is None else roll,
            decided=WHEN,
        )
        append_decisions(path or self.curated / NAME, [one])

    def files(self, name: str = FACE_CROP) -> tuple[str, ...]:
        found = open_dataset(self.curated / name)
        assert found is not None
        return tuple(file.split("-")[0] for file in found.files)


@pytest.fixture
def album(tmp_path: Path) -> Album:
    album = Album(tmp_path)
    album.curate()
    return album


def test_a_rejected_face_leaves_and_comes_back(album: Album) -> None:
    before = tree(album.curated)
    album.decide("mine.jpg", "rejected")
    result = album.curate()
    assert (result.decisions.rejected, result.decisions.applied) == (1, 1)
    assert result.counts[Verdict.REJECTED] == 1
    assert album.record("mine.jpg").verdict == "rejected"
    assert album.files() == ("other", "two")
    assert "mine" in album.files(FULL_BODY)
    album.decide("mine.jpg", "cleared")
    album.curate()
    after = tree(album.curated)
    assert len(after.pop(NAME).splitlines()) == 2
    assert after == before


def test_the_whole_photo_can_be_rejected(album: Album) -> None:
    album.decide("nobody.jpg", "rejected", None)
    album.decide("mine.jpg", "rejected", None)
    album.curate()
    assert album.files(FULL_BODY) == ("far", "other", "two")
    assert album.files() == ("other", "two")


def test_a_missed_face_is_cropped_where_it_was_drawn(album: Album) -> None:
    x, y, w, h = (100.0, 60.0, 100.0, 100.0)
    album.decide("nobody.jpg", "kept", (x, y, w, h), roll=8.0)
    result = album.curate()
    assert result.decisions.drawn == 1
    record = album.record("nobody.jpg")
    assert (record.verdict, record.reason) == ("kept", "1 face kept by hand")
    assert [(face.box, face.roll, face.by_hand) for face in record.faces] == [
        ((x, y, w, h), 8.0, True)
    ]
    assert (
        album.record("nobody.jpg").faces[0].file
        == album.record("nobody.jpg").outputs[FULL_BODY].rpartition("/")[2]
    )
    assert album.files() == ("mine", "nobody", "other", "two")


def test_a_square_drawn_anew_is_what_is_cropped(album: Album) -> None:
    """Around the second cat of a photo: its eyes are then where those of a crop are."""
    album.decide("two.jpg", "kept", 0, square=(250.0, 90.0, 80.0, 80.0))
    album.curate()
    record = album.record("two.jpg")
    name = record.outputs[FACE_CROP]
    assert [face.by_hand for face in record.faces] == [None, None, True]
    assert name == f"{FACE_CROP}/train/{record.faces[2].file}"
    assert_eyes(load_picture(album.curated / name).pixels, margin=0.25)
    album.decide("two.jpg", "cleared", 0)
    album.curate()
    fresh = Album(album.raw.parent / "fresh")
    fresh.curate()
    changed, new = tree(album.curated), tree(fresh.curated)
    del changed[NAME]
    assert changed.keys() == new.keys()
    assert all(changed[file] == new[file] for file in new if file.endswith(".png"))


def test_the_second_face_instead_of_the_best(album: Album) -> None:
    album.decide("two.jpg", "rejected", 0)
    album.decide("two.jpg", "kept", 1)
    result = album.curate()
    assert (result.decisions.rejected, result.decisions.kept) == (1, 1)
    record = album.record("two.jpg")
    assert record.reason == "1 face kept by hand, 1 face rejected by hand"
    crop = load_picture(album.curated / record.outputs[FACE_CROP]).pixels
    assert_eyes(crop, margin=0.25)
    # named like the whole photo, so that both are held out or neither is
    assert Path(record.outputs[FACE_CROP]).name == Path(record.outputs[FULL_BODY]).name


@pytest.mark.parametrize("screen", ["blur_screen", "dark_screen"])
def test_what_is_kept_by_hand_passes_every_screen(
    album: Album, monkeypatch: pytest.MonkeyPatch, screen: str
) -> None:
    limit = {"blur_screen": "LEAST_SHARPNESS", "dark_screen": "LEAST_BRIGHTNESS"}[screen]
    monkeypatch.setattr(f"catgan.curate.judge.{limit}", 999.0)
    only = CurateConfig(
        workers=1, blur_screen=screen == "blur_screen", dark_screen=screen == "dark_screen"
    )
    album.decide("mine.jpg", "kept")
    album.curate(only)
    assert album.files() == ("mine",)
    assert album.record("mine.jpg").reason == "1 face kept by hand"


def test_a_rescued_duplicate_is_held_out_with_its_original(album: Album) -> None:
    picture = draw_photo(320, 240, Head(cx=150, cy=120, w=100), seed=1)
    write(album.raw / "again.jpg", encode(picture, quality=60))
    album.curate()
    duplicate = next(one for one in read_photos(album.curated) if one.verdict == "duplicate")
    album.decide(duplicate.path, "kept")
    album.curate()
    assert album.record(duplicate.path).verdict == "kept"
    dataset = open_dataset(album.curated / FACE_CROP)
    assert dataset is not None
    groups = groups_of(dataset)
    assert len(groups) == 2
    assert len(set(groups.values())) == 1


def test_of_two_copies_of_a_file_one_is_kept(album: Album) -> None:
    shutil.copy2(album.raw / "mine.jpg", album.raw / "mines.jpg")
    album.decide("mine.jpg", "kept")
    album.curate()
    assert album.record("mines.jpg").verdict == "duplicate"


def test_decisions_follow_photos_that_move_and_wait_for_those_that_are_gone(album: Album) -> None:
    album.decide("mine.jpg", "rejected")
    album.decide("nobody.jpg", "kept", (100.0, 60.0, 100.0, 100.0))
    (album.raw / "deep").mkdir()
    (album.raw / "mine.jpg").replace(album.raw / "deep" / "renamed.jpg")
    (album.raw / "nobody.jpg").replace(album.raw.parent / "nobody.jpg")
    result = album.curate()
    assert album.record("deep/renamed.jpg").verdict == "rejected"
    assert (result.decisions.applied, result.decisions.waiting) == (1, 1)
    assert len((album.curated / NAME).read_bytes().splitlines()) == 2
    (album.raw.parent / "nobody.jpg").replace(album.raw / "nobody.jpg")
    assert album.curate().decisions.applied == 2
    assert album.record("nobody.jpg").verdict == "kept"


def test_the_order_of_runs_changes_nothing(album: Album) -> None:
    """Decided before anything was looked at, or after: the same folder, to the last bit."""
    album.decide("nobody.jpg", "kept", (100.0, 60.0, 100.0, 100.0))
    album.decide("two.jpg", "rejected", 0)
    album.decide("two.jpg", "kept", 1)
    album.decide("two.jpg", "kept", 1, square=(252.0, 88.0, 84.0, 84.0), roll=3.0)
    album.curate()
    fresh = Album(album.raw.parent / "fresh")
    fresh.curated.mkdir()
    shutil.copy2(album.curated / NAME, fresh.curated)
    fresh.curate()
    assert tree(fresh.curated) == tree(album.curated)
    album.curate(dataclasses.replace(HERE, size=48))
    album.curate()
    assert tree(fresh.curated) == tree(album.curated)


@pytest.mark.parametrize("step", ["write_crops", "settle"])
def test_a_kill_while_squares_are_cut_costs_nothing(
    album: Album, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    album.decide("two.jpg", "kept", 0, square=(250.0, 90.0, 80.0, 80.0))
    twin = Album(album.raw.parent / "twin")
    shutil.copytree(album.curated, twin.curated)
    twin.curate()

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if step == "settle":
            patch.setattr("catgan.curate.folder.CuratedFolder.settle", killed)
        else:
            real = Selection.write_crops

            def torn(self: Selection, finding: Finding, crops: Sequence[Picture]) -> None:
                real(self, finding, crops)
                raise KeyboardInterrupt

            patch.setattr("catgan.curate.selection.Selection.write_crops", torn)
        with pytest.raises(KeyboardInterrupt):
            album.curate()
    album.decide("two.jpg", "kept", 0, square=(60.0, 80.0, 100.0, 100.0))
    twin.decide("two.jpg", "kept", 0, square=(60.0, 80.0, 100.0, 100.0))
    album.curate()
    twin.curate()
    assert tree(album.curated) == tree(twin.curated)


def test_a_square_too_small_is_not_enlarged(album: Album) -> None:
    album.decide("nobody.jpg", "kept", (100.0, 60.0, 20.0, 20.0))
    album.curate()
    record = album.record("nobody.jpg")
    assert record.verdict == "face-too-small"
    assert "fewer than 64" in record.reason
    assert album.curate().fresh == 0


def test_another_file_is_merged_once(album: Album, tmp_path: Path) -> None:
    saved = tmp_path / "downloaded.jsonl"
    album.decide("mine.jpg", "rejected", path=saved)
    album.decide("other.jpg", "kept")
    for _ in range(2):
        assert album.curate(decisions=saved).decisions.applied == 2
        assert len((album.curated / NAME).read_bytes().splitlines()) == 2
    album.decide("mine.jpg", "kept")
    album.curate(decisions=saved)
    assert album.record("mine.jpg").verdict == "kept"


def test_a_file_that_is_not_there_or_none_is_refused(album: Album, tmp_path: Path) -> None:
    before = tree(album.curated)
    with pytest.raises(BadUsage, match=r"no file .*gone\.jsonl"):
        album.curate(decisions=tmp_path / "gone.jsonl")
    (tmp_path / "bad.jsonl").write_text('{"sha256": 7}\n')
    with pytest.raises(BadRecord, match="line 1"):
        album.curate(decisions=tmp_path / "bad.jsonl")
    assert tree(album.curated) == before


def test_rejecting_the_best_of_a_burst_brings_no_other_in(album: Album) -> None:
    """What a person saw is what there is: nothing takes the place of what was thrown out."""
    picture = draw_photo(320, 240, Head(cx=150, cy=120, w=100), seed=1)
    write(album.raw / "again.jpg", encode(picture, quality=60))
    album.curate()
    album.decide("mine.jpg", "rejected")
    album.curate()
    assert {one.path: one.verdict for one in read_photos(album.curated)}["again.jpg"] == "duplicate"
    assert album.files() == ("other", "two")


def test_all_faces_of_a_photo(album: Album) -> None:
    every = dataclasses.replace(HERE, faces="all")
    album.curate(every)
    assert album.files() == ("mine", "other", "two", "two")
    album.decide("two.jpg", "rejected", 0)
    album.curate(every)
    record = album.record("two.jpg")
    assert (record.verdict, record.reason) == ("kept", "1 face rejected by hand")
    assert album.files() == ("mine", "other", "two")
    (face,) = [face for face in record.faces if face.file]
    assert eyes(load_picture(album.curated / FACE_CROP / "train" / str(face.file)).pixels)
