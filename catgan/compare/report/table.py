"""A comparison for a terminal: the table, and the sentences under it."""

from catgan.compare.comparison import Comparison


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
    """What to say under the table: the result, then how to read the numbers."""
    brought = [step.sentence for step in comparison.steps]
    return [comparison.headline, *brought, *comparison.guesses, *comparison.notes]
