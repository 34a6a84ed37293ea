"""What in a curated folder is catgan's to delete, and what a person put there."""

import os
import shutil
from pathlib import Path

import pytest

from catgan import CurateConfig, curate_photos
from catgan.core.errors import FolderRefused
from catgan.curate.selection import ANNOUNCED
from catgan.formats.datasets import FACE_CROP, FULL_BODY, SPLIT
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
@pytest.mark.parametrize("name", [FULL_BODY, FACE_CROP])
def test_nothing_is_done_through_a_link(raw: Path, tmp_path: Path, name: str) -> None:
    curated, elsewhere = tmp_path / "curated", tmp_path / "elsewhere"
    curate(raw, curated)
    (curated / name).rename(elsewhere)
    (curated / name).symlink_to(elsewhere)
    before = tree(elsewhere)
    with pytest.raises(FolderRefused, match="is a link"):
        curate(raw, curated)
    assert tree(elsewhere) == before
