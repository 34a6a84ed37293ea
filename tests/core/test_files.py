"""Whole files or none, and records that survive a kill."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from catgan.core.errors import DiskFull, FileRefused, FolderRefused, NotWritable
from catgan.core.files import (
    append_jsonl,
    append_line,
    drop_torn_line,
    explain_unwritable,
    locked,
    open_file,
    read_file,
    sha256,
    sweep_partials,
    to_json_line,
    whole_file,
    write_bytes,
    write_json,
    write_jsonl,
    write_picture,
    write_text,
)
from catgan.core.names import from_printable, name_bytes, printable
from tests.drawing import read_jsonl

needs_full = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="needs /dev/full, the disk that is always full"
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestWholeFile:
    def test_appears_only_when_the_block_ends(self, tmp_path: Path) -> None:
        path = tmp_path / "note"
        with whole_file(path) as partial:
            partial.write_text("new")
            assert not path.exists()
        assert path.read_text() == "new"
        assert names(tmp_path) == ["note"]

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
    def test_an_exception_leaves_the_old_file(
        self, tmp_path: Path, error: type[BaseException]
    ) -> None:
        path = tmp_path / "note"
        path.write_text("old")
        with pytest.raises(error), whole_file(path) as partial:
            partial.write_text("half of the n")
            raise error
        assert path.read_text() == "old"
        assert names(tmp_path) == ["note"]

    def test_what_a_kill_left_behind_is_overwritten(self, tmp_path: Path) -> None:
        path = tmp_path / "note"
        killed = (
            "import os, sys; from pathlib import Path\n"
            "from catgan.core.files import whole_file\n"
            "with whole_file(Path(sys.argv[1])) as partial:\n"
            "    partial.write_text('half')\n"
            "    os._exit(1)\n"  # runs nothing of what comes after, on any system
        )
        write_bytes(path, b"old")
        done = subprocess.run([sys.executable, "-c", killed, str(path)], check=False)
        assert done.returncode != 0
        assert path.read_bytes() == b"old"
        assert len(names(tmp_path)) == 2
        write_bytes(path, b"new")
        assert path.read_bytes() == b"new"
        assert names(tmp_path) == ["note"]

    def test_sweep_partials(self, tmp_path: Path) -> None:
        for name in (".a.png.partial", ".mine.partial", "b.partial", ".c", "d.png"):
            (tmp_path / name).write_text("x")
        (tmp_path / "below").mkdir()
        (tmp_path / "below" / ".e.partial").write_text("x")
        sweep_partials(tmp_path, lambda name: name == "a.png")
        assert names(tmp_path) == [".c", ".mine.partial", "b.partial", "below", "d.png"]
        assert names(tmp_path / "below") == [".e.partial"]


class TestFullDisk:
    @needs_full
    @pytest.mark.parametrize("write", [write_bytes, write_picture])
    def test_says_so_and_leaves_the_old_file(
        self, tmp_path: Path, write: Callable[[Path, bytes], None]
    ) -> None:
        path = tmp_path / "note"
        path.write_text("old")
        (tmp_path / ".note.partial").symlink_to("/dev/full")
        with pytest.raises(DiskFull, match=r"The disk is full: .*note .* rerun the same command"):
            write(path, b"new")
        assert path.read_text() == "old"
        assert names(tmp_path) == ["note"]
        write(path, b"new")  # room again
        assert path.read_text() == "new"

    @pytest.mark.skipif(os.name == "nt", reason="no such limits on Windows")
    def test_appending(self, tmp_path: Path) -> None:
        import resource

        log = tmp_path / "log.jsonl"
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4, before[1]))
        try:
            with pytest.raises(DiskFull, match=r"log\.jsonl"):
                append_jsonl(log, [{"a": 1}])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    def test_a_quota_is_a_full_disk_too(self, tmp_path: Path) -> None:
        with pytest.raises(DiskFull), explain_unwritable(tmp_path):
            raise OSError(errno.EDQUOT, "Disk quota exceeded")

    def test_other_troubles_are_not_called_a_full_disk(self, tmp_path: Path) -> None:
        with pytest.raises(NotWritable, match="permissions"), explain_unwritable(tmp_path):
            raise PermissionError(errno.EACCES, "Permission denied")
        with pytest.raises(IsADirectoryError), explain_unwritable(tmp_path):
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
        with (
            pytest.raises(DiskFull, match="larger than allowed"),
            explain_unwritable(tmp_path),
        ):
            raise OSError(errno.EFBIG, "File too large")


RECORDS = [
    {"n": 1, "cat": "小鉄"},
    {"n": 2, "cat": "Kötetsu\n\u2028"},
    {"n": 3, "list": [1.5, None]},
]


def test_a_name_that_is_no_unicode_is_written_as_text_and_found_again(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9 ") + "\N{CAT FACE}"
    write_text(tmp_path / "page.html", f"<p>{name}</p>")
    write_json(tmp_path / "note.json", {"name": name})
    write_jsonl(tmp_path / "log.jsonl", [{"name": name}])
    shown = "caf\\xe9 \N{CAT FACE}"
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == f"<p>{shown}</p>"
    for path in ("note.json", "log.jsonl"):
        assert json.loads((tmp_path / path).read_text(encoding="utf-8")) == {"name": shown}
    assert printable(name) == printable(shown) == shown
    assert from_printable(shown) == from_printable(name) == name
    if os.name != "nt":
        assert name_bytes(name) == os.fsencode(name)


class TestJsonLines:
    def test_come_back_in_order(self, tmp_path: Path) -> None:
        path = tmp_path / "x.jsonl"
        write_jsonl(path, RECORDS[:1])
        append_jsonl(path, RECORDS[1:])
        assert read_jsonl(path) == RECORDS
        assert path.read_bytes().count(b"\n") == 3
        assert list(RECORDS[0]) == list(read_jsonl(path)[0]), "keys stay in order"

    def test_cut_at_any_byte_costs_the_last_line_at_most(self, tmp_path: Path) -> None:
        path = tmp_path / "x.jsonl"
        write_jsonl(path, RECORDS)
        data = path.read_bytes()
        for cut in range(len(data) + 1):
            path.write_bytes(data[:cut])
            whole = data[:cut].count(b"\n")
            drop_torn_line(path)
            assert read_jsonl(path) == RECORDS[:whole]
            append_jsonl(path, [{"next": True}])
            assert read_jsonl(path) == [*RECORDS[:whole], {"next": True}]

    def test_a_torn_line_longer_than_the_step_of_the_search(self, tmp_path: Path) -> None:
        path = tmp_path / "x.jsonl"
        for before in (b"", b'{"a": 1}\n'):
            path.write_bytes(before + b'{"b": "' + b"x" * 200_000)
            drop_torn_line(path)
            assert path.read_bytes() == before

    def test_drop_torn_line_leaves_a_whole_file_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "x.jsonl"
        drop_torn_line(path)
        assert not path.exists()
        for data in (b"", b"{}\n", b"{}\n{}\n"):
            path.write_bytes(data)
            drop_torn_line(path)
            assert path.read_bytes() == data

    def test_what_json_has_no_word_for_is_refused(self) -> None:
        with pytest.raises(ValueError, match="JSON"):
            to_json_line({"loss": float("nan")})

    def test_write_jsonl_keeps_the_old_file_when_a_record_fails(self, tmp_path: Path) -> None:
        path = tmp_path / "x.jsonl"
        write_jsonl(path, RECORDS)
        with pytest.raises(ValueError, match="JSON"):
            write_jsonl(path, [{"a": 1}, {"b": float("inf")}])
        assert read_jsonl(path) == RECORDS


@pytest.mark.skipif(os.name == "nt", reason="no such files on Windows")
class TestFilesOfOurOwn:
    """What is written in place is a plain file: nothing is done through a link, nothing waits."""

    CHANGES: ClassVar[list[Callable[[Path], object]]] = [
        lambda path: append_jsonl(path, [{"a": 1}]),
        lambda path: append_line(path, "a"),
        drop_torn_line,
    ]

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_link_is_refused(self, tmp_path: Path, change: Callable[[Path], object]) -> None:
        mine = tmp_path / "mine"
        mine.write_bytes(b"torn")
        (tmp_path / "log").symlink_to(mine)
        with pytest.raises(FileRefused, match=r"log is a link.*move it away"):
            change(tmp_path / "log")
        assert mine.read_bytes() == b"torn"
        mine.unlink()
        with pytest.raises(FileRefused, match="is a link"):
            change(tmp_path / "log")
        assert names(tmp_path) == ["log"]

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_pipe_is_refused(self, tmp_path: Path, change: Callable[[Path], object]) -> None:
        os.mkfifo(tmp_path / "log")
        with pytest.raises(FileRefused, match="not a regular file"):
            change(tmp_path / "log")

    def test_a_lock_that_is_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "mine").write_bytes(b"mine")
        (tmp_path / ".lock").symlink_to(tmp_path / "mine")
        with pytest.raises(FileRefused, match="is a link"), locked(tmp_path):
            pass
        assert (tmp_path / "mine").read_bytes() == b"mine"


@pytest.mark.skipif(os.name == "nt", reason="no such files on Windows")
class TestRegularFilesOnly:
    def test_a_file_and_a_link_to_one(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"cat")
        (tmp_path / "b").symlink_to(tmp_path / "a")
        assert read_file(tmp_path / "a") == read_file(tmp_path / "b") == b"cat"
        with open_file(tmp_path / "a") as file:
            assert file.readline() == b"cat"

    def test_a_pipe_does_not_make_it_wait_nor_a_device_go_on_for_ever(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "endless").symlink_to("/dev/zero")
        for path in (tmp_path / "pipe", tmp_path / "endless", Path("/dev/zero")):
            with pytest.raises(OSError, match="not a regular file"):
                read_file(path)
        with pytest.raises(OSError, match=r"folder|directory"):
            read_file(tmp_path)
        with pytest.raises(FileNotFoundError):
            read_file(tmp_path / "none")

    def test_too_much_is_refused_before_it_is_read(self, tmp_path: Path) -> None:
        with (tmp_path / "sparse").open("wb") as file:
            file.truncate(1 << 40)
        with pytest.raises(OSError, match=r"1099\.5 GB, too much"):
            read_file(tmp_path / "sparse")
        (tmp_path / "a").write_bytes(b"12345")
        assert read_file(tmp_path / "a", most=5) == b"12345"
        with pytest.raises(OSError, match="too much"):
            read_file(tmp_path / "a", most=4)


def test_write_json(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", RECORDS[0])
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == RECORDS[0]


def test_sha256_of_nothing() -> None:
    # FIPS 180-4's digest of the empty message
    assert sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


class TestLocked:
    def test_one_at_a_time(self, tmp_path: Path) -> None:
        with locked(tmp_path), pytest.raises(FolderRefused, match="at work"), locked(tmp_path):
            pass
        with locked(tmp_path):
            pass

    def test_a_kill_lets_go(self, tmp_path: Path) -> None:
        killed = (
            "import os, sys; from pathlib import Path\n"
            "from catgan.core.files import locked\n"
            "with locked(Path(sys.argv[1])):\n"
            "    os._exit(1)\n"
        )
        subprocess.run([sys.executable, "-c", killed, str(tmp_path)], check=False)
        assert names(tmp_path) == [".lock"]
        with locked(tmp_path):
            pass
