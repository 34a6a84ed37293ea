"""The curated folder: whether it may be written to, what stands in it, and what is left over."""

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from catgan.core.errors import BadUsage, FolderRefused
from catgan.core.files import (
    LOCK,
    PARTIAL,
    AnyPath,
    Json,
    append_jsonl,
    check_own,
    drop_torn_line,
    explain_unwritable,
    sha256,
    sweep_partials,
    to_json_line,
    write_jsonl,
)
from catgan.core.remote import Remote, place_of
from catgan.core.settings import Change, changes
from catgan.core.systems import LITTER
from catgan.curate.card import Contents, data_set_card
from catgan.curate.config import AFTERWARDS
from catgan.curate.finding import Finding, photo_stem, picture_name
from catgan.curate.judge import Judged
from catgan.curate.records import finding_of, journal_record, photo_record, picture_records
from catgan.curate.selection import DRAWN, MEETING, Selection
from catgan.formats import curated, decisions, photos
from catgan.formats.cards import write_card
from catgan.formats.curated import CuratedNote, raw_of, read_note, write_note
from catgan.formats.datasets import FACE_CROP, FULL_BODY, FULL_BODY_KEPT, write_metadata
from catgan.formats.photos import PhotoRecord, Verdict, write_photos
from catgan.formats.records import read_records, to_json

METHOD = 3  # goes up when the same photo and settings give other pictures: all are looked at again
LATER: Json = {
    "ablation": False,
    "clip_frames": 40,
    "strictness": "normal",
}  # settings that older folders lack, as those were made
JOURNAL = re.compile(r"\.findings-[0-9a-f]{8}\.jsonl")
SHARDS = "shards"  # the folder of parts that are not merged yet; see `shards`
MERGED = ".shards-merged"  # what it is called, with a number, while it is being cleared away
HARMLESS = LITTER | {
    decisions.NAME,  # a person's, which may be there first
    SHARDS,
    "README.md", ".gitignore", ".gitkeep", ".lock",
    f".{curated.NAME}{PARTIAL}",  # the last two: all there is when the very first step is killed
}  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CuratedFolder:
    """Where everything that `curate` writes lies.

    `catgan.json` says whose folder it is and whether it is finished. The findings of photos looked
    at are added to a journal whose name holds the settings, so that a run that was stopped goes on
    from it and one with other settings does not mistake it for its own.
    """

    root: Path
    """The folder."""
    raw: Path | Remote
    """The folder of photos."""
    settings: Json
    """Those of this run, as `catgan.json` has them."""

    @property
    def names(self) -> tuple[str, ...]:
        """The data sets that the settings ask for: before, between, after."""
        return data_sets(self.settings)

    @property
    def selection(self) -> Selection:
        """The pictures."""
        return Selection(root=self.root, names=self.names)

    @property
    def journal(self) -> Path:
        """Where the findings under these settings are kept."""
        return self.root / f".findings-{settings_digest(self.settings)}.jsonl"

    @property
    def decisions(self) -> Path:
        """What a person decided; only ever added to."""
        return self.root / decisions.NAME

    def sheet(self, name: str) -> Path:
        """The contact sheet of a data set."""
        return self.root / f"contact-{name}.jpg"

    def check(self) -> None:
        """Refuse a folder that would be wrong to write into; change nothing.

        Raises:
            FolderRefused: It is a file, was not made by catgan, or one lies inside the other; or
                `full-body-kept` is wanted, and somebody else's; or a folder in it is a link.
            FileRefused: A file that lines are added to is a link, a pipe or a device.
            BadRecord: Its `catgan.json` is damaged.
        """
        if isinstance(self.raw, Path):
            self._check_apart(self.raw)
        if not self.root.exists():
            return
        if not self.root.is_dir():
            raise FolderRefused(f"{self.root} is a file; name a folder to write to.")
        for folder in self.selection.folders():
            if folder.is_symlink():
                raise FolderRefused(
                    f"{folder} is a link; catgan writes into folders of its own: "
                    "move the link away, or name another folder."
                )
        for announcement in self.selection.announcements():
            check_own(announcement)
        check_own(self.journal)
        check_own(self.decisions)
        note = read_note(self.root)
        if note is None and (strangers := _strangers(self.root)):
            raise FolderRefused(
                f"{self.root} was not made by catgan (it holds {strangers[0]}); "
                "name a new or empty folder."
            )
        if FULL_BODY_KEPT in self.names:
            self._check_kept(note)

    def _check_apart(self, raw: Path) -> None:
        mine, theirs = self.root.resolve(), raw.resolve()
        if mine == theirs:
            raise FolderRefused(f"{self.root} is the photos' own folder; name another one.")
        if mine.is_relative_to(theirs) or theirs.is_relative_to(mine):
            inner, outer = self.root, raw
            if not mine.is_relative_to(theirs):
                inner, outer = outer, inner
            raise FolderRefused(
                f"{inner} lies inside {outer}; photos and data sets need folders of their own."
            )

    def _check_kept(self, note: CuratedNote | None) -> None:
        kept = self.root / FULL_BODY_KEPT
        if kept.exists() and not kept.is_dir():
            raise FolderRefused(f"{kept} is a file; move it away, or curate without --ablation.")
        if not _owns_kept(note) and (strangers := _strangers(kept)):
            raise FolderRefused(
                f"{kept} was not made by catgan (it holds {strangers[0]}); "
                "move it away, or curate without --ablation."
            )

    def dropped(self) -> tuple[str, ...]:
        """The data sets with pictures here that `prepare` will take away."""
        if FULL_BODY_KEPT in self.names or not _owns_kept(read_note(self.root)):
            return ()
        return (FULL_BODY_KEPT,) if self.selection.holds(FULL_BODY_KEPT) else ()

    def prepare(self) -> list[Change]:
        """Make the folder this run's own; what differs from the settings it was made with."""
        note = read_note(self.root)
        changed = [] if note is None else changes(LATER | note.settings, self.settings)
        wants_kept, owns_kept = FULL_BODY_KEPT in self.names, _owns_kept(note)
        (self.root / MEETING).unlink(missing_ok=True)
        # The note goes first: a run killed after it finds the folder to be its own.
        self._write_note(owns_kept=wants_kept or owns_kept)
        selection, ours = self.selection, self._ours()
        selection.move_over((*DRAWN, FULL_BODY_KEPT) if owns_kept else DRAWN, ours)
        selection.prepare(ours)
        sweep_partials(self.root, self._is_ours)
        if owns_kept and not wants_kept:  # now, for it is out of date from the next picture on
            self.sheet(FULL_BODY_KEPT).unlink(missing_ok=True)
            selection.remove(FULL_BODY_KEPT, ours)
        for journal in self._journals():
            if journal != self.journal:
                journal.unlink()
        if not self.journal.exists():
            selection.forget_left_out()
        drop_torn_line(self.journal)
        return changed

    def known(self) -> dict[str, Finding]:
        """The findings of earlier runs under these settings, by path; the newest of each.

        A line that is none only means that its photo is looked at again.
        """
        records = read_records(self.journal, PhotoRecord, forgiving=True)
        return {found.path: found for found in map(finding_of, records) if found is not None}

    def is_of_other_method(self) -> bool:
        """Whether photos were looked at here, but never under these settings and by this catgan."""
        return bool(self._journals()) and not self.journal.exists()

    def add(self, findings: Iterable[Finding]) -> None:
        """Keep the findings of photos whose pictures are in place."""
        append_jsonl(self.journal, map(_journal_line, findings))

    def adopt(self, part: "CuratedFolder", known: Mapping[str, Finding]) -> dict[str, Finding]:
        """Take over what was found and drawn in a part of this folder; killed, it can be repeated.

        Args:
            part: Has the pictures, on the same file system.
            known: What is known here already, by path.

        Returns:
            The findings of its photos, by path.
        """
        findings = part.known()
        new = [
            finding
            for path, finding in findings.items()
            if path not in known or known[path].sha256 != finding.sha256
        ]
        with explain_unwritable(self.root):
            self.selection.adopt(part.selection, new)
        self.add(new)
        return findings

    def clear(self) -> None:
        """Take away all that catgan wrote here, and the folder with it unless more is in it."""
        selection, ours = self.selection, self._ours()
        for name in (*DRAWN, FULL_BODY_KEPT):
            selection.remove(name, ours)
        for path in (*selection.announcements(), *self._journals(), self.root / curated.NAME):
            path.unlink(missing_ok=True)
        (self.root / LOCK).unlink(missing_ok=True)
        with suppress(OSError):
            self.root.rmdir()

    def settle(self, findings: Sequence[Finding], judged: Sequence[Judged]) -> None:
        """Bring everything but `catgan.json` in line with the verdicts.

        Args:
            findings: What each photo gave by itself, by path: kept for the next run.
            judged: The same, after photos were held against each other.

        Raises:
            DiskFull: There is no room for it.
        """
        selection = self.selection
        with explain_unwritable(self.root):
            selection.arrange(
                ours=self._ours(),
                known=lambda name: {file for one in findings for file in one.files(name)},
                wanted=lambda name: {file for one in judged for file in one.pictures.get(name, ())},
            )
        # one record in memory at a time: of a million photos they would be gigabytes
        write_jsonl(self.journal, map(_journal_line, findings))
        write_photos(self.root, map(photo_record, judged))
        verdicts = counts(judged)
        for name in self.names:
            contents = Contents()
            if any(name in photo.pictures for photo in judged):
                records = contents.noted(picture_records(judged, name))
                write_metadata(selection.folder(name), records)
                card = data_set_card(name, contents, self.settings, verdicts)
                write_card(self.root / name, card)
            else:
                selection.close(name)
        selection.forget_announced()

    def _ours(self) -> "_Names":
        """File names of all pictures that catgan has drawn here: read once one is asked for."""
        return _Names(self._names_on_record)

    def _names_on_record(self) -> set[str]:
        """File names of all pictures that catgan has drawn here, as far as anything tells.

        What an earlier run announced and never came to; what is on record of photos, under these
        settings or older ones, each with as many pictures as it has faces.
        """
        ours = self.selection.announced()
        lines = [*self._journals(), self.root / photos.NAME]
        for path in lines:
            for record in read_records(path, PhotoRecord, forgiving=True):
                stem = photo_stem(record.path)
                for index in range(max(1, len(record.faces))):
                    ours.add(picture_name(stem, record.sha256, index))
        return ours

    def _journals(self) -> list[Path]:
        """The journals there are, under whatever settings."""
        return [path for path in self.root.glob(".findings-*") if JOURNAL.fullmatch(path.name)]

    def _is_ours(self, name: str) -> bool:
        """Whether a file of this name beside the data sets is one of ours."""
        sheets = {self.sheet(data_set).name for data_set in (*DRAWN, FULL_BODY_KEPT)}
        return name in {curated.NAME, photos.NAME, *sheets} or bool(JOURNAL.fullmatch(name))

    def finish(self, judged: Sequence[Judged]) -> None:
        """Say in `catgan.json` that all is done: the last thing written."""
        # gone with its last picture, the folder is whoever's makes it next
        owns_kept = (self.root / FULL_BODY_KEPT).is_dir() and _owns_kept(read_note(self.root))
        self._write_note(judged, owns_kept=owns_kept)

    def finish_part(self) -> None:
        """Say the same of a part, which has no verdicts of its own."""
        note = read_note(self.root)
        assert note is not None, "prepare() comes first"
        write_note(self.root, dataclasses.replace(note, finished=True))

    def _write_note(self, judged: Sequence[Judged] | None = None, *, owns_kept: bool) -> None:
        note = CuratedNote(
            finished=judged is not None,
            settings=self.settings,
            raw=raw_of(self.raw, self.root),
            owns=(FULL_BODY_KEPT,) if owns_kept else (),
            counts=None if judged is None else counts(judged),
            data_sets=None if judged is None else sizes(judged, self.names),
        )
        write_note(self.root, note)


def curated_path(curated: AnyPath) -> Path:
    """Where a curated folder lies that a person named; it has to be on a file system.

    Raises:
        BadUsage: It is an address.
    """
    place = place_of(curated)
    if isinstance(place, Remote):
        raise BadUsage(
            f"{place} is an address, but data sets are made in a folder: storages of this kind can "
            f"neither rename nor lock files. Name a folder, and copy it there: --copy-to {place}"
        )
    return place


def data_sets(settings: Json) -> tuple[str, ...]:
    """The data sets that these settings ask for: before, between, after."""
    return (FULL_BODY, FULL_BODY_KEPT, FACE_CROP) if settings.get("ablation") else DRAWN


def counts(judged: Sequence[Judged]) -> dict[str, int]:
    """How many photos got each verdict, in the order of the verdicts; those that none got too."""
    counted = Counter(photo.verdict for photo in judged)
    return {str(verdict): counted[verdict] for verdict in Verdict}


def sizes(judged: Sequence[Judged], names: Sequence[str]) -> dict[str, int]:
    """How many pictures each data set has."""
    return {name: sum(len(photo.pictures.get(name, ())) for photo in judged) for name in names}


def settings_digest(settings: Json) -> str:
    """Eight characters that stand for the method and the settings that looking depends on."""
    looking = {name: value for name, value in settings.items() if name not in AFTERWARDS}
    return sha256(to_json_line({"method": METHOD, **looking}).encode())[:8]


def _owns_kept(note: CuratedNote | None) -> bool:
    """Whether a `full-body-kept` in the folder is catgan's; a person may have made one by hand."""
    return note is not None and FULL_BODY_KEPT in note.owns


def _strangers(folder: Path) -> list[str]:
    """What lies in a folder, if it is one, that neither catgan nor a system puts there."""
    there = folder.iterdir() if folder.is_dir() else ()
    return sorted(child.name for child in there if child.name not in HARMLESS)


class _Names:
    """File names that are only looked up where somebody asks: most runs find nothing to clear."""

    def __init__(self, look_up: Callable[[], set[str]]) -> None:
        self._look_up = look_up
        self._names: set[str] | None = None

    def __contains__(self, name: object) -> bool:
        if self._names is None:
            self._names = self._look_up()
        return name in self._names


def _journal_line(finding: Finding) -> Json:
    return to_json(journal_record(finding))
