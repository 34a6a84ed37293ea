"""The files that a comparison is written to, checked before anything is measured."""

from pathlib import Path

from catgan.core.errors import BadUsage
from catgan.core.files import check_destination
from catgan.core.pages import PAGE

OURS = {
    "--report": PAGE,
    "--csv": b"measure,arm,run,",
}
"""What the beginning of a file that may be written over has in it."""
USUAL = {"--report": "report.html", "--csv": "numbers.csv"}


def check_destinations(report: Path, csv: Path | None) -> None:
    """Nothing that can be known beforehand keeps the files from being written.

    Args:
        report: Where the page goes.
        csv: Where the numbers go; None for nowhere.

    Raises:
        BadUsage: One is a folder, lies in what is none or may not be written to, or both are one.
        FileRefused: Something else than what catgan wrote is there.
    """
    if csv is not None and csv.resolve() == report.resolve():
        raise BadUsage(f"--report and --csv are both {report}; give one of them another name.")
    for path, option in ((report, "--report"), (csv, "--csv")):
        if path is None:
            continue
        check_destination(path, OURS[option], option=option, usual=USUAL[option])
