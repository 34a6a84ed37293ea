"""The files that a comparison writes, checked before anything is measured."""

import os
from pathlib import Path

from catgan.core.errors import BadUsage, FileRefused

OURS = {
    "--report": b'<meta name="generator" content="catgan',
    "--csv": b"measure,arm,run,",
}
"""What the beginning of a file that may be written over has in it."""
USUAL = {"--report": "report.html", "--csv": "numbers.csv"}
BEGINNING = 4096  # bytes


def check_outputs(report: Path, csv: Path | None) -> None:
    """Nothing that can be known beforehand keeps the files from being written.

    Args:
        report: Where the page goes.
        csv: Where the numbers go; None for nowhere.

    Raises:
        BadUsage: One is a folder, lies in what is none or may not be written to, or both are one.
        FileRefused: Something else than what catgan wrote lies there.
    """
    if csv is not None and csv.resolve() == report.resolve():
        raise BadUsage(f"--report and --csv are both {report}; give one of them another name.")
    _check(report, "--report")
    if csv is not None:
        _check(csv, "--csv")


def _check(path: Path, option: str) -> None:
    if path.is_dir():
        inside = path / USUAL[option]
        raise BadUsage(f"{path} is a folder; name a file to write: {option} {inside}")
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise BadUsage(f"{folder} is a file, so {path} cannot be written; name another: {option}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadUsage(f"{folder} may not be written to; name a file elsewhere: {option}")
    if path.exists() and not _ours(path, OURS[option]):
        raise FileRefused(
            f"{path} is there already, and catgan did not write it; name another file: {option}"
        )


def _ours(path: Path, mark: bytes) -> bool:
    """Whether a file is one of catgan's of that kind, or empty."""
    try:
        with path.open("rb") as file:
            beginning = file.read(BEGINNING)
    except OSError:
        return False
    return mark in beginning or not beginning
