"""The files that a comparison is written to, checked before anything is measured."""

from pathlib import Path

from catgan.core.errors import BadUsage, FileRefused
from catgan.core.files import check_place, open_file

OURS = {
    "--report": b'<meta name="generator" content="catgan',
    "--csv": b"measure,arm,run,",
}
"""What the beginning of a file that may be written over has in it."""
USUAL = {"--report": "report.html", "--csv": "numbers.csv"}
BEGINNING = 4096  # bytes


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
        if path.is_dir():
            inside = path / USUAL[option]
            raise BadUsage(f"{path} is a folder; name a file to write: {option} {inside}")
        check_place(path)
        if path.exists() and not _ours(path, OURS[option]):
            raise FileRefused(
                f"{path} is there already, and catgan did not write it; name another file: {option}"
            )


def _ours(path: Path, beginning: bytes) -> bool:
    """Whether a file is one of catgan's of that kind, or empty."""
    try:
        with open_file(path) as file:
            found = file.read(BEGINNING)
    except OSError:
        return False
    return beginning in found or not found
