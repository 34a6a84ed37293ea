"""Which files of a folder are photos: by what is in them, whatever they are called."""

import builtins
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from catgan.core.errors import NoSuchFolder, UnreadablePhoto
from catgan.core.files import check_folder, open_file, read_file
from catgan.core.names import printable
from catgan.core.photos import SNIFF, looks_like_picture

# A file so named was meant to be a photo: if it is none, it gets a verdict that says so.
PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".heic", ".heif",
     ".avif"}
)  # fmt: skip

MAX_BYTES = 1 << 30  # a gibibyte: 250 megapixels without compression are 0.7


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PhotoFile:
    """A file that is, or says it is, a photo."""

    path: Path
    """Where it is."""
    name: str
    """Its path relative to the raw folder, with forward slashes, printable."""
    bytes: int
    """Its size."""
    modified: int
    """When it last changed, nanoseconds since 1970."""

    def read(self) -> "builtins.bytes":
        """The whole file.

        Raises:
            UnreadablePhoto: It cannot be opened, or is larger than any photo.
        """
        if self.bytes > MAX_BYTES:
            raise UnreadablePhoto(
                f"the file has {self.bytes / 1e9:.1f} gigabytes, more than any photo"
            )
        try:
            return read_file(self.path, most=MAX_BYTES)
        except OSError as error:
            raise UnreadablePhoto(f"the file cannot be opened ({error.strerror})") from error


def check_raw(raw: Path) -> None:
    """Raise `NoSuchFolder` unless `raw` is a folder that can be listed."""
    check_folder(raw, "name the folder that your photos are in")
    if not os.access(raw, os.R_OK | os.X_OK):
        raise NoSuchFolder(f"{raw} may not be read; change its permissions, or name another one.")


def find_photos(raw: Path) -> Iterator[PhotoFile]:
    """The photos in a folder, at any depth, by path in a fixed order.

    Hidden files and folders are left out (macOS keeps its notes in them), links to folders are
    not followed, and files that neither are nor are called pictures are passed over.
    """
    yield from _walk(raw, "")


def _walk(folder: Path, prefix: str) -> Iterator[PhotoFile]:
    try:
        with os.scandir(folder) as entries:
            shown = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return

    def full_name(entry: os.DirEntry[str]) -> str:
        # with a slash, so that the order is that of the full paths
        return printable(entry.name) + "/" * entry.is_dir(follow_symlinks=False)

    for entry in sorted(shown, key=full_name):
        name = full_name(entry)
        if name.endswith("/"):
            yield from _walk(folder / entry.name, prefix + name)
        elif (photo := _photo(folder / entry.name, prefix + name)) is not None:
            yield photo


def _photo(path: Path, name: str) -> PhotoFile | None:
    meant = path.suffix.lower() in PHOTO_SUFFIXES
    try:
        if not path.is_file():
            return None
        status = path.stat()
        if not meant:
            with open_file(path) as file:
                if not looks_like_picture(file.read(SNIFF)):
                    return None
    except OSError:
        if not meant:
            return None
        return PhotoFile(path=path, name=name, bytes=0, modified=0)
    return PhotoFile(path=path, name=name, bytes=status.st_size, modified=status.st_mtime_ns)
