"""Runs made on the spot: drawn data sets, untrained generators, made-up statistics."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from catgan.compare.measured.run import MeasuredRun
from catgan.compare.quantities.quantity import Found, Quantity
from catgan.core.pictures import Pictures, encode_png, sheet
from catgan.formats.datasets import digest_of, open_dataset
from catgan.formats.runs import DataRecord, Run, RunConfig
from catgan.formats.stats import HEALTHY, EpochStats, append_stats
from catgan.measure.extractors.base import Features
from catgan.model.checkpoint import save_checkpoint
from catgan.model.networks import Generator, init_weights
from catgan.model.sample import draw_latents, sample_images
from tests.drawing import Head, draw_photo

SIZE = 16
LATENTS = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Projection:
    """An extractor that needs no net: a random projection, and "a cat" where red outweighs blue."""

    name: str = "projection"
    dimensions: int = 20

    def extract(self, pictures: Pictures) -> Features:
        """The features of pictures, each by itself."""
        flat = pictures.reshape(len(pictures), -1).astype(np.float64) / 255
        matrix = np.random.default_rng(0).standard_normal((flat.shape[1], self.dimensions))
        red, blue = pictures[..., 0].mean(axis=(1, 2)), pictures[..., 2].mean(axis=(1, 2))
        return Features(
            pooled=(flat @ matrix / np.sqrt(flat.shape[1])).astype(np.float32),
            cat=(red > blue).astype(np.float32),
        )


@pytest.fixture
def projection() -> Projection:
    """A small extractor."""
    return Projection()


def draw_dataset(folder: Path, count: int, *, first: int = 0, size: int = SIZE) -> list[str]:
    """Write pictures of heads; their file names, sorted."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for index in range(first, first + count):
        head = Head(cx=size / 2 + index % 3 - 1, cy=size / 2, w=size * 0.7)
        name = f"cat-{index:04d}.png"
        (folder / name).write_bytes(encode_png(draw_photo(size, size, head, seed=index)))
        names.append(name)
    return names


def make_run(
    runs: Path,
    name: str,
    data: Path,
    *,
    train: int = 70,
    held_out: int = 60,
    epochs: int = 6,
    seed: int = 0,
    finished: bool = True,
    best: int | None = None,
    checkpoint: bool = True,
    grids: bool = True,
    picture_size: int = SIZE,
    **settings: Any,
) -> Run:
    """A run as training leaves it, on a data set that is drawn where it is missing.

    Args:
        runs: The folder of runs.
        name: The run's.
        data: Its data set.
        train: Pictures to train on.
        held_out: Pictures held out: the last ones by name.
        epochs: Complete epochs, and as many as were asked for where finished.
        seed: Of the generator's weights.
        finished: Whether it ran to its end.
        best: The epoch of best.pt, or None for none.
        checkpoint: Whether there is one at all.
        grids: Whether sample grids were left.
        picture_size: Side of the pictures that it draws.
        **settings: More of config.json.
    """
    if not data.exists():
        draw_dataset(data, train + held_out)
    names = sorted(path.name for path in data.glob("*.png"))
    dataset = open_dataset(data)
    assert dataset is not None
    run = Run(folder=runs / name)
    run.samples.mkdir(parents=True)
    plain: dict[str, Any] = {
        "recipe": "article",
        "epochs": epochs if finished else epochs * 2,
        "batch_size": 4,
        "size": picture_size,
        "latent_dim": LATENTS,
        "ngf": 8,
        "ndf": 8,
        "lr_g": 2e-4,
        "seed": seed,
        **settings,
    }
    run.write_config(
        RunConfig(
            finished=finished,
            settings=plain,
            data=DataRecord(
                name=data.name,
                folder=str(data.resolve()),
                digest=digest_of(dataset),
                size=SIZE,
                train=len(names) - held_out,
                held_out=tuple(names[len(names) - held_out :]),
            ),
        )
    )
    for done in range(1, epochs + 1):
        append_stats(run.stats, stats_record(done, train))
    generator = Generator(latent_dim=LATENTS, ngf=8, size=picture_size)
    init_weights(generator, torch.Generator().manual_seed(seed))
    if checkpoint:
        for path, epoch in ((run.last, epochs), (run.best, best)):
            if epoch is not None:
                save_checkpoint(
                    path,
                    {
                        "settings": plain,
                        "data_digest": digest_of(dataset),
                        "epoch": epoch,
                        "images_shown": epoch * train,
                        "generator": generator.state_dict(),
                    },
                )
    if grids:
        pictures = sample_images(generator.eval(), draw_latents(64, LATENTS, 1))
        for epoch in range(1, epochs + 1):
            # each epoch's grid is of another brightness, so that it can be told from the others
            dimmed = (pictures * (epoch / epochs)).astype(np.uint8)
            run.sample_grid(epoch).write_bytes(encode_png(sheet(dimmed, columns=8)))
    return run


def stats_record(epoch: int, images: int) -> EpochStats:
    """A line of stats.jsonl; every third epoch was evaluated."""
    record = EpochStats(
        epoch=epoch,
        images_shown=epoch * images,
        loss_g=2.0 + 0.1 * epoch,
        loss_d=0.8 - 0.01 * epoch,
        d_real=0.7,
        d_fake=0.3,
        d_fake_after=0.2,
        images_per_second=100.0,
    )
    if epoch % 3:
        return record
    winning = epoch >= 6
    return dataclasses.replace(
        record,
        kid=0.5 / epoch,
        kid_error=0.01,
        recognised=0.1 * epoch / 10,
        balance="winning" if winning else HEALTHY,
        since=5 if winning else None,
    )


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """The folder of two runs, `full-body` and `face-crop`, on data sets of their own."""
    runs, curated = tmp_path / "runs", tmp_path / "curated"
    draw_dataset(curated / "face-crop", 140, first=500)
    make_run(runs, "full-body", curated / "full-body", best=4)
    make_run(runs, "face-crop", curated / "face-crop", held_out=70, seed=1, best=3, lr_d=1e-4)
    return runs


def found_of(run: MeasuredRun, quantity: Quantity[Any]) -> Found:
    """What a quantity came to in a run that has it."""
    found = run.found[quantity.key]
    assert isinstance(found, Found)
    return found


def number(run: MeasuredRun, quantity: Quantity[Any]) -> float:
    """The number of a run that has it."""
    return found_of(run, quantity).number.number


Edit = Callable[[dict[str, Any]], None]


def edit_config(run: Run, edit: Edit) -> None:
    """Change a run's config.json in place."""
    config = json.loads(run.config.read_text())
    edit(config)
    run.config.write_text(json.dumps(config))
