"""`catgan export` as a person meets it."""

import json
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Catgan, catgan, one_sentence  # noqa: F401 (a fixture)
from tests.drawing import tree
from tests.export.conftest import MakeRun


@pytest.fixture
def place(make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_run(copying=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_says_what_it_wrote_and_warns(catgan: Catgan, place: Path) -> None:  # noqa: F811
    ended = catgan("export", "cats", "model", "--no-onnx")
    assert ended.code == 0, ended.err
    assert "exported from" in ended.out
    assert "The samples copy: 25% of the samples" in ended.out
    assert {path.name for path in (place / "model").iterdir()} == {
        "README.md",
        "generator.safetensors",
        "samples.png",
    }


def test_a_dry_run_writes_nothing(catgan: Catgan, place: Path) -> None:  # noqa: F811
    before = tree(place)
    ended = catgan("export", "cats", "model", "--dry-run", "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert found["files"] == ["README.md", "generator.safetensors", "generator.onnx", "samples.png"]
    assert (found["epoch"], found["copies"], found["copying"]) == (20, 0.25, True)
    assert tree(place) == before


def test_pushing_is_dry_by_default(catgan: Catgan, place: Path) -> None:  # noqa: F811
    line = ("export", "cats", "model", "--no-onnx", "--push", "tama/cats")
    assert "for you alone to see). Nothing was uploaded" in catgan(*line).out
    assert "for everybody to see). Nothing was uploaded" in catgan(*line, "--public").out


def test_without_the_packages_for_onnx(
    catgan: Catgan,  # noqa: F811
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    ended = catgan("export", "cats", "model")
    assert ended.code == 1
    assert "pip install onnx onnxscript onnxruntime" in one_sentence(ended)
    assert "--no-onnx" in ended.err
    assert not (place / "model").exists()


@pytest.mark.parametrize(
    "options", [("--push", "cats"), ("--send",), ("--public",), ("--checkpoint", "x.pt")]
)
def test_wrong_usage(catgan: Catgan, place: Path, options: tuple[str, ...]) -> None:  # noqa: F811
    ended = catgan("export", "cats", "model", *options)
    assert ended.code == 2
    assert options[0] in one_sentence(ended)
    assert not (place / "model").exists()
