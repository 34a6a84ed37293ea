"""Which epoch of a run is its best."""

from collections.abc import Iterable

from catgan.formats.stats import EpochStats


def best_of(stats: Iterable[EpochStats]) -> EpochStats | None:
    """The epoch whose samples come nearest to real images, by KID.

    To held-out ones; with too few of them, to those trained on. That falls and rises with KID to
    images never seen as long as samples are no copies (docs/log.md has the figures), and an epoch
    whose samples are copies of training images is none.

    Args:
        stats: Epochs of a run.

    Returns:
        The earliest of the best; None where no epoch was measured, or every one was copying.
    """
    measured = [epoch for epoch in stats if epoch.distance is not None and not epoch.copying]
    return min(measured, key=lambda epoch: epoch.distance or 0.0, default=None)
