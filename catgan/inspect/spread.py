"""How a quantity is spread over the pictures of a set."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from catgan.core.files import Json

BINS = 24
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One quantity over many pictures."""

    name: str
    """What it is."""
    unit: str
    """Its unit; "" for a plain number."""
    meaning: str
    """What to make of it, in a sentence."""
    count: int
    """Values there are."""
    quantiles: tuple[float, ...]
    """The values that 5, 25, 50, 75 and 95 in a hundred do not exceed."""
    edges: tuple[float, ...]
    """Edges of the histogram's bins, one more than bins."""
    counts: tuple[int, ...]
    """Values in each bin."""

    def to_json(self) -> Json:
        """The record, without the histogram."""
        keys = ("p5", "p25", "median", "p75", "p95")
        rounded = (round(value, 4) for value in self.quantiles)
        return {
            "name": self.name,
            "unit": self.unit,
            "count": self.count,
            **dict(zip(keys, rounded, strict=True)),
        }


def spread_of(values: Sequence[float], *, name: str, unit: str, meaning: str) -> Spread | None:
    """The spread of some values; None where there are none."""
    if not values:
        return None
    array = np.asarray(values, dtype=np.float64)
    counts, edges = np.histogram(array, bins=BINS)
    return Spread(
        name=name,
        unit=unit,
        meaning=meaning,
        count=len(array),
        quantiles=tuple(float(value) for value in np.quantile(array, QUANTILES)),
        edges=tuple(float(edge) for edge in edges),
        counts=tuple(int(count) for count in counts),
    )
