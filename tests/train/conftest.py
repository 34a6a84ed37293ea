"""Small data sets, drawn."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from catgan.core.images import encode_png

MakeDataSet = Callable[..., Path]


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
