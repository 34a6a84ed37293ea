"""What in a curated folder is catgan's to delete, and what a person put there."""

import os
import shutil
from pathlib import Path

import pytest

from catgan import CurateConfig, curate_photos
from catgan.core.errors import FileRefused, FolderRefused
from catgan.curate.selection import ANNOUNCED
from catgan.formats.datasets import FACE_CROP, FULL_BODY, LEFT_OUT, SPLIT
from tests.drawing import EyeDetector, tree

CONFIG = CurateConfig(size=16, workers=1)


def curate(raw: Path, curated: Path, config: CurateConfig = CONFIG) -> None:
    curate_photos(raw, curated, config, make_detector=EyeDetector())


@pytest.fixture
def raw(album: Path, tmp_path: Path) -> Path:
    shutil.copytree(album, tmp_path / "raw")
    return tmp_path / "raw"


@pytest.mark.parametrize("folder", [f"{FULL_BODY}/{SPLIT}", f"{FACE_CROP}/{SPLIT}", FULL_BODY])
@pytest.mark.parametrize(
    "name", ["IMG-2019010112.png", "tama-0123456789.png", "x-abcdef0123-2.png"]
)
def test_a_picture_that_is_only_called_like_ours_stays(
    raw: Path, tmp_path: Path, folder: str, name: str
) -> None:
    curated = tmp_path / "curated"
    curate(raw, curated)
    mine = curated / folder / name
    mine.write_bytes(b"mine")
    curate(raw, curated)
    (raw / "meadow.jpg").unlink()
    curate(raw, curated)
    curate(raw, curated, CurateConfig(size=32, workers=1))
    assert mine.read_bytes() == b"mine"


def test_our_own_go_with_their_photos(raw: Path, tmp_path: Path) -> None:
    curated = tmp_path / "curated"
    curate(raw, curated)
    before = set(curated.rglob("meadow-*"))
    assert before
    (raw / "meadow.jpg").unlink()
    curate(raw, curated)
    assert not any(path.exists() for path in before)


def test_what_a_kill_left_goes_though_its_photo_is_gone_by_then(raw: Path, tmp_path: Path) -> None:
    """Announced before it was written, and on record nowhere else."""
    curated = tmp_path / "curated"
    curate(raw, curated)
    whole = tree(curated)
    orphan = curated / FULL_BODY / SPLIT / "gone-0011223344.png"
    orphan.write_bytes(b"png")
    (curated / ANNOUNCED).write_text("gone-0011223344.png\n", encoding="utf-8")
    curate(raw, curated)
    assert tree(curated) == whole


@pytest.mark.skipif(os.name == "nt", reason="needs links")
@pytest.mark.parametrize(
    "name",
    [
        FULL_BODY,
        FACE_CROP,
        f"{FULL_BODY}/{SPLIT}",
        f"{FACE_CROP}/{SPLIT}",
        f"{FULL_BODY}/{SPLIT}/{LEFT_OUT}",
        f"{FULL_BODY}/{SPLIT}/{LEFT_OUT}/{FULL_BODY}",
    ],
)
def test_nothing_is_done_through_a_link(raw: Path, tmp_path: Path, name: str) -> None:
    curated, elsewhere = tmp_path / "curated", tmp_path / "elsewhere"
    curate(raw, curated)
    (curated / name).rename(elsewhere)
    (curated / name).symlink_to(elsewhere)
    (elsewhere / "metadata.jsonl").write_bytes(b"mine")
    (elsewhere / ".keep.partial").write_bytes(b"mine")
    before = tree(elsewhere)
    (raw / "meadow.jpg").unlink()
    with pytest.raises(FolderRefused, match="is a link"):
        curate(raw, curated)
    assert tree(elsewhere) == before


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")
@pytest.mark.parametrize("kind", ["link", "pipe"])
@pytest.mark.parametrize("which", ["announced", "journal"])
def test_no_line_is_added_to_what_is_no_file_of_ours(
    raw: Path, tmp_path: Path, kind: str, which: str
) -> None:
    curated, mine = tmp_path / "curated", tmp_path / "mine"
    curate(raw, curated)
    mine.write_bytes(b"mine, without a line end")
    (journal,) = curated.glob(".findings-*.jsonl")
    path = curated / ANNOUNCED if which == "announced" else journal
    path.unlink(missing_ok=True)
    if kind == "link":
        path.symlink_to(mine)
    else:
        os.mkfifo(path)
    (raw / "new.jpg").write_bytes((raw / "two.jpg").read_bytes() + b"x")
    before = tree(curated / FULL_BODY)
    with pytest.raises(FileRefused, match="move it away"):
        curate(raw, curated)
    assert mine.read_bytes() == b"mine, without a line end"
    assert tree(curated / FULL_BODY) == before


@pytest.mark.parametrize("config", [CONFIG, CurateConfig(size=16, workers=1, ablation=True)])
def test_what_is_called_as_ours_are_until_they_are_whole_stays(
    raw: Path, tmp_path: Path, config: CurateConfig
) -> None:
    """Half a file of a person's, and the list that an older layout had in another place."""
    curated = tmp_path / "curated"
    curate(raw, curated, config)
    folders = [curated, curated / FULL_BODY, curated / FULL_BODY / SPLIT, curated / FACE_CROP]
    mine = [folder / ".keep.partial" for folder in folders]
    mine += [curated / FULL_BODY / "metadata.jsonl", curated / FACE_CROP / "metadata.jsonl"]
    for path in mine:
        path.write_bytes(b"mine")
    ours = curated / FULL_BODY / SPLIT / ".metadata.jsonl.partial"
    ours.write_bytes(b"half")
    curate(raw, curated, config)
    curate(raw, curated, CurateConfig(size=32, workers=1))
    assert {path.read_bytes() for path in mine} == {b"mine"}
    assert not ours.exists()
