"""Which files of a folder are photos: by what is in them, whatever they are called."""

import builtins
import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path, PurePath, PurePosixPath

from catgan.core.errors import NoSuchFolder, UnreadablePhoto
from catgan.core.files import check_folder, open_file
from catgan.core.kinds import (
    PHOTO_SUFFIXES,
    SNIFF,
    is_jpeg_2000,
    is_jpeg_xl,
    is_video,
    looks_like_picture,
)
from catgan.core.names import printable
from catgan.core.remote import Opened, Remote, RemoteFile
from catgan.curate.unused import Unused

MAX_BYTES = 1 << 30  # a gibibyte: 250 megapixels without compression are 0.7
PROBED = 1 << 16  # bytes at the beginning and at the end that tell whether a file has changed
LIVE_SUFFIXES = frozenset({".heic", ".heif", ".jpg", ".jpeg"})
MOST_LIVE = 30_000_000  # bytes of the video of a Live Photo, which has three seconds
BLOCK = 1 << 20  # bytes hashed at a time
HEADS = 16  # files of an address whose first bytes are asked for at a time

# What network drives, systems and archives put beside photos: thumbnails, and what was deleted.
SYSTEM_FOLDERS = frozenset(
    {"@eadir", "#recycle", "@recycle", "$recycle.bin", ".trash", ".trashes", "lost+found",
     ".thumbnails", ".@__thumb", "__macosx", "#snapshot", "@recently-snapshot", ".spotlight-v100",
     ".fseventsd", "system volume information"}
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PhotoFile:
    """A file that is, or says it is, a photo."""

    path: Path | Remote
    """Where it is."""
    name: str
    """Its path relative to the raw folder, with forward slashes, printable."""
    bytes: int
    """Its size."""
    modified: int
    """When it last changed, nanoseconds since 1970."""
    is_clip: bool = False
    """Whether it is a video."""
    seen: bool = True
    """Whether the system could say that much; else the two are 0."""
    tag: str = ""
    """What its storage says of its contents, in place of a probe; "" for a file on a disk."""

    def read(self) -> "builtins.bytes":
        """The whole file.

        Raises:
            UnreadablePhoto: It cannot be opened, or is larger than any photo.
        """
        self._check_size()
        try:
            with self._opened(MAX_BYTES) as file:
                return file.read()  # not of the most: for so many bytes room would be made
        except OSError as error:
            raise _unopened(error) from error

    def head(self) -> "builtins.bytes":
        """Its first bytes, which tell what it is.

        Raises:
            UnreadablePhoto: It cannot be opened.
        """
        try:
            with self._opened() as file:
                return file.read(SNIFF)
        except OSError as error:
            raise _unopened(error) from error

    def digest(self) -> str:
        """SHA-256 of its contents, hexadecimal, without holding them.

        Raises:
            UnreadablePhoto: It cannot be opened, or is larger than any photo.
        """
        digest = hashlib.sha256()
        if not self.is_clip:
            self._check_size()
        try:
            with self._opened(1 << 62 if self.is_clip else MAX_BYTES) as file:
                while block := file.read(BLOCK):
                    digest.update(block)
        except OSError as error:
            raise _unopened(error) from error
        return digest.hexdigest()

    def probe(self) -> str:
        """What `probe_of` says of its contents: only the ends are read; or the tag, if it has one.

        Raises:
            UnreadablePhoto: It cannot be opened.
        """
        if self.tag:
            return self.tag
        try:
            with self._opened() as file:
                head = file.read(PROBED)
                file.seek(max(len(head), self.bytes - PROBED))
                return _probe(head, file.read(PROBED))
        except OSError as error:
            raise _unopened(error) from error

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """A path that other libraries can open, while the block runs.

        Raises:
            UnreadablePhoto: It cannot be opened.
            DiskFull: It had to be copied, and there is no room.
        """
        if isinstance(self.path, Path):
            yield self.path
            return
        with ExitStack() as stack:
            try:
                copy = stack.enter_context(self.path.on_disk())
            except OSError as error:
                raise _unopened(error) from error
            yield copy

    def _check_size(self) -> None:
        if self.bytes > MAX_BYTES:
            raise UnreadablePhoto(
                f"the file has {self.bytes / 1e9:.1f} gigabytes, more than any photo"
            )

    def _opened(self, most: int = 1 << 62) -> AbstractContextManager[Opened]:
        if isinstance(self.path, Remote):
            return self.path.open()
        return open_file(self.path, most=most)


def probe_of(data: bytes) -> str:
    """What tells contents from others of the same size and time, at the price of two reads.

    Programs that turn a photo by a tag, or write a caption, keep both where they are told to; what
    they change lies at the beginning of a file, or at its end.

    Returns:
        16 hexadecimal digits.
    """
    head = data[:PROBED]
    return _probe(head, data[max(len(head), len(data) - PROBED) :])


def _probe(head: bytes, tail: bytes) -> str:
    return hashlib.sha256(head + tail).hexdigest()[:16]


def _unopened(error: OSError) -> UnreadablePhoto:
    return UnreadablePhoto(f"the file cannot be opened ({error.strerror})")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Unlisted:
    """A folder that the system would not list: what is in it is not known, and not gone."""

    name: str
    """Relative to the raw folder, with forward slashes and one at the end."""
    why: str
    """What the system said."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is in a folder of photos."""

    photos: tuple[PhotoFile, ...]
    """The photos, by path."""
    clips: tuple[PhotoFile, ...]
    """The videos, likewise; none where they are not to be read."""
    unlisted: tuple[Unlisted, ...]
    """Folders that could not be looked into."""
    unused: Mapping[Unused, int]
    """What was passed over, and is to be told."""
    unseen: frozenset[str] = frozenset()
    """The names of files that are there and cannot be looked at just now: videos where these are
    not wanted, and what the system would not open."""


def check_raw(raw: Path | Remote) -> None:
    """Raise `NoSuchFolder` unless `raw` is a folder that can be listed.

    An address is only listed once, by `find_photos`.
    """
    if isinstance(raw, Remote):
        return
    check_folder(raw, "name the folder that your photos are in")
    try:
        with os.scandir(raw):
            pass
    except OSError as error:
        raise NoSuchFolder(
            f"{raw} cannot be listed ({error.strerror}); check its permissions, or its drive."
        ) from error


def find_photos(raw: Path | Remote, *, clips: bool = False) -> Found:
    """The photos in a folder, at any depth, by path in a fixed order.

    Hidden files and folders are left out (macOS keeps its notes in them), links to folders are
    not followed, and files that neither are nor are called pictures are passed over; those that
    their owner may take for photos are counted.

    Args:
        raw: The folder.
        clips: Whether videos are wanted; else they are counted.

    Raises:
        NoSuchFolder: It is an address, and cannot be listed.
        NotReached: Likewise, and nobody answers.
    """
    search = _Search(clips=clips)
    if isinstance(raw, Remote):
        search.take_listed(raw.files())
    else:
        search.walk(raw, "")
    return Found(
        photos=tuple(search.photos),
        clips=tuple(search.clips),
        unlisted=tuple(search.unlisted),
        unused=dict(search.unused),
        unseen=frozenset(search.unseen),
    )


class _Search:
    """What has been found so far."""

    def __init__(self, *, clips: bool) -> None:
        self._wants_clips = clips
        self.clips: list[PhotoFile] = []
        self.photos: list[PhotoFile] = []
        self.unlisted: list[Unlisted] = []
        self.unused: Counter[Unused] = Counter()
        self.unseen: list[str] = []

    def walk(self, folder: Path, prefix: str) -> None:
        # a heap of its own, not of Python's: folders may lie in one another a thousand deep
        open_ = [self._folders(folder, prefix)]
        while open_:
            inner = next(open_[-1], None)
            if inner is None:
                open_.pop()
            else:
                open_.append(self._folders(*inner))

    def _folders(self, folder: Path, prefix: str) -> Iterator[tuple[Path, str]]:
        """Take a folder's files, and give the folders in it where they come by name."""
        try:
            with os.scandir(folder) as entries:
                there = list(entries)
        except OSError as error:
            self.unlisted.append(Unlisted(name=prefix, why=error.strerror or str(error)))
            return
        photos = _live_stems(entry.name for entry in there)
        for entry in sorted(there, key=_full_name):
            name = _full_name(entry)
            if name.endswith("/") and _is_systems(entry.name):
                self.unused[Unused.SYSTEM_FOLDER] += 1
            elif entry.name.startswith("."):
                if entry.name.lower().endswith(".icloud"):
                    self.unused[Unused.ICLOUD] += 1
            elif name.endswith("/"):
                yield folder / entry.name, prefix + name
            elif _is_live(entry.name, partial(_size_of, entry), photos):
                self.unused[Unused.LIVE_PHOTO] += 1
            else:
                self._take(folder / entry.name, prefix + name)

    def take_listed(self, files: Iterable[RemoteFile]) -> None:
        """Take what an address holds: files alone, by name; it has no links and no folders."""
        shown, systems = [], set()
        for file in files:
            *folders, name = file.name.split("/")
            system = next((place for place, one in enumerate(folders) if _is_systems(one)), None)
            if system is not None:
                systems.add(tuple(folders[: system + 1]))
            elif any(folder.startswith(".") for folder in folders):
                continue
            elif name.startswith("."):
                if name.lower().endswith(".icloud"):
                    self.unused[Unused.ICLOUD] += 1
            else:
                shown.append(file)
        if systems:
            self.unused[Unused.SYSTEM_FOLDER] += len(systems)
        beside: dict[str, list[str]] = {}
        for file in shown:
            folder, _, name = file.name.rpartition("/")
            beside.setdefault(folder, []).append(name)
        stems = {folder: _live_stems(names) for folder, names in beside.items()}
        kept = []
        for file in shown:
            folder, _, name = file.name.rpartition("/")
            if _is_live(name, partial(int, file.place.size), stems[folder]):
                self.unused[Unused.LIVE_PHOTO] += 1
            else:
                kept.append(file)
        self._take_remote(kept)

    def _take_remote(self, files: Iterable[RemoteFile]) -> None:
        photos = [_remote_file(file) for file in files]
        others = [photo for photo in photos if not _says_photo(photo)]
        with ThreadPoolExecutor(HEADS) as pool:
            heads = dict(zip(others, pool.map(_head_of, others), strict=True))
        for photo in photos:
            if _says_photo(photo):
                self.photos.append(photo)
                continue
            suffix = PurePosixPath(photo.name).suffix.lower()
            head = heads[photo]
            if head is None:
                self.unused[Unused.UNOPENED] += 1
                self.unseen.append(photo.name)
            elif self._wants_clips and is_video(head, suffix):
                self.clips.append(dataclasses.replace(photo, is_clip=True))
            elif looks_like_picture(head):
                self.photos.append(photo)
            else:
                self._pass_over_file(head, suffix)
                if is_video(head, suffix):
                    self.unseen.append(photo.name)

    def _take(self, path: Path, name: str) -> None:
        suffix = path.suffix.lower()
        meant = suffix in PHOTO_SUFFIXES
        try:
            if not path.is_file():
                self._pass_over(path)
                return
            status = path.stat()
            if not meant:
                with open_file(path, most=1 << 62) as file:
                    head = file.read(SNIFF)
                if self._wants_clips and is_video(head, suffix):
                    self.clips.append(_file(path, name, status, is_clip=True))
                    return
                if not looks_like_picture(head):
                    self._pass_over_file(head, suffix)
                    if is_video(head, suffix):
                        self.unseen.append(name)
                    return
        except OSError:
            if meant:
                self.photos.append(PhotoFile(path=path, name=name, bytes=0, modified=0, seen=False))
            else:
                self.unused[Unused.UNOPENED] += 1
                self.unseen.append(name)
            return
        self.photos.append(_file(path, name, status))

    def _pass_over(self, path: Path) -> None:
        """What is neither a folder nor a file: a link, or a pipe, which is nobody's photo."""
        if path.is_symlink():
            self.unused[Unused.LINKED_FOLDER if path.is_dir() else Unused.DEAD_LINK] += 1

    def _pass_over_file(self, head: bytes, suffix: str) -> None:
        if is_jpeg_xl(head, suffix):
            self.unused[Unused.JPEG_XL] += 1
        elif is_jpeg_2000(head, suffix):
            self.unused[Unused.JPEG_2000] += 1
        elif is_video(head, suffix):
            self.unused[Unused.VIDEO] += 1


def _file(path: Path, name: str, status: os.stat_result, *, is_clip: bool = False) -> PhotoFile:
    return PhotoFile(
        path=path,
        name=name,
        bytes=status.st_size,
        modified=status.st_mtime_ns,
        is_clip=is_clip,
    )


def _remote_file(file: RemoteFile) -> PhotoFile:
    return PhotoFile(
        path=file.place,
        name=printable(file.name),
        bytes=max(0, file.place.size),
        modified=file.modified,
        tag=file.tag,
    )


def _says_photo(photo: PhotoFile) -> bool:
    return PurePosixPath(photo.name).suffix.lower() in PHOTO_SUFFIXES


def _head_of(photo: PhotoFile) -> bytes | None:
    try:
        return photo.head()
    except UnreadablePhoto:
        return None


def _live_stems(names: Iterable[str]) -> set[str]:
    """What the photos of a folder are called that may be Live Photos."""
    paths = map(PurePath, names)
    return {
        path.stem.casefold()
        for path in paths
        if path.suffix.lower() in LIVE_SUFFIXES and not path.name.startswith(".")
    }


def _is_live(name: str, size: Callable[[], int], photos: Collection[str]) -> bool:
    """Whether it is the video of a Live Photo: the same three seconds as the photo beside it."""
    path = PurePath(name)
    try:
        return (
            path.suffix.lower() == ".mov" and path.stem.casefold() in photos and size() <= MOST_LIVE
        )
    except OSError:
        return False


def _size_of(entry: os.DirEntry[str]) -> int:
    return entry.stat().st_size


def _full_name(entry: os.DirEntry[str]) -> str:
    # with a slash, so that the order is that of the full paths
    return printable(entry.name) + "/" * entry.is_dir(follow_symlinks=False)


def _is_systems(name: str) -> bool:
    plain = name.casefold()
    return plain in SYSTEM_FOLDERS or plain.startswith(".trash-")
