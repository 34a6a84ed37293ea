"""The sample grids that training left on disk, picked and shrunk for the page."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from catgan.compare.measured.run import MeasuredRun
from catgan.compare.report.pictures import TILES, Still, sheet_of, still, tiles_for
from catgan.core.errors import UnreadablePhoto
from catgan.core.loading import load_picture
from catgan.core.pictures import Pictures, cut_sheet, spread_evenly

SHOWS = 0.25  # of real images' contrast: a sample with less is grey (figures in docs/log.md)
SQUARES = 8  # along each side of an image, whose means are its contrast
PER_ARM = 40  # grids through time, at most
BUDGET = 2_400_000  # bytes of all grids through time together; base64 makes a third more of them


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SampleGrid:
    """What the fixed latents gave after some epoch of training."""

    epoch: int
    """Complete epochs."""
    still: Still
    """The sample grid, or its first images."""
    contrast: float
    """Of its images; see `contrast_of`."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunGrids:
    """The sample grids of one run."""

    early: SampleGrid | None = None
    """The first one that shows anything (else the first), or None where training left none;
    likewise the next two."""
    measured: SampleGrid | None = None
    """The one nearest to the epoch that was measured."""
    latest: SampleGrid | None = None
    """The newest one."""
    through_time: tuple[SampleGrid, ...] = ()
    """Some over the epochs, ascending."""


def grids_of(run: MeasuredRun, real: Pictures, *, arms: int) -> RunGrids:
    """The sample grids of a run.

    Args:
        run: It; a folder of images has none.
        real: (N, size, size, 3) uint8, N from 1: images that it was trained on.
        arms: Arms that share the page's room.
    """
    grids = run.candidate.run.sample_grids() if run.candidate.run is not None else {}
    if not grids or run.epoch is None:
        return RunGrids()
    epochs, size = list(grids), run.candidate.split.size
    near = closest(epochs, run.epoch)
    measured, latest = (
        read_grid(grids[epoch], epoch, size, tiles=tiles_for(arms)) for epoch in (near, epochs[-1])
    )
    shown = tuple(through_time(grids, size, arms=arms, keep=near))
    return RunGrids(
        early=first_to_show(shown, contrast_of(real)),
        measured=measured,
        latest=latest,
        through_time=shown,
    )


def first_to_show(grids: Sequence[SampleGrid], real: float) -> SampleGrid | None:
    """The first grid on which there is anything to see; the first where there is none such.

    Args:
        grids: By epoch.
        real: Contrast of real images.
    """
    seen = (grid for grid in grids if grid.contrast >= SHOWS * real)
    return next(seen, grids[0] if grids else None)


def contrast_of(pictures: Pictures) -> float:
    """How much light and dark the images have: 0 for plain grey, about 40 for photos.

    The standard deviation of the means of 8 x 8 squares of an image, the mean over all images; so
    fine noise counts for little.

    Args:
        pictures: (N, H, W, 3) uint8, N, H and W from 1.
    """
    count, height, width, _ = pictures.shape
    rows, columns = min(SQUARES, height), min(SQUARES, width)
    tall, wide = height // rows, width // columns
    squares = pictures[:, : rows * tall, : columns * wide].astype(np.float64)
    means = squares.reshape(count, rows, tall, columns, wide, 3).mean(axis=(2, 4, 5))
    return float(means.std(axis=(1, 2)).mean())


def read_grid(path: Path, epoch: int, size: int, *, tiles: int = TILES) -> SampleGrid | None:
    """The first images of a sample grid, or None where the file is broken (a kill, a full disk).

    Args:
        path: A grid of `core.pictures.sheet`.
        epoch: Whose it is.
        size: Side of the images in it, pixels.
        tiles: Images shown of it.
    """
    try:
        grid = load_picture(path).pixels
    except UnreadablePhoto:
        return None
    images = cut_sheet(grid, size)
    return SampleGrid(
        epoch=epoch,
        still=still(sheet_of(images, most=tiles)),
        contrast=contrast_of(images),
    )


def spread(epochs: list[int], most: int, keep: int | None = None) -> list[int]:
    """Up to `most` epochs, evenly over the list, the first, the last and the one to keep among
    them.

    Args:
        epochs: Ascending.
        most: From 2.
        keep: An epoch that stays if it is in the list and there is room, in the stead of the
            nearest one that is neither end.
    """
    places = spread_evenly(len(epochs), most).tolist()
    if keep in epochs and len(places) > 2:
        place = epochs.index(keep)
        if place not in places:
            nearest = min(range(1, len(places) - 1), key=lambda index: abs(places[index] - place))
            places[nearest] = place
    return [epochs[place] for place in sorted(set(places))]


def closest(epochs: list[int], epoch: int) -> int:
    """The epoch of the list that is nearest, the earlier one of two.

    Args:
        epochs: Not empty.
        epoch: What to look for.
    """
    return min(epochs, key=lambda candidate: (abs(candidate - epoch), candidate))


def through_time(
    grids: dict[int, Path], size: int, *, arms: int, keep: int | None = None
) -> list[SampleGrid]:
    """The grids of a run over its epochs, few and small enough for all arms to fit one page.

    Args:
        grids: Epoch -> PNG.
        size: Side of the images in them, pixels.
        arms: Arms that share the page's room.
        keep: An epoch to show in any case.
    """
    most = min(PER_ARM, max(2, 3 * PER_ARM // arms))
    found = [
        grid
        for epoch in spread(sorted(grids), most, keep)
        if (grid := read_grid(grids[epoch], epoch, size, tiles=tiles_for(arms))) is not None
    ]
    budget = BUDGET // arms
    while len(found) > 2 and (total := sum(len(grid.still.jpeg) for grid in found)) > budget:
        fewer = max(2, min(len(found) - 1, len(found) * budget // total))
        kept = frozenset(spread([grid.epoch for grid in found], fewer, keep))
        found = [grid for grid in found if grid.epoch in kept]
    return found
