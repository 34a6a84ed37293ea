"""A comparison for a notebook: the first samples of each arm, the table, and the sentences."""

import html

from catgan.compare.comparison import Comparison
from catgan.compare.report.pictures import sheet_of, still
from catgan.compare.report.table import sentences, table
from catgan.core.pages import for_notebook


def summary(comparison: Comparison) -> str:
    """It as HTML, without the rest of the report."""
    samples = [
        (arm.label, "jpeg", still(sheet_of(arm.shown.first)).jpeg) for arm in comparison.arms
    ]
    headers, rows = table(comparison)
    lines = [("th", headers), *(("td", row) for row in rows)]
    body = "".join(
        "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"
        for tag, cells in lines
    )
    said = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences(comparison))
    return f"{for_notebook(repr(comparison), samples)}<table>{body}</table>{said}"
