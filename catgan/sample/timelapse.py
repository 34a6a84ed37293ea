"""The training in a few seconds, from the sample grids that it left on disk."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from catgan.core.errors import NoPictures, UnreadablePhoto
from catgan.core.files import read_file
from catgan.core.photos import read_photo
from catgan.core.pictures import Picture, Pictures, cut_sheet, spread_evenly
from catgan.formats.runs import Run
from catgan.sample.config import SampleConfig
from catgan.sample.gif import Movie, hundredths
from catgan.sample.layout import GROUND, arrange

FPS = 8
HOLD = 200  # the last frame is shown for so long, hundredths of a second
MOST = 100  # grids shown, evenly over the training
LETTERS = 18  # height of the caption's letters, pixels
INK = (0, 0, 0)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EpochGrid:
    """The first images of one sample grid."""

    epoch: int
    """Complete epochs."""
    pictures: Pictures
    """(N, H, W, 3) uint8."""


def read_grids(run: Run, tiles: int) -> list[EpochGrid]:
    """The sample grids of a run, in order, cut to their first images.

    A grid that is broken (a kill, a full disk) or of another size than the last is passed over.

    Args:
        run: The run.
        tiles: Images kept of each, at most.

    Raises:
        NoPictures: There is none that can be read.
        BadRecord: The run is damaged, or another version's.
    """
    paths = list(run.sample_grids().items())
    record = run.read_config()
    size = 0 if record is None else record.settings.get("size", 0)
    grids = [
        EpochGrid(epoch=epoch, pictures=pictures[:tiles])
        for epoch, path in (paths[index] for index in spread_evenly(len(paths), MOST))
        if (pictures := _read(path, size)) is not None
    ]
    if not grids:
        raise NoPictures(
            f"The run {run.name} has no sample grids in {run.samples}, so there is no training to "
            "show; training leaves one every few epochs: catgan train"
        )
    shape = grids[-1].pictures.shape
    return [grid for grid in grids if grid.pictures.shape == shape]


def make_timelapse(grids: Sequence[EpochGrid], config: SampleConfig, scale: int) -> Movie:
    """One frame for each grid, its epoch above it; the last is shown longer.

    Args:
        grids: At least one, all of one size.
        config: Settings: `fps`.
        scale: Times that each side is enlarged.
    """
    frames = [caption(arrange(grid.pictures, scale), f"epoch {grid.epoch}") for grid in grids]
    width = max(frame.shape[1] for frame in frames)
    durations = [hundredths(config.fps or FPS)] * len(frames)
    durations[-1] = max(HOLD, durations[-1])
    return Movie(frames=[_widen(frame, width) for frame in frames], durations=durations)


def caption(picture: Picture, words: str) -> Picture:
    """A picture under a line of words; wider where the words need it.

    Args:
        picture: (H, W, 3) uint8.
        words: A few.
    """
    font = ImageFont.load_default(LETTERS)
    height, width = picture.shape[:2]
    margin = LETTERS // 3
    band = LETTERS + 2 * margin
    needed = round(font.getlength(words)) + 2 * margin
    canvas = Image.new("RGB", (max(width, needed), height + band), (GROUND,) * 3)
    pen = ImageDraw.Draw(canvas)
    pen.text((margin, band // 2), words, fill=INK, font=font, anchor="lm")
    canvas.paste(Image.fromarray(picture), (0, band))
    return np.asarray(canvas, dtype=np.uint8)


def caption_height() -> int:
    """Pixels that `caption` adds above a picture."""
    return LETTERS + 2 * (LETTERS // 3)


def _widen(frame: Picture, width: int) -> Picture:
    missing = width - frame.shape[1]
    return np.pad(frame, ((0, 0), (0, missing), (0, 0)), constant_values=GROUND)


def _read(path: Path, size: int) -> Pictures | None:
    try:
        grid = read_photo(read_file(path)).pixels
    except (OSError, UnreadablePhoto):
        return None
    return cut_sheet(grid, size) if size > 0 else grid[None]
