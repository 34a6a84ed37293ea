"""What a study was to find out, answered by its figures; "not shown" where they do not tell."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.results.measured import JUDGES, Measured
from benchmarks.results.runs import arms_of
from catgan.compare.quantities.catalogue import CASCADES, CLOSE, RECOGNISED, SECOND_RECOGNISED
from catgan.core.words import listed, percent
from catgan.formats.datasets import FACE_CROP, FULL_BODY, FULL_BODY_KEPT
from catgan.formats.runs import Run
from catgan.train.best import best_of

NAMES = {
    RECOGNISED.key: "EfficientNet-Lite0",
    SECOND_RECOGNISED.key: "EfficientNet-Lite2",
    CASCADES.key: "OpenCV's cascades",
}
STEPS = {"filter": (FULL_BODY, FULL_BODY_KEPT), "crop": (FULL_BODY_KEPT, FACE_CROP)}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A question, and a paragraph for each thing that is known about it."""

    question: str
    told: tuple[str, ...]
    """Empty where nothing was run that would tell."""


def answers(study: Path, measured: Mapping[str, Measured]) -> list[Answer]:
    """The questions in their order.

    Args:
        study: As `benchmarks/study.py` describes it.
        measured: Recipe -> what the judges said of its arms.
    """
    first = next(iter(measured.values()), None)
    found = {
        "Do face crops beat whole bodies, and by how much?": crops_against_whole(measured),
        "How much of it is the filter, how much the crop?": filter_and_crop(measured),
        "What does each recipe keep, and what does it lose?": kept_and_lost(study),
        "Do the two guesses hold?": guesses(first) if first else iter(()),
        "Are the samples copies?": copies(measured),
        "What do the figures owe to the net that measures?": judges_agree(measured),
    }
    return [Answer(question=question, told=tuple(told)) for question, told in found.items()]


def crops_against_whole(measured: Mapping[str, Measured]) -> Iterator[str]:
    """What the judge that is ranked says, a sentence for each recipe."""
    for recipe, one in measured.items():
        whole, crops = one.cell(RECOGNISED, FULL_BODY), one.cell(RECOGNISED, FACE_CROP)
        if whole is None or crops is None:
            continue
        differ = next(iter(one.differences(RECOGNISED, FULL_BODY, FACE_CROP)))
        yield (
            f"`{recipe}`: {_yes(differ)}. Of the samples {crops['number']} of face crops and "
            f"{whole['number']} of whole bodies are recognised as a cat: {points(differ)}."
        )


def filter_and_crop(measured: Mapping[str, Measured]) -> Iterator[str]:
    """What each step brought, where there is a data set between the two."""
    for recipe, one in measured.items():
        parts = [
            f"the {what} {points(differ)}"
            f"{'' if differ['low'] > 0 or differ['high'] < 0 else ', which is not shown'}"
            for what, (before, after) in STEPS.items()
            for differ in one.differences(RECOGNISED, before, after)
        ]
        if len(parts) == len(STEPS):
            seeds = listed(one.headings())
            yield f"`{recipe}`: {listed(parts)} of samples recognised as a cat ({seeds})."


def kept_and_lost(study: Path) -> Iterator[str]:
    """From which epoch on the runs of an arm only lost."""
    for arm, runs in arms_of(study).items():
        told = [said for run in runs if (said := _peak(run)) is not None]
        if told:
            yield f"`{arm}`: {'; '.join(told)}."


def _peak(run: Run) -> str | None:
    stats = [one for one in run.read_stats() if one.kid is not None]
    best = best_of(stats)
    if best is None:
        return None
    seed, end = run.name.rpartition("-s")[2], stats[-1]
    if best.epoch == end.epoch:
        return f"seed {seed} is at its best at its end, epoch {end.epoch} (KID {end.kid:.3f})"
    if end.kid is not None and best.kid is not None and end.kid < best.kid:
        return (
            f"seed {seed} is at its best at epoch {best.epoch} (KID {best.kid:.3f}); that it has "
            f"{end.kid:.3f} at epoch {end.epoch}, its end, is owed to copies"
        )
    return (
        f"seed {seed} is at its best at epoch {best.epoch} (KID {best.kid:.3f}) and has "
        f"{end.kid:.3f} at epoch {end.epoch}, its end"
    )


def guesses(one: Measured) -> Iterator[str]:
    """In the numbers of the data sets."""
    yield from one.document["guesses"]
    yield (
        "So the pictures are as guessed. That this is why is not shown: a crop changes the size of "
        "the face and the agreement of the pictures at once."
    )


def copies(measured: Mapping[str, Measured]) -> Iterator[str]:
    """Samples like one training image and no other."""
    for recipe, one in measured.items():
        cells = zip(one.headings(), one.row(CLOSE.key)["cells"], strict=True)
        told = [f"{cell['number']} in {heading}" for heading, cell in cells if cell["number"]]
        yield (
            f"`{recipe}`: close to one training image and no other are {listed(told)}. New photos "
            "would be in about 5% of cases."
        )


def judges_agree(measured: Mapping[str, Measured]) -> Iterator[str]:
    """What each of the three judges says of crops against whole bodies."""
    for recipe, one in measured.items():
        parts, above = [], []
        for judge in JUDGES:
            whole, crops = one.cell(judge, FULL_BODY), one.cell(judge, FACE_CROP)
            if whole is None or crops is None or None in (whole["value"], crops["value"]):
                continue
            real = one.cell(judge, FACE_CROP, real=True)
            ceiling = f" (real {real['number']})" if real else ""
            parts.append(
                f"{NAMES[judge.key]} {percent(crops['value'])}{ceiling} against "
                f"{percent(whole['value'])}"
            )
            above.append(min(_runs(crops)) > max(_runs(whole)))
        if parts:
            order = (
                "every run of face crops above every run of whole bodies by each of them"
                if all(above)
                else "they do not agree on every run"
            )
            yield f"`{recipe}`, face crops against whole bodies: {listed(parts)}; {order}."


def _yes(differ: Mapping[str, Any]) -> str:
    if not differ["shown"]:
        return "not shown"
    return "yes" if differ["value"] > 0 else "no"


def points(differ: Mapping[str, Any]) -> str:
    """A difference of shares with its interval."""
    value, low, high = (100 * differ[name] for name in ("value", "low", "high"))
    return f"{value:+.0f} points ({low:+.0f} to {high:+.0f})"


def _runs(cell: Mapping[str, Any]) -> list[float]:
    return cell["runs"] or [cell["value"]]
