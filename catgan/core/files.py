"""Whole files or none: written beside their place, flushed, and renamed into it."""

import errno
import hashlib
import io
import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from catgan.core.errors import BadUsage, DiskFull, FolderRefused, NotWritable
from catgan.core.systems import WINDOWS, is_full, replace, sync
from catgan.core.words import amount

Json = dict[str, Any]
AnyPath = str | os.PathLike[str]  # what the functions of the Python API take for a path

PARTIAL = ".partial"  # what a file being written is called until it is whole
MOST_BYTES = 1 << 30  # of a file that is read whole: a gibibyte
LOCK = ".lock"  # held in a folder that a process works in; empty, and stays when it is done


@contextmanager
def explain_unwritable(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to write into a sentence that says where.

    Raises:
        DiskFull: The disk or the quota that `path` lies on is used up, or no file may be so large.
        NotWritable: It, or its folder, may not be written to.
    """
    try:
        yield
    except OSError as error:
        if is_full(error) or error.errno == errno.EFBIG:
            large = error.errno == errno.EFBIG
            why = "No file may be so large here" if large else "The disk is full"
            raise DiskFull(
                f"{why}: {path} could not be written. "
                "Free some space and rerun the same command; what is finished stays."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise NotWritable(
                f"{path} could not be written ({error.strerror}); "
                "change the permissions of its folder, or name another place."
            ) from error
        raise


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place to write `path` to; it is renamed into `path` only when the block ends well.

    A process killed inside the block leaves `path` as it was. A partial file that a kill left
    behind is overwritten by the next attempt, since its name is fixed.

    Raises:
        DiskFull: There is no room for it.
    """
    partial = partial_of(path)
    with explain_unwritable(path):
        try:
            yield partial
            flush_to_disk(partial)
            replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def partial_of(path: Path) -> Path:
    """What the file `path` is called until it is whole."""
    return path.with_name(f".{path.name}{PARTIAL}")


def flush_to_disk(path: Path) -> None:
    """Wait until what was written to a file is safe from a power cut; nothing where there is none.

    Raises:
        DiskFull: There is no room for it.
    """
    if path.exists():
        with explain_unwritable(path):
            sync(path)


def open_file(path: Path, *, most: int = MOST_BYTES) -> io.BufferedReader:
    """Open a regular file for reading, and nothing else.

    A pipe would make the program wait for ever, and a device never end.

    Args:
        path: The file, or a link to one.
        most: Bytes that it may have.

    Raises:
        OSError: It is missing, may not be read, is no regular file, or is larger; says which.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        file.close()
        what = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise OSError(errno.EINVAL, f"it is {what}", str(path))
    if status.st_size > most:
        file.close()
        raise OSError(errno.EFBIG, f"it has {amount(status.st_size)}, too much", str(path))
    return file


def read_file(path: Path, *, most: int = MOST_BYTES) -> bytes:
    """The whole of a regular file; see `open_file`.

    Raises:
        OSError: See `open_file`.
    """
    with open_file(path, most=most) as file:
        return file.read()  # not of `most`: for so many bytes room would be made


def read_there(path: Path) -> bytes | None:
    """The whole of a regular file, or None where it cannot be read: for what is only shown."""
    try:
        return read_file(path)
    except OSError:
        return None


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file or none."""
    with whole_file(path) as partial:
        partial.write_bytes(data)


def write_picture(path: Path, data: bytes) -> None:
    """Write a whole small file or none, without waiting for the disk.

    The rename keeps a killed process from leaving half a picture. Unlike `whole_file` it does not
    survive a power cut, which is the price of ten thousand files in minutes; `curate` checks its
    pictures when it carries on.
    """
    partial = partial_of(path)
    with explain_unwritable(path):
        try:
            partial.write_bytes(data)
            replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def to_json_line(record: Json) -> str:
    """One record as one line, without the line end; keys stay in their order."""
    return json.dumps(record, ensure_ascii=False, separators=(", ", ": "), allow_nan=False)


def write_json(path: Path, record: Json) -> None:
    """Write one JSON document, indented, whole or not at all."""
    write_bytes(path, (json.dumps(record, ensure_ascii=False, indent=2) + "\n").encode())


def write_jsonl(path: Path, records: Iterable[Json]) -> None:
    """Write JSON lines, whole or not at all, one record in memory at a time."""
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as out:
        for record in records:
            out.write(to_json_line(record) + "\n")


def append_jsonl(path: Path, records: Iterable[Json]) -> None:
    """Add JSON lines to the end; a kill in the middle costs at most the line being written."""
    with explain_unwritable(path), path.open("a", encoding="utf-8", newline="\n") as out:
        out.write("".join(to_json_line(record) + "\n" for record in records))


def read_jsonl(path: Path) -> Iterator[Json]:
    """The records of a file of JSON lines; a last line cut short by a kill is passed over."""
    try:
        lines = io.TextIOWrapper(open_file(path), encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    with lines:
        for line in lines:
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict):
                yield record


def append_line(path: Path, line: str) -> None:
    """Add a line to a file that several processes add to, in one write.

    Raises:
        DiskFull, NotWritable: It cannot be.
    """
    with explain_unwritable(path), _alone(path), path.open("ab", buffering=0) as out:
        out.write(line.encode() + b"\n")


def _alone(path: Path) -> AbstractContextManager[object]:
    """Nobody else adds to `path` while the block runs; elsewhere than on Windows one write does."""
    if not WINDOWS:
        return nullcontext()
    from filelock import FileLock

    return FileLock(path.with_name(path.name + LOCK))


def drop_torn_line(path: Path) -> None:
    """Cut a last line without its line end off, so that the next append starts on a fresh one."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        position, step = size, 65536
        while position > 0:
            start = max(0, position - step)
            file.seek(start)
            newline = file.read(position - start).rfind(b"\n")
            if newline >= 0:
                position = start + newline + 1
                break
            position = start
        if position < size:
            file.truncate(position)


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256 of bytes in memory."""
    return hashlib.sha256(data).hexdigest()


def sweep_partials(folder: Path) -> None:
    """Remove what killed runs left half written in `folder` (not below it)."""
    for leftover in folder.glob(f".*{PARTIAL}"):
        leftover.unlink(missing_ok=True)


def check_place(path: Path) -> None:
    """That something can be written at `path`: its folder is there or can be made.

    Raises:
        BadUsage: One of the folders above it is a file, or may not be written to.
    """
    there = next((folder for folder in path.absolute().parents if folder.exists()), None)
    if there is None:
        raise BadUsage(f"{path} cannot be written: there is no drive {path.absolute().anchor}")
    if not there.is_dir():
        raise BadUsage(f"{path} cannot be written: {there} is a file, not a folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise BadUsage(f"{path} cannot be written: {there} may not be written to.")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a second catgan out of `folder` while the block runs; a kill lets go by itself.

    Raises:
        FolderRefused: Another process is at work in it.
    """
    from filelock import FileLock, Timeout  # here: who only reads does not need it

    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise FolderRefused(
            f"Another catgan is at work in {folder}; wait for it to end, or stop it."
        ) from None
    except PermissionError as error:
        raise NotWritable(
            f"{folder} may not be written to ({error.strerror}); "
            "change its permissions, or name another place."
        ) from error
    except (OSError, NotImplementedError):
        pass  # a file system without locks (some network drives): go on without
    try:
        yield
    finally:
        lock.release()


def is_locked(folder: Path) -> bool:
    """Whether another catgan is at work in `folder`, as far as can be told."""
    if not (folder / LOCK).is_file():
        return False
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    except (OSError, NotImplementedError):  # a folder that may only be read, or without locks
        return False
    lock.release()
    return False
