"""Where the training pictures are kept: in memory, or on disk where they do not fit there."""

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

import numpy as np

from catgan.core import words
from catgan.core.errors import DiskFull
from catgan.core.files import explain_unwritable
from catgan.core.pictures import Picture, Pictures
from catgan.core.words import amount
from catgan.train.memory import free_memory

SHARE = 0.5  # of the free memory: the nets, the evaluation and other programs want some too
ALWAYS = 64_000_000  # bytes that are kept in memory however little of it seems free
SPARE = 500_000_000  # bytes that are left free on the disk
BUFFER = 1_000_000  # bytes written at once


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Where so many pictures of a size are to be kept."""

    shape: tuple[int, int, int, int]
    """(N, size, size, 3)."""
    folder: Path | None
    """Where the file with them lies; None for memory."""
    free: int
    """Bytes of memory that were free when this was decided."""

    @property
    def bytes(self) -> int:
        """What the pictures take."""
        return _bytes(self.shape)


def choose_storage(count: int, size: int, processes: int = 1) -> Storage:
    """Memory, if the pictures fit half of what is free of it; else the disk.

    Args:
        count: Pictures.
        size: Their side, pixels.
        processes: How many keep as many of them on this machine, this one among them.

    Raises:
        DiskFull: They fit neither.
    """
    shape, free = (count, size, size, 3), free_memory() // processes
    needed = _bytes(shape)
    if needed <= max(ALWAYS, free * SHARE):
        return Storage(shape=shape, folder=None, free=free)
    folder = large_folder()
    room = shutil.disk_usage(folder).free // processes
    if needed + SPARE > room:
        raise DiskFull(
            f"{words.count(count, 'image')} of {size} x {size} take {amount(needed)}, but only "
            f"{amount(free)} of memory and {amount(room)} of the disk at {folder} are free; free "
            "some, set TMPDIR to a folder with more room, or use a smaller --size."
        )
    return Storage(shape=shape, folder=folder, free=free)


def large_folder() -> Path:
    """The folder for large temporary files: the one that TMPDIR names, else the system's.

    On Linux that is `/var/tmp`, since `/tmp` itself lies in memory on many machines.
    """
    named = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    large = Path("/var/tmp")
    if not named and large.is_dir() and os.access(large, os.W_OK | os.X_OK):
        return large
    return Path(tempfile.gettempdir())


class Store(Protocol):
    """Takes pictures one by one and hands them all over as one array."""

    def add(self, picture: Picture) -> None:
        """Take the next one, (size, size, 3) uint8."""

    def pictures(self) -> Pictures:
        """All of them, once they are there: (N, size, size, 3) uint8."""


@contextmanager
def open_store(storage: Storage) -> Iterator[Store]:
    """A store for as long as the block runs; the array that it hands over stays.

    On disk the pictures are plain bytes in a file without a name, written from front to end. The
    system removes such a file once nobody has it open, however the program ends: none is ever left
    behind, found half written, or out of date.

    Raises:
        DiskFull: There is no room for all of them.
    """
    if storage.folder is None:
        yield _InMemory(storage.shape)
        return
    with (
        explain_unwritable(storage.folder),
        tempfile.TemporaryFile(dir=storage.folder, buffering=BUFFER) as file,
    ):
        yield _OnDisk(storage.shape, file)


class _InMemory:
    def __init__(self, shape: tuple[int, int, int, int]) -> None:
        self._array: Pictures = np.empty(shape, dtype=np.uint8)
        self._taken = 0

    def add(self, picture: Picture) -> None:
        self._array[self._taken] = picture
        self._taken += 1

    def pictures(self) -> Pictures:
        return self._array


class _OnDisk:
    def __init__(self, shape: tuple[int, int, int, int], file: IO[bytes]) -> None:
        self._shape = shape
        self._file = file

    def add(self, picture: Picture) -> None:
        # Written as a file and only read as a map: writing a map on a full disk kills the program.
        self._file.write(np.ascontiguousarray(picture).data)

    def pictures(self) -> Pictures:
        self._file.flush()
        return np.memmap(self._file, dtype=np.uint8, mode="r", shape=self._shape)


def _bytes(shape: tuple[int, int, int, int]) -> int:
    count, height, width, channels = shape
    return count * height * width * channels
