"""Parts of a folder: every photo in one, the same files once merged, nothing lost on the way."""

import dataclasses
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catgan.core.errors import BadUsage, FolderRefused
from catgan.core.files import locked
from catgan.curate import pipeline
from catgan.curate.config import CurateConfig
from catgan.curate.find import Found, find_photos
from catgan.curate.folder import MERGED, SHARDS, CuratedFolder
from catgan.curate.forget import forget_photo
from catgan.curate.pipeline import curate_photos, curate_shard, plan_curation
from catgan.curate.shards import Shard
from tests.drawing import EyeDetector, Head, draw_album, draw_photo, encode, tree, write

HERE = CurateConfig(workers=1)


def part(raw: Path, curated: Path, shard: str, config: CurateConfig = HERE) -> None:
    curate_shard(raw, curated, shard, config, make_detector=EyeDetector())


def parts(raw: Path, curated: Path, count: int, config: CurateConfig = HERE) -> None:
    for number in range(1, count + 1):
        part(raw, curated, f"{number}/{count}", config)


def merge(raw: Path, curated: Path, config: CurateConfig = HERE) -> int:
    result = curate_photos(raw, curated, config, make_detector=EyeDetector(), merge=True)
    return result.fresh


def plain(raw: Path, curated: Path, config: CurateConfig = HERE) -> dict[str, bytes]:
    curate_photos(raw, curated, config, make_detector=EyeDetector())
    return tree(curated)


@pytest.fixture(scope="module")
def whole(album: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a plain run makes of the drawn album."""
    return plain(album, tmp_path_factory.mktemp("plain") / "curated")


@pytest.fixture
def own_album(tmp_path: Path) -> Path:
    draw_album(tmp_path / "album")
    return tmp_path / "album"


class TestLaw:
    @given(st.text(max_size=40), st.integers(1, 20))
    def test_every_photo_is_in_exactly_one(self, name: str, count: int) -> None:
        held = [n for n in range(1, count + 1) if Shard(n, count).holds(name)]
        assert len(held) == 1

    def test_it_depends_on_the_path_alone(self) -> None:
        """Written down: machines of different kinds and years have to agree."""
        found = [
            next(n for n in range(1, 17) if Shard(n, 16).holds(name))
            for name in ("a.jpg", "2023/balcony.jpg", "Fotos/小鉄.heic", "caf\\xe9.jpg")
        ]
        assert found == [11, 15, 12, 1]

    def test_parts_are_of_one_size(self) -> None:
        """A binomial: 10,000 photos in 16 parts are 625 each, give or take 24 (one sigma)."""
        sizes = Counter(
            next(n for n in range(1, 17) if Shard(n, 16).holds(f"IMG_{photo:05}.jpg"))
            for photo in range(10_000)
        )
        assert all(abs(size - 625) < 5 * 24 for size in sizes.values())

    @pytest.mark.parametrize(
        "text", ["", "3", "0/4", "5/4", "-1/4", "1/0", "a/b", "1/99999", "1/4/2"]
    )
    def test_what_is_none(self, text: str) -> None:
        with pytest.raises(BadUsage, match="--shard is"):
            Shard.of(text)

    def test_folders_sort_as_numbers(self) -> None:
        names = [Shard(number, 16).folder for number in range(1, 17)]
        assert names == sorted(names)
        assert (names[0], names[-1]) == ("01-of-16", "16-of-16")


class TestMerged:
    @pytest.mark.parametrize("count", [1, 3])
    def test_the_same_files_as_a_plain_run(
        self, album: Path, tmp_path: Path, whole: dict[str, bytes], count: int
    ) -> None:
        parts(album, tmp_path / "c", count)
        assert merge(album, tmp_path / "c") == 0
        assert tree(tmp_path / "c") == whole

    def test_with_a_third_data_set_and_all_faces(self, album: Path, tmp_path: Path) -> None:
        config = dataclasses.replace(HERE, ablation=True, faces="all", size=48)
        expected = plain(album, tmp_path / "plain", config)
        parts(album, tmp_path / "c", 2, config)
        merge(album, tmp_path / "c", config)
        assert tree(tmp_path / "c") == expected

    def test_more_parts_than_photos(self, tmp_path: Path) -> None:
        raw = tmp_path / "raw"
        for seed in range(2):
            head = Head(cx=80, cy=60, w=60)
            write(raw / f"{seed}.jpg", encode(draw_photo(160, 120, head, seed=seed)))
        parts(raw, tmp_path / "c", 5)
        merge(raw, tmp_path / "c")
        assert tree(tmp_path / "c") == plain(raw, tmp_path / "plain")

    def test_screens_may_be_chosen_when_merging(
        self, album: Path, tmp_path: Path, whole: dict[str, bytes]
    ) -> None:
        parts(album, tmp_path / "c", 2, dataclasses.replace(HERE, duplicate_screen=False))
        merge(album, tmp_path / "c")
        assert tree(tmp_path / "c") == whole

    def test_photos_added_later_are_looked_at_when_merging(
        self, own_album: Path, tmp_path: Path
    ) -> None:
        parts(own_album, tmp_path / "c", 3)
        (own_album / "small.jpg").unlink()
        write(own_album / "new.jpg", encode(draw_photo(160, 120, Head(cx=80, cy=60, w=64), seed=9)))
        assert merge(own_album, tmp_path / "c") == 1
        assert tree(tmp_path / "c") == plain(own_album, tmp_path / "plain")

    def test_what_is_curated_already_is_known_to_the_parts(
        self, own_album: Path, tmp_path: Path
    ) -> None:
        curated = tmp_path / "c"
        before = plain(own_album, curated)
        write(own_album / "new.jpg", encode(draw_photo(160, 120, Head(cx=80, cy=60, w=64), seed=9)))
        fresh = 0
        for number in (1, 2):
            fresh += curate_shard(
                own_album, curated, f"{number}/2", HERE, make_detector=EyeDetector()
            ).fresh
            now = {n: data for n, data in tree(curated).items() if not n.startswith(SHARDS)}
            assert now == before, "nothing but the parts is written to"
        assert fresh == 1
        merge(own_album, curated)
        assert tree(curated) == plain(own_album, tmp_path / "plain")

    def test_other_settings_than_before(
        self, album: Path, tmp_path: Path, whole: dict[str, bytes]
    ) -> None:
        plain(album, tmp_path / "c", dataclasses.replace(HERE, size=32))
        parts(album, tmp_path / "c", 2)
        merge(album, tmp_path / "c")
        assert tree(tmp_path / "c") == whole


class TestRefused:
    def test_a_missing_part_is_named_and_nothing_changed(self, album: Path, tmp_path: Path) -> None:
        curated = tmp_path / "c"
        part(album, curated, "1/4")
        part(album, curated, "3/4")
        before = tree(curated)
        with pytest.raises(FolderRefused, match="2/4 and 4/4 are missing"):
            merge(album, curated)
        assert tree(curated) == before

    def test_mixed_counts(self, album: Path, tmp_path: Path) -> None:
        part(album, tmp_path / "c", "3/16")
        with pytest.raises(FolderRefused, match="parts of 16, but --shard 4/8"):
            part(album, tmp_path / "c", "4/8")

    def test_other_settings(self, album: Path, tmp_path: Path) -> None:
        parts(album, tmp_path / "c", 2, dataclasses.replace(HERE, size=32))
        with pytest.raises(FolderRefused, match="size was 32, is 64"):
            merge(album, tmp_path / "c")

    def test_none_there(self, album: Path, tmp_path: Path) -> None:
        with pytest.raises(BadUsage, match="no parts to merge"):
            merge(album, tmp_path / "c")
        assert not (tmp_path / "c").exists()

    def test_somebody_is_at_work_in_one(self, album: Path, tmp_path: Path) -> None:
        curated = tmp_path / "c"
        parts(album, curated, 2)
        with (
            locked(curated / SHARDS / "2-of-2"),
            pytest.raises(FolderRefused, match=r"at work in .*2-of-2"),
        ):
            merge(album, curated)

    def test_a_folder_that_is_somebody_elses(self, album: Path, tmp_path: Path) -> None:
        part(album, tmp_path / "c", "1/2")
        (tmp_path / "c" / SHARDS / "mine").mkdir()
        with pytest.raises(FolderRefused, match="mine was not made by catgan"):
            merge(album, tmp_path / "c")


class TestInterrupted:
    def test_a_part_carries_on(self, album: Path, tmp_path: Path) -> None:
        seen = []

        def stop(progress: object) -> None:
            seen.append(progress)
            if len(seen) == 2:  # after the first chunk
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            curate_shard(
                album, tmp_path / "c", "1/1", HERE, make_detector=EyeDetector(), progress=stop
            )
        with pytest.raises(FolderRefused, match="1/1 is missing or not finished"):
            merge(album, tmp_path / "c")
        result = curate_shard(album, tmp_path / "c", "1/1", HERE, make_detector=EyeDetector())
        assert result.fresh == result.photos - 8

    @pytest.mark.parametrize("moment", range(12))
    def test_a_merge_can_be_repeated_from_anywhere(
        self, album: Path, tmp_path: Path, whole: dict[str, bytes],
        monkeypatch: pytest.MonkeyPatch, moment: int,
    ) -> None:  # fmt: skip
        """Ended before the so-many-th picture is moved, or each step of clearing up."""
        parts(album, tmp_path / "c", 3)

        class Killed(BaseException):
            pass

        left = moment * 5

        clear = CuratedFolder.clear

        def die() -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed

        def move(source: Path, target: Path) -> None:
            die()
            source.replace(target)

        def clear_or_die(own: CuratedFolder) -> None:
            die()
            clear(own)

        monkeypatch.setattr("catgan.curate.selection.replace", move)
        monkeypatch.setattr(CuratedFolder, "clear", clear_or_die)
        try:
            merge(album, tmp_path / "c")
        except Killed:
            monkeypatch.undo()
            merge(album, tmp_path / "c")
        assert tree(tmp_path / "c") == whole
        assert not list((tmp_path / "c").glob(f"{MERGED}*"))

    def test_what_somebody_put_there_is_not_deleted(self, album: Path, tmp_path: Path) -> None:
        parts(album, tmp_path / "c", 2)
        write(tmp_path / "c" / SHARDS / "1-of-2" / "full-body" / "train" / "mine.png", b"mine")
        merge(album, tmp_path / "c")
        (left,) = (tmp_path / "c").rglob("mine.png")
        assert left.read_bytes() == b"mine"


@pytest.mark.skipif(os.name == "nt", reason="the album has names that Windows refuses")
def test_the_plan_of_a_part_counts_its_own(album: Path, tmp_path: Path) -> None:
    plans = [plan_curation(album, tmp_path / "c", HERE, shard=f"{n}/3") for n in (1, 2, 3)]
    assert sum(plan.photos for plan in plans) == plan_curation(album, tmp_path / "c", HERE).photos
    assert not (tmp_path / "c").exists()


def test_the_plan_of_a_part_has_nothing_of_others(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor what cannot be looked at just now, which a whole run takes to be as it was."""
    plain(album, tmp_path / "c")

    def some_away(*arguments: Any, **more: Any) -> Found:
        found = find_photos(*arguments, **more)
        away = frozenset(photo.name for photo in found.photos[:6])
        left = tuple(photo for photo in found.photos if photo.name not in away)
        return dataclasses.replace(found, photos=left, unseen=away)

    monkeypatch.setattr(pipeline, "find_photos", some_away)
    for number in (1, 2, 3):
        planned = plan_curation(album, tmp_path / "c", HERE, shard=f"{number}/3")
        done = curate_shard(album, tmp_path / "c", f"{number}/3", HERE, make_detector=EyeDetector())
        assert planned.photos == done.photos


def test_a_part_is_not_of_a_cluster(album: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(HERE, scheduler="tcp://h:1")
    for call in (
        lambda: curate_shard(album, tmp_path / "c", "1/2", config),
        lambda: plan_curation(album, tmp_path / "c", config, shard="1/2"),
    ):
        with pytest.raises(BadUsage, match="--shard and --scheduler do not go together"):
            call()


@pytest.mark.parametrize("after", ["curate", "forget"])
def test_what_a_killed_merge_left_goes(
    own_album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    """It says which photos there were: nobody may have to merge once more to be rid of it."""
    curated = tmp_path / "c"
    parts(own_album, curated, 2)

    class Killed(BaseException):
        pass

    def die(_: CuratedFolder) -> None:
        raise Killed

    monkeypatch.setattr(CuratedFolder, "clear", die)
    with pytest.raises(Killed):
        merge(own_album, curated)
    monkeypatch.undo()
    assert list(curated.glob(f"{MERGED}*"))
    if after == "curate":
        plain(own_album, curated)
    else:
        forget_photo("two.jpg", curated)
    assert not list(curated.glob(f"{MERGED}*"))


def test_a_moved_folder_can_be_merged(album: Path, tmp_path: Path, whole: dict[str, bytes]) -> None:
    parts(album, tmp_path / "c", 2)
    shutil.move(tmp_path / "c", tmp_path / "moved")
    merge(album, tmp_path / "moved")
    assert tree(tmp_path / "moved") == whole
