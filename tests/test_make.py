"""`make demo`: what it runs is what README says, and it runs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SMALL = ("DEMO_ALBUM=raw/ --photos 40 --workers 1",)
SHORT = ("DEMO_TRAIN=curated/ --held-out 5 --epochs 1 --ngf 4 --ndf 4 --device cpu",)

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def make(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """`make` on this checkout's Makefile in another folder, with this Python for its `.venv`."""
    outside = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAKE", "DISPLAY"))
    }
    outside |= {"PYTHONPATH": str(ROOT), "WAYLAND_DISPLAY": "", "OMP_NUM_THREADS": "1"}
    outside["SSH_CONNECTION"] = "yes"  # nobody wants to see the report, on a Mac either
    line = ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), "-o", ".venv/installed"]
    return subprocess.run(
        [*line, f"BIN={Path(sys.executable).parent}", *words],
        cwd=folder,
        env=outside,
        capture_output=True,
        text=True,
    )


def commands(text: str) -> list[str]:
    """The lines of a text that call catgan."""
    return re.findall(r"^\$ (catgan .*)$", text, re.MULTILINE)


@needs_make
def test_the_readme_shows_what_make_demo_runs(tmp_path: Path) -> None:
    dry = make("--dry-run", "demo", folder=tmp_path)
    printed = re.findall(r"echo '\$ (catgan .*?)'", dry.stdout)
    assert len(printed) == 4
    assert commands((ROOT / "README.md").read_text(encoding="utf-8")) == printed


@needs_make
def test_every_target_is_in_make_help(tmp_path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    helped = make("help", folder=tmp_path).stdout
    missing = [name for name in phony.split() if name != "help" and f"make {name} " not in helped]
    assert not missing


@needs_make
@pytest.mark.parametrize("mine", ["curated/catgan.json", "runs/tama/config.json", "report.html"])
def test_nothing_of_mine_is_written_over(tmp_path: Path, mine: str) -> None:
    (tmp_path / mine).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / mine).write_text("mine", encoding="utf-8")
    ended = make("demo", folder=tmp_path)
    assert ended.returncode != 0
    assert mine.split("/tama")[0] in ended.stdout
    assert [path.read_text() for path in tmp_path.rglob("*") if path.is_file()] == ["mine"]


@needs_make
@pytest.mark.slow
def test_the_demo_in_miniature_and_once_more(tmp_path: Path) -> None:
    first = make("demo", *SMALL, *SHORT, folder=tmp_path)
    assert first.returncode == 0, first.stderr
    assert len(commands(first.stdout)) == 4
    assert f"{tmp_path / 'report.html'}" in first.stdout.splitlines()[-1]
    assert (tmp_path / "report.html").stat().st_size > 100_000
    for run in ("full-body", "face-crop"):
        assert (tmp_path / "runs" / run / "checkpoints" / "last.pt").is_file()
    photos = {path: path.stat().st_mtime_ns for path in (tmp_path / "raw").iterdir()}

    again = make("demo", *SMALL, *SHORT, folder=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "0 of them drawn now" in again.stdout
    assert "0 of them new" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in photos} == photos
