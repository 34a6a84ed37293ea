"""A share of images that count, and the interval that the true share lies in."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from catgan.core.errors import TooFewPictures
from catgan.measure.statistics.intervals import wilson


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share of images, with its 95% interval.

    The interval says what other images would change. Where the threshold that they are held
    against was measured too (`neighbours.too_close`), `below` and `above` say what another one
    would.
    """

    hits: int
    """Images that count."""
    total: int
    """Images looked at."""
    low: float
    """Lower end of the interval, 0 to 1."""
    high: float
    """Upper end of the interval, 0 to 1."""
    extractor: str
    """Whose judgement it is; "" where the caller did not say."""
    n_real: int | None = None
    """Real images that they were compared with; None for none."""
    below: float = 0.0
    """How much smaller the share would be by the lowest threshold there may be; 0 where it is
    fixed."""
    above: float = 0.0
    """How much larger by the highest one, likewise."""

    @property
    def share(self) -> float:
        """The share itself, 0 to 1."""
        return self.hits / self.total

    @property
    def number(self) -> float:
        """The same: what is quoted."""
        return self.share

    @property
    def n_fake(self) -> int:
        """Images looked at, as an `Estimate` calls them."""
        return self.total


def rate(counts: NDArray[np.bool_], *, extractor: str = "") -> Rate:
    """The share of images that count, with its interval.

    Args:
        counts: (N,), whether each image does, N from 1.
        extractor: Whose judgement it is, for the record.

    Raises:
        TooFewPictures: There is none.
    """
    hits, total = int(counts.sum()), len(counts)
    if total == 0:
        raise TooFewPictures("No share can be taken of no images.")
    low, high = wilson(hits, total)
    return Rate(hits=hits, total=total, low=low, high=high, extractor=extractor)
