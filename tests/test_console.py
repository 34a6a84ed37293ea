"""Progress where there is no terminal of one's own: in a notebook, it stays one line."""

import io
import sys
import types

import pytest

from catgan import console
from catgan.console import COLUMNS, Screen


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a kernel tells all that it starts, though it gives them no terminal."""
    for name in ("JPY_PARENT_PID", "COLAB_RELEASE_TAG", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(console, "NOTEBOOK_SECONDS", 0.0)
    monkeypatch.setattr(console, "PLAIN_SECONDS", 0.0)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))


def work(screen: Screen, words: str = "epoch 3") -> None:
    with screen.progress("Training") as bar:
        for done in range(1, 413):
            bar.update(done, 412, words)
        screen.say("A line of words.")
        bar.update(412, 412, "the end")


def seen(text: str) -> list[str]:
    """What a notebook shows of a stream: a carriage return begins its line anew."""
    lines = []
    for line in text.split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip())
    return lines


@pytest.mark.usefixtures("kernel")
def test_in_a_kernel_it_is_one_line_and_leaves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    work(Screen())
    out, err = capsys.readouterr()
    assert out == "A line of words.\n"
    assert "100% epoch 3" in err
    assert "\n" not in err
    assert "\x1b" not in err
    assert seen(err) == [""]


@pytest.mark.usefixtures("kernel")
def test_a_long_line_is_cut_to_what_a_notebook_is_wide(capsys: pytest.CaptureFixture[str]) -> None:
    work(Screen(), "words " * 40)
    assert 40 < max(len(part) for part in capsys.readouterr().err.split("\r")) < COLUMNS


def test_a_command_that_a_notebook_starts_does_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`!catgan` runs on a terminal of the notebook's own."""
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    err = Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    work(Screen())
    assert "\n" not in err.getvalue()
    assert seen(err.getvalue()) == [""]


def test_into_a_file_it_writes_lines_however_it_is_told_to_colour(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    work(Screen())
    err = capsys.readouterr().err
    assert "Training: 100% epoch 3\n" in err
    assert "\r" not in err


def test_a_terminal_of_few_letters_is_given_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """cp1252 is what a console of Windows has."""
    monkeypatch.setattr(Terminal, "encoding", "cp1252", raising=False)
    err = Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    work(Screen())
    assert "epoch 3" in err.getvalue()
    err.getvalue().encode("cp1252")


def test_nothing_is_imported_to_find_out() -> None:
    assert "IPython" not in sys.modules
    work(Screen())
    assert "IPython" not in sys.modules


def test_ipython_in_a_terminal_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    assert not console._in_kernel()
