"""The guesses that the cleaning rests on, in numbers.

Why a GAN of whole photos draws a blob: at 64 x 64 the face of a whole cat is a handful of pixels;
and poses differ so much that they average out.
"""

import dataclasses
import math
from collections.abc import Sequence

from catgan.compare.differences.words import NO_DIFFERENCE
from catgan.compare.measured.arm import Arm
from catgan.compare.measured.real import MeasuredReal
from catgan.core.words import listed, percent
from catgan.measure.statistics.intervals import Z95


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of real images."""

    place: int
    """Of the first arm with them, among all arms."""
    label: str
    """That arm's name; where several arms share them, the data set's."""
    real: MeasuredReal
    """What was found out about them."""


def kinds(arms: Sequence[Arm]) -> list[Kind]:
    """The kinds of real images that there are, each once."""
    splits = [arm.real.split for arm in arms]
    return [
        Kind(
            place=place,
            label=arm.label if arm.is_run and splits.count(split) == 1 else split.name,
            real=arm.real,
        )
        for place, (arm, split) in enumerate(zip(arms, splits, strict=True))
        if splits.index(split) == place
    ]


def guesses(arms: Sequence[Arm]) -> tuple[str, ...]:
    """The two guesses, a sentence each, as far as they are known."""
    found = (face_sentence(arms), pose_sentence(arms))
    return tuple(sentence for sentence in found if sentence is not None)


def face_sentence(arms: Sequence[Arm]) -> str | None:
    """How many pixels of face there are to learn from; None where no arm knows."""
    known = [(kind, kind.real.face) for kind in kinds(arms) if kind.real.face is not None]
    if not known:
        return None
    parts: list[str] = []
    for kind, face in known:
        whole = kind.real.split.size**2
        verb = "" if parts else "a face is "
        share = percent(face.pixels / whole)
        parts.append(
            f"in {kind.label} {verb}about {face.pixels:,.0f} of {whole:,} pixels ({share})"
        )
    sentence = "; ".join(parts)
    shares = [(face.pixels / kind.real.split.size**2, kind.label) for kind, face in known]
    (least, fewest), (most, largest) = min(shares), max(shares)
    if most > 1.05 * least:
        sentence += f": {most / least:.1f} times as much face in {largest} as in {fewest}"
    return sentence[0].upper() + sentence[1:] + "."


def pose_sentence(arms: Sequence[Arm]) -> str | None:
    """How much of the images their average keeps; None where no arm knows."""
    known = [
        (kind.label, kind.real.agreement) for kind in kinds(arms) if kind.real.agreement is not None
    ]
    if not known:
        return None
    pattern = " of an image's light\N{EN DASH}dark pattern"
    parts = [
        f"{percent(max(0.0, kept.share))}{'' if place else pattern} in {label}"
        for place, (label, kept) in enumerate(known)
    ]
    sentence = f"The average image keeps {listed(parts)}"
    if len(known) == 1:
        return sentence + "."
    _, least = min(known, key=lambda entry: entry[1].share)
    largest, most = max(known, key=lambda entry: entry[1].share)
    if most.share - least.share <= Z95 * math.hypot(most.error, least.error):
        return f"{sentence}: {NO_DIFFERENCE}."
    times = ""
    if least.share > Z95 * least.error:  # or it may as well be nothing, and nobody divides by that
        ratio = most.share / least.share
        times = f"about {ratio:.{1 if ratio < 5 else 0}f} times as much, so "
    return f"{sentence}: {times}{largest} is better aligned."
