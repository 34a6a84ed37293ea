"""Pictures for a page: the sample grids that training left on disk, picked, cut and shrunk."""

import dataclasses
from pathlib import Path

import numpy as np
from PIL import Image

from catgan.core.errors import UnreadablePhoto
from catgan.core.images import Picture, Pictures, cut_sheet, encode_jpeg, read_photo, sheet

GAP = 2  # between the pictures of a grid, pixels
TILES = 24  # pictures shown of a grid
COLUMNS = 6
TILE = 64  # a larger picture is shown at this side, pixels
PER_ARM = 40  # grids through time, at most
BUDGET = 2_400_000  # bytes of all grids through time together; base64 makes a third more of them
QUALITY = 80
GROUND = 128  # grey between pictures: a page may be light or dark


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """A picture ready to be shown."""

    jpeg: bytes
    """The file."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the fixed latents gave after some epoch of training."""

    epoch: int
    """Complete epochs."""
    still: Still
    """The sample grid, or its first pictures."""


def still(picture: Picture, quality: int = QUALITY) -> Still:
    """A picture as it goes into the page."""
    height, width = picture.shape[:2]
    return Still(jpeg=encode_jpeg(picture, quality), width=width, height=height)


def read_moment(path: Path, epoch: int, size: int, *, tiles: int = TILES) -> Moment | None:
    """The first pictures of a sample grid, or None where the file is broken (a kill, a full disk).

    Args:
        path: A grid of `core.images.sheet`.
        epoch: Whose it is.
        size: Side of the pictures in it, pixels.
        tiles: Pictures shown of it.
    """
    try:
        grid = read_photo(path.read_bytes()).pixels
    except (OSError, UnreadablePhoto):
        return None
    return Moment(epoch=epoch, still=still(show(cut_sheet(grid, size), most=tiles)))


def show(pictures: Pictures, *, columns: int = COLUMNS, most: int = TILES) -> Picture:
    """A sheet of the first pictures, each brought down to 64 pixels where it is larger.

    Args:
        pictures: (N, H, W, 3) uint8, N from 1.
        columns: Pictures in a row.
        most: Pictures shown.
    """
    pictures = pictures[:most]
    height, width = pictures.shape[1:3]
    limit = TILE if len(pictures) > 1 else COLUMNS * (TILE + GAP)  # one picture is a whole grid
    if max(height, width) > limit:
        scale = limit / max(height, width)
        target = (max(1, round(width * scale)), max(1, round(height * scale)))
        pictures = np.stack(
            [
                np.asarray(Image.fromarray(picture).resize(target, Image.Resampling.LANCZOS))
                for picture in pictures
            ]
        )
    return sheet(pictures, columns=columns, gap=GAP, ground=GROUND)


def spread(epochs: list[int], most: int, keep: frozenset[int] = frozenset()) -> list[int]:
    """Up to `most` epochs, evenly over the list, the first, the last and those to keep among them.

    Args:
        epochs: Ascending.
        most: From 2.
        keep: Epochs that stay if they are in the list, as far as there is room.
    """
    if len(epochs) <= most:
        return list(epochs)
    places = np.linspace(0, len(epochs) - 1, most).round().astype(int).tolist()
    for epoch in sorted(keep & set(epochs)):
        place = epochs.index(epoch)
        if place not in places:
            # in the stead of the nearest one that is neither end
            middle = range(1, most - 1)
            if middle:
                nearest = min(middle, key=lambda index: abs(places[index] - place))
                places[nearest] = place
    return [epochs[place] for place in sorted(set(places))]


def closest(epochs: list[int], epoch: int) -> int:
    """The epoch of the list that is nearest, the earlier one of two.

    Args:
        epochs: Not empty.
        epoch: What to look for.
    """
    return min(epochs, key=lambda candidate: (abs(candidate - epoch), candidate))


def tiles_for(arms: int) -> int:
    """Pictures to show of a sheet where so many runs share the page."""
    return TILES if arms <= 4 else TILES // 2


def through_time(
    grids: dict[int, Path], size: int, *, arms: int, keep: frozenset[int] = frozenset()
) -> list[Moment]:
    """The grids of a run over its epochs, few and small enough for all arms to fit one page.

    Args:
        grids: Epoch -> PNG.
        size: Side of the pictures in them, pixels.
        arms: Runs that share the page's room.
        keep: Epochs to show in any case.
    """
    most = min(PER_ARM, max(2, 3 * PER_ARM // arms))
    moments = [
        moment
        for epoch in spread(sorted(grids), most, keep)
        if (moment := read_moment(grids[epoch], epoch, size, tiles=tiles_for(arms))) is not None
    ]
    budget = BUDGET // arms
    while len(moments) > 2 and (total := sum(len(m.still.jpeg) for m in moments)) > budget:
        fewer = max(2, min(len(moments) - 1, len(moments) * budget // total))
        kept = frozenset(spread([moment.epoch for moment in moments], fewer, keep))
        moments = [moment for moment in moments if moment.epoch in kept]
    return moments
