"""From a curated folder to what the page needs of it."""

import dataclasses
from pathlib import Path

from catgan.core.errors import FolderRefused, NoPictures, NoSuchFolder
from catgan.core.files import check_folder
from catgan.core.remote import is_address
from catgan.formats.curated import CuratedNote, check_finished, find_raw, read_note
from catgan.review.ledger import Ledger


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A curated folder that can be reviewed."""

    ledger: Ledger
    """The album and its decisions."""
    raw: Path | None
    """The folder of photos; None where it is gone: crops can be reviewed all the same."""
    why_no_raw: str
    """Why there is none."""
    photos: str
    """What the folder of photos is called in a command: its path, or its address."""
    size: int
    """Side of the pictures, pixels."""
    margin: float
    """Margin around the face, in face widths."""


def open_curated(curated: Path, raw: Path | None = None) -> Opened:
    """Open a curated folder for review.

    Args:
        curated: What `curate` wrote.
        raw: Where its photos are; None for where they were.

    Raises:
        NoSuchFolder: There is no such folder, or `raw` is named and is none.
        FolderRefused: `curate` did not make it, or has not finished it.
        NoPictures: There is nothing in it to review.
        BadRecord: A file in it is damaged; names it.
    """
    check_folder(curated, "name the folder that catgan curate wrote")
    note = read_note(curated)
    if note is None:
        raise FolderRefused(
            f"{curated} was not made by catgan curate; name the folder that it wrote."
        )
    check_finished(curated)
    ledger = Ledger(curated)
    if not ledger.album.items:
        raise NoPictures(f"There are no photos in {curated} to review.")
    found, why_not = _raw(curated, note, raw)
    return Opened(
        ledger=ledger,
        raw=found,
        why_no_raw=why_not,
        photos=note.raw if note.raw and is_address(note.raw) else str(found or "raw/"),
        size=int(note.settings.get("size", 64)),
        margin=float(note.settings.get("margin", 0.25)),
    )


def _raw(curated: Path, note: CuratedNote, named: Path | None) -> tuple[Path | None, str]:
    try:
        return find_raw(curated, note, named), ""
    except NoSuchFolder as error:
        if named is not None:
            raise
        return None, str(error)
