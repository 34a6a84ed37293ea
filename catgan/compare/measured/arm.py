"""One arm: the runs that differ in nothing but their seeds, and what they came to together."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from catgan.compare.inputs.arms import differing
from catgan.compare.measured.real import MeasuredReal
from catgan.compare.measured.run import MeasuredRun
from catgan.compare.quantities.quantity import Found, Missing, Quantity
from catgan.core.words import count
from catgan.measure.statistics.differences import Difference, Number, difference
from catgan.measure.statistics.rate import Rate


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Runs of one kind, and the real images they share."""

    label: str
    """What it is called."""
    runs: tuple[MeasuredRun, ...]
    """From one on; they differ in nothing but their seeds."""
    real: MeasuredReal
    """The real images that they were trained on and are measured against."""
    notes: tuple[str, ...]
    """What a reader must know of it, in sentences."""

    def __repr__(self) -> str:
        """One line."""
        return f"Arm({self.label}: {count(len(self.runs), 'run')})"

    @property
    def shown(self) -> MeasuredRun:
        """The run whose images and curves are shown: the first, not the finest."""
        return self.runs[0]

    @property
    def is_run(self) -> bool:
        """Whether it was trained; else it is a folder of images."""
        return self.shown.candidate.run is not None

    def found(self, quantity: Quantity[Any]) -> list[Found] | Missing:
        """What a quantity came to in each run; or why there is nothing, where one run has none."""
        everything = [run.found[quantity.key] for run in self.runs]
        missing = next((one for one in everything if isinstance(one, Missing)), None)
        return missing or [one for one in everything if isinstance(one, Found)]

    def numbers(self, quantity: Quantity[Any]) -> list[Number]:
        """The numbers of all runs; none where one run has none."""
        found = self.found(quantity)
        return [] if isinstance(found, Missing) else [one.number for one in found]


def difference_of(first: Arm, second: Arm, quantity: Quantity[Any]) -> Difference | None:
    """By how much a number of the first arm lies above that of the second; None without either."""
    ours, theirs = first.numbers(quantity), second.numbers(quantity)
    if not ours or not theirs:
        return None
    one, other = first.real.split, second.real.split
    # what is close is told by training and held-out images alike
    counted = isinstance(ours[0], Rate)
    same = one == other if counted else one.reference_key == other.reference_key
    return difference(ours, theirs, same_real=same)


def one_reference(arms: Sequence[Arm]) -> bool:
    """Whether all arms were measured against the same real images."""
    return len({arm.real.split.reference_key for arm in arms}) == 1


def other_settings(arms: Sequence[Arm]) -> list[str]:
    """Settings that differ between arms beside their images and seeds; empty if none does."""
    ignored = {"held_out"}  # follows from the images
    names = differing([arm.shown.candidate.settings for arm in arms])
    return [name for name in names if name not in ignored]
