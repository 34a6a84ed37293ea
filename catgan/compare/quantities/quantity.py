"""A quantity: one number of a run's samples, and all that there is to know of it."""

import dataclasses
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Generic, TypeVar

from catgan.compare.quantities.evidence import Evidence
from catgan.core.files import Json
from catgan.measure.choices import MIN_PICTURES
from catgan.measure.statistics.differences import Number
from catgan.measure.statistics.rate import Rate

Value = TypeVar("Value")

# The parts of the table.
OUTCOME = "The samples, by measures that mean the same in every run"
REFERENCE = "The samples, against real images of their own kind"
REAL = "The real images"


class Better(StrEnum):
    """Which way is better."""

    MORE = "more"
    LESS = "less"
    NEITHER = "neither"
    """More is not better as such; the arm with most of it is named first, without praise."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A number that there is none of."""

    why: str
    """The reason, in a few words for the table."""


class TooFew(Missing):
    """A number that there are too few images for."""

    __slots__ = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RealRow:
    """The same quantity measured of real images: the ceiling."""

    label: str
    """The row's name for people."""
    meaning: str
    """What it says, in one plain sentence."""
    reading: str
    """What to beware of."""
    training: bool = False
    """Whether images trained on stand in for samples; else those to measure against do."""


def _itself(value: Any) -> Any:
    return value


def _nothing(*_: object) -> list[str]:
    return []


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Quantity(Generic[Value]):
    """One number of an arm's samples.

    Its number over several runs and its difference between arms follow from what it is: see
    `measure.statistics.differences`.
    """

    key: str
    """Its name in JSON and CSV."""
    label: str
    """Its name for people."""
    meaning: str
    """What it says, in one plain sentence."""
    reading: str
    """Which way is good, and what to beware of."""
    better: Better
    """Which way arms are ranked."""
    digits: int | None
    """Behind the point; None for a share."""
    part: str = OUTCOME
    """Which part of the table it stands in."""
    not_ranked: str = ""
    """What is said in place of a verdict between arms on different real images; "" where the
    number means the same in all of them."""
    opinion: bool = False
    """Whether it is a second opinion: shown beside the others, and never ranked by."""
    measure: Callable[[Evidence], Value | Missing]
    """How it is measured of one run. Quantities of one `record` are measured together, by the first
    of them."""
    number: Callable[[Value], Number] = _itself
    """Its number among what was measured."""
    details: Callable[[Value, Evidence], Sequence[str]] = _nothing
    """What the number rests on, beside counts, seed and extractor, in a few words each."""
    record: str = ""
    """Name of what was measured in the JSON record of a run; "" for `key`."""
    to_json: Callable[[Value], Json] | None = None
    """What was measured as JSON; None for that of the number."""
    real: RealRow | None = None
    """The row of real images beneath it."""

    @property
    def measured_as(self) -> str:
        """The name of what it is measured with."""
        return self.record or self.key


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a quantity came to in one run, or in real images."""

    number: Number
    """The number, and how sure it is."""
    details: tuple[str, ...]
    """What it rests on, beside counts, seed and extractor."""
    record: Json
    """All that was measured with it, as JSON."""


def find(quantities: Sequence[Quantity[Any]], evidence: Evidence) -> dict[str, "Found | Missing"]:
    """Measure all quantities, each measurement once.

    Returns:
        By the quantities' keys.
    """
    measured: dict[str, Any] = {}
    found: dict[str, Found | Missing] = {}
    for quantity in quantities:
        if quantity.measured_as not in measured:
            measured[quantity.measured_as] = quantity.measure(evidence)
        value = measured[quantity.measured_as]
        if isinstance(value, Missing):
            found[quantity.key] = value
            continue
        number = quantity.number(value)
        record = quantity.to_json(value) if quantity.to_json else number_json(number)
        details = tuple(quantity.details(value, evidence))
        found[quantity.key] = Found(number=number, details=details, record=record)
    return found


def number_json(number: Number) -> Json:
    """A number as JSON, with its interval and what it rests on."""
    if isinstance(number, Rate):
        return {**dataclasses.asdict(number), "share": number.share}
    low, high = number.interval
    rests_on = {"n_fake": number.n_fake, "n_real": number.n_real, "extractor": number.extractor}
    return {"value": number.number, "error": number.error, "low": low, "high": high, **rests_on}


def enough(evidence: Evidence, *, most: int | None = None) -> TooFew | None:
    """Why samples cannot be measured against real images as one crowd against another; None where
    both are enough.

    Args:
        evidence: The images.
        most: Images of each kind that are looked at; None for all.
    """
    counts = {"images": len(evidence.real.reference), "samples": len(evidence.images)}
    if most is not None:
        counts = {what: min(count, most) for what, count in counts.items()}
    for what, count in counts.items():
        if count < MIN_PICTURES:
            return TooFew(why=f"too few {what}: {count}, needs {MIN_PICTURES}")
    return None
