"""`train.log`: what `catgan train` said of a run, each line with its time."""

import time
from pathlib import Path

from catgan.core.errors import CatganError
from catgan.core.files import append_line
from catgan.core.names import printable
from catgan.formats.runs import CONFIG

NAME = "train.log"
SECONDS = 60.0  # between two lines about where it stands


class RunLog:
    """Adds lines to the log of a run.

    What is said before the run has a folder waits for it: a run that is refused gets none. A log
    that cannot be written is done without, since a training is worth more than what is said of it.
    """

    def __init__(self, folder: Path) -> None:
        """Write nothing yet.

        Args:
            folder: Of the run, there or not.
        """
        self._folder = folder
        self._waiting: list[str] = []
        self._said = time.monotonic()

    def add(self, text: str) -> None:
        """Add a line."""
        self._waiting.append(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {printable(text)}")
        if not (self._folder / CONFIG).is_file():
            return
        lines, self._waiting = self._waiting, []
        try:
            append_line(self._folder / NAME, "\n".join(lines))
        except (CatganError, OSError):
            return

    def now_and_then(self, text: str) -> None:
        """Add a line, unless there was one of these within the last minute."""
        now = time.monotonic()
        if now - self._said >= SECONDS:
            self._said = now
            self.add(text)
