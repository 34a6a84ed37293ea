"""One drawn album and what `curate` makes of it, shared by the tests: drawing takes a while."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from catgan.core.files import Json
from catgan.core.pictures import Pictures
from catgan.curate.config import CurateConfig
from catgan.curate.pipeline import curate_photos
from catgan.demo.config import DemoConfig
from catgan.demo.pipeline import draw_album
from catgan.demo.truth import Truth, read_truth
from catgan.measure.extractors.base import Features
from catgan.model.networks import Generator, init_weights

SMALL = DemoConfig(photos=40, seed=0, workers=1)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Curated:
    """An album, the truth about it, and what was found."""

    raw: Path
    curated: Path
    truth: dict[str, Truth]
    found: dict[str, Json]


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An album of forty photos by the base model; to be read only."""
    raw = tmp_path_factory.mktemp("demo") / "raw"
    draw_album(raw, SMALL)
    return raw


@pytest.fixture(scope="session")
def scored(drawn: Path) -> Curated:
    """The same, curated with the default settings."""
    curated = drawn.parent / "curated"
    curate_photos(drawn, curated, CurateConfig(workers=1))
    lines = (curated / "photos.jsonl").read_text(encoding="utf-8").splitlines()
    found = {record["path"]: record for record in map(json.loads, lines)}
    truth = {truth.file: truth for truth in read_truth(drawn)}
    return Curated(raw=drawn, curated=curated, truth=truth, found=found)


class LikesAll:
    """A judge that finds every picture a cat, more so the brighter it is."""

    name = "likes-all"

    def extract(self, pictures: Pictures) -> Features:
        mean = pictures.mean(axis=(1, 2, 3)).astype(np.float32) / 255
        return Features(pooled=mean[:, None], cat=mean)


@pytest.fixture(scope="session")
def generator() -> Generator:
    """A generator that has learned nothing: what is drawn has no face, but everything else."""
    net = Generator(latent_dim=8, ngf=2, size=64)
    init_weights(net, torch.Generator().manual_seed(0))
    return net.eval()


@pytest.fixture
def judge() -> LikesAll:
    return LikesAll()
