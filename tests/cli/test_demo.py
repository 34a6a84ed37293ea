"""`catgan demo` as a person meets it."""

import json
from pathlib import Path

import pytest

from catgan.cli import demo
from catgan.demo.truth import read_truth
from tests.cli.conftest import Catgan, one_sentence


def test_an_album_and_then_nothing_left_to_draw(catgan: Catgan, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    line: list[str | Path] = ["demo", raw, "--album-only", "--photos", "12", "--workers", "1"]
    line.append("--json")
    plan = json.loads(catgan(*line, "--dry-run").out)
    assert (plan["photos"], plan["fresh"], plan["dry_run"]) == (12, 12, True)
    assert not raw.exists()

    ended = catgan(*line)
    assert ended.code == 0, ended.err
    record = json.loads(ended.out)
    assert (record["photos"], record["fresh"]) == (12, 12)
    assert sum(record["kinds"].values()) == 12
    assert Path(record["truth"]) == raw / "demo.jsonl"
    assert len(list(read_truth(raw))) == 12
    assert len(list(raw.glob("*.jpg"))) == 12

    again = json.loads(catgan(*line).out)
    assert again == record | {"fresh": 0}


def test_a_folder_of_somebodys_photos_is_refused(catgan: Catgan, tmp_path: Path) -> None:
    (tmp_path / "kotetsu.jpg").write_bytes(b"mine")
    ended = catgan("demo", tmp_path, "--album-only", "--photos", "12")
    assert ended.code == 1
    assert "kotetsu.jpg" in one_sentence(ended)
    assert [path.name for path in tmp_path.iterdir()] == ["kotetsu.jpg"]


@pytest.mark.parametrize("mine", ["curated/catgan.json", "runs/tama/config.json", "report.html"])
def test_nothing_of_mine_is_written_over(catgan: Catgan, tmp_path: Path, mine: str) -> None:
    (tmp_path / mine).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / mine).write_text("mine", encoding="utf-8")
    ended = catgan("demo", tmp_path)
    assert ended.code == 1
    assert mine.split("/tama")[0] in one_sentence(ended)
    assert [path.read_text() for path in tmp_path.rglob("*") if path.is_file()] == ["mine"]


def test_a_dry_run_shows_the_commands(catgan: Catgan, tmp_path: Path) -> None:
    place = tmp_path / "my cats"
    ended = catgan("demo", place, "--seed", "3", "--workers", "2", "--dry-run")
    lines = [line for line in ended.out.splitlines() if line.startswith("$ ")]
    assert len(lines) == 6
    assert lines[0] == f"$ catgan demo '{place / 'raw'}' --album-only --seed=3 --workers=2"
    assert lines[1].endswith("--workers=2")
    assert not place.exists()


def test_by_default_it_has_a_folder_of_its_own(
    catgan: Catgan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a checkout, or beside photos of one's own, nothing else is touched."""
    monkeypatch.chdir(tmp_path)
    ended = catgan("demo", "--dry-run")
    lines = [line for line in ended.out.splitlines() if line.startswith("$ ")]
    assert lines[0].startswith(f"$ catgan demo {Path('demo') / 'raw'} ")
    written = [word for line in lines for word in line.split() if word.endswith((".html", ".png"))]
    assert written == [str(Path("demo") / "report.html"), str(Path("demo") / "cats.png")]


@pytest.mark.slow
def test_the_demo_in_miniature_and_once_more(
    catgan: Catgan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its commands, with toy networks; the second time little is left to do."""
    monkeypatch.setenv("SSH_CONNECTION", "yes")  # nobody wants to see the report
    monkeypatch.delenv("DISPLAY", raising=False)
    small = ("--held-out", "5", "--epochs", "1", "--device", "cpu")
    monkeypatch.setattr(demo, "FEWER", ("--samples", "50", "--second-judge", "0"))
    monkeypatch.setattr(demo, "SHORT", (*small, "--ngf", "4", "--ndf", "4"))
    monkeypatch.setattr(demo, "FINE_TUNED", ("--name", "from-base", "--start-from", "base", *small))
    line = ("demo", tmp_path, "--photos", "40", "--workers", "1")
    first = catgan(*line)
    assert first.code == 0, first.err
    assert first.out.count("\n$ catgan ") == 6
    assert (tmp_path / "report.html").stat().st_size > 100_000
    assert (tmp_path / "cats.png").is_file()
    for run in ("full-body", "face-crop", "from-base"):
        assert (tmp_path / "runs" / run / "checkpoints" / "last.pt").is_file()
    photos = {path: path.stat().st_mtime_ns for path in (tmp_path / "raw").iterdir()}

    again = catgan(*line)
    assert again.code == 0, again.err
    assert "40 photos, 0 generated now" in again.out
    assert "40 photos, 0 of them new" in again.out
    assert {path: path.stat().st_mtime_ns for path in photos} == photos
