"""A comparison for a terminal: the table, and the sentences under it."""

from catgan.compare.comparison import Comparison
from catgan.compare.quantities.catalogue import RECOGNISED
from catgan.core.systems import command_line
from catgan.core.words import count
from catgan.formats.runs import training_line
from catgan.measure.metrics.recognised import LITTLE


def table(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """The numbers: the headers, and rows of as many cells."""
    several = len(comparison.arms) > 1
    headers = ["", *(arm.label for arm in comparison.arms)]
    rows = [[row.label, *(cell.text for cell in row.cells)] for row in comparison.rows]
    if several:
        headers.append("between them")
        for cells, row in zip(rows, comparison.rows, strict=True):
            cells.append(row.verdict + row.behind)
    return headers, rows


def sentences(comparison: Comparison) -> list[str]:
    """What to say under the table: the result, and what must be known of single arms.

    How to read the numbers stands in the report.
    """
    several = len(comparison.arms) > 1
    beware = [
        f"{arm.label}: {note}" if several else note for arm in comparison.arms for note in arm.notes
    ]
    return [comparison.headline, *too_brief(comparison), *beware]


def too_brief(comparison: Comparison) -> list[str]:
    """A sentence where no arm has come to cats yet, and the line that goes on; else none."""
    if not all(arm.is_run for arm in comparison.arms):
        return []
    rates = [rate.number for arm in comparison.arms for rate in arm.numbers(RECOGNISED)]
    if not rates or max(rates) >= LITTLE:
        return []
    arm = comparison.arms[-1]
    candidate = arm.shown.candidate
    epochs = max((one.epoch for one in candidate.stats), default=0)
    shown = max((one.images_shown for one in candidate.stats), default=0)
    assert candidate.run is not None  # see above
    line = training_line(arm.real.split.folder, candidate.run, 4 * epochs)
    return [
        f"Trained too briefly to compare: {arm.label} has seen {count(shown, 'image')}. "
        f"To go on: {command_line(line)}"
    ]
