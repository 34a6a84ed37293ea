"""What the person at the keyboard sees: words, tables and progress. rich is used here only."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console as RichConsole
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from catgan.core.files import Json
from catgan.core.names import printable_json

PLAIN_SECONDS = 10.0  # between two lines of progress where there is no terminal


class Screen:
    """Standard output for results, standard error for progress; with `--json`, words go there too.

    On a terminal progress is a bar; elsewhere (a log file, a notebook) it is a line now and then.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        """Open the screen.

        Args:
            as_json: Standard output will hold one JSON document and nothing else.
        """
        self._as_json = as_json
        self._out = RichConsole(stderr=as_json, highlight=False, soft_wrap=True)
        self._err = RichConsole(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str = "") -> None:
        """A line of words, as it is."""
        self._out.print(Text(text))

    def table(self, title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table; columns of figures are right-aligned."""
        table = Table(title=title, title_justify="left", title_style="bold", expand=False)
        for index, header in enumerate(headers):
            figures = all(row[index][:1] in "0123456789-+" for row in rows)
            table.add_column(Text(header), justify="right" if figures else "left")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self._out.print(table, soft_wrap=False)

    def result(self, record: Json) -> None:
        """The one JSON document, where it was asked for."""
        if self._as_json:
            sys.stdout.write(
                printable_json(json.dumps(record, ensure_ascii=False, indent=2)) + "\n"
            )

    @contextmanager
    def progress(self, label: str) -> Iterator["Bar"]:
        """Progress of one piece of work while the block runs."""
        if not self._err.is_terminal:
            yield Bar(label, self._err, None)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[words]}"),
        )
        with Progress(*columns, console=self._err, transient=True) as bars:
            yield Bar(label, self._err, bars)


class Bar:
    """One line of progress."""

    def __init__(self, label: str, console: RichConsole, bars: Progress | None) -> None:
        """A bar on a terminal, or lines elsewhere where `bars` is None."""
        self._label = label
        self._console = console
        self._bars = bars
        self._task = bars.add_task(label, total=None, words="") if bars is not None else None
        self._said = time.monotonic()

    def update(self, done: float, total: float, words: str) -> None:
        """Where the work stands.

        Args:
            done: Of `total`, in the same unit.
            total: All of it.
            words: What a person wants to know beside the share.
        """
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=done, total=total or None, words=words)
            return
        now = time.monotonic()
        if now - self._said >= PLAIN_SECONDS:
            self._said = now
            share = f"{100 * done / total:.0f}%" if total else ""
            self._console.print(Text(f"{self._label}: {share} {words}"))


def complain(sentence: str) -> None:
    """An error's sentence on standard error."""
    RichConsole(stderr=True, highlight=False, soft_wrap=True).print(Text(f"catgan: {sentence}"))
