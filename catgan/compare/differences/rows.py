"""The rows of the table: every number of every arm, what it rests on, and whether arms differ."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

from catgan.compare.config import CompareConfig
from catgan.compare.differences import words
from catgan.compare.differences.verdicts import verdict
from catgan.compare.inputs.split import TRAINING
from catgan.compare.measured.arm import Arm, difference_of, one_reference
from catgan.compare.quantities.quantity import Better, Found, Missing, Quantity
from catgan.core.words import count, percent, share_interval, signed
from catgan.measure.statistics.differences import Difference, over_runs
from catgan.measure.statistics.rate import Rate

NOT_KNOWN = "not known"
SECOND_OPINION = "a second opinion: not ranked"
SHARE = "share"  # the unit of shares


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number of one arm."""

    text: str
    """What to show: the number and how sure it is, or why there is none."""
    number: str = ""
    """The number alone, as people read it; "" where there is none."""
    basis: str = ""
    """What it rests on: counts, extractor, seed, and the runs where there are several."""
    value: float | None = None
    """The number itself, over all runs of the arm."""
    low: float | None = None
    """Lower end of its 95% interval, where it has one."""
    high: float | None = None
    """Upper end likewise."""
    unit: str = ""
    """`share` (0 to 1), `epoch` or `pixels`; "" for a number without one."""
    digits: int | None = None
    """Behind the point, as it is shown; None for a share."""
    runs: tuple[float, ...] = ()
    """The number of each run, in their order."""
    n_fake: int | None = None
    """Samples of each run that it rests on."""
    n_real: int | None = None
    """Real images that it rests on."""
    extractor: str = ""
    """In whose features."""

    @property
    def share(self) -> bool:
        """Whether it is a share, 0 to 1."""
        return self.unit == SHARE


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """By how much one arm lies above another."""

    first: str
    """The one."""
    second: str
    """The other."""
    difference: Difference
    """First less second."""
    text: str
    """The same in words."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One number over all arms."""

    key: str
    """Its name in JSON and CSV."""
    label: str
    """Its name for people."""
    part: str
    """Which part of the table it stands in."""
    meaning: str
    """What it says, in one plain sentence."""
    reading: str
    """Which way is good, and what to beware of; "" where there is nothing to."""
    cells: tuple[Cell, ...]
    """One an arm, in their order."""
    better: Better | None = None
    """Which way is better; None where that is no question."""
    verdict: str = ""
    """Whether the arms differ in it; "" where that is no question."""
    behind: str = ""
    """Of two arms, how far one is ahead or how far apart they may be: stands behind the verdict."""
    apart: tuple[Apart, ...] = ()
    """The difference of every two arms that may be compared."""


def quantity_rows(arms: Sequence[Arm], quantity: Quantity[Any], config: CompareConfig) -> list[Row]:
    """The row of a quantity, and beneath it that of real images, where it has one.

    Args:
        arms: What was measured.
        quantity: Which number.
        config: Settings.
    """
    cells = tuple(_of_samples(arm, quantity, config) for arm in arms)
    decided, behind, pairs = _compared(arms, quantity, [cell.value for cell in cells])
    rows = [
        Row(
            key=quantity.key,
            label=quantity.label,
            part=quantity.part,
            meaning=quantity.meaning,
            reading=quantity.reading,
            cells=cells,
            better=quantity.better,
            verdict=decided,
            behind=behind,
            apart=pairs,
        )
    ]
    if quantity.real is not None:
        rows.append(
            Row(
                key=f"{quantity.key}_real",
                label=quantity.real.label,
                part=quantity.part,
                meaning=quantity.real.meaning,
                reading=quantity.real.reading,
                cells=tuple(_of_real(arm, quantity, config) for arm in arms),
            )
        )
    return rows


def _of_samples(arm: Arm, quantity: Quantity[Any], config: CompareConfig) -> Cell:
    found = arm.found(quantity)
    if isinstance(found, Missing):
        return Cell(text=found.why)
    number, each = found[0].number, " each" if len(found) > 1 else ""
    cell = _cell(quantity, found, _counts(found, "sample", arm, each=each), config)
    return dataclasses.replace(cell, n_fake=number.n_fake, n_real=number.n_real)


def _of_real(arm: Arm, quantity: Quantity[Any], config: CompareConfig) -> Cell:
    found = arm.real.found[quantity.key]
    if isinstance(found, Missing):
        return Cell(text=found.why)
    assert quantity.real is not None
    kind = TRAINING if quantity.real.training else arm.real.split.reference
    cell = _cell(quantity, [found], _counts([found], f"{kind} image", arm), config)
    number = found.number
    if quantity.real.training:
        return dataclasses.replace(cell, runs=(), n_fake=number.n_fake, n_real=number.n_real)
    return dataclasses.replace(cell, runs=(), n_real=number.n_fake)


def _counts(found: Sequence[Found], image: str, arm: Arm, *, each: str = "") -> str:
    """The images that a number rests on.

    Args:
        found: It, in each run.
        image: What one of them is.
        arm: Says what they are measured against.
        each: " each" where there are several runs.
    """
    number = found[0].number
    if isinstance(number, Rate):
        hits = f"{number.hits:,} of " if len(found) == 1 else ""
        return f"{hits}{count(number.total, image)}{each}"
    real = count(number.n_real, f"{arm.real.split.reference} image")
    return f"{count(number.n_fake, image)}{each} and {real}"


def _cell(
    quantity: Quantity[Any], found: Sequence[Found], counts: str, config: CompareConfig
) -> Cell:
    over = over_runs([one.number for one in found])
    values = tuple(one.number.number for one in found)
    parts = [counts, *found[0].details, f"seed {config.seed}", found[0].number.extractor]
    if len(values) > 1:
        shown = ", ".join(_plain(value, quantity.digits) for value in values)
        parts.insert(0, f"mean of {len(values)} runs: {shown}")
    number = _plain(over.value, quantity.digits)
    if quantity.digits is None:
        text = share_interval(over.value, over.low, over.high)
    else:
        text = f"{number} ± {(over.high - over.low) / 2:.{quantity.digits}f}"
    return Cell(
        text=text,
        number=number,
        basis="; ".join(parts),
        value=over.value,
        low=over.low,
        high=over.high,
        unit=SHARE if quantity.digits is None else "",
        digits=quantity.digits,
        runs=values,
        extractor=found[0].number.extractor,
    )


def _plain(value: float, digits: int | None) -> str:
    return percent(value) if digits is None else signed(value, digits)


def _compared(
    arms: Sequence[Arm], quantity: Quantity[Any], values: Sequence[float | None]
) -> tuple[str, str, tuple[Apart, ...]]:
    """The verdict, what stands behind it, and the differences of all pairs."""
    if len(arms) < 2:
        return "", "", ()
    if quantity.not_ranked and not one_reference(arms):
        return quantity.not_ranked, "", ()
    if quantity.opinion:
        return SECOND_OPINION, "", ()
    known = [(arm, one) for arm, one in zip(arms, values, strict=True) if one is not None]
    if len(known) < 2:
        return NOT_KNOWN, "", ()

    def differ(first: int, second: int) -> Difference:
        found = difference_of(known[first][0], known[second][0], quantity)
        assert found is not None
        return found

    names = [arm.label for arm, _ in known]
    decided = verdict(names, [one for _, one in known], differ, quantity.better)
    pairs = []
    for second, first in itertools.combinations(range(len(known)), 2):
        found = differ(first, second)
        text = f"{names[first]} less {names[second]}: {words.apart(found, quantity.digits)}"
        pairs.append(Apart(first=names[first], second=names[second], difference=found, text=text))
    behind = ""
    if len(pairs) == 1:  # of more than two arms the page shows them all
        behind = words.behind_verdict(pairs[0].difference, quantity.digits)
    return decided, behind, tuple(pairs)
