"""A photo that is forgotten leaves a folder as if it had never been there."""

import dataclasses
import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from catgan.core.errors import BadUsage, FolderRefused
from catgan.curate.config import CurateConfig
from catgan.curate.forget import forget_photo, plan_forgetting
from catgan.curate.pipeline import curate_photos
from catgan.curate.trained import Knows, trained_on
from catgan.formats.curated import read_note, write_note
from catgan.formats.datasets import FACE_CROP, FULL_BODY, FULL_BODY_KEPT, digest_of, open_dataset
from catgan.formats.decisions import NAME, Decision, append_decisions
from catgan.formats.photos import read_photos
from catgan.formats.runs import DataRecord, Run, RunConfig
from tests.drawing import EyeDetector, Head, draw_photo, encode, tree, write

CONFIG = CurateConfig(workers=1, size=32, ablation=True, faces="all")


def curate(raw: Path, curated: Path) -> None:
    curate_photos(raw, curated, CONFIG, make_detector=EyeDetector())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Tama, a copy of her, a burst of another cat, two cats on one photo, and a meadow."""
    raw = tmp_path / "raw"
    tama = draw_photo(280, 140, Head(cx=90, cy=70, w=80), seed=1)
    write(raw / "tama.jpg", encode(tama))
    write(raw / "more" / "copy of tama.jpg", encode(tama))
    burst = draw_photo(280, 140, Head(cx=150, cy=70, w=90), seed=2)
    write(raw / "burst 1.jpg", encode(burst))
    write(raw / "burst 2.jpg", encode(burst[1:, 1:]))
    two = draw_photo(280, 140, Head(cx=60, cy=60, w=70), Head(cx=220, cy=70, w=60), seed=3)
    write(raw / "two.jpg", encode(two))
    write(raw / "meadow.jpg", encode(draw_photo(280, 140, seed=4)))
    curate(raw, tmp_path / "curated")
    return tmp_path


def decide(curated: Path, **decisions: str) -> None:
    """What a person says of whole photos, by their names' beginnings."""
    append_decisions(
        curated / NAME,
        [
            Decision(sha256=one.sha256, decision=decision, decided="2026-11-27T14:05:09Z")
            for name, decision in decisions.items()
            for one in read_photos(curated)
            if one.path.startswith(name)
        ],
    )


def test_what_was_decided_about_it_goes_too_and_all_else_holds(home: Path) -> None:
    curated = home / "curated"
    decide(curated, two="rejected", meadow="rejected", burst="kept")
    others = (curated / NAME).read_bytes().splitlines(keepends=True)[1:]
    (curated / NAME).write_bytes((curated / NAME).read_bytes() + b'{"sha256": "to')  # a torn line
    curate(home / "raw", curated)
    plan = plan_forgetting(home / "raw" / "two.jpg", curated)
    assert not plan.images, "rejected by hand"
    forget_photo(home / "raw" / "two.jpg", curated)
    assert (curated / NAME).read_bytes() == b"".join(others)
    digest = hashlib.sha256((home / "raw" / "two.jpg").read_bytes()).hexdigest()
    assert not any(digest[:10].encode() in data for data in tree(curated).values())
    before = without_times(tree(curated))
    (home / "raw" / "two.jpg").unlink()
    curate(home / "raw", curated)
    assert without_times(tree(curated)) == before


def without(home: Path, *photos: str) -> dict[str, bytes]:
    """What `curate` makes of the other photos in a new folder."""
    raw = home / "again" / "raw"
    shutil.copytree(home / "raw", raw)
    for photo in photos:
        (raw / photo).unlink()
    curate(raw, home / "again" / "curated")
    return without_times(tree(home / "again" / "curated"))


def without_times(files: dict[str, bytes]) -> dict[str, bytes]:
    """All but the journal's lines, which have the times of the files in them."""
    return {name: b"" if ".findings" in name else data for name, data in files.items()}


PHOTOS = {
    "tama.jpg": ("tama.jpg", "more/copy of tama.jpg"),
    "two.jpg": ("two.jpg",),
    "meadow.jpg": ("meadow.jpg",),
    "burst 1.jpg": ("burst 1.jpg",),
    "burst 2.jpg": ("burst 2.jpg",),
}


@pytest.mark.parametrize("photo", PHOTOS)
def test_the_folder_is_as_if_it_had_never_been_there(home: Path, photo: str) -> None:
    curated = home / "curated"
    done = forget_photo(home / "raw" / photo, curated)
    assert sorted(done.plan.photos) == sorted(PHOTOS[photo])
    found = tree(curated)
    assert without_times(found) == without(home, *PHOTOS[photo])
    (journal,) = curated.glob(".findings-*.jsonl")
    stem = Path(photo).stem.replace(" ", "_")
    for name, data in found.items():
        assert f"/{stem}-" not in name
        assert photo.encode() not in data
    assert Path(photo).stem.encode() not in journal.read_bytes()


def test_the_next_one_of_a_burst_takes_its_place(home: Path) -> None:
    kept = next(n for n in tree(home / "curated") if n.startswith("face-crop/train/burst"))
    number = kept.split("burst_")[1][0]
    done = forget_photo(f"burst {number}.jpg", home / "curated")
    assert done.instead.keys() == {FULL_BODY, FULL_BODY_KEPT, FACE_CROP}
    assert all(file.startswith(f"burst_{3 - int(number)}-") for (file,) in done.instead.values())


def test_ways_to_name_a_photo(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    curated = home / "curated"
    (image,) = (curated / FACE_CROP / "train").glob("two-*-2.png")
    monkeypatch.chdir(home)
    elsewhere = home / "sent by mail.jpg"
    shutil.copy(home / "raw" / "two.jpg", elsewhere)
    for name in ("two.jpg", "raw/two.jpg", home / "raw" / "two.jpg", image, image.name, elsewhere):
        plan = plan_forgetting(name, curated)
        assert plan.photos == plan.files == ("two.jpg",)
        assert plan.originals == (home / "raw" / "two.jpg",)
        assert len(plan.images[FACE_CROP]) == 2
    (home / "raw" / "two.jpg").unlink()
    assert plan_forgetting("raw/two.jpg", curated).originals == ()
    assert plan_forgetting("copy of tama.jpg", curated).photos == (
        "more/copy of tama.jpg",
        "tama.jpg",
    )


def test_what_is_not_known_or_not_clear_is_refused(home: Path) -> None:
    write(home / "raw" / "more" / "two.jpg", encode(draw_photo(200, 140, seed=9)))
    curated = home / "curated"
    curate(home / "raw", curated)
    before = tree(curated)
    with pytest.raises(BadUsage, match="knows no photo ghost"):
        forget_photo("ghost.jpg", curated)
    forget_photo("more/two.jpg", curated)
    curate(home / "raw", curated)
    assert without_times(tree(curated)) == without_times(before)
    with pytest.raises(FolderRefused, match="not made by catgan curate"):
        forget_photo("two.jpg", home / "raw")


def test_several_of_one_name(home: Path) -> None:
    write(home / "raw" / "a" / "x.jpg", encode(draw_photo(200, 140, seed=9)))
    write(home / "raw" / "b" / "x.jpg", encode(draw_photo(200, 140, seed=10)))
    curate(home / "raw", home / "curated")
    with pytest.raises(BadUsage, match=r"several photos called x\.jpg, say a/x\.jpg and b/x\.jpg"):
        forget_photo("x.jpg", home / "curated")
    assert forget_photo("b/x.jpg", home / "curated").plan.photos == ("b/x.jpg",)


def test_an_unfinished_folder_is_finished_first(home: Path) -> None:
    curated = home / "curated"
    note = read_note(curated)
    assert note is not None
    write_note(curated, dataclasses.replace(note, finished=False))
    before = tree(curated)
    with pytest.raises(FolderRefused, match="half made"):
        forget_photo("two.jpg", curated)
    assert tree(curated) == before


def test_of_an_older_catgan_that_would_look_again(home: Path) -> None:
    """Its journal is not this one's: nothing may be taken for gone."""
    curated = home / "curated"
    (journal,) = curated.glob(".findings-*.jsonl")
    journal.rename(curated / ".findings-00000000.jsonl")
    before = tree(curated)
    with pytest.raises(FolderRefused, match="bring it up to date first"):
        forget_photo("two.jpg", curated)
    assert tree(curated) == before


def test_killed_half_way_curate_finishes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    curated = home / "curated"
    wanted = without(home, "two.jpg")

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("catgan.curate.forget.contact_sheets", killed)
        with pytest.raises(KeyboardInterrupt):
            forget_photo("two.jpg", curated)
    (home / "raw" / "two.jpg").unlink()
    curate(home / "raw", curated)
    assert without_times(tree(curated)) == wanted


def test_a_video_goes_with_all_its_frames(home: Path) -> None:
    pytest.importorskip("av", reason="needs the extra: pip install 'catgan[video]'")
    from tests.curate.test_clips import film, walk

    curated = home / "curated"
    wanted = without_times(tree(curated))
    path = film(home / "raw" / "clip.mkv", [*walk(20), *walk(20, seed=3)])
    curate(home / "raw", curated)
    frames = {name for name in tree(curated) if "clip" in name}
    assert len(frames) >= 6  # an image of each scene in each data set
    done = forget_photo("clip.mkv", curated)
    assert done.plan.files == ("clip.mkv",)
    assert len(done.plan.photos) >= 2
    assert done.plan.originals == (path,)
    assert repr(done) == "Forgotten(clip.mkv)"
    assert without_times(tree(curated)) == wanted


def test_the_last_photo(tmp_path: Path) -> None:
    write(tmp_path / "raw" / "tama.jpg", encode(draw_photo(280, 140, Head(cx=90, cy=70, w=80))))
    curate(tmp_path / "raw", tmp_path / "curated")
    done = forget_photo("tama.jpg", tmp_path / "curated")
    assert done.left == 0
    assert not [name for name in tree(tmp_path / "curated") if name.endswith((".png", ".jpg"))]


class TestRuns:
    """Which of them know a photo."""

    def run(self, home: Path, name: str, **changes: Any) -> Run:
        folder = home / "curated" / FACE_CROP
        dataset = open_dataset(folder)
        assert dataset is not None
        data = DataRecord(
            name=FACE_CROP, folder=str(folder), digest=digest_of(dataset), train=len(dataset.files)
        )
        run = Run(folder=home / "runs" / name)
        run.folder.mkdir(parents=True)
        start = changes.pop("start_from", "")
        config = RunConfig(
            settings={"size": 32, "start_from": str(start)},
            data=dataclasses.replace(data, **changes),
        )
        run.write_config(config)
        return run

    def asked(self, home: Path, photo: str) -> dict[str, str]:
        plan = plan_forgetting(photo, home / "curated")
        found = trained_on(plan.images, home / "curated", home / "runs")
        return {one.run.name: one.knows for one in found}

    def test_each_kind(self, home: Path) -> None:
        images = plan_forgetting("two.jpg", home / "curated").images[FACE_CROP]
        trained = self.run(home, "trained")
        self.run(home, "held-out", held_out=images)
        self.run(home, "changed", digest="0" * 64)
        self.run(home, "elsewhere", folder=str(home / "raw"))
        child = self.run(home, "child", folder=str(home / "raw"), start_from=trained.folder)
        self.run(home, "grandchild", folder=str(home / "raw"), start_from=child.folder)
        assert self.asked(home, "two.jpg") == {
            "trained": Knows.TRAINED,
            "held-out": Knows.MEASURED,
            "changed": Knows.PERHAPS,
            "child": Knows.INHERITED,
            "grandchild": Knows.INHERITED,
        }
        # without a face on it, it is in no data set that these were trained on
        assert self.asked(home, "meadow.jpg") == {"changed": Knows.PERHAPS}

    def test_damaged_ones(self, home: Path) -> None:
        self.run(home, "broken").config.write_text("{", encoding="utf-8")
        run = self.run(home, "no-path", folder="a\0b")
        config = run.config.read_text(encoding="utf-8")
        self.run(home, "no-text").config.write_text(
            config.replace('"start_from": ""', '"start_from": 7'), encoding="utf-8"
        )
        found = self.asked(home, "two.jpg")
        assert {found[name] for name in ("broken", "no-text")} == {Knows.PERHAPS}
