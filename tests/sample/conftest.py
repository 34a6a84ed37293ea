"""A run that draws something: an untrained generator with its contrast turned up."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from catgan.core.pictures import Pictures, encode_png, sheet
from catgan.formats.runs import DataRecord, Run, RunConfig
from catgan.model.checkpoint import save_checkpoint
from catgan.model.networks import Generator, init_weights
from catgan.model.sample import draw_latents, sample_images

SIZE = 16
LATENTS = 8


def lively_generator(seed: int = 0) -> Generator:
    """A generator whose pictures differ from each other; a fresh one draws grey in grey."""
    generator = Generator(latent_dim=LATENTS, ngf=4, size=SIZE)
    init_weights(generator, torch.Generator().manual_seed(seed))
    generator.train()
    with torch.no_grad():
        for step in range(40):  # batch norm comes to know what passes through
            generator(draw_latents(64, LATENTS, 100 + step))
        last = generator.main[-2]
        assert isinstance(last, torch.nn.ConvTranspose2d)
        last.weight.mul_(20)
    return generator.eval()


def grid_of(brightness: float, count: int = 64) -> Pictures:
    """Tiles as training leaves them, all of one brightness but each of its own hue."""
    hues = np.random.default_rng(5).integers(60, 256, (count, 1, 1, 3))
    tiles = np.broadcast_to(hues * brightness, (count, SIZE, SIZE, 3))
    return tiles.astype(np.uint8)


MakeRun = Callable[..., Run]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """A run under `runs` with checkpoints of the epochs named and a grid every five epochs."""

    def make(
        name: str = "cats", *, last: int | None = 20, best: int | None = None, grids: int = 4
    ) -> Run:
        run = Run(folder=tmp_path / "runs" / name)
        run.samples.mkdir(parents=True)
        settings: dict[str, Any] = {"size": SIZE, "latent_dim": LATENTS, "ngf": 4}
        data = DataRecord(name="cats", folder=str(tmp_path / "cats"), train=100)
        run.write_config(RunConfig(settings=settings, data=data))
        for path, epoch in ((run.last, last), (run.best, best)):
            if epoch is not None:
                state = {
                    "settings": settings,
                    "data_digest": "none",
                    "epoch": epoch,
                    "images_shown": epoch * 100,
                    "generator": lively_generator(seed=epoch).state_dict(),
                }
                save_checkpoint(path, state)
        for number in range(1, grids + 1):
            grid = sheet(grid_of(number / grids), columns=8)
            run.sample_grid(5 * number).write_bytes(encode_png(grid))
        return run

    return make


def drawn_by(run: Run, count: int, seed: int = 0, *, epoch: int = 20) -> Pictures:
    """What a run's generator draws, straight from PyTorch."""
    latents = draw_latents(64, LATENTS, seed)[:count]
    return sample_images(lively_generator(seed=epoch), latents)
