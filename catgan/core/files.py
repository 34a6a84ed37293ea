"""Whole files or none: written beside their place, flushed, and renamed into it."""

import difflib
import errno
import hashlib
import io
import json
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from catgan.core.errors import (
    BadUsage,
    DiskFull,
    FileRefused,
    FolderRefused,
    NoSuchFolder,
    NotWritable,
)
from catgan.core.names import printable, printable_json
from catgan.core.systems import WINDOWS, is_full, replace, sync
from catgan.core.words import amount

Json = dict[str, Any]
AnyPath = str | os.PathLike[str]  # what the functions of the Python API take for a path

BEGINNING = 4096  # bytes of a file, by which it is known
PARTIAL = ".partial"  # what a file being written is called until it is whole
MOST_BYTES = 1 << 30  # of a file that is read whole: a gibibyte
_PARTIAL_NAME = re.compile(rf"\.(.+?)(\.[0-9a-f]{{8}})?{re.escape(PARTIAL)}")
_LINES = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": "), allow_nan=False)
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
            why = "The file would be larger than allowed here" if large else "The disk is full"
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
    """Write a whole file or none; its folder is made where it is missing.

    Raises:
        DiskFull, NotWritable: See `explain_unwritable`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        partial.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write text, whole or not at all; names in it are made `printable`."""
    write_bytes(path, printable(text).encode())


def write_picture(path: Path, data: bytes, *, shared: bool = False) -> None:
    """Write a whole small file or none, without waiting for the disk.

    The rename keeps a killed process from leaving half a picture. Unlike `whole_file` it does not
    survive a power cut, which is the price of ten thousand files in minutes; `curate` checks its
    pictures when it carries on.

    Args:
        path: The file.
        data: What is to be in it.
        shared: Whether another machine may write the same: the partial file is its own then.
    """
    partial = partial_of(path)
    if shared:
        partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    with explain_unwritable(path):
        try:
            partial.write_bytes(data)
            replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def to_json_line(record: Json) -> str:
    """One record as one line, without the line end; keys stay in their order, names `printable`."""
    return printable_json(_LINES.encode(record))


def write_json(path: Path, record: Json) -> None:
    """Write one JSON document, indented, whole or not at all; names are `printable` in it."""
    document = json.dumps(record, ensure_ascii=False, indent=2)
    write_bytes(path, (printable_json(document) + "\n").encode())


def write_jsonl(path: Path, records: Iterable[Json]) -> None:
    """Write JSON lines, whole or not at all, one record in memory at a time."""
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as out:
        for record in records:
            out.write(to_json_line(record) + "\n")


def append_jsonl(path: Path, records: Iterable[Json]) -> None:
    """Add JSON lines to the end; a kill in the middle costs at most the line being written.

    Raises:
        DiskFull, NotWritable, FileRefused: They cannot be.
    """
    text = "".join(to_json_line(record) + "\n" for record in records)
    with explain_unwritable(path), open_own(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as out:
        out.write(text.encode())


def append_line(path: Path, line: str) -> None:
    """Add a line to a file that several processes add to, in one write.

    Raises:
        DiskFull, NotWritable, FileRefused: It cannot be.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    with explain_unwritable(path), _alone(path), open_own(path, flags) as out:
        out.write(line.encode() + b"\n")


def _alone(path: Path) -> AbstractContextManager[object]:
    """Nobody else adds to `path` while the block runs; elsewhere than on Windows one write does."""
    if not WINDOWS:
        return nullcontext()
    from filelock import FileLock

    return FileLock(path.with_name(path.name + LOCK))


def check_own(path: Path) -> None:
    """That a file to be written in place is a plain file, or is not there yet.

    Raises:
        FileRefused: It is a link, a pipe, a device or a folder.
    """
    try:
        _check_regular(path, path.lstat().st_mode)
    except FileNotFoundError:
        return


def _check_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        what = "a link" if stat.S_ISLNK(mode) else "not a regular file"
        raise FileRefused(
            f"{path} is {what}, and catgan writes into files of its own; "
            "move it away, and rerun the same command."
        )


def open_own(path: Path, flags: int) -> BinaryIO:
    """Open a file of catgan's to change it in place: never through a link, nor a pipe or a device.

    Args:
        path: The file.
        flags: Of `os.open`.

    Raises:
        FileRefused: See `check_own`.
        OSError: It cannot be opened.
    """
    check_own(path)  # Windows has no O_NOFOLLOW, and some systems name ELOOP otherwise
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, name, 0)
    file = os.fdopen(os.open(path, flags, 0o666), "rb+" if flags & os.O_RDWR else "wb")
    try:
        _check_regular(path, os.fstat(file.fileno()).st_mode)
    except FileRefused:
        file.close()
        raise
    return file


def drop_torn_line(path: Path) -> None:
    """Cut a last line without its line end off, so that the next append starts on a fresh one.

    Raises:
        FileRefused: See `check_own`.
    """
    if not path.exists() and not path.is_symlink():
        return
    with open_own(path, os.O_RDWR) as file:
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


def sweep_partials(folder: Path, ours: Callable[[str], object]) -> None:
    """Remove what killed runs left half written in `folder` (not below it).

    Args:
        folder: The folder, there or not.
        ours: Whether a file of this name is catgan's to write; somebody else may have partial ones.
    """
    for leftover in folder.glob(f".*{PARTIAL}"):
        name = _PARTIAL_NAME.fullmatch(leftover.name)
        if name is not None and ours(name[1]):
            leftover.unlink(missing_ok=True)


def check_folder(folder: Path, advice: str) -> None:
    """That a folder is there.

    Args:
        folder: The folder.
        advice: What to do where it is not: `name the folder that ...`.

    Raises:
        NoSuchFolder: It is missing, or is a file.
    """
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else f"does not exist{_near(folder)}"
        raise NoSuchFolder(f"{folder} {what}; {advice}.")


def _near(folder: Path) -> str:
    """The folder that may have been meant by one that is missing, in brackets; "" for none."""
    try:
        there = [path.name for path in folder.parent.iterdir() if path.is_dir()]
    except OSError:
        return ""
    close = difflib.get_close_matches(folder.name, there, n=1)
    return f" (did you mean {folder.parent / close[0]}?)" if close else ""


def make_folder(folder: Path) -> None:
    """Make a folder to write to, and those above it, where it is missing.

    Raises:
        FolderRefused: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderRefused(
            f"{folder} cannot be made ({error.strerror}); name another folder."
        ) from error


def check_place(path: Path) -> None:
    """That something can be written at `path`: its folder is there or can be made.

    Raises:
        BadUsage: One of the folders above it is a file, or may not be written to.
    """
    there = next((folder for folder in path.absolute().parents if folder.exists()), None)
    if there is None:
        raise BadUsage(
            f"{path} cannot be written: there is no drive "
            f"{path.absolute().anchor}; name another place."
        )
    if not there.is_dir():
        raise BadUsage(f"{path} cannot be written: {there} is a file, not a folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise BadUsage(f"{path} cannot be written: {there} may not be written to.")


def check_destination(path: Path, ours: bytes, *, option: str, usual: str) -> None:
    """Refuse a file to write that cannot be written, or would replace somebody else's.

    Args:
        path: The file, there or not.
        ours: What one that catgan wrote has near its beginning; an empty file may go, too.
        option: The flag that names it.
        usual: A name for such a file.

    Raises:
        BadUsage: It is a folder, or lies in what is none or may not be written to.
        FileRefused: Something else than what catgan wrote is there.
    """
    if path.is_dir():
        raise BadUsage(f"{path} is a folder; name a file to write: {option} {path / usual}")
    check_place(path)
    if not path.exists():
        return
    found = beginning(path)
    if found is None or (found and ours not in found):
        raise FileRefused(
            f"{path} exists already, and catgan did not write it; name another file: {option}"
        )


def beginning(path: Path) -> bytes | None:
    """The first bytes of a file, by which it is known; None where it cannot be read."""
    try:
        with open_file(path) as file:
            return file.read(BEGINNING)
    except OSError:
        return None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a second catgan out of `folder` while the block runs; a kill lets go by itself.

    Raises:
        FolderRefused: Another process is at work in it.
        FileRefused: Its lock is a link or a pipe.
    """
    from filelock import FileLock, Timeout  # here: who only reads does not need it

    check_own(folder / LOCK)
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
