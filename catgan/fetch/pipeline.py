"""`fetch` from end to end: an album or an archive to a folder of photos, with its source beside."""

import dataclasses
import hashlib
import os
import re
import shutil
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from catgan.core.errors import BadUsage, DiskFull, FetchRefused, FolderRefused, NoPictures
from catgan.core.files import (
    AnyPath,
    check_place,
    explain_unwritable,
    locked,
    make_folder,
    open_file,
    read_there,
    write_text,
)
from catgan.core.kinds import SNIFF, is_video, looks_like_picture
from catgan.core.systems import is_plain_name
from catgan.core.words import amount, listed
from catgan.fetch.albums import ALBUMS, Album, Packed
from catgan.fetch.archive import SUFFIXES, Entry, entries
from catgan.fetch.config import FetchConfig
from catgan.fetch.download import check_url, download, is_url

SOURCE = "SOURCE.md"
STAMP = "<!-- Written by catgan fetch. -->"
MOST_NOTE = 1 << 20  # bytes of a licence or a readme that is kept
MOST_NOTES = 20
MOST_LABELS = 1 << 26  # bytes of an album's lists
NOTE = re.compile(
    r"(licen[cs]e|copying|copyright|readme|citation|cite|credits|attribution)[^/]*", re.IGNORECASE
)
NOTE_SUFFIXES = ("", ".txt", ".md", ".rst", ".bib", ".cff")
MOST_NAME = 150  # characters of a file's name


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FetchProgress:
    """Where the work stands."""

    doing: str
    """What is being done, a few words."""
    done: int
    """Bytes brought, or photos unpacked."""
    total: int
    """Of all; 0 where nobody knows."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FetchPlan:
    """What is to be fetched, and where to."""

    source: str
    """An album's name, a web address, or a file."""
    album: Album | None
    """The album, where it is one."""
    folder: Path
    """Where its photos will be."""
    there: bool
    """Whether they are already."""

    @property
    def work(self) -> Path:
        """The hidden folder, beside it, for what is not finished."""
        return self.folder.with_name(f".{self.folder.name}.fetch")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """What was fetched."""

    plan: FetchPlan
    """What was to be done."""
    photos: int
    """Photos and videos in the folder."""
    bytes: int
    """Their size."""
    passed_over: int
    """Entries of the archive that are none, or are links; 0 where it was there already."""
    sha256: str
    """Of the archive, hexadecimal; "" where it was there already."""


Tell = Callable[[FetchProgress], None]


def plan_fetch(source: str, raw: AnyPath) -> FetchPlan:
    """What `fetch_photos` would do with the same arguments; nothing is written or asked for.

    Raises:
        BadUsage: The source is neither an album, nor a web address, nor a file.
        FolderRefused: The folder that it would get is somebody else's.
    """
    album = ALBUMS.get(source)
    if album is not None:
        name = album.name
    elif is_url(source):
        check_url(source)
        name = _folder_name(urllib.parse.unquote(urllib.parse.urlsplit(source).path))
    elif Path(source).is_file():
        name = _folder_name(Path(source).name)
    else:
        raise BadUsage(
            f"{source} is neither an album, nor a web address, nor a file; "
            f"albums are: {listed(list(ALBUMS))}."
        )
    folder = Path(raw) / name
    check_place(folder)
    there = folder.exists()
    if there:
        said = (read_there(folder / SOURCE) or b"").decode(errors="replace")
        if STAMP not in said or f"- From: {_shown(source)}\n" not in said:
            raise FolderRefused(
                f"{folder} exists already and does not come from {source}; "
                f"move it away, or name another folder than {raw}."
            )
    return FetchPlan(source=source, album=album, folder=folder, there=there)


def fetch_photos(
    source: str,
    raw: AnyPath,
    config: FetchConfig | None = None,
    *,
    progress: Tell | None = None,
) -> FetchResult:
    """Bring photos into a folder of their own under `raw`, with `SOURCE.md` beside them.

    What is being fetched is kept in a hidden folder until it is whole, so that the same call goes
    on where one was stopped, and a folder with half of the photos never exists.

    Args:
        source: An album's name (`oxford-pets`), a web address or the file of a ZIP or tar archive.
        raw: The folder of photos; made where it is missing.
        config: Settings.
        progress: Told where the work stands.

    Raises:
        BadUsage, FolderRefused: See `plan_fetch`.
        NotReached: The server cannot be reached; what came so far stays.
        FetchRefused: The archive is missing, broken, unsafe, too large, or has another checksum.
        NoPictures: There is no photo in it.
        DiskFull: There is no room.
    """
    config = config or FetchConfig()
    tell = progress or (lambda _: None)
    plan = plan_fetch(source, raw)
    if plan.there:
        count, size = _count(plan.folder)
        return FetchResult(plan=plan, photos=count, bytes=size, passed_over=0, sha256="")
    make_folder(plan.work)
    with locked(plan.work):
        album = plan.album
        if album is not None:
            archive = _get(album.photos, plan.work, config, tell)
            labels = _get(album.labels, plan.work, config, tell)
            wanted = album.wanted(_texts(labels))
        elif is_url(source):
            archive = plan.work / "archive"
            _download(source, archive, config, tell)
            wanted = None
        else:
            archive, wanted = Path(source), None
        digest = _digest(archive, "sha256", tell)
        if config.sha256 and digest != config.sha256.lower():
            _forget(archive, plan)
            raise FetchRefused(
                f"{source} has the SHA-256 {digest}, not the one asked for: it is damaged or was "
                "changed. Rerun the same command to fetch it again."
            )
        unpacked = plan.work / "photos"
        shutil.rmtree(unpacked, ignore_errors=True)
        try:
            photos, size, passed_over = _unpack(archive, unpacked, wanted, config, tell)
            if not photos:
                raise NoPictures(f"{source} holds no photo; name another archive.")
        except (FetchRefused, NoPictures):
            _forget(archive, plan)
            raise
        write_text(unpacked / SOURCE, _about(plan, digest, photos))
        with explain_unwritable(plan.folder):
            unpacked.replace(plan.folder)
    shutil.rmtree(plan.work, ignore_errors=True)
    return FetchResult(plan=plan, photos=photos, bytes=size, passed_over=passed_over, sha256=digest)


def _get(packed: Packed, work: Path, config: FetchConfig, tell: Tell) -> Path:
    """One archive of an album, whole and as its publisher made it.

    Raises:
        FetchRefused: It is another file.
    """
    path = work / packed.url.rsplit("/", 1)[-1]
    _download(packed.url, path, config, tell)
    if _digest(path, "md5", tell) != packed.md5:
        path.unlink()
        raise FetchRefused(
            f"{packed.url} came damaged, or was changed by its publisher: its checksum is not "
            f"{packed.md5}. Rerun the same command to fetch it again."
        )
    return path


def _download(url: str, path: Path, config: FetchConfig, tell: Tell) -> None:
    def show(done: int, total: int) -> None:
        if total and done < total and total - done > shutil.disk_usage(path.parent).free:
            raise DiskFull(
                f"{url} has {amount(total)}, and the disk of {path.parent} has no room for it; "
                "free some space, and rerun the same command to resume."
            )
        tell(FetchProgress(doing=f"fetching {_last(url)}", done=done, total=total))

    download(url, path, most=config.most_bytes, progress=show)


def _digest(path: Path, kind: str, tell: Tell) -> str:
    """A file's checksum, hexadecimal."""
    digest = hashlib.new(kind, usedforsecurity=False)
    done, total = 0, path.stat().st_size
    with open_file(path, most=1 << 50) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            done += len(chunk)
            tell(FetchProgress(doing=f"checking {path.name}", done=done, total=total))
    return digest.hexdigest()


def _texts(labels: Path) -> dict[str, str]:
    """What is written in an album's lists: name -> text."""
    return {
        str(entry.name): b"".join(entry.chunks()).decode(errors="replace")
        for entry in entries(labels, most=1 << 30)
        if entry.name.suffix == ".txt" and entry.size <= MOST_LABELS
    }


def _unpack(
    archive: Path,
    folder: Path,
    wanted: frozenset[str] | None,
    config: FetchConfig,
    tell: Tell,
) -> tuple[int, int, int]:
    """Unpack photos, videos and what is said about them.

    Args:
        archive: A ZIP or tar file.
        folder: Where to; made here.
        wanted: Names in the archive; None for all that hold a picture.
        config: Settings: `max_gigabytes`.
        tell: Told where it stands.

    Returns:
        The photos, their bytes, and entries that were passed over.
    """
    make_folder(folder)
    photos = size = passed_over = notes = 0
    used: set[str] = set()
    for entry in entries(archive, most=config.most_bytes):
        if wanted is not None and str(entry.name) not in wanted:
            continue
        note = _is_note(entry) and notes < MOST_NOTES and wanted is None
        chunks = entry.chunks()
        first = next(chunks, b"")
        head = first[:SNIFF]
        picture = looks_like_picture(head) or is_video(head, entry.name.suffix.lower())
        if not picture and not note:
            passed_over += 1
            continue
        # a whole album lies in one folder there; its photos need none
        name = entry.name if wanted is None else PurePosixPath(entry.name.name)
        path = folder / _own_name(name, used)
        written = _write(path, first, chunks)
        if picture:
            photos, size = photos + 1, size + written
            tell(FetchProgress(doing="unpacking", done=photos, total=len(wanted or ())))
        else:
            notes += 1
    return photos, size, passed_over


def _write(path: Path, first: bytes, rest: Iterator[bytes]) -> int:
    with explain_unwritable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as out:
            written = out.write(first)
            for chunk in rest:
                written += out.write(chunk)
    return written


def _is_note(entry: Entry) -> bool:
    name = entry.name
    return (
        NOTE.fullmatch(name.name) is not None
        and name.suffix.lower() in NOTE_SUFFIXES
        and entry.size <= MOST_NOTE
    )


def _own_name(name: PurePosixPath, used: set[str]) -> PurePosixPath:
    """A name that every file system takes, and that no other entry has, whatever its case."""
    parts = [_plain(part) for part in name.parts]
    path = PurePosixPath(*parts)
    number = 1
    while str(path).casefold() in used:
        number += 1
        path = PurePosixPath(*parts).with_stem(f"{PurePosixPath(parts[-1]).stem}-{number}")
    used.add(str(path).casefold())
    return path


def _plain(part: str) -> str:
    clean = re.sub(r'[<>:"/\\|?*\x00-\x1f\x7f]', "_", part).rstrip(". ")
    stem, dot, suffix = clean.rpartition(".")
    if len(clean) > MOST_NAME:
        clean = f"{stem[: MOST_NAME - 10]}{dot}{suffix[:9]}" if dot else clean[:MOST_NAME]
    while len(clean.encode(errors="surrogatepass")) > 240:  # bytes that file systems count
        clean = clean[1:]
    return clean if is_plain_name(clean) else f"_{clean}"


def _folder_name(path: str) -> str:
    """What the folder of an archive is called: as the archive, without its ending."""
    name = path.rstrip("/").rsplit("/", 1)[-1]
    ending = next((one for one in sorted(SUFFIXES, key=len, reverse=True)
                   if name.lower().endswith(one)), "")  # fmt: skip
    plain = re.sub(r"[^\w.-]+", "-", name[: len(name) - len(ending)]).strip("-.")[:60]
    return plain if is_plain_name(plain) else "photos"


def _forget(archive: Path, plan: FetchPlan) -> None:
    """Remove an archive that was downloaded: it is not the one that was wanted."""
    if archive.parent == plan.work:
        archive.unlink(missing_ok=True)
    shutil.rmtree(plan.work / "photos", ignore_errors=True)


def _about(plan: FetchPlan, digest: str, photos: int) -> str:
    """`SOURCE.md`: where the photos are from, and what may be done with them."""
    album = plan.album
    lines = [STAMP, "", f"# {album.title if album else plan.folder.name}", ""]
    lines += [f"- From: {_shown(plan.source)}", f"- SHA-256 of the archive: {digest}"]
    lines += [f"- Photos: {photos}"]
    if album is not None:
        lines += [f"- Home page: {album.home}", f"- Archive: {album.photos.url}"]
        lines += [f"- Labels: {album.labels.url}", "", "## Licence", "", album.licence]
        lines += ["", "## Citation", "", "```bibtex", *album.citation.splitlines(), "```"]
    else:
        lines += ["", "## Licence and citation", ""]
        lines += [
            "catgan does not know them. Files of the archive that may say so, if it had any, lie "
            "beside this one. Ask before you share the photos, or what is trained on them."
        ]
    return "\n".join(lines) + "\n"


def _shown(source: str) -> str:
    """A source as `SOURCE.md` has it: no password in an address, no folder of a file."""
    if is_url(source):
        parts = urllib.parse.urlsplit(source)
        host = parts.netloc.rsplit("@", 1)[-1]
        return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))
    return Path(source).name if source not in ALBUMS else source


def _last(url: str) -> str:
    return urllib.parse.urlsplit(url).path.rsplit("/", 1)[-1] or url


def _count(folder: Path) -> tuple[int, int]:
    """Pictures and videos in a folder, and their bytes."""
    count = size = 0
    for where, _, names in os.walk(folder):
        for name in names:
            path = Path(where) / name
            with open_file(path, most=1 << 50) as file:
                head = file.read(SNIFF)
            if looks_like_picture(head) or is_video(head, path.suffix.lower()):
                count, size = count + 1, size + path.stat().st_size
    return count, size
