"""Runs of both kinds of generator, which draw something."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from catgan.formats.runs import DataRecord, Run, RunConfig
from catgan.formats.stats import EpochStats, write_stats
from catgan.model.checkpoint import save_checkpoint
from catgan.model.networks import Generator, init_weights
from catgan.model.sample import draw_latents

KINDS: dict[str, dict[str, Any]] = {
    "balanced": {"upsample": "transposed", "skip": False},
    "projected": {"upsample": "nearest", "skip": True},
}
SIZE, LATENTS, WIDTH = 64, 12, 4


@functools.cache
def lively_generator(kind: str, size: int = SIZE) -> Generator:
    """A generator whose images fill the range, so that a difference shows; not to be changed."""
    generator = Generator(latent_dim=LATENTS, ngf=WIDTH, size=size, **KINDS[kind])
    init_weights(generator, torch.Generator().manual_seed(3))
    generator.train()
    with torch.no_grad():
        for step in range(20):  # batch norm comes to know what passes through
            generator(draw_latents(32, LATENTS, 100 + step))
        last = generator.main[-2]
        assert isinstance(last, torch.nn.ConvTranspose2d | torch.nn.Conv2d)
        for gate in generator.gates.values():
            for weight in gate.parameters():
                weight.mul_(30)
        generator.eval()
        last.weight.mul_(0.5 / generator(draw_latents(32, LATENTS, 99)).atanh().std())
    return generator


MakeRun = Callable[..., Run]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """A run under `runs`, with figures of two epochs."""

    def make(kind: str = "balanced", *, copying: bool = False, name: str = "cats") -> Run:
        run = Run(folder=tmp_path / "runs" / name)
        run.folder.mkdir(parents=True)
        settings: dict[str, Any] = {"recipe": kind, "size": SIZE, "latent_dim": LATENTS}
        settings |= {"ngf": WIDTH, "start_from": str(tmp_path / "runs" / "other"), **KINDS[kind]}
        data = DataRecord(
            name="face-crop",
            folder=str(tmp_path / "curated" / "face-crop"),
            train=100,
            held_out=("tama-0123456789.png",) * 50,
        )
        run.write_config(RunConfig(settings=settings, data=data))
        figures: dict[str, Any] = {
            "kid": 0.125,
            "kid_error": 0.01,
            "recognised": 0.5,
            "copies": 0.25,
        }
        write_stats(
            run.stats,
            [
                EpochStats(epoch=10, images_shown=1000, copying=copying, **figures),
                EpochStats(epoch=20, images_shown=2000),
                EpochStats(epoch=30, images_shown=3000, kid=9.0, recognised=0.0),
            ],
        )
        state = {
            "settings": settings,
            "data_digest": "none",
            "epoch": 20,
            "images_shown": 2000,
            "generator": lively_generator(kind).state_dict(),
        }
        save_checkpoint(run.best, state)
        return run

    return make
