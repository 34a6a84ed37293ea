"""What other systems do differently, stood in for by what they do to the functions called."""

import errno
import os
import shlex
import sys
import types
from pathlib import Path

import pytest

from catgan.core import files, systems
from catgan.core.errors import BadUsage, DiskFull, NotWritable
from catgan.core.executors import ChunkMap
from catgan.core.files import (
    append_jsonl,
    append_line,
    check_place,
    explain_unwritable,
    write_bytes,
    write_jsonl,
)
from catgan.core.systems import command_line, is_plain_name, replace, sync


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (systems, files):
        monkeypatch.setattr(place, "WINDOWS", True)
    monkeypatch.setattr(systems, "PAUSE", 0.0)


def held(error: int = errno.EACCES) -> OSError:
    """What Windows says of a file that another program has open."""
    return OSError(error, "The process cannot access the file")


class TestSync:
    def test_asks_for_a_file_that_may_be_written_to(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Windows refuses any other, which no other system would notice."""
        synced = []

        def as_windows_does(file: int) -> None:
            os.write(file, b"")  # EBADF where it is open for reading only
            synced.append(file)

        monkeypatch.setattr(os, "fsync", as_windows_does)
        monkeypatch.setattr(systems, "_full_sync", lambda: None)
        write_bytes(tmp_path / "note", b"whole")
        assert len(synced) == 1
        assert (tmp_path / "note").read_bytes() == b"whole"

    def test_on_a_mac_the_drive_is_told_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[int] = []
        mac = types.SimpleNamespace(F_FULLFSYNC=51, fcntl=lambda _, what: asked.append(what))
        monkeypatch.setitem(sys.modules, "fcntl", mac)
        (tmp_path / "note").write_bytes(b"whole")
        sync(tmp_path / "note")
        assert asked == [51]

    @pytest.mark.parametrize("number", [errno.ENOTSUP, errno.EIO])
    def test_a_drive_that_cannot_is_asked_in_the_plain_way(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        def refused(*_: object) -> None:
            raise OSError(number, os.strerror(number))

        plain: list[int] = []
        monkeypatch.setattr(systems, "_full_sync", lambda: refused)
        monkeypatch.setattr(os, "fsync", plain.append)
        (tmp_path / "note").write_bytes(b"whole")
        if number == errno.EIO:  # the disk is broken: nobody may believe that all is well
            with pytest.raises(OSError, match=os.strerror(number)):
                sync(tmp_path / "note")
        else:
            sync(tmp_path / "note")
            assert len(plain) == 1


class Busy:
    """A file system on which another program has the target open for so many tries."""

    def __init__(self, tries: int) -> None:
        self.left = tries
        self._replace = Path.replace

    def __call__(self, source: Path, target: Path) -> Path:
        if self.left:
            self.left -= 1
            raise held()
        return self._replace(source, target)


class TestReplace:
    @pytest.mark.usefixtures("windows")
    def test_waits_until_another_program_lets_go(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        busy = Busy(3)
        monkeypatch.setattr(Path, "replace", lambda *paths: busy(*paths))
        (tmp_path / "note").write_bytes(b"old")
        write_bytes(tmp_path / "note", b"new")
        assert (tmp_path / "note").read_bytes() == b"new"
        assert busy.left == 0

    @pytest.mark.usefixtures("windows")
    def test_gives_up_in_the_end_and_says_so(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        busy = Busy(10**6)
        monkeypatch.setattr(Path, "replace", lambda *paths: busy(*paths))
        (tmp_path / "note").write_bytes(b"old")
        with pytest.raises(NotWritable, match=r"note could not be written .*cannot access"):
            write_bytes(tmp_path / "note", b"new")
        assert busy.left == 10**6 - systems.TRIES
        assert [path.name for path in tmp_path.iterdir()] == ["note"]
        assert (tmp_path / "note").read_bytes() == b"old"

    def test_elsewhere_a_refusal_is_final(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(systems, "WINDOWS", False)
        busy = Busy(1)
        monkeypatch.setattr(Path, "replace", lambda *paths: busy(*paths))
        with pytest.raises(PermissionError):
            replace(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("number", [39, 112, 1295])
def test_a_full_disk_has_numbers_of_its_own_on_windows(tmp_path: Path, number: int) -> None:
    error = OSError(errno.EINVAL, "There is not enough space on the disk")
    error.winerror = number  # type: ignore[attr-defined,unused-ignore]
    with pytest.raises(DiskFull, match="The disk is full"), explain_unwritable(tmp_path):
        raise error


@pytest.mark.usefixtures("windows")
class TestAppending:
    def test_lines_of_several_processes_do_not_lie_on_each_other(self, tmp_path: Path) -> None:
        from concurrent.futures import ThreadPoolExecutor

        path = tmp_path / "names"
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda index: append_line(path, f"{index:060}"), range(80)))
        assert sorted(path.read_text().split()) == [f"{index:060}" for index in range(80)]


def test_line_ends_are_the_same_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text files end lines as the system does unless told otherwise."""
    opened = []
    plain_open = Path.open

    def watched(self: Path, mode: str = "r", *rest: object, **how: object) -> object:
        if "b" not in mode:
            opened.append(how.get("newline"))
        return plain_open(self, mode, *rest, **how)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", watched)
    write_jsonl(tmp_path / "a", [{"a": 1}])
    append_jsonl(tmp_path / "a", [{"b": 1}])
    assert set(opened) == {"\n"}


def test_a_drive_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every path has a root that exists, but on Windows."""
    monkeypatch.setattr(Path, "exists", lambda _: False)
    with pytest.raises(BadUsage, match="there is no drive"):
        check_place(tmp_path / "runs")


def test_processes_are_no_more_than_a_pool_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catgan.core.executors.MOST_PROCESSES", 61)
    many: ChunkMap[int, int] = ChunkMap(list, lost=int, initializer=print, workers=128)
    assert many._workers == 61


NAMES = {
    "tries": True,
    "小鉄 2": True,
    "a.b": True,
    "": False,
    ".hidden": False,
    "..": False,
    "a/b": False,
    "a\0b": False,
}
WINDOWS_NAMES = {"a:b": False, "a*": False, "what?": False, "a.": False, "a ": False,
                 "con": False, "NUL.old": False, "com1": False, "console": True}  # fmt: skip


def test_names_of_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systems, "WINDOWS", True)
    for name, good in (NAMES | WINDOWS_NAMES).items():
        assert is_plain_name(name) is good, name
    monkeypatch.setattr(systems, "WINDOWS", False)
    for name, good in NAMES.items():
        assert is_plain_name(name) is good, name
    for name in WINDOWS_NAMES:
        assert is_plain_name(name), name


def test_a_command_can_be_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["catgan", "curate", r"C:\My photos", "curated"]
    monkeypatch.setattr(systems, "WINDOWS", True)
    assert command_line(words) == r'catgan curate "C:\My photos" curated'
    monkeypatch.setattr(systems, "WINDOWS", False)
    assert shlex.split(command_line(words)) == words
