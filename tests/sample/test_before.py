"""A run that an older catgan left still draws."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from catgan.core.pictures import cut_sheet
from catgan.formats.runs import Run
from catgan.model.checkpoint import load_generator
from catgan.model.sample import draw_latents, sample_images
from catgan.sample.config import SampleConfig
from catgan.sample.outputs import Outputs
from catgan.sample.pipeline import sample_run
from catgan.train.trainer import GRID_SEED

BEFORE = Path(__file__).resolve().parents[1] / "fixtures" / "before" / "runs" / "blobs"


def test_its_checkpoint_draws_what_it_drew_then() -> None:
    """Its last sample grid, to the rounding of a level that another machine may turn."""
    run = Run(folder=BEFORE)
    generator, state = load_generator(run.last)
    assert state["epoch"] == 120
    latents = draw_latents(64, generator.latent_dim, state["settings"]["seed"] + GRID_SEED)
    then = cut_sheet(np.asarray(Image.open(run.sample_grid(120))), state["settings"]["size"])
    now = sample_images(generator, latents)
    assert np.abs(now.astype(int) - then).max() <= 1


def test_everything_is_drawn_from_it(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    shutil.copytree(BEFORE, runs / "blobs")
    outputs = Outputs(
        grid=tmp_path / "g.png", walk=tmp_path / "w.gif", timelapse=tmp_path / "t.gif"
    )
    result = sample_run("blobs", SampleConfig(count=4, frames=6), outputs, runs=runs)
    assert result.plan.generator is not None
    assert result.plan.generator.epoch == 120
    assert [grid.epoch for grid in result.plan.grids] == [1, 60, 120]
    assert all(grid.pictures.shape == (6, 16, 16, 3) for grid in result.plan.grids)
    assert all(path.stat().st_size for path in tmp_path.glob("?.*"))
