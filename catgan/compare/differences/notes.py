"""What must be known to read the numbers, in sentences."""

from collections.abc import Sequence
from typing import Any

from catgan.compare.config import CompareConfig
from catgan.compare.measured.arm import Arm, one_reference
from catgan.compare.quantities.quantity import Quantity, TooFew
from catgan.core.words import listed
from catgan.measure.choices import EFFICIENTNET


def notes(
    arms: Sequence[Arm],
    quantities: Sequence[Quantity[Any]],
    config: CompareConfig,
    *,
    extractor: str,
    judge: str,
) -> tuple[str, ...]:
    """What must be known to read the numbers; what is on single arms first.

    Args:
        arms: What was measured.
        quantities: Of what.
        config: Settings.
        extractor: Whose features count.
        judge: Who says what is a cat.
    """
    several = len(arms) > 1
    found = [
        f"{arm.label}: {note}" if several else note
        for arm in arms
        for note in (*arm.notes, *_too_few(arm, quantities))
    ]
    judged = "" if judge == extractor else f"; {judge} says what is a cat"
    beware = (
        "do not compare them with FID or KID from papers"
        if config.features == EFFICIENTNET
        else "compare them only at the same image size and the same counts"
    )
    found.append(f"All metrics use {extractor} features{judged}; {beware}.")
    if several and not one_reference(arms):
        found.append(_other_references(quantities))
    found.append(_intervals([len(arm.runs) for arm in arms]))
    return tuple(found)


def _too_few(arm: Arm, quantities: Sequence[Quantity[Any]]) -> list[str]:
    found = {quantity.label: arm.found(quantity) for quantity in quantities}
    few = {label: why.why for label, why in found.items() if isinstance(why, TooFew)}
    if not few:
        return []
    reason = next(iter(few.values()))
    return [f"Not given: {listed(list(few))} ({reason}). The images are shown all the same."]


def _other_references(quantities: Sequence[Quantity[Any]]) -> str:
    ranked = [one for one in quantities if not one.opinion]
    own = listed([one.label for one in ranked if one.not_ranked])
    same = listed([one.label for one in ranked if not one.not_ranked])
    return (
        "Not all of these were trained on the same images, and each is measured against real "
        f"images of its own kind. These cannot be compared between them: {own}; a lower KID in one "
        f"does not make it the better one. These mean the same in all of them: {same}."
    )


def _intervals(counts: Sequence[int]) -> str:
    zero = (
        "\N{LEFT DOUBLE QUOTATION MARK}No difference shown\N{RIGHT DOUBLE QUOTATION MARK} means "
        "that the interval includes zero; it does not prove that there is none."
    )
    if max(counts) == 1:
        return (
            "Intervals cover sampling error in these runs only; another seed can change results "
            f"more, and only several runs would show that. {zero}"
        )
    some = "" if min(counts) > 1 else " of the arms that have several runs"
    return (
        f"Intervals{some} allow for other seeds, other samples and other real images. From two or "
        "three runs little is known of the spread between seeds, so they are wide. "
        f"{zero}"
    )
