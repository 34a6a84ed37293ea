"""What is exported draws what the run draws, elsewhere and without catgan."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from catgan.core.errors import BadUsage, CheckpointRefused, ExportFailed, FolderRefused
from catgan.core.pictures import cut_sheet
from catgan.export import onnx, pipeline
from catgan.export.card import ONNX, SAMPLES, WEIGHTS
from catgan.export.config import ExportConfig
from catgan.export.pipeline import export_run, plan_export
from catgan.export.plain import plain
from catgan.formats import cards
from catgan.model.sample import draw_latents, sample_images
from tests.drawing import tree
from tests.export.conftest import KINDS, LATENTS, SIZE, MakeRun, lively_generator

WITHOUT = ExportConfig(onnx=False)
OLDER = {name: export for name, export in onnx.EXPORTERS.items() if "older" in name}
BLOCKED = "import sys; sys.modules['catgan'] = None  # whoever imports it fails\n"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [16, 32, 64])
def test_plain_layers_are_the_same_network(kind: str, size: int) -> None:
    """Both compute the same sums in another order: a few roundings of values of up to 1."""
    generator = lively_generator(kind, size)
    latents = draw_latents(5, LATENTS, 1)
    with torch.inference_mode():
        wanted, found = generator(latents), plain(generator)(latents)
    assert wanted.std() > 0.05
    assert torch.allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gates_count(kind: str) -> None:
    """A network without its gates draws something else, so the test above would see them gone."""
    generator = lively_generator(kind)
    gated = plain(generator)
    latents = draw_latents(3, LATENTS, 1)
    with torch.inference_mode():
        wanted = gated(latents)
        gated.gates = torch.nn.ModuleList()
        assert torch.equal(gated(latents), wanted) == (kind == "balanced")


def blocks(card: str) -> dict[str, str]:
    """The card's programs, by a word that is in each."""
    found = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    return {word: b for word in ("safetensors", "onnxruntime") for b in found if word in b}


def run_elsewhere(program: str, folder: Path) -> None:
    """In another process in which catgan cannot be imported."""
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED + program],
        cwd=folder,
        env=outside,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_the_cards_network_draws_the_same(make_run: MakeRun, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    export_run(make_run(kind).folder, out, WITHOUT)
    program = blocks((out / cards.NAME).read_text(encoding="utf-8"))["safetensors"]
    assert len([line for line in program.splitlines() if line.strip()]) <= 36
    run_elsewhere(f"{program}\nimport numpy; numpy.save('images.npy', images.numpy())", out)
    with torch.inference_mode():
        wanted = lively_generator(kind)(draw_latents(16, LATENTS, 0)).numpy()
    np.testing.assert_allclose(np.load(out / "images.npy"), wanted, atol=1e-5)


def check_onnx(make_run: MakeRun, out: Path, kind: str) -> None:
    """The file at every batch, by a session of the test's own; then the lines of the card."""
    import onnxruntime

    export_run(make_run(kind).folder, out)
    session = onnxruntime.InferenceSession(out / ONNX, providers=["CPUExecutionProvider"])
    generator = lively_generator(kind)
    for batch in (1, 2, 7, 64):
        latents = draw_latents(batch, LATENTS, 50 + batch)
        with torch.inference_mode():
            wanted = generator(latents).numpy()
        (found,) = session.run(["images"], {"latents": latents.numpy()})
        assert found.shape == (batch, 3, SIZE, SIZE)
        np.testing.assert_allclose(found, wanted, atol=1e-4)
    program = blocks((out / cards.NAME).read_text(encoding="utf-8"))["onnxruntime"]
    assert len([line for line in program.splitlines() if not re.match("import|from|$", line)]) == 5
    run_elsewhere(program, out)
    one = np.random.default_rng(0).standard_normal((1, LATENTS)).astype(np.float32)
    (picture,) = sample_images(generator, torch.from_numpy(one))
    with Image.open(out / "cat.png") as drawn:
        assert np.abs(np.asarray(drawn).astype(int) - picture).max() <= 1  # a value at half way


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_onnx(make_run: MakeRun, tmp_path: Path, kind: str) -> None:
    check_onnx(make_run, tmp_path / "out", kind)


@pytest.mark.parametrize("kind", KINDS)
def test_onnx_where_the_newer_exporter_fails(
    make_run: MakeRun, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(onnx, "EXPORTERS", {"the newer exporter": broken, **OLDER})
    check_onnx(make_run, tmp_path / "out", kind)


def test_a_file_that_draws_something_else_is_not_kept(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that is fixed, or weights that are a little off."""

    def fixed(network: Any, latents: torch.Tensor, path: Path) -> None:
        torch.onnx.export(
            network, (latents,), path, dynamo=False, input_names=["latents"],
            output_names=["images"],
        )  # fmt: skip

    def off(network: Any, latents: torch.Tensor, path: Path) -> None:
        other = plain(lively_generator("balanced"))
        last = other.main[-2]
        assert isinstance(last, torch.nn.ConvTranspose2d)
        with torch.no_grad():
            last.weight.mul_(1.002)
        (older,) = OLDER.values()
        older(other, latents, path)

    monkeypatch.setattr(onnx, "EXPORTERS", {"the newer exporter": fixed, "the older one": off})
    out = tmp_path / "out"
    with pytest.raises(ExportFailed, match=r"exporter: \w+; the older one: its images differ"):
        export_run(make_run().folder, out)
    assert not out.exists()


def test_the_weights_say_what_they_are(make_run: MakeRun, tmp_path: Path) -> None:
    export_run(make_run("projected").folder, tmp_path / "out", WITHOUT)
    with safe_open(tmp_path / "out" / WEIGHTS, framework="pt") as file:
        words = file.metadata()
    assert words["upsample"] == "nearest"
    assert words["widths"] == "32,16,8,4"
    assert (words["gates"], words["epoch"], words["images_shown"]) == ("2", "20", "2000")


def test_the_grid_is_that_of_the_run(make_run: MakeRun, tmp_path: Path) -> None:
    export_run(make_run().folder, tmp_path / "out", WITHOUT)
    with Image.open(tmp_path / "out" / SAMPLES) as grid:
        found = cut_sheet(np.asarray(grid), SIZE)
    wanted = sample_images(lively_generator("balanced"), draw_latents(64, LATENTS, 0))
    assert np.array_equal(found, wanted)


def test_a_notebook_shows_the_samples(make_run: MakeRun, tmp_path: Path) -> None:
    result = export_run(make_run().folder, tmp_path / "out", WITHOUT)
    assert repr(result) == f"ExportResult({tmp_path / 'out'}: 3 files)"
    assert 'src="data:image/png;base64,' in result._repr_html_()


def test_the_card_has_the_figures_of_its_epoch(make_run: MakeRun, tmp_path: Path) -> None:
    export_run(make_run().folder, tmp_path / "out", WITHOUT)
    card = (tmp_path / "out" / cards.NAME).read_text(encoding="utf-8")
    assert "Of samples after epoch 10," in card
    assert "| KID to the held-out images | 0.125 \N{PLUS-MINUS SIGN} 0.010 |" in card
    assert "9.0" not in card
    assert "for 20 epochs\n(2,000 images seen)" in card
    assert "**Warning.**" not in card
    assert "onnxruntime" not in card


def test_it_warns_of_copies(make_run: MakeRun, tmp_path: Path) -> None:
    export_run(make_run(copying=True).folder, tmp_path / "out", WITHOUT)
    card = (tmp_path / "out" / cards.NAME).read_text(encoding="utf-8")
    assert "**Warning.** The samples copy: 25% of the samples" in card


def test_it_gives_nobody_away(make_run: MakeRun, tmp_path: Path) -> None:
    export_run(make_run().folder, tmp_path / "out", WITHOUT)
    for path in (tmp_path / "out").iterdir():
        assert os.fsencode(tmp_path) not in path.read_bytes()
        assert b"tama" not in path.read_bytes()


def test_what_the_owner_wrote_is_kept_and_the_rest_is_new(
    make_run: MakeRun, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    export_run(make_run().folder, out, WITHOUT)
    card = out / cards.NAME
    mine = card.read_text(encoding="utf-8").replace(cards.LICENCE, "license: mit")
    card.write_text(mine, encoding="utf-8")
    (out / ONNX).write_bytes(b"of an earlier export")
    export_run(make_run("projected", name="more").folder, out, WITHOUT)
    text = card.read_text(encoding="utf-8")
    assert "license: mit" in text
    assert "| `--recipe` | projected |" in text
    assert not (out / ONNX).exists()


def test_other_folders_are_refused(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "README.md").write_text("# Mine\n", encoding="utf-8")
    with pytest.raises(FolderRefused, match="was not made by catgan export"):
        export_run(run.folder, mine, WITHOUT)
    with pytest.raises(BadUsage, match="is a file"):
        export_run(run.folder, mine / "README.md", WITHOUT)
    assert tree(mine) == {"README.md": b"# Mine\n"}
    clone = tmp_path / "clone"
    (clone / ".git").mkdir(parents=True)
    export_run(run.folder, clone, WITHOUT)


def test_a_run_without_a_checkpoint(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    with pytest.raises(CheckpointRefused, match="use --checkpoint best"):
        plan_export(run.folder, tmp_path / "out", ExportConfig(onnx=False, checkpoint="last"))
    run.best.unlink()
    with pytest.raises(CheckpointRefused, match="has no checkpoint yet"):
        plan_export(run.folder, tmp_path / "out", WITHOUT)


def test_nothing_is_written_before_all_is_made(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> bytes:
        raise ExportFailed("no")

    monkeypatch.setattr(pipeline, "to_onnx", fail)
    out = tmp_path / "out"
    run = make_run()
    export_run(run.folder, out, WITHOUT)
    before = tree(out)
    with pytest.raises(ExportFailed):
        export_run(run.folder, out)
    assert tree(out) == before
