"""`forget`: one photo taken out of everything that `curate` made of it.

The folder is left as `curate` would have made it had the photo never been there. So a photo that
was left out as nearly the same may take its place.
"""

import dataclasses
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from catgan.core.errors import BadUsage, FolderRefused
from catgan.core.files import AnyPath, check_folder, locked, open_file
from catgan.core.names import printable
from catgan.core.systems import command_line
from catgan.core.words import listed
from catgan.curate.config import AFTERWARDS, CurateConfig
from catgan.curate.decisions import decide, standings
from catgan.curate.finding import Finding
from catgan.curate.folder import SHARDS, CuratedFolder, counts, sizes
from catgan.curate.judge import Judged, judge
from catgan.curate.shards import Parts
from catgan.curate.sheets import contact_sheets
from catgan.formats.curated import (
    FORMAT,
    CuratedNote,
    check_finished,
    read_note,
    recorded_raw,
    write_note,
)
from catgan.formats.datasets import FULL_BODY_KEPT
from catgan.formats.decisions import forget_decisions, read_decisions
from catgan.formats.photos import PhotoRecord, find_photo, read_photos

MOST_NAMED = 3  # photos in a sentence


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ForgetPlan:
    """What is to be forgotten."""

    curated: Path
    """The curated folder."""
    files: tuple[str, ...]
    """The photo or video, and every copy of it, relative to the folder of photos."""
    photos: tuple[str, ...]
    """The same as `photos.jsonl` names them: of a video its frames."""
    images: dict[str, tuple[str, ...]]
    """Data set -> file names of its images in it."""
    originals: tuple[Path, ...]
    """Its files among the photos, where they still are: `curate` would take them in again."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was forgotten."""

    plan: ForgetPlan
    """What was to be done."""
    instead: dict[str, tuple[str, ...]]
    """Data set -> file names of images that are in it now and were not before."""
    left: int
    """Images that the data sets still have."""

    def __repr__(self) -> str:
        """One line."""
        return f"Forgotten({listed(self.plan.files)})"


def plan_forgetting(photo: AnyPath, curated: AnyPath, raw: AnyPath | None = None) -> ForgetPlan:
    """What `forget_photo` would take away; nothing is written.

    Raises:
        What `forget_photo` does, but for `DiskFull`.
    """
    return _open(photo, Path(curated), None if raw is None else Path(raw))[0]


def forget_photo(photo: AnyPath, curated: AnyPath, raw: AnyPath | None = None) -> Forgotten:
    """Take a photo out of all that a folder holds: data sets, records, decisions, sheets.

    The photo itself is not touched. What was trained on it has learned from it; see `trained_on`.

    Args:
        photo: Its file, its path or name among the photos, or the name of one of its images.
        curated: What `curate` wrote.
        raw: Where the photos are; None for where they were.

    Raises:
        NoSuchFolder: There is no such folder.
        FolderRefused: `curate` did not make it or has not finished it, or made it long ago.
        BadUsage: It knows no such photo, or several.
        BadRecord: Its records are damaged.
        DiskFull: There is no room; `curate` brings the folder to rights.
    """
    plan, folder, note = _open(photo, Path(curated), None if raw is None else Path(raw))
    with locked(folder.root):
        config = _config(note)
        known = _known(folder)
        left = [one for path, one in sorted(known.items()) if path not in plan.photos]
        forgotten = {one.sha256 for one in known.values() if one.path in plan.photos}
        decided = [one for one in read_decisions(folder.decisions) if one.sha256 not in forgotten]
        judged = decide(judge(left, config), standings(left, decided), config)
        before = _images(read_photos(folder.root))
        # a kill after this leaves a folder that says it is unfinished, and `curate` finishes it
        write_note(folder.root, dataclasses.replace(note, finished=False))
        forget_decisions(folder.decisions, forgotten)
        Parts(main=folder).clear()  # what a merge left that was killed at its very end
        folder.settle(left, judged)
        contact_sheets(folder, judged)
        write_note(folder.root, _finished(note, folder, judged))
    after = _images(read_photos(folder.root))
    instead = {
        name: tuple(sorted(files - before.get(name, set())))
        for name, files in after.items()
        if files - before.get(name, set())
    }
    return Forgotten(plan=plan, instead=instead, left=sum(map(len, after.values())))


def _open(
    photo: AnyPath, curated: Path, raw: Path | None
) -> tuple[ForgetPlan, CuratedFolder, CuratedNote]:
    check_folder(curated, "name the folder that catgan curate wrote")
    note = read_note(curated)
    if note is None:
        raise FolderRefused(f"{curated} was not made by catgan curate; name the folder that was.")
    check_finished(curated)
    if (curated / SHARDS).is_dir():
        raise FolderRefused(
            f"{curated / SHARDS} holds parts that are not merged, which may have images of it; "
            "merge them (catgan curate --merge), or remove that folder, and rerun the same command."
        )
    raw = raw or recorded_raw(curated, note)
    named = str(raw or note.raw or "raw/")
    if raw is None and note.raw is not None:  # at an address, which `forget` leaves alone
        raw = Path(note.raw)
    folder = CuratedFolder(root=curated, raw=raw or Path("raw"), settings=note.settings)
    records = read_photos(curated)
    if note.format < FORMAT or raw is None or not _known(folder).keys() >= _paths(records):
        line = ["catgan", "curate", named, str(curated)]
        raise FolderRefused(
            f"{curated} was made by an older catgan; bring it up to date first, with the options "
            f"you gave it then: {command_line(line)}"
        )
    folder.check()
    found = _find(os.fspath(photo), records, raw, curated)
    images: dict[str, list[str]] = {}
    for record in found:
        for name, files in _images([record]).items():
            images.setdefault(name, []).extend(sorted(files))
    originals = dict.fromkeys(find_photo(raw, record) for record in found)
    plan = ForgetPlan(
        curated=curated,
        files=tuple(dict.fromkeys(record.clip or record.path for record in found)),
        photos=tuple(record.path for record in found),
        images={name: tuple(files) for name, files in images.items()},
        originals=tuple(path for path in originals if path.exists()),
    )
    return plan, folder, note


def _find(
    photo: str, records: Sequence[PhotoRecord], raw: Path, curated: Path
) -> list[PhotoRecord]:
    """The records of a photo, and of every copy of its file."""
    digests = _digests(photo, records, raw)
    if len(digests) > 1:
        paths = [r.clip or r.path for r in records if r.sha256 in digests]
        names = listed(list(dict.fromkeys(paths))[:MOST_NAMED])
        raise BadUsage(f"{curated} knows several photos called {photo}, say {names}; name one.")
    if not digests:
        raise BadUsage(
            f"{curated} knows no photo {photo}; name its file, or its path as it is in "
            f"{curated / 'photos.jsonl'}."
        )
    return [record for record in records if record.sha256 in digests]


def _digests(photo: str, records: Sequence[PhotoRecord], raw: Path) -> set[str]:
    """SHA-256 of each file that may be meant: by contents, by path, then by name."""
    path = Path(photo)
    known = {record.sha256 for record in records if record.sha256}
    if path.is_file() and (digest := _digest(path)) in known:
        return {digest}
    names = {printable(PurePosixPath(path).as_posix())}
    if path.absolute().is_relative_to(raw.absolute()):
        names.add(printable(path.absolute().relative_to(raw.absolute()).as_posix()))
    exact = {r.sha256 for r in records if r.sha256 and {r.path, r.clip} & names}
    if exact:
        return exact
    name = printable(path.name)
    return {
        record.sha256
        for record in records
        if record.sha256
        and (
            name in {PurePosixPath(record.path).name, PurePosixPath(record.clip or "").name}
            or any(name in files for files in _images([record]).values())
        )
    }


def _digest(path: Path) -> str:
    try:
        with open_file(path, most=1 << 62) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _images(records: Sequence[PhotoRecord]) -> dict[str, set[str]]:
    """Data set -> file names of the images that records speak of."""
    found: dict[str, set[str]] = {}
    for record in records:
        for name, path in record.outputs.items():
            found.setdefault(name, set()).add(PurePosixPath(path).name)
        for face in record.faces:
            if face.file is not None:
                found.setdefault("face-crop", set()).add(face.file)
    return found


def _paths(records: Sequence[PhotoRecord]) -> set[str]:
    return {record.path for record in records}


def _known(folder: CuratedFolder) -> dict[str, Finding]:
    """The findings of the photos that are there by now; the journal may have others, too."""
    paths = _paths(read_photos(folder.root))
    return {path: finding for path, finding in folder.known().items() if path in paths}


def _config(note: CuratedNote) -> CurateConfig:
    """The settings that verdicts depend on."""
    settings: dict[str, Any] = {
        name: value for name, value in note.settings.items() if name in AFTERWARDS
    }
    return CurateConfig(**settings)


def _finished(note: CuratedNote, folder: CuratedFolder, judged: Sequence[Judged]) -> CuratedNote:
    owned = tuple(
        name for name in note.owns if name != FULL_BODY_KEPT or (folder.root / name).is_dir()
    )
    return dataclasses.replace(
        note,
        finished=True,
        owns=owned,
        counts=counts(judged),
        data_sets=sizes(judged, folder.names),
    )
