"""The curated folder: whether it may be written to, what stands in it, and what is left over."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from catgan import __version__
from catgan.core.config import Difference, differences
from catgan.core.datasets import FACE_CROP, FULL_BODY, METADATA, write_metadata
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
from catgan.curate.config import SCREENS
from catgan.curate.verdict import Finding, Verdict
from catgan.curate.worker import PICTURE_NAME

FORMAT = 1  # of photos.jsonl and catgan.json
METHOD = 1  # goes up when the same photo and settings give other pictures: all are looked at again
DATA_SETS = (FULL_BODY, FACE_CROP)
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

    def check(self, raw: Path) -> None:
        """Refuse a folder that would be wrong to write into; change nothing.

        Raises:
            FolderRefused: It is a file, was not made by catgan, or one lies inside the other.
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

    def prepare(self, settings: Json) -> list[Difference]:
        """Make the folder this run's own; what differs from the settings it was made with."""
        note = read_json(self.note) or {}
        changed = differences(note["settings"], settings) if "settings" in note else []
        # The note goes first: a run killed after it finds the folder to be its own.
        self._write_note(settings, finished=False, findings=())
        for name in DATA_SETS:
            (self.root / name).mkdir(exist_ok=True)
            sweep_partials(self.root / name)
        sweep_partials(self.root)
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
        return {name for name in self._pictures() if (self.root / name).stat().st_size > 0}

    def _pictures(self) -> set[str]:
        return {
            f"{name}/{path.name}"
            for name in DATA_SETS
            for path in _listing(self.root / name)
            if PICTURE_NAME.fullmatch(path.name)
        }

    def settle(self, settings: Json, looked: list[Finding], judged: list[Finding]) -> None:
        """Bring everything but `catgan.json` in line with the verdicts.

        Args:
            settings: As in `prepare`.
            looked: What each photo gave by itself, by path: kept for the next run.
            judged: The same, after photos were held against each other.
        """
        wanted = {picture for finding in judged for picture in finding.pictures()}
        for name in DATA_SETS:
            sweep_partials(self.root / name)  # a process that died of a photo leaves one
        for leftover in self._pictures() - wanted:
            (self.root / leftover).unlink()
        write_jsonl(self.journal(settings), (finding.to_record() for finding in looked))
        write_jsonl(self.photos, (finding.to_json() for finding in judged))
        for name in DATA_SETS:
            records = sorted(_metadata(name, judged), key=lambda record: str(record["file_name"]))
            if records:
                write_metadata(self.root / name, records)
            else:  # an empty class folder would stop torchvision's ImageFolder
                (self.root / name / METADATA).unlink(missing_ok=True)
                with suppress(OSError):  # somebody else's file in it: theirs to clear away
                    (self.root / name).rmdir()

    def finish(self, settings: Json, judged: Sequence[Finding]) -> None:
        """Say in `catgan.json` that all is done: the last thing written."""
        self._write_note(settings, finished=True, findings=judged)

    def _write_note(self, settings: Json, *, finished: bool, findings: Sequence[Finding]) -> None:
        note: Json = {
            "kind": "curated",
            "format": FORMAT,
            "catgan": __version__,
            "finished": finished,
            "settings": settings,
        }
        if finished:
            note["counts"] = counts(findings)
            note["data_sets"] = {
                name: sum(1 for _ in _metadata(name, findings)) for name in DATA_SETS
            }
        write_json(self.note, note)


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """How many photos got each verdict, in the order of the verdicts; those that none got too."""
    counted = Counter(finding.verdict for finding in findings)
    return {str(verdict): counted[verdict] for verdict in Verdict}


def settings_digest(settings: Json) -> str:
    """Eight characters that stand for the method and the settings it depends on.

    The screens judge what was found, and may be turned off and on without looking again.
    """
    looking = {name: value for name, value in settings.items() if name not in SCREENS}
    return sha256(to_json_line({"method": METHOD, **looking}).encode())[:8]


def _metadata(name: str, findings: Sequence[Finding]) -> Iterator[dict[str, Any]]:
    for finding in findings:
        origin = {
            "photo": finding.path,
            "sha256": finding.sha256,
            "photo_width": finding.width,
            "photo_height": finding.height,
        }
        if name == FULL_BODY and FULL_BODY in finding.outputs:
            yield {"file_name": Path(finding.outputs[FULL_BODY]).name, **origin}
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
