"""The curated folder: whether it may be written to, what stands in it, and what is left over."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from catgan import __version__
from catgan.core.config import Difference, differences
from catgan.core.datasets import FACE_CROP, FULL_BODY, FULL_BODY_KEPT, METADATA, write_metadata
from catgan.core.errors import FolderRefused
from catgan.core.files import (
    PARTIAL,
    Json,
    append_jsonl,
    drop_torn_line,
    read_json,
    read_jsonl,
    sha256,
    sweep_partials,
    to_json_line,
    write_json,
    write_jsonl,
)
from catgan.curate.config import AFTERWARDS
from catgan.curate.kept import copy_kept
from catgan.curate.verdict import Finding, Verdict
from catgan.curate.worker import PICTURE_NAME

FORMAT = 1  # of photos.jsonl and catgan.json
METHOD = 1  # goes up when the same photo and settings give other pictures: all are looked at again
LATER: Json = {"ablation": False}  # settings that older folders lack, as those were made
DATA_SETS = (FULL_BODY, FACE_CROP)  # those that are always made
OWNS = "owns"  # in catgan.json: the further ones that are catgan's to change
HARMLESS = frozenset(
    {"README.md", ".gitignore", ".gitkeep", ".DS_Store", "Thumbs.db", ".lock",
     f".catgan.json{PARTIAL}"}  # the last two: all there is when the very first step is killed
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class CuratedFolder:
    """Where everything that `curate` writes lies.

    `catgan.json` says whose folder it is and whether it is finished. The findings of photos looked
    at are added to a journal whose name holds the settings, so that a run that was stopped goes on
    from it and one with other settings does not mistake it for its own.
    """

    root: Path
    """The folder."""

    @property
    def note(self) -> Path:
        """The settings, the version, the counts."""
        return self.root / "catgan.json"

    @property
    def photos(self) -> Path:
        """One line a photo looked at."""
        return self.root / "photos.jsonl"

    def journal(self, settings: Json) -> Path:
        """Where the findings under these settings are kept."""
        return self.root / f".findings-{settings_digest(settings)}.jsonl"

    def sheet(self, name: str) -> Path:
        """The contact sheet of a data set."""
        return self.root / f"contact-{name}.jpg"

    def check(self, raw: Path, *, ablation: bool = False) -> None:
        """Refuse a folder that would be wrong to write into; change nothing.

        Args:
            raw: The photos' folder.
            ablation: Whether `full-body-kept` is to be written too.

        Raises:
            FolderRefused: It is a file, was not made by catgan, or one lies inside the other; or
                `full-body-kept` is wanted, and somebody else's.
        """
        mine, theirs = self.root.resolve(), raw.resolve()
        if mine == theirs:
            raise FolderRefused(f"{self.root} is the photos' own folder; name another one.")
        if mine.is_relative_to(theirs) or theirs.is_relative_to(mine):
            inner, outer = (self.root, raw) if mine.is_relative_to(theirs) else (raw, self.root)
            raise FolderRefused(
                f"{inner} lies inside {outer}; photos and data sets need folders of their own."
            )
        if not self.root.exists():
            return
        if not self.root.is_dir():
            raise FolderRefused(f"{self.root} is a file; name a folder to write to.")
        note = read_json(self.note)
        if note is None:
            strangers = sorted(
                child.name for child in self.root.iterdir() if child.name not in HARMLESS
            )
            if strangers:
                raise FolderRefused(
                    f"{self.root} was not made by catgan (it holds {strangers[0]}); "
                    "name a new or empty folder."
                )
        elif note.get("kind") != "curated":
            raise FolderRefused(f"{self.root} is not a curated folder; name a new or empty one.")
        elif not isinstance(note.get("format"), int) or note["format"] > FORMAT:
            raise FolderRefused(
                f"{self.root} was made by a newer catgan ({note.get('catgan')}); "
                "use that one, or name a new folder."
            )
        elif ablation:
            self._check_kept(note)

    def _check_kept(self, note: Json) -> None:
        kept = self.root / FULL_BODY_KEPT
        if kept.exists() and not kept.is_dir():
            raise FolderRefused(f"{kept} is a file; move it away, or curate without --ablation.")
        if _owns_kept(note):
            return
        strangers = sorted(child.name for child in _listing(kept) if child.name not in HARMLESS)
        if strangers:
            raise FolderRefused(
                f"{kept} was not made by catgan (it holds {strangers[0]}); "
                "move it away, or curate without --ablation."
            )

    def dropped(self, settings: Json) -> tuple[str, ...]:
        """The data sets with pictures here that `prepare` will take away."""
        if FULL_BODY_KEPT in data_sets(settings) or not _owns_kept(read_json(self.note) or {}):
            return ()
        return (FULL_BODY_KEPT,) if self._pictures((FULL_BODY_KEPT,)) else ()

    def prepare(self, settings: Json) -> list[Difference]:
        """Make the folder this run's own; what differs from the settings it was made with."""
        note = read_json(self.note) or {}
        changed = differences(LATER | note["settings"], settings) if "settings" in note else []
        names = data_sets(settings)
        wants_kept, owns_kept = FULL_BODY_KEPT in names, _owns_kept(note)
        # The note goes first: a run killed after it finds the folder to be its own.
        self._write_note(settings, finished=False, findings=(), owns_kept=wants_kept or owns_kept)
        for name in names:
            (self.root / name).mkdir(exist_ok=True)
            sweep_partials(self.root / name)
        sweep_partials(self.root)
        if owns_kept and not wants_kept:  # now, for it is out of date from the next picture on
            self._drop_kept()
        for journal in self.root.glob(".findings-*.jsonl"):
            if journal != self.journal(settings):
                journal.unlink()
        drop_torn_line(self.journal(settings))
        return changed

    def known(self, settings: Json) -> dict[str, Finding]:
        """The findings of earlier runs under these settings, by path; the newest of each."""
        found = {}
        for record in read_jsonl(self.journal(settings)):
            try:
                finding = Finding.from_record(record)
            except (KeyError, TypeError, ValueError, IndexError):
                continue  # a line that something else wrote: the photo is looked at again
            found[finding.path] = finding
        return found

    def add(self, settings: Json, findings: Sequence[Finding]) -> None:
        """Keep the findings of photos whose pictures are in place."""
        append_jsonl(self.journal(settings), (finding.to_record() for finding in findings))

    def pictures(self) -> set[str]:
        """The pictures in place, relative to the folder; empty files (a power cut) do not count."""
        there = self._pictures(DATA_SETS)
        return {name for name in there if (self.root / name).stat().st_size > 0}

    def _pictures(self, names: Sequence[str]) -> set[str]:
        return {
            f"{name}/{path.name}"
            for name in names
            for path in _listing(self.root / name)
            if PICTURE_NAME.fullmatch(path.name)
        }

    def _drop_kept(self) -> None:
        self.sheet(FULL_BODY_KEPT).unlink(missing_ok=True)
        for leftover in self._pictures((FULL_BODY_KEPT,)):
            (self.root / leftover).unlink()
        sweep_partials(self.root / FULL_BODY_KEPT)
        self._close(FULL_BODY_KEPT)

    def _close(self, name: str) -> None:
        """Take an empty data set away: it would stop torchvision's ImageFolder."""
        folder = self.root / name
        if folder.is_dir():
            (folder / METADATA).unlink(missing_ok=True)
            with suppress(OSError):  # somebody else's file in it: theirs to clear away
                folder.rmdir()

    def settle(self, settings: Json, looked: list[Finding], judged: list[Finding]) -> None:
        """Bring everything but `catgan.json` in line with the verdicts.

        Args:
            settings: As in `prepare`.
            looked: What each photo gave by itself, by path: kept for the next run.
            judged: The same, after photos were held against each other.

        Raises:
            DiskFull: There is no room for it.
        """
        names = data_sets(settings)
        wanted = {picture for finding in judged for picture in finding.pictures()}
        for name in names:
            sweep_partials(self.root / name)  # a process that died of a photo leaves one
        for leftover in self._pictures(names) - wanted:
            (self.root / leftover).unlink()
        copy_kept(self.root, judged)
        write_jsonl(self.journal(settings), (finding.to_record() for finding in looked))
        write_jsonl(self.photos, (finding.to_json() for finding in judged))
        for name in names:
            records = sorted(_metadata(name, judged), key=lambda record: str(record["file_name"]))
            if records:
                write_metadata(self.root / name, records)
            else:
                self._close(name)

    def finish(self, settings: Json, judged: Sequence[Finding]) -> None:
        """Say in `catgan.json` that all is done: the last thing written."""
        # gone with its last picture, the folder is whoever's makes it next
        owns = (self.root / FULL_BODY_KEPT).is_dir() and _owns_kept(read_json(self.note) or {})
        self._write_note(settings, finished=True, findings=judged, owns_kept=owns)

    def _write_note(
        self, settings: Json, *, finished: bool, findings: Sequence[Finding], owns_kept: bool
    ) -> None:
        note: Json = {
            "kind": "curated",
            "format": FORMAT,
            "catgan": __version__,
            "finished": finished,
            "settings": settings,
        }
        if owns_kept:
            note[OWNS] = [FULL_BODY_KEPT]
        if finished:
            note["counts"] = counts(findings)
            note["data_sets"] = {
                name: sum(1 for _ in _metadata(name, findings)) for name in data_sets(settings)
            }
        write_json(self.note, note)


def data_sets(settings: Json) -> tuple[str, ...]:
    """The data sets that these settings ask for: before, between, after."""
    return (FULL_BODY, FULL_BODY_KEPT, FACE_CROP) if settings.get("ablation") else DATA_SETS


def _owns_kept(note: Json) -> bool:
    """Whether a `full-body-kept` in the folder is catgan's; a person may have made one by hand."""
    owns = note.get(OWNS)
    return isinstance(owns, list) and FULL_BODY_KEPT in owns


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """How many photos got each verdict, in the order of the verdicts; those that none got too."""
    counted = Counter(finding.verdict for finding in findings)
    return {str(verdict): counted[verdict] for verdict in Verdict}


def settings_digest(settings: Json) -> str:
    """Eight characters that stand for the method and the settings that looking depends on."""
    looking = {name: value for name, value in settings.items() if name not in AFTERWARDS}
    return sha256(to_json_line({"method": METHOD, **looking}).encode())[:8]


def _metadata(name: str, findings: Sequence[Finding]) -> Iterator[dict[str, Any]]:
    for finding in findings:
        origin = {
            "photo": finding.path,
            "sha256": finding.sha256,
            "photo_width": finding.width,
            "photo_height": finding.height,
        }
        if name in (FULL_BODY, FULL_BODY_KEPT) and name in finding.outputs:
            yield {"file_name": Path(finding.outputs[name]).name, **origin}
        if name == FACE_CROP:
            for crop, face in zip(finding.crops, finding.faces, strict=False):
                if not crop.file:
                    continue
                yield {
                    "file_name": crop.file,
                    **origin,
                    "box": [round(value, 1) for value in (face.x, face.y, face.w, face.h)],
                    "roll": round(face.roll, 1),
                    "score": round(face.score, 3),
                    "sharpness": round(crop.sharpness, 4),
                    "brightness": round(crop.brightness, 1),
                }


def _listing(folder: Path) -> Iterator[Path]:
    return folder.iterdir() if folder.is_dir() else iter(())
