"""The guesses that the cleaning rests on, in numbers, and what each part of it brought.

Why a GAN of whole photos draws a blob: at 64 x 64 the face of a whole cat is a handful of pixels;
and poses differ so much that they average out. So photos without a face are thrown away (the
filter), and the others cut to the face (the crop).
"""

import dataclasses
import itertools
import math
from collections.abc import Sequence

from catgan.compare import words
from catgan.compare.arm import Arm, difference, other_settings
from catgan.compare.quantities import CROSSING, RECOGNISED, Quantity
from catgan.compare.real import Real
from catgan.core.datasets import FACE_CROP, FULL_BODY, FULL_BODY_KEPT
from catgan.measure import NO_DIFFERENCE, Difference
from catgan.measure.metrics import Z95

CLEANED = (FULL_BODY, FULL_BODY_KEPT, FACE_CROP)  # each cleaner than the one before
BROUGHT = {
    (FULL_BODY, FULL_BODY_KEPT): "the filter",
    (FULL_BODY_KEPT, FACE_CROP): "the crop",
    (FULL_BODY, FACE_CROP): "filter and crop together",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What one step of the cleaning changed in one number."""

    quantity: Quantity
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
        """What it did to the rate of recognised samples."""
        first = self.brought[0]
        sentence = (
            f"What {self.what} brought ({self.before} to {self.after}): "
            f"samples recognised as a cat {first.text}."
        )
        if self.also:
            sentence += f" They differ in {words.listed(self.also)} as well: it may be that."
        return sentence


def steps(arms: Sequence[Arm]) -> list[Step]:
    """What each step of the cleaning brought, along the chain of data sets that there are.

    Args:
        arms: Those compared; only data sets that exactly one of them was trained on count.
    """
    by_data = {name: [arm for arm in arms if _data(arm) == name] for name in CLEANED}
    chain = [name for name in CLEANED if len(by_data[name]) == 1]
    pairs = list(itertools.pairwise(chain))
    if len(chain) == len(CLEANED):
        pairs.append((FULL_BODY, FACE_CROP))
    return [
        Step(
            what=BROUGHT[pair],
            before=before.label,
            after=after.label,
            brought=tuple(_brought(before, after)),
            also=tuple(other_settings([before, after])),
        )
        for pair in pairs
        for before, after in [(by_data[pair[0]][0], by_data[pair[1]][0])]
    ]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of real pictures."""

    place: int
    """Of the first arm with them, among all arms."""
    label: str
    """That arm's name; where several arms share them, the data set's."""
    real: Real
    """What was found out about them."""


def kinds(arms: Sequence[Arm]) -> list[Kind]:
    """The kinds of real pictures that there are, each once."""
    reals = [arm.real.reals for arm in arms]
    return [
        Kind(
            place=place,
            label=arm.label if arm.is_run and reals.count(reals[place]) == 1 else reals[place].name,
            real=arm.real,
        )
        for place, arm in enumerate(arms)
        if reals.index(reals[place]) == place
    ]


def face_sentence(arms: Sequence[Arm]) -> str | None:
    """How many pixels of face there are to learn from; None where no arm knows."""
    known = [(kind, kind.real.face) for kind in kinds(arms) if kind.real.face is not None]
    if not known:
        return None
    parts: list[str] = []
    for kind, face in known:
        size = kind.real.reals.size
        whole = size * size
        share = words.percent(face.pixels / whole)
        verb = "" if parts else "a face is "
        parts.append(
            f"in {kind.label} {verb}about {face.pixels:,.0f} of {whole:,} pixels ({share})"
        )
    sentence = "; ".join(parts)
    shares = [(face.pixels / kind.real.reals.size**2, kind.label) for kind, face in known]
    (least, fewest), (most, largest) = min(shares), max(shares)
    if most > 1.05 * least:
        sentence += f": {most / least:.1f} times as much face in {largest} as in {fewest}"
    return sentence[0].upper() + sentence[1:] + "."


def pose_sentence(arms: Sequence[Arm]) -> str | None:
    """How much of the pictures their average loses; None where no arm knows."""
    known = [
        (kind.label, kind.real.agreement) for kind in kinds(arms) if kind.real.agreement is not None
    ]
    if not known:
        return None
    parts = [f"{words.percent(1 - max(0.0, kept.share))} in {label}" for label, kept in known]
    sentence = (
        "Of the pattern of light and dark in a picture, the average of all pictures loses "
        f"{words.listed(parts)}, since it lies elsewhere in the others"
    )
    if len(known) == 1:
        return sentence + "."
    fewest, least = min(known, key=lambda entry: entry[1].share)
    largest, most = max(known, key=lambda entry: entry[1].share)
    if most.share - least.share <= Z95 * math.hypot(most.error, least.error):
        return sentence + f": {NO_DIFFERENCE}."
    if least.share > Z95 * least.error:  # or it may as well be nothing, and nobody divides by that
        ratio = most.share / least.share
        times = f"about {ratio:.{1 if ratio < 5 else 0}f} times as much"
        return f"{sentence}: {times} is left in {largest} as in {fewest}."
    return f"{sentence}: more is left in {largest} than in {fewest}."


def _data(arm: Arm) -> str:
    return arm.real.reals.folder.resolve().name if arm.is_run else ""


def _brought(before: Arm, after: Arm) -> list[Brought]:
    found = []
    for quantity in CROSSING:
        apart = difference(after, before, quantity.key)
        if apart is not None:
            found.append(Brought(quantity=quantity, difference=apart, text=_words(apart, quantity)))
    assert found[0].quantity is RECOGNISED  # every run has that rate
    return found


def _words(apart: Difference, quantity: Quantity) -> str:
    text = words.apart(apart, quantity.digits)
    return text if apart.shown else f"{text}, no difference shown"
