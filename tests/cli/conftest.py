"""The command line, run in this process."""

from pathlib import Path

import pytest

from catgan.cli import main


class Ended:
    """How a command line ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


class Catgan:
    """Runs the command line in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        return Ended(int(ended.value.code or 0), captured.out, captured.err)


@pytest.fixture
def catgan(capsys: pytest.CaptureFixture[str]) -> Catgan:
    return Catgan(capsys)


def one_sentence(ended: Ended) -> str:
    """What was said on standard error, which must be one line and no traceback."""
    lines = ended.err.strip().splitlines()
    assert len(lines) == 1, ended.err
    assert lines[0].startswith("catgan: ")
    return lines[0]
