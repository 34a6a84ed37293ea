"""A comparison for a terminal: the table, and the sentences under it."""

from catgan.compare.comparison import Comparison
from catgan.compare.measured.arm import Arm
from catgan.compare.quantities.catalogue import RECOGNISED
from catgan.core.systems import command_line
from catgan.core.words import count, listed
from catgan.formats.runs import training_line
from catgan.measure.metrics.recognised import LITTLE, images_needed


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
    beware = [f"{who}: {note}" if who else note for who, note in beware_of(comparison)]
    return [comparison.headline, *too_brief(comparison), *beware]


def beware_of(comparison: Comparison) -> list[tuple[str, str]]:
    """What must be known of single arms, said once: whose it is ("" of the only arm), and what."""
    whose: dict[str, list[str]] = {}
    for arm in comparison.arms:
        for note in arm.notes:
            whose.setdefault(note, []).append(arm.label)
    several = len(comparison.arms) > 1
    return [(listed(labels) if several else "", note) for note, labels in whose.items()]


def too_brief(comparison: Comparison) -> list[str]:
    """Where no arm has come to cats yet: that it is so, and the lines that go on; else nothing."""
    if not all(arm.is_run for arm in comparison.arms):
        return []
    rates = [rate.number for arm in comparison.arms for rate in arm.numbers(RECOGNISED)]
    if not rates or max(rates) >= LITTLE:
        return []
    seen, lines = [], []
    for arm in comparison.arms:
        candidate = arm.shown.candidate
        epochs = max((one.epoch for one in candidate.stats), default=0)
        shown = max((one.images_shown for one in candidate.stats), default=0)
        seen.append(f"{arm.label} has seen {count(shown, 'image')}")
        assert candidate.run is not None  # see above
        line = training_line(arm.real.split.folder, candidate.run, _enough(arm, epochs, shown))
        lines.append(f"To go on: {command_line(line)}")
    return [f"Trained too briefly to compare: {listed(seen)}.", *lines]


def _enough(arm: Arm, epochs: int, shown: int) -> int:
    """Epochs after which something may be seen, as `train` says it; four times as many at least."""
    settings = arm.shown.candidate.settings
    needed = images_needed(str(settings.get("recipe")), int(settings.get("ngf") or 64))
    if needed is None or settings.get("start_from") or not shown:
        return 4 * epochs
    return max(4 * epochs, -(-needed[1] * epochs // shown))
