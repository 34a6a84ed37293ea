"""Folders and files at an fsspec address, such as `s3://bucket/cats`: listed, read, written.

fsspec is known here alone. A file system of it is made anew in each process that asks, from the
address: those that were open before a fork do not work after it.
"""

import dataclasses
import errno
import io
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from catgan.core.errors import (
    BadUsage,
    CatganError,
    MissingPackage,
    NoSuchFolder,
    NotReached,
    NotWritable,
)
from catgan.core.files import AnyPath, explain_unwritable
from catgan.core.systems import WINDOWS

Value = TypeVar("Value")

PAUSES = (0.5, 2.0)  # seconds before the second and the third try
BLOCK = 16 << 20  # bytes copied to the disk at a time: each is a request
BACKENDS = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "hf": "huggingface_hub",
            "az": "adlfs", "abfs": "adlfs", "sftp": "paramiko", "ssh": "paramiko"}  # fmt: skip
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]+"
_ADDRESS = re.compile(rf"({_SCHEME}::)*{_SCHEME}://")  # fsspec chains several with "::"
_TAGS = ("ETag", "etag", "md5Hash", "content_md5", "blob_id", "oid", "generation")
_TIMES = ("LastModified", "last_modified", "mtime", "updated", "timeModified", "created")


def is_address(name: AnyPath) -> bool:
    """Whether a folder is named by an address and not by a path."""
    return isinstance(name, str) and _ADDRESS.match(name) is not None


def place_of(name: "AnyPath | Remote") -> "Path | Remote":
    """The folder that an address or a path names; `file://` is a path."""
    if isinstance(name, Remote):
        return name
    if isinstance(name, str) and name.startswith("file://") and "::" not in name:
        path = name.removeprefix("file://")
        return Path(path[1:] if WINDOWS and re.match(r"/[A-Za-z]:", path) else path)
    return Remote(root=name) if isinstance(name, str) and is_address(name) else Path(name)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A folder at an address, or a file in it: plain values, which any process can be given."""

    root: str
    """The address of the folder, as a person named it."""
    path: str = ""
    """The file, as its file system names it; "" for the folder."""
    size: int = -1
    """Bytes of the file, as listed; -1 where that is not known."""

    def __str__(self) -> str:
        """The address, without a password that may be in it."""
        shown = re.sub(r"//[^/@]*@", "//", self.root)
        if not self.path:
            return shown
        return f"{shown.split('://')[0]}://{self.path.removeprefix('/')}"

    @property
    def is_of_this_process(self) -> bool:
        """Whether no other process can see it."""
        return "memory://" in self.root

    def check(self) -> None:
        """That the folder's file system can be reached from here.

        Raises:
            BadUsage, MissingPackage: fsspec does not know it, or lacks a package for it.
            NoSuchFolder: There is no such folder, or it may not be read.
            NotReached: Nobody answers.
        """
        try:
            _tried(self, lambda system, base: _asked(system, base))
        except OSError as error:
            raise self._unlisted(error) from error

    def files(self) -> "list[RemoteFile]":
        """All files below the folder, at any depth, by name.

        Raises:
            NoSuchFolder: There is no such folder, or it is a file.
            NotReached: Nobody answers.
        """

        def find(system: Any, base: str) -> "list[RemoteFile]":
            system.invalidate_cache()
            found = system.find(base, detail=True)
            if [path.strip("/") for path in found] == [base.strip("/")]:
                raise NotADirectoryError(errno.ENOTDIR, "it is a file, not a folder")
            return [self._file(path, info, base) for path, info in found.items()]

        try:
            found = _tried(self, find)
        except OSError as error:
            raise self._unlisted(error) from error
        return sorted(
            (file for file in found if file.name and not file.name.endswith("/")),
            key=lambda file: file.name,
        )

    def _unlisted(self, error: OSError) -> NoSuchFolder:
        return NoSuchFolder(
            f"{self} cannot be listed ({error.strerror}); check the address and the credentials."
        )

    def _file(self, path: str, info: Mapping[str, Any], base: str) -> "RemoteFile":
        size = -1 if info.get("size") is None else int(info["size"])
        tag = next((str(info[name]) for name in _TAGS if info.get(name)), "")
        return RemoteFile(
            place=dataclasses.replace(self, path=path, size=size),
            name=path.strip("/").removeprefix(base.strip("/")).strip("/"),
            modified=next((_nanoseconds(info[name]) for name in _TIMES if info.get(name)), 0),
            tag=sha256(tag.encode()).hexdigest()[:16] if tag else "",
        )

    def open(self) -> "RemoteReader":
        """The file, for reading parts of it; nothing is asked of anybody yet."""
        return RemoteReader(self)

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """A copy of the file in a temporary folder while the block runs.

        Raises:
            OSError, NotReached: See `RemoteReader.read`.
            DiskFull: There is no room for it.
        """
        with tempfile.TemporaryDirectory(prefix="catgan-") as folder:
            copy = Path(folder) / ("file" + Path(self.path).suffix)
            reader = self.open()
            with explain_unwritable(copy), copy.open("wb") as out:
                while block := reader.read(BLOCK):
                    out.write(block)
            yield copy

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write whole files into the folder, several at a time.

        Args:
            files: Name, relative to the folder with forward slashes -> contents.

        Raises:
            NotWritable: That is not allowed.
            NotReached: Nobody answers.
        """

        def pipe(system: Any, base: str) -> None:
            whole = {f"{base}/{name}": data for name, data in files.items()}
            try:
                system.pipe(whole)
            except FileNotFoundError:  # most storages have no folders; this one does
                for folder in {path.rpartition("/")[0] for path in whole}:
                    system.makedirs(folder, exist_ok=True)
                system.pipe(whole)

        self._change(pipe)

    def read(self, name: str) -> bytes:
        """A whole small file of the folder.

        Raises:
            NoSuchFolder: It cannot be read.
            NotReached: Nobody answers.
        """
        try:
            return bytes(_tried(self, lambda system, base: system.cat_file(f"{base}/{name}")))
        except OSError as error:
            raise NoSuchFolder(
                f"{self}/{name} cannot be read ({error.strerror}); check what the credentials "
                "allow."
            ) from error

    def upload(self, name: str, file: Path) -> None:
        """Write a large file into the folder, without holding it; as `write`."""
        self._change(lambda system, base: system.put_file(str(file), f"{base}/{name}"))

    def remove(self, names: list[str]) -> None:
        """Remove files of the folder; as `write`."""
        self._change(lambda system, base: system.rm([f"{base}/{name}" for name in names]))

    def _change(self, what: Callable[[Any, str], None]) -> None:
        try:
            _tried(self, what)
        except OSError as error:
            raise NotWritable(
                f"{self} cannot be written to ({error.strerror}); check the address and what the "
                "credentials allow."
            ) from error


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """One file of a remote folder, as listed."""

    place: Remote
    """Where it is."""
    name: str
    """Relative to the folder, with forward slashes."""
    modified: int
    """When it last changed, nanoseconds since 1970; 0 where the storage does not say."""
    tag: str
    """Of its contents, from the storage's own tag, 16 hexadecimal digits; "" where it has none."""


class RemoteReader:
    """A file at an address that is read in parts, each in one request."""

    def __init__(self, place: Remote) -> None:
        """Begin at its beginning."""
        self._place = place
        self._at = 0
        self._whole: bytes | None = None  # where its size is not known before

    def __enter__(self) -> "RemoteReader":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open."""

    def seek(self, position: int) -> None:
        """Go to a position, bytes from the beginning."""
        self._at = position

    def read(self, most: int = -1) -> bytes:
        """The next bytes, or all that follow.

        Raises:
            OSError: The file is not there, or cannot be read, while its storage answers.
            NotReached: The storage does not answer.
        """
        size = self._place.size if self._whole is None else len(self._whole)
        if size < 0:  # whoever does not say how much there is may not know of parts either
            self._whole = self._get({})
            size = len(self._whole)
        end = size if most < 0 else min(size, self._at + most)
        if self._at >= end:  # storages refuse a range of nothing
            return b""
        if self._whole is not None:
            data = self._whole[self._at : end]
        else:
            # by name: not every file system has them in the same place
            data = self._get({} if end - self._at == size else {"start": self._at, "end": end})
        self._at += len(data)
        return data

    def _get(self, part: Mapping[str, int]) -> bytes:
        path = self._place.path
        return bytes(_tried(self._place, lambda system, _: system.cat_file(path, **part)))


def _tried(place: Remote, what: Callable[[Any, str], Value]) -> Value:
    """What a file system gives, asked up to three times.

    Raises:
        OSError: It says that what is asked for is not there or not allowed, or cannot give this one
            file and answers otherwise; `strerror` says why.
        NotReached: It does not answer.
    """
    system, base = _system(place)
    for pause in (*PAUSES, None):
        try:
            return what(system, base)
        except FileNotFoundError as error:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory") from error
        except PermissionError as error:
            raise PermissionError(errno.EACCES, "Permission denied") from error
        except NotADirectoryError:
            raise
        except CatganError:
            raise
        except Exception as error:  # each storage has errors of its own, and most are no OSError
            if pause is None:
                if place.path and _answers(place, system):
                    raise OSError(errno.EIO, _reason(error)) from error
                raise NotReached(
                    f"{place} cannot be reached ({_reason(error)}). What was finished is saved; "
                    "check the connection and the credentials, and rerun the same command."
                ) from error
            time.sleep(pause)
    raise AssertionError("the last try ends it")


def _asked(system: Any, path: str) -> None:
    """Ask for something small, which no listing kept here answers."""
    system.invalidate_cache()
    system.info(path)


def _answers(place: Remote, system: Any) -> bool:
    try:
        _asked(system, place.path)
    except FileNotFoundError:
        return True
    except Exception:  # as above
        return False
    return True


def _system(place: Remote) -> tuple[Any, str]:
    """The file system of an address, and its path of the folder."""
    scheme = place.root.split(":", 1)[0].lower()
    try:
        import fsspec.core
    except ImportError as error:
        raise MissingPackage(
            f"Addresses such as {place} need one more package: pip install fsspec"
        ) from error
    try:
        system, base = fsspec.core.url_to_fs(place.root)
    except ImportError as error:
        needed = BACKENDS.get(scheme)
        advice = f": pip install {needed}" if needed else f" ({error})"
        raise MissingPackage(f"{scheme}:// addresses need one more package{advice}") from error
    except ValueError as error:
        raise BadUsage(
            f"{place} is not an address that fsspec knows ({_reason(error)}); "
            "name a folder, or an address such as s3://bucket/photos."
        ) from error
    except Exception as error:  # credentials that are missing or broken, a host that is unknown
        raise NotReached(
            f"{place} cannot be opened ({_reason(error)}); check the credentials, and rerun the "
            "same command."
        ) from error
    return system, str(base).rstrip("/")


def _reason(error: BaseException) -> str:
    words = str(error).strip().splitlines()
    return words[0][:160] if words else type(error).__name__


def _nanoseconds(moment: object) -> int:
    if isinstance(moment, datetime):
        return round(moment.timestamp() * 1e6) * 1000
    if isinstance(moment, int | float):
        return round(moment * 1e9)
    try:
        return _nanoseconds(datetime.fromisoformat(str(moment)))
    except ValueError:
        return 0


Opened = io.BufferedReader | RemoteReader
