"""`catgan forget` as a person meets it."""

import json
from pathlib import Path

import pytest

from catgan.curate.config import CurateConfig
from catgan.curate.pipeline import curate_photos
from catgan.formats.datasets import FACE_CROP, digest_of, open_dataset
from catgan.formats.runs import DataRecord, Run, RunConfig
from tests.cli.conftest import Catgan, one_sentence
from tests.drawing import EyeDetector, Head, draw_photo, encode, tree, write


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two cats, a run trained on their faces, and three pages."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("tama", "mimi")):
        photo = draw_photo(280, 140, Head(cx=90 + 60 * seed, cy=70, w=80), seed=seed)
        write(tmp_path / "raw" / f"{name}.jpg", encode(photo))
    write(tmp_path / "raw" / "meadow.jpg", encode(draw_photo(280, 140, seed=5)))
    config = CurateConfig(workers=1, size=32)
    curate_photos("raw", "curated", config, make_detector=EyeDetector())
    folder = tmp_path / "curated" / FACE_CROP
    dataset = open_dataset(folder)
    assert dataset is not None
    run = Run(folder=tmp_path / "runs" / "cats")
    run.folder.mkdir(parents=True)
    data = DataRecord(name=FACE_CROP, folder=str(folder), digest=digest_of(dataset), train=2)
    run.write_config(RunConfig(settings={"size": 32}, data=data))
    report = '<meta name="generator" content="catgan 0.1"><title>x (catgan compare)</title>'
    (tmp_path / "report.html").write_text(report, encoding="utf-8")
    (tmp_path / "mine.html").write_text("<title>curated (catgan inspect)</title>", encoding="utf-8")
    return tmp_path


def test_all_of_it(catgan: Catgan, home: Path) -> None:
    assert catgan("inspect", "curated", "--page", "inspect.html").code == 0
    assert "meadow.jpg" in (home / "inspect.html").read_text(encoding="utf-8")
    assert catgan("forget", "meadow.jpg").code == 0
    page = (home / "inspect.html").read_text(encoding="utf-8")
    assert "meadow" not in page
    assert "2 photos" in page
    before = (home / "report.html").read_bytes(), (home / "mine.html").read_bytes()
    ended = catgan("forget", "raw/tama.jpg", "curated")
    assert ended.code == 0, ended.err
    assert (
        "Forgotten: tama.jpg (1 image in full-body and 1 image in face-crop removed)." in ended.out
    )
    assert "tama.jpg is still there, and the next catgan curate takes it in again" in ended.out
    assert "runs/cats was trained on it, and cannot unlearn it" in ended.out.replace("\\", "/")
    assert "report.html may show it" in ended.out
    assert "mine.html" not in ended.out
    assert before == ((home / "report.html").read_bytes(), (home / "mine.html").read_bytes())
    assert not [name for name in tree(home / "curated") if "tama" in name]
    assert (home / "raw" / "tama.jpg").exists()


def test_a_page_of_another_command_is_not_replaced(catgan: Catgan, home: Path) -> None:
    assert catgan("inspect", "curated", "--page", "inspect.html").code == 0
    before = (home / "inspect.html").read_bytes()
    ended = catgan("review", "curated", "--page", "inspect.html")
    assert (ended.code, "catgan inspect wrote it" in one_sentence(ended)) == (1, True)
    ended = catgan("sample", "cats", "--page", "inspect.html")
    assert (ended.code, "catgan inspect wrote it" in one_sentence(ended)) == (1, True)
    ended = catgan("compare", "cats", "--report", "inspect.html")
    assert (ended.code, "catgan inspect wrote it" in one_sentence(ended)) == (1, True)
    assert (home / "inspect.html").read_bytes() == before
    assert catgan("inspect", "curated", "--page", "inspect.html").code == 0
    # written before pages named their command
    assert catgan("inspect", "curated", "--page", "report.html").code == 0
    assert "meadow.jpg" in (home / "report.html").read_text(encoding="utf-8")


def test_a_dry_run_changes_nothing(catgan: Catgan, home: Path) -> None:
    before = tree(home)
    ended = catgan("forget", "tama.jpg", "curated", "--dry-run", "--json")
    assert ended.code == 0
    found = json.loads(ended.out)
    assert found["photos"] == ["tama.jpg"]
    assert found["runs"] == {str(Path("runs") / "cats"): "trained"}
    assert {name: len(files) for name, files in found["images"].items()} == {
        "full-body": 1,
        "face-crop": 1,
    }
    assert {name for name in tree(home) if not name.endswith(".lock")} == {
        name for name in before if not name.endswith(".lock")
    }
    assert tree(home / "raw") == {
        name.removeprefix("raw/"): data
        for name, data in before.items()
        if name.startswith("raw/") and name != "raw/"
    }


def test_with_the_last_photo_the_page_goes(catgan: Catgan, home: Path) -> None:
    catgan("inspect", "curated", "--page", "inspect.html")
    for photo in ("tama.jpg", "mimi.jpg", "meadow.jpg"):
        ended = catgan("forget", photo)
        assert ended.code == 0, ended.err
    assert "Removed: " in ended.out
    assert not (home / "inspect.html").exists()
