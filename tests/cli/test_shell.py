"""At home in a shell: completion, settings as a file, logs, quiet."""

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from catgan.compare.config import CompareConfig
from catgan.core.settings import Settings, declared, load_toml, to_toml
from catgan.curate.config import CurateConfig
from catgan.demo.config import DemoConfig
from catgan.export.config import ExportConfig
from catgan.formats.logs import RunLog
from catgan.formats.runs import CONFIG
from catgan.train.config import TrainConfig
from tests.cli.conftest import Catgan
from tests.drawing import tree

BEFORE = Path(__file__).resolve().parents[1] / "fixtures" / "before"
TINY = ("--epochs", "1", "--size", "16", "--ngf", "4", "--ndf", "4", "--latent-dim", "8")


@pytest.mark.parametrize(
    "settings",
    [CurateConfig(), TrainConfig(), CompareConfig(), DemoConfig(), ExportConfig()],
    ids=lambda settings: type(settings).__name__,
)
def test_settings_as_a_file_are_read_back(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(to_toml(settings), encoding="utf-8")
    read = load_toml(path)
    wanted = {
        one.name: one.default
        for one in declared(settings)
        if one.option.on_command_line and one.default is not None
    }
    assert read == wanted


class TestPrintConfig:
    """`--print-config`."""

    def test_it_is_what_would_be_used(self, catgan: Catgan, tmp_path: Path) -> None:
        first = catgan("train", "x", "--recipe", "article", "--epochs", "7", "--print-config")
        assert first.code == 0
        path = tmp_path / "train.toml"
        path.write_text(first.out, encoding="utf-8")
        assert load_toml(path)["epochs"] == 7
        assert load_toml(path)["batch_size"] == TrainConfig.of_recipe("article").batch_size
        again = catgan("train", "x", "--config", path, "--print-config")
        assert again.out == first.out
        other = catgan("train", "x", "--config", path, "--epochs", "9", "--print-config")
        path.write_text(other.out, encoding="utf-8")
        assert load_toml(path)["epochs"] == 9

    def test_nothing_is_done(
        self, catgan: Catgan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert catgan("curate", "raw", "curated", "--print-config").code == 0
        assert not tree(tmp_path)

    def test_what_cannot_be_is_refused(self, catgan: Catgan) -> None:
        assert catgan("curate", "raw", "curated", "--size", "1", "--print-config").code == 2


class TestQuiet:
    """`--quiet`."""

    @pytest.mark.parametrize("options", [(), ("--json",)])
    def test_only_the_document_is_printed(self, catgan: Catgan, options: tuple[str, ...]) -> None:
        ended = catgan("inspect", BEFORE / "blobs", "--quiet", *options)
        assert (ended.code, ended.err) == (0, "")
        if options:
            assert json.loads(ended.out)
        else:
            assert ended.out == ""
        assert catgan("inspect", BEFORE / "blobs").out  # and it is over with that command

    def test_errors_are_still_said(self, catgan: Catgan) -> None:
        ended = catgan("inspect", "ghost", "--quiet")
        assert ended.code == 2
        assert "ghost does not exist" in ended.err


class TestLog:
    """`train.log`."""

    @pytest.fixture
    def place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        shutil.copytree(BEFORE / "blobs", tmp_path / "blobs")
        monkeypatch.chdir(tmp_path)
        return tmp_path

    def train(self, catgan: Catgan, *options: str) -> Any:
        return catgan("train", "blobs", *TINY, "--evaluate-every", "0", "--device", "cpu", *options)

    def test_it_has_what_was_said_also_where_nothing_was(self, catgan: Catgan, place: Path) -> None:
        ended = self.train(catgan, "--quiet")
        assert (ended.code, ended.out) == (0, ""), ended.err
        lines = (place / "runs" / "blobs" / "train.log").read_text(encoding="utf-8").splitlines()
        assert "catgan " in lines[0]
        assert "Python " in lines[0]
        assert "Training " in lines[1]
        assert "is finished: 1 epoch" in lines[2]
        self.train(catgan)
        more = (place / "runs" / "blobs" / "train.log").read_text(encoding="utf-8").splitlines()
        assert more[: len(lines)] == lines
        assert "is finished already" in more[-1]

    def test_one_that_is_refused_gets_none(self, catgan: Catgan, place: Path) -> None:
        (place / "runs" / "blobs").mkdir(parents=True)
        (place / "runs" / "blobs" / "mine.txt").write_text("mine", encoding="utf-8")
        assert self.train(catgan).code == 1
        assert tree(place / "runs") == {"blobs/": b"", "blobs/mine.txt": b"mine"}

    def test_one_that_cannot_be_written_stops_nothing(self, tmp_path: Path) -> None:
        (tmp_path / CONFIG).write_text("{}", encoding="utf-8")
        (tmp_path / "train.log").mkdir()
        RunLog(tmp_path).add("said")
        assert not tree(tmp_path / "train.log")


PATHS = (
    ("curate", "ra"),
    ("curate", "raw/", "cu"),
    ("curate", "raw/", "curated/", "--scheduler", "sch"),
    ("curate", "raw/", "curated/", "--decisions", "de"),
    ("train", "cu"),
    ("train", "curated/", "--start-from", "ru"),
    ("compare", "runs/one", "ru"),
    ("sample", "ru"),
    ("export", "ru"),
    ("forget", "ra"),
    ("inspect", "cu"),
)
"""Words after `catgan`, the last of which is the beginning of a path."""


class TestPathsAreCompleted:
    """Where a path may be: typer then says nothing, and leaves it to the shell.

    Whatever it did say would be all that there is: a name that ends in a space, and no way into a
    folder.
    """

    @pytest.mark.parametrize("words", PATHS, ids=" ".join)
    @pytest.mark.parametrize(
        ("shell", "answer"), [("bash", ""), ("zsh", "_files"), ("fish", ""), ("powershell", "")]
    )
    def test_by_the_shell_itself(
        self,
        catgan: Catgan,
        monkeypatch: pytest.MonkeyPatch,
        words: tuple[str, ...],
        shell: str,
        answer: str,
    ) -> None:
        line = ("catgan", *words)
        for name, value in {
            "_CATGAN_COMPLETE": f"complete_{shell}",
            "COMP_WORDS": "\n".join(line),
            "COMP_CWORD": str(len(words)),
            "_TYPER_COMPLETE_ARGS": " ".join(line),
            "_TYPER_COMPLETE_WORD_TO_COMPLETE": words[-1],
            "_TYPER_COMPLETE_FISH_ACTION": "is-args",
        }.items():
            monkeypatch.setenv(name, value)
        ended = catgan()
        assert ended.out.strip() == answer
        assert ended.code == (1 if shell == "fish" else 0), "1 tells fish to take files"

    @pytest.mark.slow
    @pytest.mark.skipif(shutil.which("bash") is None or os.name == "nt", reason="needs bash")
    def test_in_a_bash_at_a_terminal(self, tmp_path: Path) -> None:
        """Keys typed, Tab among them, and the line that stands there then."""
        for folder in ("raw-photos", "curated-cats"):
            (tmp_path / folder).mkdir()
        terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], tmp_path)
        terminal.type('eval "$(catgan --show-completion bash)"; echo rea""dy\n')
        terminal.wait_for("ready")
        terminal.type("catgan curate ra\t")
        terminal.wait_for("catgan curate raw-photos/")
        terminal.type(" cu\t")
        terminal.wait_for("curated-cats/")
        terminal.type("\x15exit\n")
        terminal.end()


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, command: list[str], folder: Path) -> None:
        """Start it in a folder, where it finds `catgan`."""
        import pty

        make_program(folder)
        pid, self._file = pty.fork()
        if pid == 0:
            os.chdir(folder)
            plain = {"TERM": "dumb", "PS1": "$ ", "INPUTRC": os.devnull}
            os.execvpe(command[0], command, environment(folder) | plain)
        self._pid = pid
        self._shown = ""

    def type(self, keys: str) -> None:
        os.write(self._file, keys.encode())

    def wait_for(self, words: str) -> None:
        """Wait until they stand there; what stood there before is forgotten."""
        until = time.monotonic() + 60
        while words not in self._shown and time.monotonic() < until:
            if select.select([self._file], [], [], 0.2)[0]:
                self._shown += os.read(self._file, 4096).decode("utf-8", "replace")
        assert words in self._shown
        self._shown = self._shown.partition(words)[2]

    def end(self) -> None:
        with contextlib.suppress(OSError):  # how Linux says that the other side is closed
            while os.read(self._file, 4096):
                pass
        os.waitpid(self._pid, 0)
        os.close(self._file)


def make_program(folder: Path) -> None:
    """This catgan as a program that a shell finds."""
    program = folder / "catgan"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m catgan "$@"\n', encoding="utf-8")
    program.chmod(0o755)


def environment(folder: Path) -> dict[str, str]:
    return os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    """The script that catgan prints, in a real bash, asked as a press of Tab asks it."""
    make_program(tmp_path)
    asked = """
    eval "$(catgan --show-completion bash)"
    for line in "catgan do" "catgan train --epo"; do
        COMP_WORDS=($line); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
        "$(complete -p catgan | sed 's/.*-F \\([^ ]*\\).*/\\1/')" catgan
        echo "$line: ${COMPREPLY[*]}"
    done
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", asked],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "catgan do: doctor" in done.stdout
    assert "catgan train --epo: --epochs" in done.stdout
