"""Which epoch of a run is its best."""

from collections.abc import Iterable

from catgan.formats.stats import EpochStats


def best_of(stats: Iterable[EpochStats]) -> EpochStats | None:
    """The epoch whose samples come nearest to the held-out images, by KID.

    An epoch whose samples are copies of training images is none.

    Args:
        stats: Epochs of a run.

    Returns:
        The earliest of the best; None where no epoch was measured, or every one was copying.
    """
    measured = [epoch for epoch in stats if epoch.kid is not None and not epoch.copying]
    return min(measured, key=lambda epoch: epoch.kid or 0.0, default=None)
