"""What each step of the cleaning brought: photos without a face thrown away, the others cropped."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

from catgan.compare.differences import words
from catgan.compare.measured.arm import Arm, difference_of, other_settings
from catgan.compare.quantities.quantity import Quantity
from catgan.core.words import listed
from catgan.formats.datasets import FACE_CROP, FULL_BODY, FULL_BODY_KEPT
from catgan.measure.statistics.differences import Difference

CLEANED = (FULL_BODY, FULL_BODY_KEPT, FACE_CROP)  # each cleaner than the one before
WHAT = {
    (FULL_BODY, FULL_BODY_KEPT): "the filter",
    (FULL_BODY_KEPT, FACE_CROP): "the crop",
    (FULL_BODY, FACE_CROP): "filter and crop together",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What one step of the cleaning changed in one number."""

    quantity: Quantity[Any]
    """Which number, one that means the same before and after."""
    difference: Difference
    """After less before."""
    text: str
    """The same in words."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the cleaning."""

    what: str
    """The filter, the crop, or both."""
    before: str
    """The arm without it."""
    after: str
    """The arm with it."""
    brought: tuple[Brought, ...]
    """What it changed; the recognised rate first."""
    also: tuple[str, ...]
    """Settings that differ between the two as well, so that it may be these."""

    @property
    def sentence(self) -> str:
        """What it did to the first number, that of recognised samples."""
        first = self.brought[0]
        sentence = (
            f"Effect of {self.what} ({self.before} \N{RIGHTWARDS ARROW} {self.after}): "
            f"{first.quantity.label} {first.text}."
        )
        if self.also:
            sentence += f" They differ in {listed(self.also)} as well, which may be the cause."
        return sentence


def cleaning_steps(arms: Sequence[Arm], quantities: Sequence[Quantity[Any]]) -> tuple[Step, ...]:
    """What each step of the cleaning brought, along the chain of data sets that there are.

    Args:
        arms: Those compared; only data sets that exactly one of them was trained on count.
        quantities: Of them those that mean the same before and after are told.
    """
    by_data = {name: [arm for arm in arms if _data(arm) == name] for name in CLEANED}
    chain = [name for name in CLEANED if len(by_data[name]) == 1]
    pairs = list(itertools.pairwise(chain))
    if len(chain) == len(CLEANED):
        pairs.append((FULL_BODY, FACE_CROP))
    return tuple(
        Step(
            what=WHAT[pair],
            before=before.label,
            after=after.label,
            brought=tuple(
                Brought(quantity=one, difference=found, text=words.apart(found, one.digits))
                for one in quantities
                if not (one.not_ranked or one.opinion)
                and (found := difference_of(after, before, one)) is not None
            ),
            also=tuple(other_settings([before, after])),
        )
        for pair in pairs
        for before, after in [(by_data[pair[0]][0], by_data[pair[1]][0])]
    )


def _data(arm: Arm) -> str:
    return arm.real.split.folder.resolve().name if arm.is_run else ""
