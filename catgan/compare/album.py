"""Everything of a run that is there to be looked at."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from catgan.compare.gallery import Gallery
from catgan.compare.grids import (
    Moment,
    Still,
    closest,
    read_moment,
    show,
    still,
    through_time,
    tiles_for,
)
from catgan.compare.source import Source
from catgan.core.images import Pictures
from catgan.measure.neighbours import Nearest

PAIRS = 8  # samples shown above their nearest training pictures


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Album:
    """The pictures of one run, small and encoded."""

    early: Moment | None
    """The first sample grid, or None where training left none; likewise the next two."""
    measured: Moment | None
    """The sample grid nearest to the epoch that was measured."""
    latest: Moment | None
    """The newest sample grid."""
    through_time: tuple[Moment, ...]
    """Sample grids over the epochs, ascending."""
    first_pairs: Still
    """The first samples, above the training picture that each is most like."""
    closest_pairs: Still
    """Likewise the samples that are most like a training picture: copies, if there are any."""


def make_album(
    source: Source,
    gallery: Gallery,
    samples: Pictures,
    neighbours: Nearest,
    *,
    epoch: int | None,
    arms: int,
) -> Album:
    """The pictures of a run.

    Args:
        source: The run.
        gallery: Its real pictures.
        samples: (N, size, size, 3) uint8, drawn from its generator.
        neighbours: The nearest picture of `gallery.train` for each sample.
        epoch: The epoch that the generator is of; None for a folder of pictures.
        arms: Runs that share the page's room.
    """
    grids = source.run.sample_grids() if source.run is not None else {}
    epochs = sorted(grids)
    tiles = tiles_for(arms)

    def moment(at: int) -> Moment | None:
        return read_moment(grids[at], at, source.reals.size, tiles=tiles)

    early = measured = latest = None
    keep: frozenset[int] = frozenset()
    if epochs and epoch is not None:
        near = closest(epochs, epoch)
        early, measured, latest = moment(epochs[0]), moment(near), moment(epochs[-1])
        keep = frozenset({near})
    order = np.argsort(neighbours.distance, kind="stable")
    return Album(
        early=early,
        measured=measured,
        latest=latest,
        through_time=tuple(through_time(grids, source.reals.size, arms=arms, keep=keep)),
        first_pairs=_pairs(gallery.train, samples, neighbours, np.arange(min(PAIRS, len(samples)))),
        closest_pairs=_pairs(gallery.train, samples, neighbours, order[:PAIRS]),
    )


def _pairs(
    train: Pictures, samples: Pictures, neighbours: Nearest, chosen: NDArray[np.intp]
) -> Still:
    """Samples in the first row, the training pictures nearest to them in the second."""
    both = np.concatenate([samples[chosen], train[neighbours.index[chosen]]])
    return still(show(both, columns=len(chosen), most=len(both)))
