"""The third data set, `full-body-kept`: the photos of `face-crop` as they are in `full-body`."""

import dataclasses
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from catgan.core.errors import DiskFull, FolderRefused
from catgan.core.files import Json, write_json, write_picture
from catgan.curate.config import CurateConfig
from catgan.curate.folder import data_sets, settings_digest
from catgan.curate.pipeline import CurateProgress, CurateResult, curate_photos, plan_curation
from catgan.curate.square import Square
from catgan.formats.datasets import (
    FACE_CROP,
    FULL_BODY,
    FULL_BODY_KEPT,
    SPLIT,
    find_datasets,
    held_out,
    read_metadata,
)
from tests.drawing import ALBUM, EyeDetector, Head, draw_photo, encode, read_jsonl, tree, write

PLAIN = CurateConfig(workers=1)
THREE = CurateConfig(workers=1, ablation=True)
KEPT = Counter(ALBUM.values())["kept"]


def curate(
    raw: Path, curated: Path, config: CurateConfig = THREE, detector: Any = None
) -> CurateResult:
    return curate_photos(raw, curated, config, make_detector=detector or EyeDetector())


def pictures(folder: Path) -> dict[str, bytes]:
    """The pictures of a data set and what is in them."""
    return {path.name: path.read_bytes() for path in sorted((folder / SPLIT).glob("*.png"))}


def note(curated: Path) -> Json:
    found: Json = json.loads((curated / "catgan.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def done(album: Path, tmp_path_factory: pytest.TempPathFactory) -> CurateResult:
    """The drawn album with its third data set; to be read only."""
    return curate(album, tmp_path_factory.mktemp("three") / "curated")


@pytest.fixture(scope="module")
def plain(album: Path, tmp_path_factory: pytest.TempPathFactory) -> CurateResult:
    """The drawn album without; to be read only."""
    return curate(album, tmp_path_factory.mktemp("two") / "curated", PLAIN)


@pytest.fixture
def small_album(tmp_path: Path) -> Path:
    """Two faces and a photo without any, to be changed."""
    raw = tmp_path / "raw"
    for index, heads in enumerate(([Head(cx=99, cy=99, w=80)], [Head(cx=90, cy=99, w=99)], [])):
        write(raw / f"{index}.jpg", encode(draw_photo(200, 200, *heads, seed=index)))
    return raw


class TestWhatItHolds:
    def test_the_photos_of_face_crop_as_full_body_has_them(self, done: CurateResult) -> None:
        whole = pictures(done.curated / FULL_BODY)
        kept = pictures(done.curated / FULL_BODY_KEPT)
        assert list(kept) == list(pictures(done.curated / FACE_CROP))
        assert kept == {name: whole[name] for name in kept}
        assert 0 < len(kept) == KEPT < len(whole)

    def test_every_data_set_holds_the_same_photos_out(self, done: CurateResult) -> None:
        kept, crops = (tuple(pictures(done.curated / name)) for name in (FULL_BODY_KEPT, FACE_CROP))
        assert held_out(kept, 3) == held_out(crops, 3)

    def test_counts_records_and_sheet(self, done: CurateResult) -> None:
        counts = {FULL_BODY: len(pictures(done.curated / FULL_BODY))}
        counts |= {FULL_BODY_KEPT: KEPT, FACE_CROP: KEPT}
        assert list(done.data_sets.items()) == list(counts.items()), "before, between, after"
        assert note(done.curated)["data_sets"] == counts
        assert [dataset.name for dataset in find_datasets(done.curated)] == list(counts)
        assert list(done.sheets) == list(counts)
        assert all(path.is_file() for path in done.sheets.values())
        metadata = read_metadata(done.curated / FULL_BODY_KEPT)
        whole = read_metadata(done.curated / FULL_BODY)
        assert metadata == {name: whole[name] for name in pictures(done.curated / FULL_BODY_KEPT)}
        for record in read_jsonl(done.curated / "photos.jsonl"):
            assert (FULL_BODY_KEPT in record["outputs"]) == (record["verdict"] == "kept")
            assert all((done.curated / file).is_file() for file in record["outputs"].values())

    def test_the_other_two_are_what_they_are_without_it(
        self, done: CurateResult, plain: CurateResult
    ) -> None:
        for name in (FULL_BODY, FACE_CROP):
            assert tree(done.curated / name) == tree(plain.curated / name)
        assert not (plain.curated / FULL_BODY_KEPT).exists()
        assert list(plain.data_sets) == [FULL_BODY, FACE_CROP]

    def test_a_photo_of_two_faces_is_in_it_once(self, album: Path, tmp_path: Path) -> None:
        result = curate(album, tmp_path / "c", dataclasses.replace(THREE, faces="all"))
        assert result.data_sets[FACE_CROP] == KEPT + 1
        assert result.data_sets[FULL_BODY_KEPT] == KEPT

    def test_no_face_in_any_photo(self, tmp_path: Path) -> None:
        write(tmp_path / "raw" / "a.jpg", encode(draw_photo(90, 80)))
        result = curate(tmp_path / "raw", tmp_path / "c")
        assert result.data_sets == {FULL_BODY: 1, FULL_BODY_KEPT: 0, FACE_CROP: 0}
        assert not (tmp_path / "c" / FULL_BODY_KEPT).exists(), "an empty class stops ImageFolder"
        assert note(tmp_path / "c")["owns"] == []
        (tmp_path / "c" / FULL_BODY_KEPT).mkdir()
        (tmp_path / "c" / FULL_BODY_KEPT / "mine.jpg").write_bytes(b"x")
        with pytest.raises(FolderRefused, match="not made by catgan"):
            curate(tmp_path / "raw", tmp_path / "c")


class TestAgain:
    def test_does_nothing_when_there_is_nothing_new(
        self, album: Path, done: CurateResult, tmp_path: Path
    ) -> None:
        curated = curate(album, tmp_path / "c").curated
        times = {path: path.stat().st_mtime_ns for path in curated.rglob("*.png")}
        again = curate(album, curated)
        assert again.fresh == 0
        assert {path: path.stat().st_mtime_ns for path in curated.rglob("*.png")} == times
        assert tree(curated) == tree(done.curated)

    def test_switched_on_and_off_without_a_look_at_a_photo(
        self, album: Path, done: CurateResult, plain: CurateResult, tmp_path: Path
    ) -> None:
        curated = curate(album, tmp_path / "c", PLAIN).curated
        for _ in range(2):
            on = curate(album, curated)
            assert (on.fresh, on.dropped) == (0, ())
            assert [str(change) for change in on.changed] == ["ablation was no, is yes"]
            assert tree(curated) == tree(done.curated)
            off = curate(album, curated, PLAIN)
            assert (off.fresh, off.dropped) == (0, (FULL_BODY_KEPT,))
            assert tree(curated) == tree(plain.curated)
        assert curate(album, curated, PLAIN).dropped == ()

    def test_switched_off_it_is_gone_from_the_first_new_picture_on(
        self, small_album: Path, tmp_path: Path
    ) -> None:
        curated = curate(small_album, tmp_path / "c").curated

        def stop(_: CurateProgress) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            curate_photos(small_album, curated, PLAIN, make_detector=EyeDetector(), progress=stop)
        assert not (curated / FULL_BODY_KEPT).exists()
        assert [dataset.name for dataset in find_datasets(curated)] == [FULL_BODY, FACE_CROP]

    def test_pictures_of_photos_that_have_gone_go_too(
        self, small_album: Path, tmp_path: Path
    ) -> None:
        curated = curate(small_album, tmp_path / "c").curated
        (small_album / "0.jpg").unlink()
        write(
            small_album / "new.jpg",
            encode(draw_photo(200, 200, Head(cx=99, cy=99, w=70), seed=9)),
        )
        assert curate(small_album, curated).fresh == 1
        assert [name[0] for name in pictures(curated / FULL_BODY_KEPT)] == ["1", "n"]
        assert tree(curated) == tree(curate(small_album, tmp_path / "as new").curated)

    def test_it_follows_the_screens(self, tmp_path: Path) -> None:
        bright = draw_photo(300, 260, Head(cx=150, cy=120, w=100), seed=1)
        dark = draw_photo(300, 260, Head(cx=150, cy=120, w=100), seed=3)
        write(tmp_path / "raw" / "bright.png", encode(bright, "PNG"))
        write(tmp_path / "raw" / "dark.png", encode((dark * 0.15).astype("u1"), "PNG"))
        seen = []
        for screen in (True, False, True):
            config = dataclasses.replace(THREE, dark_screen=screen)
            result = curate(tmp_path / "raw", tmp_path / "c", config, Anywhere)
            kept = pictures(result.curated / FULL_BODY_KEPT)
            assert list(kept) == list(pictures(result.curated / FACE_CROP))
            seen.append([name.split("-")[0] for name in kept])
        assert seen == [["bright"], ["bright", "dark"], ["bright"]]

    def test_a_lost_cut_or_emptied_copy_is_made_again_without_a_look(
        self, album: Path, done: CurateResult, tmp_path: Path
    ) -> None:
        curated = curate(album, tmp_path / "c").curated
        first, second, third, *_ = sorted((curated / FULL_BODY_KEPT / SPLIT).glob("*.png"))
        first.unlink()
        second.write_bytes(b"")
        third.write_bytes(third.read_bytes()[:100])
        assert curate(album, curated).fresh == 0
        assert tree(curated) == tree(done.curated)

    def test_a_copy_goes_with_its_original(
        self, album: Path, done: CurateResult, tmp_path: Path
    ) -> None:
        """Where a photo is looked at again, the copy is of the new picture, not of the old one."""
        curated = curate(album, tmp_path / "c").curated
        copy = min((curated / FULL_BODY_KEPT / SPLIT).glob("*.png"))
        copy.write_bytes(copy.read_bytes()[::-1])  # as long: its length does not give it away
        (curated / FULL_BODY / SPLIT / copy.name).unlink()
        assert curate(album, curated).fresh == 1
        assert tree(curated) == tree(done.curated)

    @pytest.mark.parametrize("between", [PLAIN, THREE])
    def test_no_copy_of_another_size_stays(
        self, album: Path, tmp_path: Path, between: CurateConfig
    ) -> None:
        """Smaller pictures, stopped after a few: those looked at are not looked at again."""
        curated = curate(album, tmp_path / "c").curated

        def stop(progress: CurateProgress) -> None:
            if progress.fresh:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            curate_photos(
                album,
                curated,
                dataclasses.replace(between, size=48),
                make_detector=EyeDetector(),
                progress=stop,
            )
        smaller = dataclasses.replace(THREE, size=48)
        assert 0 < curate(album, curated, smaller).fresh < len(ALBUM)
        assert tree(curated) == tree(curate(album, tmp_path / "new", smaller).curated)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_a_full_disk_stops_it_and_the_rerun_carries_on(
        self,
        album: Path,
        done: CurateResult,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        curated = curate(album, tmp_path / "c", PLAIN).curated
        last = max(pictures(curated / FACE_CROP))

        def write_on_a_small_disk(path: Path, data: bytes, *, shared: bool = False) -> None:
            if path.name == last:
                path.with_name(f".{last}.partial").symlink_to("/dev/full")
            write_picture(path, data)

        monkeypatch.setattr("catgan.curate.selection.write_picture", write_on_a_small_disk)
        with pytest.raises(DiskFull, match="rerun the same command"):
            curate(album, curated)
        monkeypatch.undo()
        assert len(pictures(curated / FULL_BODY_KEPT)) == KEPT - 1
        assert curate(album, curated).fresh == 0
        assert tree(curated) == tree(done.curated)


class Anywhere:
    """Finds a head in the same place of every photo."""

    name = "here"
    side = 320

    def find(self, photo: object) -> list[Square]:
        return [Square(cx=150, cy=120, side=100, score=1.0)]


class TestWhoseItIs:
    def strangers(self, curated: Path) -> Path:
        """A folder of that name that a person made from the pictures of `full-body`."""
        folder = curated / FULL_BODY_KEPT
        folder.mkdir()
        for name, data in list(pictures(curated / FULL_BODY).items())[:2]:
            (folder / name).write_bytes(data)
        return folder

    def test_a_strangers_is_never_touched(self, small_album: Path, tmp_path: Path) -> None:
        curated = curate(small_album, tmp_path / "c", PLAIN).curated
        folder = self.strangers(curated)
        before = tree(folder)
        smaller = dataclasses.replace(PLAIN, size=48)
        assert curate(small_album, curated, smaller).dropped == ()
        (small_album / "0.jpg").unlink()
        curate(small_album, curated, PLAIN)
        assert tree(folder) == before
        assert FULL_BODY_KEPT not in note(curated)["data_sets"]

    def test_nor_written_into(self, small_album: Path, tmp_path: Path) -> None:
        curated = curate(small_album, tmp_path / "c", PLAIN).curated
        self.strangers(curated)
        before = tree(curated)
        for refused in (curate, plan_curation):
            with pytest.raises(FolderRefused, match=r"not made by catgan \(it holds 0-.*move it"):
                refused(small_album, curated, THREE)
        assert tree(curated) == before

    def test_an_empty_one_is_taken(self, small_album: Path, tmp_path: Path) -> None:
        curated = curate(small_album, tmp_path / "c", PLAIN).curated
        (curated / FULL_BODY_KEPT).mkdir()
        (curated / FULL_BODY_KEPT / ".DS_Store").write_bytes(b"x")
        assert curate(small_album, curated).data_sets[FULL_BODY_KEPT] == 2

    def test_a_file_of_that_name(self, small_album: Path, tmp_path: Path) -> None:
        curated = curate(small_album, tmp_path / "c", PLAIN).curated
        (curated / FULL_BODY_KEPT).write_bytes(b"notes")
        with pytest.raises(FolderRefused, match="is a file"):
            curate(small_album, curated)
        curate(small_album, curated, PLAIN)
        assert (curated / FULL_BODY_KEPT).read_bytes() == b"notes"

    @pytest.mark.parametrize("where", ["mine.jpg", "train/mine.jpg"])
    def test_ones_own_file_in_it_is_left_alone(
        self, small_album: Path, tmp_path: Path, where: str
    ) -> None:
        curated = curate(small_album, tmp_path / "c").curated
        mine = curated / FULL_BODY_KEPT / where
        mine.write_bytes(b"a cat")
        assert curate(small_album, curated).data_sets[FULL_BODY_KEPT] == 2
        for _ in range(2):
            curate(small_album, curated, PLAIN)
            left = [path for path in (curated / FULL_BODY_KEPT).rglob("*") if path.is_file()]
            assert left == [mine]
        assert curate(small_album, curated).data_sets[FULL_BODY_KEPT] == 2
        assert mine.read_bytes() == b"a cat"

    def test_taken_away_by_hand(self, small_album: Path, tmp_path: Path) -> None:
        curated = curate(small_album, tmp_path / "c").curated
        shutil.rmtree(curated / FULL_BODY_KEPT)
        curate(small_album, curated, PLAIN)
        assert tree(curated) == tree(curate(small_album, tmp_path / "new", PLAIN).curated)


class TestOlderFolders:
    def test_go_on_as_if_nothing_had_been_added(
        self, album: Path, done: CurateResult, tmp_path: Path
    ) -> None:
        """Made before there was such a setting: no change is told of, no photo looked at again."""
        curated = curate(album, tmp_path / "c", PLAIN).curated
        older = note(curated)
        del older["settings"]["ablation"]
        write_json(curated / "catgan.json", older)
        again = curate(album, curated, PLAIN)
        assert (again.fresh, again.changed) == (0, ())
        write_json(curated / "catgan.json", older)
        on = curate(album, curated)
        assert on.fresh == 0
        assert [str(change) for change in on.changed] == ["ablation was no, is yes"]
        assert tree(curated) == tree(done.curated)

    def test_the_journal_keeps_its_name(self) -> None:
        older: Json = {"size": 64, "margin": 0.25, "dark_screen": True}
        for now in (True, False):
            assert settings_digest(older | {"ablation": now}) == settings_digest(older)
        assert data_sets(older) == (FULL_BODY, FACE_CROP)


def test_a_plan_says_what_would_go(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catgan.curate.pipeline.make_recipe_detector", lambda _: EyeDetector())
    quick = CurateConfig(workers=1, photo_seconds=0, cascade="quick", ablation=True)
    curated = curate_photos(album, tmp_path / "c", quick).curated
    before = tree(curated)
    plan = plan_curation(album, curated, dataclasses.replace(quick, ablation=False))
    assert (plan.fresh, plan.dropped) == (0, (FULL_BODY_KEPT,))
    assert plan_curation(album, curated, quick).dropped == ()
    assert tree(curated) == before
