"""What the person at the keyboard sees: words, tables and progress. rich is used here only."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console as RichConsole
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
)
from rich.table import Column, Table
from rich.text import Text

from catgan.core.files import Json
from catgan.core.names import printable_json

PLAIN_SECONDS = 10.0  # between two lines of progress where there is no terminal
WIDE = 100  # columns of a terminal from which a bar has room beside the words


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
        self._out = RichConsole(stderr=as_json, highlight=False)
        self._err = RichConsole(stderr=True, highlight=False)
        self._bars: Progress | None = None  # what is being drawn on the terminal, if anything

    def say(self, text: str = "") -> None:
        """A line of words; on a terminal it is broken between words, elsewhere not at all."""
        bars = self._bars
        if bars is not None:  # both may be the same terminal, and would write into each other
            bars.stop()
        self._out.print(Text(text), soft_wrap=not self._out.is_terminal)
        if bars is not None:
            bars.start()

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
        one_line = Column(no_wrap=True, overflow="ellipsis")
        columns: list[ProgressColumn] = [SpinnerColumn(), TextColumn("{task.description}")]
        if self._err.width >= WIDE:  # where there is little room, the words matter more
            columns.append(BarColumn(bar_width=24))
        columns += [
            TaskProgressColumn(),
            TextColumn("{task.fields[words]}", table_column=one_line),
        ]
        with Progress(*columns, console=self._err, transient=True) as bars:
            self._bars = bars
            try:
                yield Bar(label, self._err, bars)
            finally:
                self._bars = None


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
            total: All of it; 0 where nobody knows.
            words: What a person wants to know beside the share.
        """
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=done, total=total or None, words=words)
            return
        now = time.monotonic()
        if now - self._said >= PLAIN_SECONDS:
            self._said = now
            share = f"{100 * done / total:.0f}%" if total else ""
            words = " ".join(word for word in (share, words) if word)
            self._console.print(Text(f"{self._label}: {words}"), soft_wrap=True)


def complain(sentence: str) -> None:
    """An error's sentence on standard error."""
    console = RichConsole(stderr=True, highlight=False)
    console.print(Text(f"catgan: {sentence}"), soft_wrap=not console.is_terminal)
