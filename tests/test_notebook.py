"""The notebook: valid, without outputs, and it runs, twice, as after a disconnect."""

import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from catgan.cli import app

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "notebooks" / "catgan.ipynb"
SMALL = """\
ALBUM = "demo"
PHOTOS = 16
TRAIN = "--epochs 2 --size 16 --ngf 4 --ndf 4 --held-out 2 --device cpu"
COMPARE = "--samples 50 --second-judge 0 --device cpu --faces 0"
WHEEL = ""
"""


def cells() -> list[dict[str, Any]]:
    return list(json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"])


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def test_it_is_kept_without_outputs() -> None:
    for cell in cells():
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_its_commands_and_flags_exist() -> None:
    known = {one.callback.__name__: one.callback for one in app.registered_commands if one.callback}
    called = [
        shlex.split(line)
        for cell in cells()
        for line in re.findall(r"^\s*!catgan (.*)$", source(cell), re.MULTILINE)
    ]
    commands = [line[0] for line in called if not line[0].startswith("--")]
    assert [name for name in commands if name not in ("demo", "fetch")] == [
        "curate", "train", "compare", "sample"
    ]  # fmt: skip
    for line in called:
        if line[0] in known:
            page = (ROOT / "docs" / "commands" / f"{line[0]}.md").read_text(encoding="utf-8")
            for flag in (word for word in line if word.startswith("--")):
                assert f"`{flag}`" in page, line


def test_a_command_that_fails_stops_it() -> None:
    for cell in cells():
        lines = source(cell).splitlines()
        for line, following in zip(lines, [*lines[1:], ""], strict=True):
            if "!catgan" in line:
                assert following.strip().startswith("assert not _exit_code"), line


@pytest.mark.slow
def test_it_runs_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    nbconvert = pytest.importorskip("nbconvert")
    # `!catgan` is a shell's command; a kernel of its own is told where this Python's programs are
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for number in range(2):
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        nbformat.validate(notebook)
        (settings,) = [
            one for one in notebook.cells if "parameters" in one.metadata.get("tags", ())
        ]
        names = re.findall(r"^(\w+) =", settings.source, re.MULTILINE)
        assert names == re.findall(r"^(\w+) =", SMALL, re.MULTILINE)
        settings.source = SMALL
        client = nbclient.NotebookClient(
            notebook, timeout=1800, resources={"metadata": {"path": str(tmp_path)}}
        )
        client.execute()
        text = {
            cell.id: "".join(output.get("text", "") for output in cell.outputs)
            for cell in notebook.cells
            if cell.cell_type == "code"
        }
        folder = tmp_path / "catgan"
        for name in ("report.html", "cats.png", "walk.gif", "cats.html"):
            assert (folder / name).stat().st_size > 1000, text
        assert "16 photos, 16 of them new" in text["curate"] or number
        if number:  # nothing is done a second time
            assert "16 photos, 0 of them new" in text["curate"]
        # what a person sees of a kept notebook
        page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
        assert "srcdoc=" in page
        assert page.count("data:image/") >= 1 or page.count("image/png") >= 1
        images = [
            kind
            for cell in notebook.cells
            if cell.cell_type == "code"
            for output in cell.outputs
            for kind in output.get("data", {})
            if kind.startswith("image/")
        ]
        assert {"image/jpeg", "image/png", "image/gif"} <= set(images)
    epochs = (folder / "runs" / "face-crop" / "stats.jsonl").read_text().splitlines()
    assert len(epochs) == 2
