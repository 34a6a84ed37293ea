"""The training in a few seconds, from the sample grids that it left on disk."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from catgan.core.errors import NoPictures, UnreadablePhoto
from catgan.core.images import Picture, Pictures, cut_sheet, read_photo
from catgan.core.runs import Run
from catgan.sample.config import SampleConfig
from catgan.sample.gif import Movie, hundredths
from catgan.sample.layout import GROUND, arrange

FPS = 8
HOLD = 200  # the last frame is shown for so long, hundredths of a second
MOST = 100  # grids shown, evenly over the training
LETTERS = 18  # height of the caption's letters, pixels
INK = (0, 0, 0)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The first pictures of one sample grid."""

    epoch: int
    """Complete epochs."""
    pictures: Pictures
    """(N, H, W, 3) uint8."""


def read_moments(run: Run, tiles: int) -> list[Moment]:
    """The sample grids of a run, in order, cut to their first pictures.

    A grid that is broken (a kill, a full disk) or of another size than the last is passed over.

    Args:
        run: The run.
        tiles: Pictures taken of each, at most.

    Raises:
        NoPictures: There is none that can be read.
    """
    grids = run.sample_grids()
    epochs = sorted(grids)
    if len(epochs) > MOST:
        places = np.linspace(0, len(epochs) - 1, MOST).round().astype(int)
        epochs = [epochs[place] for place in places]
    size = _size(run)
    moments = [
        Moment(epoch=epoch, pictures=pictures[:tiles])
        for epoch in epochs
        if (pictures := _read(grids[epoch], size)) is not None
    ]
    if not moments:
        raise NoPictures(
            f"The run {run.name} has no sample grids in {run.samples}, so there is no training to "
            "show; training leaves one every few epochs: catgan train"
        )
    shape = moments[-1].pictures.shape
    return [moment for moment in moments if moment.pictures.shape == shape]


def make_timelapse(moments: Sequence[Moment], config: SampleConfig, scale: int) -> Movie:
    """One frame for each moment, its epoch above it; the last is shown longer.

    Args:
        moments: At least one, all of one size.
        config: Settings: `fps`.
        scale: Times that each side is enlarged.
    """
    frames = [
        caption(arrange(moment.pictures, scale), f"epoch {moment.epoch}") for moment in moments
    ]
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


def _size(run: Run) -> int:
    """Side of the pictures that a run draws, pixels; 0 where its config.json does not say."""
    try:
        return int((run.read_config() or {})["settings"]["size"])
    except (KeyError, TypeError, ValueError):
        return 0


def _read(path: Path, size: int) -> Pictures | None:
    try:
        grid = read_photo(path.read_bytes()).pixels
    except (OSError, UnreadablePhoto):
        return None
    return cut_sheet(grid, size) if size > 0 else grid[None]
