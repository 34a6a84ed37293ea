"""What the person at the keyboard sees: words, tables and progress. rich is used here only."""

import json
import os
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
NOTEBOOK_SECONDS = 0.5  # between two states of the one line that a notebook has
COLUMNS = 80  # that a notebook is wide
WIDE = 100  # columns of a terminal from which a bar has room beside the words


_quiet = False  # whether nothing but errors and the JSON document is to be shown


@contextmanager
def quietly() -> Iterator[None]:
    """Screens opened while the block runs show neither words nor progress."""
    global _quiet
    before, _quiet = _quiet, True
    try:
        yield
    finally:
        _quiet = before


class Screen:
    """Standard output for results, standard error for progress; with `--json`, words go there too.

    On a terminal progress is a bar; in a notebook one line that is written over, since every other
    way leaves hundreds of outputs in the file; elsewhere (a log file) a line now and then.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        """Open the screen.

        Args:
            as_json: Standard output will hold one JSON document and nothing else.
        """
        self._as_json = as_json
        self._quiet = _quiet
        # rich makes an output of its own of every line that it prints in a notebook
        self._out = RichConsole(stderr=as_json, highlight=False, force_jupyter=False)
        self._err = RichConsole(stderr=True, highlight=False, force_jupyter=False)
        self._bars: Progress | None = None  # what is being drawn on the terminal, if anything
        self._line: Line | None = None  # likewise in a notebook

    def say(self, text: str = "") -> None:
        """A line of words; on a terminal it is broken between words, elsewhere not at all."""
        if self._quiet:
            return
        if self._line is not None:
            self._line.clear()
        bars = self._bars
        if bars is not None:  # both may be the same terminal, and would write into each other
            bars.stop()
        self._out.print(Text(text), soft_wrap=not self._out.is_terminal)
        if bars is not None:
            bars.start()

    def table(self, title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table; columns of figures are right-aligned."""
        if self._quiet:
            return
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
        if self._quiet:
            yield Silence()
            return
        if _in_kernel() or (_started_by_kernel() and sys.stderr.isatty()):
            self._line = Line(label)
            try:
                yield self._line
            finally:
                self._line.clear()
                self._line = None
            return
        # what a kernel starts is told to colour even what goes into a file
        if not self._err.is_terminal or _started_by_kernel():
            yield Bar(label, self._err, None)
            return
        one_line = Column(no_wrap=True, overflow="ellipsis")
        # a console of an older Windows has no dots
        spinner = "dots" if self._err.encoding.startswith("utf") else "line"
        columns: list[ProgressColumn] = [SpinnerColumn(spinner), TextColumn("{task.description}")]
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


class Silence(Bar):
    """Progress that nobody wants to see."""

    def __init__(self) -> None:
        """There is nothing to show it on."""

    def update(self, done: float, total: float, words: str) -> None:
        """Nothing; see `Bar.update`."""


class Line(Bar):
    """Progress as one line that is written over, which terminals and notebooks all can show."""

    def __init__(self, label: str) -> None:
        """Nothing is shown yet."""
        self._label = label
        self._shown = ""
        self._said = -NOTEBOOK_SECONDS

    def update(self, done: float, total: float, words: str) -> None:
        """Where the work stands; see `Bar.update`."""
        now = time.monotonic()
        if now - self._said < NOTEBOOK_SECONDS:
            return
        self._said = now
        share = f"{100 * done / total:.0f}%" if total else ""
        text = " ".join(word for word in (f"{self._label}:", share, words) if word)
        self._show(text if len(text) < COLUMNS else text[: COLUMNS - 4] + "...")

    def clear(self) -> None:
        """Leave nothing of it."""
        self._show("")

    def _show(self, text: str) -> None:
        if text == self._shown:
            return
        gap = " " * (len(self._shown) - len(text))
        sys.stderr.write(f"\r{text}{gap}" + ("" if text else "\r"))
        sys.stderr.flush()
        self._shown = text


def _in_kernel() -> bool:
    """Whether this is the Python of a notebook; IPython is not loaded to find out."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


def _started_by_kernel() -> bool:
    """Whether a notebook has started this program (`!catgan ...`), as far as can be told."""
    return any(name in os.environ for name in ("JPY_PARENT_PID", "COLAB_RELEASE_TAG"))


def complain(sentence: str) -> None:
    """An error's sentence on standard error."""
    console = RichConsole(stderr=True, highlight=False, force_jupyter=False)
    console.print(Text(f"catgan: {sentence}"), soft_wrap=not console.is_terminal)
