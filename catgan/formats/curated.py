"""`catgan.json`: whose the folder of data sets is, how it was made, and where its photos are."""

import dataclasses
import os
from pathlib import Path
from typing import Any

from catgan.core.errors import BadRecord, FolderRefused, NoSuchFolder
from catgan.core.files import is_locked, write_json
from catgan.core.names import existing
from catgan.core.remote import Remote, is_address
from catgan.core.systems import command_line
from catgan.core.version import __version__
from catgan.formats.records import from_json, read_object, to_json

NAME = "catgan.json"
KIND = "curated"
FORMAT = 2
"""1: pictures directly in each data set's folder, photos not recorded. 2: pictures in its `train/`,
those left out kept, `raw`."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CuratedNote:
    """`catgan.json`."""

    kind: str = KIND
    """What the folder is."""
    format: int = FORMAT
    """Of everything in the folder but the pictures."""
    catgan: str = __version__
    """The version that wrote it."""
    finished: bool
    """Whether the last curation came to its end."""
    settings: dict[str, Any]
    """What it was made with."""
    raw: str | None = None
    """The folder of photos: relative to this one where there is a way, else absolute; or an
    address; None in folders of format 1."""
    owns: tuple[str, ...] = ()
    """Data sets beside the two that are always made, and are catgan's to change."""
    counts: dict[str, int] | None = None
    """Verdict -> photos; None before the end."""
    data_sets: dict[str, int] | None = None
    """Data set -> pictures; None before the end."""


def read_note(curated: Path) -> CuratedNote | None:
    """What `catgan.json` says; None where there is none.

    Raises:
        FolderRefused: It is of another program, or of a newer catgan.
        BadRecord: It is damaged.
    """
    path = curated / NAME
    table = read_object(path)
    if table is None:
        return None
    if table.get("kind") != KIND:
        raise FolderRefused(f"{curated} is not a curated folder; name a new or empty one.")
    written = table.get("format")
    if isinstance(written, int) and written > FORMAT:
        raise FolderRefused(
            f"{curated} was made by a newer catgan ({table.get('catgan')}); "
            "use that one, or name a new folder."
        )
    return from_json(table, CuratedNote, str(path))


def check_finished(curated: Path) -> None:
    """Refuse a folder whose data sets are being made, or were left half made.

    Args:
        curated: A folder that data sets may lie in; one that `curate` did not make is as it is.

    Raises:
        FolderRefused: The last curation is under way, or was interrupted.
    """
    try:
        note = read_note(curated)
    except (FolderRefused, BadRecord):
        return
    if note is None or note.finished:
        return
    if is_locked(curated):
        raise FolderRefused(
            f"{curated} is being curated right now; wait for that to end, and rerun this command."
        )
    raw = note.raw or "raw/"
    if note.raw is not None and not is_address(note.raw):
        raw = os.path.normpath(curated / note.raw)
    line = command_line(["catgan", "curate", str(raw), str(curated)])
    raise FolderRefused(
        f"{curated} is half made, since its last curation was interrupted; "
        f"finish that first, with the options you gave it then: {line}"
    )


def write_note(curated: Path, note: CuratedNote) -> None:
    """Write `catgan.json`, whole or not at all.

    Raises:
        DiskFull: There is no room for it.
    """
    write_json(curated / NAME, to_json(note))


def raw_of(raw: Path | Remote, curated: Path) -> str:
    """How `catgan.json` names the folder of photos: so that both can be moved together."""
    if isinstance(raw, Remote):
        return str(raw)
    try:
        return Path(os.path.relpath(raw.resolve(), curated.resolve())).as_posix()
    except ValueError:  # on Windows there is no way from one drive to another
        return str(raw.resolve())


def recorded_raw(curated: Path, note: CuratedNote) -> Path | None:
    """Where the photos were when the folder was last curated; None where the note does not say, or
    says an address."""
    if note.raw is None or is_address(note.raw):
        return None
    short = existing(Path(os.path.normpath(curated / note.raw)))
    true = existing(curated.resolve() / note.raw)
    return short if short.resolve() == true.resolve() else true.resolve()  # `curated` is a link


def find_raw(curated: Path, note: CuratedNote, named: Path | None = None) -> Path:
    """Where the photos of a curated folder are.

    Args:
        curated: The folder.
        note: Its `catgan.json`.
        named: Where a person says that they are; None to go by the note.

    Raises:
        NoSuchFolder: They are not there, or the note does not say.
    """
    if named is not None:
        if not named.is_dir():
            raise NoSuchFolder(f"There is no folder {named}; name the folder of photos: --raw")
        return named
    raw = recorded_raw(curated, note)
    if note.raw is not None and is_address(note.raw):
        raise NoSuchFolder(
            f"The photos of {curated} are at {note.raw}; to see them, copy them into a folder, and "
            "name it: --raw"
        )
    if raw is None:
        raise NoSuchFolder(
            f"{curated} does not say where its photos are, since an older catgan made it; "
            "name their folder: --raw"
        )
    if not raw.is_dir():
        raise NoSuchFolder(
            f"The photos of {curated} are no longer in {raw}; name their folder: --raw"
        )
    return raw
