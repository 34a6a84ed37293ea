"""Progress on a terminal."""

import io

from rich.console import Console as RichConsole
from rich.progress import Progress

from catgan.console import Bar


def test_a_bar_whose_end_nobody_knows_is_not_shown_full() -> None:
    console = RichConsole(file=io.StringIO(), force_terminal=True)
    with Progress(console=console) as bars:
        bar = Bar("Comparing", console, bars)
        bar.update(3, 0, "looking at images")
        assert (bars.tasks[0].total, bars.tasks[0].finished) == (None, False)
        bar.update(4, 4, "done")
        assert bars.tasks[0].finished
