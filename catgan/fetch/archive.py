"""Archives of strangers: what is in a ZIP or tar file, without being led astray by it.

Names that lead outside are refused with the whole archive; links and devices are passed over; bytes
are counted as they come out, whatever the headers say.
"""

import bz2
import dataclasses
import gzip
import io
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from catgan.core.errors import FetchRefused
from catgan.core.files import open_file
from catgan.core.words import amount

MOST_ENTRIES = 500_000
MOST_AT_ONCE = 1 << 26  # bytes read in one piece: a tar's header may claim to be longer
CHUNK = 1 << 20
SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")

_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    UnicodeError,
    ValueError,
    OSError,  # gzip's and bz2's word for broken data
)


@dataclasses.dataclass(slots=True)
class Entry:
    """One file in an archive; to be read before the next is asked for."""

    name: PurePosixPath
    """Inside the archive: relative, without `..`."""
    size: int
    """Bytes, as the archive states it."""
    _archive: Path
    _file: BinaryIO
    _budget: "Budget"

    def chunks(self) -> Iterator[bytes]:
        """What it holds.

        Raises:
            FetchRefused: There is more than allowed, or it is broken.
        """
        while True:
            with _explained(self._archive):
                chunk = self._file.read(CHUNK)
            if not chunk:
                return
            self._budget.take(len(chunk))
            yield chunk


class Budget:
    """Bytes that may come out of an archive."""

    def __init__(self, path: Path, most: int) -> None:
        """So many in all."""
        self._path, self._most, self._left = path, most, most

    def take(self, count: int) -> None:
        """Count bytes.

        Raises:
            FetchRefused: It is too much.
        """
        self._left -= count
        if self._left < 0:
            raise FetchRefused(
                f"{self._path.name} unpacks to more than the {amount(self._most)} allowed; "
                "if you trust it, use a larger --max-gigabytes."
            )


class _Bounded(io.RawIOBase):
    """An unpacked tar: its bytes are counted, and none are read in pieces that fill the memory."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        self._file, self._budget = file, budget
        self._seen = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0 or size > MOST_AT_ONCE:
            raise tarfile.ReadError("a header claims to be longer than any is")
        data = self._file.read(size)
        self._count()
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        place = self._file.seek(offset, whence)
        self._count()
        return place

    def tell(self) -> int:
        return self._file.tell()

    def _count(self) -> None:
        place = self._file.tell()
        if place > self._seen:
            self._budget.take(place - self._seen)
            self._seen = place


def entries(path: Path, *, most: int) -> Iterator[Entry]:
    """The files in an archive, in its order.

    Args:
        path: A ZIP file, or a tar as it is or packed by gzip, bzip2 or xz; told by what it holds.
        most: Bytes that may come out.

    Raises:
        FetchRefused: It is no such archive, broken, encrypted, too large, or has names that lead
            outside; says which.
        OSError: It cannot be opened.
    """
    with open_file(path, most=most) as file, _explained(path):
        head = file.peek(8)[:8]
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            yield from _of_zip(path, file, most)
        else:
            yield from _of_tar(path, _unpacked(file, head), most)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say of whatever a parser stumbles over which archive it is."""
    try:
        yield
    except NotImplementedError as error:  # a RuntimeError, too: a compression unknown to Python
        raise _broken(path, error) from error
    except RuntimeError as error:  # zipfile's word for a password that it lacks
        raise FetchRefused(
            f"{path.name} is encrypted; unpack it yourself, and curate that folder."
        ) from error
    except _BROKEN as error:
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> FetchRefused:
    return FetchRefused(
        f"{path.name} is not a whole ZIP or tar archive "
        f"({str(error) or type(error).__name__}); fetch it again, or name another one."
    )


def _of_zip(path: Path, file: BinaryIO, most: int) -> Iterator[Entry]:
    budget = Budget(path, most)
    with zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        _check_count(path, len(infos))
        names = [safe_name(info.filename, path) for info in infos]  # all, before any is unpacked
        for info, name in zip(infos, names, strict=True):
            mode = info.external_attr >> 16
            if info.is_dir() or name is None or (mode and not _is_plain(mode)):
                continue
            with archive.open(info) as member:
                yield Entry(name, info.file_size, path, member, budget)  # type: ignore[arg-type]


def _is_plain(mode: int) -> bool:
    """Whether a Unix mode in a ZIP is a file's; one without a type is, too."""
    return stat.S_IFMT(mode) in (0, stat.S_IFREG)


def _of_tar(path: Path, file: BinaryIO, most: int) -> Iterator[Entry]:
    # what is unpacked is counted once for the tar itself, with room for its headers
    bounded = _Bounded(file, Budget(path, most))
    uncounted = Budget(path, 1 << 62)
    with tarfile.open(fileobj=bounded, mode="r:") as archive:
        for number, member in enumerate(archive):
            _check_count(path, number)
            name = safe_name(member.name, path)
            archive.members = []  # type: ignore[attr-defined]  # tarfile keeps all it has seen
            if name is None or not member.isreg() or member.issparse():
                continue
            found = archive.extractfile(member)
            if found is not None:
                yield Entry(name, member.size, path, found, uncounted)  # type: ignore[arg-type]


def _unpacked(file: BinaryIO, head: bytes) -> BinaryIO:
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if head.startswith(b"BZh"):
        return bz2.BZ2File(file)  # type: ignore[return-value]
    if head.startswith(b"\xfd7zXZ\x00"):
        return lzma.LZMAFile(file)  # type: ignore[return-value]
    return file


def _check_count(path: Path, count: int) -> None:
    if count > MOST_ENTRIES:
        raise FetchRefused(
            f"{path.name} has more than {MOST_ENTRIES:,} entries; "
            "unpack it yourself, and curate that folder."
        )


def safe_name(name: str, archive: Path) -> PurePosixPath | None:
    """A name in an archive as a relative path; None for what systems put there by themselves.

    Args:
        name: As the archive has it.
        archive: For the sentence.

    Raises:
        FetchRefused: It leads outside the folder that it is unpacked to.
    """
    plain = name.replace("\\", "/")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    if plain.startswith("/") or ".." in parts or "\0" in name or re.match(r"[A-Za-z]:", plain):
        raise FetchRefused(
            f"{archive.name} has an entry {name!r:.80}, which leads outside its folder: "
            "do not trust it."
        )
    if not parts or any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return None
    return PurePosixPath(*parts)
