"""The files that a comparison is written to, checked before anything is measured."""

from pathlib import Path

from catgan.core.errors import BadUsage
from catgan.core.files import check_destination
from catgan.core.pages import check_page

CSV = b"measure,arm,run,"
"""What the beginning of a table that may be written over has in it."""


def check_destinations(report: Path, csv: Path | None) -> None:
    """Nothing that can be known beforehand keeps the files from being written.

    Args:
        report: Where the page goes.
        csv: Where the numbers go; None for nowhere.

    Raises:
        BadUsage: One is a folder, lies in what is none or may not be written to, or both are one.
        FileRefused: Something else than what this command wrote is there.
    """
    if csv is not None and csv.resolve() == report.resolve():
        raise BadUsage(f"--report and --csv are both {report}; give one of them another name.")
    check_page(report, "compare", option="--report", usual="report.html")
    if csv is not None:
        check_destination(csv, CSV, option="--csv", usual="numbers.csv")
