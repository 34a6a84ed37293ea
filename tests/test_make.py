"""`make demo`: what it runs is what README says, and it runs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
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
def test_make_demo_runs_the_demo(tmp_path: Path) -> None:
    dry = make("--dry-run", "demo", "DEMO=cats --seed 1", folder=tmp_path)
    assert re.findall(r"echo '\$ (catgan .*?)'", dry.stdout) == ["catgan demo cats --seed 1"]
    planned = make("demo", "DEMO=cats --dry-run", folder=tmp_path)
    assert planned.returncode == 0, planned.stderr
    shown = commands(planned.stdout)
    assert shown[0] == "catgan demo cats --dry-run"
    assert [line.split()[1] for line in shown[1:]] == [
        "demo", "curate", "train", "compare", "train", "sample"
    ]  # fmt: skip
    assert not list(tmp_path.iterdir())


@needs_make
def test_every_target_is_in_make_help(tmp_path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    helped = make("help", folder=tmp_path).stdout
    missing = [name for name in phony.split() if name != "help" and f"make {name} " not in helped]
    assert not missing
