"""Small data sets, drawn.

On a machine with PyTorch, NumPy, Pillow and pytest alone, say one that is lent for its GPU, the
tests of the step and the trainer run all the same; those of what is on disk are left out.
"""

import importlib.util
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from catgan.core.pictures import Pictures, encode_png
from catgan.measure.extractors.base import Features
from catgan.model.projected import WIDTHS, Eyes

MakeDataSet = Callable[..., Path]

LIGHT = (
    "adam", "ahead", "augment", "average", "cuda", "graphs", "launch", "norms", "ranks", "step",
    "trainer",
)  # fmt: skip
"""Tests that need no more than these packages."""
collect_ignore = []
try:
    NEEDED = ("msgspec", "filelock", "safetensors")  # by what is on disk
    bare = any(importlib.util.find_spec(name) is None for name in NEEDED)
except ImportError:
    bare = True
if bare:
    tests = Path(__file__).parent.glob("test_*.py")
    collect_ignore = [path.name for path in tests if path.stem.removeprefix("test_") not in LIGHT]


class PixelExtractor:
    """Sees a picture as sixteen squares, and a cat in a bright one: quick, and exact."""

    name = "pixels"

    def extract(self, pictures: Pictures) -> Features:
        """(N, H, W, 3) uint8 to (N, 48) mean values, 0 to 1, and the brightness as `cat`."""
        count, side = len(pictures), pictures.shape[1] // 4
        squares = pictures.reshape(count, 4, side, 4, side, 3).mean(axis=(2, 4)) / 255
        pooled = squares.reshape(count, -1).astype(np.float32)
        return Features(pooled=pooled, cat=pooled.mean(axis=1))


def tiny_eyes() -> Eyes:
    """What a discriminator on features looks through, in the small: four random layers."""
    random = torch.Generator().manual_seed(3)
    widths = (3, *WIDTHS)
    stages: list[torch.nn.Module] = []
    for into, out in itertools.pairwise(widths):
        layer = torch.nn.Conv2d(into, out, 3, stride=1 if not stages else 2, padding=1)
        with torch.no_grad():
            for weight in layer.parameters():
                drawn = torch.randn(weight.shape, generator=random)
                weight.copy_(drawn / layer.weight[0].numel() ** 0.5)
        stages.append(torch.nn.Sequential(layer, torch.nn.ReLU6(inplace=True)))
    return Eyes(stages, widths=widths[1:], side=32)


def draw_blob(rng: np.random.Generator, size: int) -> np.ndarray:
    """A coloured disk on a darker ground: easy to tell from noise."""
    y, x = np.mgrid[:size, :size]
    cx, cy = rng.uniform(0.35, 0.65, 2) * size
    inside = (x - cx) ** 2 + (y - cy) ** 2 < (0.25 * size) ** 2
    picture = np.full((size, size, 3), rng.integers(20, 60), dtype=np.uint8)
    picture[inside] = rng.integers(150, 256, 3)
    return picture


@pytest.fixture
def make_data_set(tmp_path: Path) -> MakeDataSet:
    """Draw so many pictures into a folder of that name."""

    def make(
        count: int = 12, *, size: int = 16, name: str = "blobs", seed: int = 0, parent: str = "data"
    ) -> Path:
        folder = tmp_path / parent / name
        folder.mkdir(parents=True)
        rng = np.random.default_rng(seed)
        for index in range(count):
            picture = draw_blob(rng, size)
            (folder / f"blob-{index:03d}.png").write_bytes(encode_png(picture))
        return folder

    return make
