"""A folder of an older catgan's, with its pictures one folder higher, is brought into today's."""

import json
import shutil
from pathlib import Path

import pytest

from catgan.curate.config import CurateConfig
from catgan.curate.folder import CuratedFolder
from catgan.curate.pipeline import CurateResult, curate_photos, recorded_settings
from catgan.formats.datasets import (
    FACE_CROP,
    FULL_BODY,
    FULL_BODY_KEPT,
    SPLIT,
    find_datasets,
    held_out,
    open_dataset,
    read_metadata,
)
from tests.drawing import EyeDetector, read_jsonl, tree

BEFORE = Path(__file__).parents[1] / "fixtures" / "before"
CONFIG = CurateConfig(workers=1, size=16, faces="all", ablation=True)
NAMES = (FULL_BODY, FULL_BODY_KEPT, FACE_CROP)
PHOTOS = 8  # of the fixture: all are looked at again, as the method has changed since


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return shutil.copytree(BEFORE / "raw", tmp_path / "raw")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return shutil.copytree(BEFORE / "curated", tmp_path / "curated")


def curate(raw: Path, curated: Path, config: CurateConfig = CONFIG) -> CurateResult:
    return curate_photos(raw, curated, config, make_detector=EyeDetector())


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.png"))}


def test_it_is_read_as_it_is(old: Path) -> None:
    found = find_datasets(old)
    assert [dataset.name for dataset in found] == list(NAMES)
    for dataset in found:
        assert dataset.pictures == dataset.folder
        assert list(read_metadata(dataset.folder)) == list(dataset.files)


def test_it_becomes_what_a_new_curation_makes(raw: Path, old: Path, tmp_path: Path) -> None:
    moved = curate(raw, old)
    assert moved.fresh == PHOTOS
    assert tree(old) == tree(curate(raw, tmp_path / "new").curated)
    assert curate(raw, old).fresh == 0


def test_pictures_names_and_verdicts_stay(raw: Path, old: Path) -> None:
    curate(raw, old)
    for name in NAMES:
        assert pictures(old / name / SPLIT) == pictures(BEFORE / "curated" / name)
        before, after = open_dataset(BEFORE / "curated" / name), open_dataset(old / name)
        assert before is not None
        assert after is not None
        assert after.files == before.files
        assert held_out(after.files, 2) == held_out(before.files, 2)
        assert read_metadata(old / name) == read_metadata(BEFORE / "curated" / name)
        assert not (old / name / "metadata.jsonl").exists()
    for then, now in zip(
        read_jsonl(BEFORE / "curated" / "photos.jsonl"),
        read_jsonl(old / "photos.jsonl"),
        strict=True,
    ):
        there = then.pop("outputs")
        assert now.pop("outputs") == {
            name: file.replace("/", f"/{SPLIT}/") for name, file in there.items()
        }
        now.pop("content", None)  # what follows was not measured then
        for face in now["faces"]:
            face["cascade"] = face.pop("recipe")  # what it was called then
            face.pop("detail", None)
            face.pop("fingerprint", None)
            face.pop("left_out", None)  # nor said
        assert now == then
    note = json.loads((BEFORE / "curated" / "catgan.json").read_text(encoding="utf-8"))
    assert note is not None
    note["settings"]["clip_frames"] = 40  # there were no videos then
    note["counts"]["rejected"] = 0  # nor decisions
    note["settings"]["strictness"] = "normal"
    assert json.loads((old / "catgan.json").read_text(encoding="utf-8")) == note | {
        "format": 2,
        "raw": "../raw",
    }


def test_a_look_at_what_is_to_do_changes_nothing(raw: Path, old: Path) -> None:
    before = tree(old)
    settings = recorded_settings(CONFIG, None)
    folder = CuratedFolder(root=old, raw=raw, settings=settings)
    folder.check()
    assert len(folder.selection.drawn()) == 10, "five of each set; copies are not drawn"
    assert folder.dropped() == ()
    plain = CuratedFolder(root=old, raw=raw, settings=settings | {"ablation": False})
    assert plain.dropped() == (FULL_BODY_KEPT,)
    assert tree(old) == before


def test_without_the_third_data_set(raw: Path, old: Path, tmp_path: Path) -> None:
    plain = CurateConfig(workers=1, size=16, faces="all")
    result = curate(raw, old, plain)
    assert (result.fresh, result.dropped) == (PHOTOS, (FULL_BODY_KEPT,))
    assert tree(old) == tree(curate(raw, tmp_path / "new", plain).curated)


def test_with_other_settings(raw: Path, old: Path, tmp_path: Path) -> None:
    """All is drawn anew, and nothing of the old pictures stays."""
    larger = CurateConfig(workers=1, size=24, faces="all")
    assert curate(raw, old, larger).fresh == PHOTOS
    assert tree(old) == tree(curate(raw, tmp_path / "new", larger).curated)


def test_one_stopped_between_two_moves(raw: Path, old: Path, tmp_path: Path) -> None:
    """Some pictures moved, some not, one in both places: none is lost, and the newer one stays."""
    (old / FACE_CROP / SPLIT).mkdir()
    first, second, *_ = sorted((old / FACE_CROP).glob("*.png"))
    first.rename(old / FACE_CROP / SPLIT / first.name)
    shutil.copy(second, old / FACE_CROP / SPLIT / second.name)
    second.write_bytes(b"older")
    assert curate(raw, old).fresh == PHOTOS
    assert tree(old) == tree(curate(raw, tmp_path / "new").curated)


def test_ones_own_files_stay_where_they_are(raw: Path, old: Path) -> None:
    mine = old / FULL_BODY / "mine.png"
    mine.write_bytes(b"my own")
    curate(raw, old)
    assert mine.read_bytes() == b"my own"


def test_a_third_data_set_of_somebody_elses_is_not_moved(raw: Path, old: Path) -> None:
    note = (old / "catgan.json").read_text().replace('"full-body-kept"\n  ],', "],")
    (old / "catgan.json").write_text(note)
    before = tree(old / FULL_BODY_KEPT)
    curate(raw, old, CurateConfig(workers=1, size=16, faces="all"))
    assert tree(old / FULL_BODY_KEPT) == before
