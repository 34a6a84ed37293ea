"""A report without photos: what a run generated, and figures, and nothing of anybody's album."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from catgan.compare.comparison import Comparison
from catgan.compare.config import CompareConfig
from catgan.compare.pipeline import compare_runs
from catgan.compare.report.page import render
from catgan.core.loading import load_pictures
from catgan.core.pictures import Pictures, cut_sheet, mean_picture
from tests.compare.conftest import SIZE, Projection, draw_dataset

SAME = 0.7
"""Correlation from which two pictures are one: JPEG at this size leaves 0.92 and more, and what an
untrained generator makes has under 0.35 with any drawn head (both measured here)."""


@pytest.fixture
def compared(two: Path, tmp_path: Path, projection: Projection) -> Comparison:
    """Two runs, and a folder of images: photos, for all that anybody knows."""
    draw_dataset(tmp_path / "mine", 60, first=8000)
    return compare_runs(
        ["full-body", "face-crop", str(tmp_path / "mine")],
        CompareConfig(samples=60, against="face-crop"),
        runs=two,
        extractor=projection,
    )


@pytest.fixture
def album(compared: Comparison, tmp_path: Path) -> Pictures:
    """Every image of the data sets and the folder, and the averages of each."""
    folders = [tmp_path / "curated" / name for name in ("full-body", "face-crop")]
    sets = [load_pictures(sorted(one.glob("*.png"))) for one in (*folders, tmp_path / "mine")]
    averages = [mean_picture(one)[None] for one in sets]
    shown = [arm.real.mean[None] for arm in compared.arms]
    return np.concatenate([*sets, *averages, *shown])


def embedded(text: str) -> Pictures:
    """Every picture in a page, wherever it stands in it, cut into its images: (N, H, W, 3)."""
    tiles = []
    for data in re.findall(r"data:image/\w+;base64,([A-Za-z0-9+/=]+)", text):
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            picture = np.asarray(image.convert("RGB"), dtype=np.uint8)
        if picture.size == 3:  # a single pixel, of the library that draws the charts
            continue
        cut = cut_sheet(picture, SIZE)
        assert cut.shape[1:] == (SIZE, SIZE, 3), "some picture of the page was not looked into"
        tiles.append(cut)
    found = np.concatenate(tiles)
    plain = found.std(axis=(1, 2, 3)) == 0
    return np.ascontiguousarray(found[~plain])  # a last row that is not full ends in plain ground


def likeness(tiles: Pictures, album: Pictures) -> NDArray[np.float64]:
    """The correlation of each tile with the image that it is most like, (N,)."""

    def flat(pictures: Pictures) -> NDArray[np.float64]:
        rows = pictures.reshape(len(pictures), -1).astype(np.float64)
        rows -= rows.mean(axis=1, keepdims=True)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))

    return np.asarray((flat(tiles) @ flat(album).T).max(axis=1))


def test_no_picture_of_it_is_one_of_the_data_sets(compared: Comparison, album: Pictures) -> None:
    text = render(compared, photos=False)
    tiles = embedded(text)
    assert len(tiles) > 2 * 6 * 24, "the grids through time of both runs are there"
    assert likeness(tiles, album).max() < SAME
    assert "contains no photos" in text


def test_else_they_are_found(compared: Comparison, album: Pictures) -> None:
    """That the way of looking finds them, averages among them."""
    text = render(compared)
    alike = likeness(embedded(text), album)
    # of each arm 24 real ones, an average and 16 in pairs, and 24 of the folder
    assert np.count_nonzero(alike >= SAME) >= 3 * (24 + 1 + 16) + 24
    assert "contains images of the data sets" in text


def test_everything_else_stays(compared: Comparison) -> None:
    text = render(compared, photos=False)
    for row in compared.rows:
        assert row.label in text
    assert 'id="neighbours"' in text
    assert "60 images of a folder, not shown" in text
