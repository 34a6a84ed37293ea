"""Where the pictures lie: data sets are selections of all that were drawn.

Each picture exists once, in its data set or left out of it, so that another verdict moves it and no
photo is looked at again for it. What is left out lies in `full-body/train/.left-out/`, since
`full-body` is never empty where anything was drawn at all: beside the data sets it would be a class
of torchvision's `ImageFolder`, and a `face-crop` that holds nothing else an empty one, which stops
that. Its suffix is one that no loader takes, for `ImageFolder` goes through hidden folders too.
"""

import dataclasses
import os
import re
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path

from catgan.core.errors import WorkerUnfit
from catgan.core.files import append_line, check_own, read_file, sweep_partials, write_picture
from catgan.core.pictures import Picture, encode_png
from catgan.core.systems import machine_name, replace
from catgan.curate.card import card_head
from catgan.curate.examine import Pictures
from catgan.curate.finding import PICTURE_NAME, Drawn, Finding
from catgan.formats import cards
from catgan.formats.datasets import (
    FACE_CROP,
    FULL_BODY,
    FULL_BODY_KEPT,
    LEFT_OUT,
    METADATA,
    SPLIT,
    left_out_folder,
)
from catgan.formats.datasets import LEFT_OUT_SUFFIX as SUFFIX

DRAWN = (FULL_BODY, FACE_CROP)  # data sets that pictures are drawn for
MEETING = ".meeting"  # says for which command the workers of a cluster write; see `site`
ANNOUNCED = ".announced"  # names of pictures about to be written, one a line
BY = re.compile(re.escape(ANNOUNCED) + r"-[A-Za-z0-9-]+")  # the same, by another machine


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The pictures of a curated folder."""

    root: Path
    """The folder."""
    names: tuple[str, ...]
    """The data sets that are wanted: those of `DRAWN`, perhaps `full-body-kept`."""
    shared: str = ""
    """What `.meeting` says while several machines write for one command; "" for this one alone.

    Each then has partial files of its own, and one that it announces in, as network drives lose
    lines that several add to one; and writes nothing for a command that waits no longer."""

    def folder(self, name: str) -> Path:
        """Where the pictures of a data set lie."""
        return self.root / name / SPLIT

    @property
    def announcement(self) -> Path:
        """The file with the names of pictures about to be written."""
        return self.root / (f"{ANNOUNCED}-{machine_name()}" if self.shared else ANNOUNCED)

    def announcements(self) -> list[Path]:
        """Those of all machines that there are."""
        others = (path for path in self.root.glob(f"{ANNOUNCED}-*") if BY.fullmatch(path.name))
        return [self.root / ANNOUNCED, *sorted(others)]

    def folders(self) -> list[Path]:
        """Every folder that pictures are written to, moved to or taken from, the outer ones first.

        Those of `full-body-kept` too where that is not wanted: an earlier run may have made it.
        """
        names = (*DRAWN, FULL_BODY_KEPT)
        waiting = self.folder(FULL_BODY) / LEFT_OUT
        return [
            *(self.root / name for name in names),
            *map(self.folder, names),
            waiting,
            *map(self._waiting, DRAWN),
        ]

    def prepare(self, ours: Container[str]) -> None:
        """Make the data sets' folders, without what a killed run left half written.

        Args:
            ours: File names of catgan's pictures.
        """
        for name in self.names:
            self.folder(name).mkdir(parents=True, exist_ok=True)
        self.sweep(ours)

    def sweep(self, ours: Container[str]) -> None:
        """Remove what killed processes left half written of our own files."""
        for name in self.names:
            _sweep(self.folder(name), ours)
            sweep_partials(self.root / name, lambda found: found == cards.NAME)

    def move_over(self, names: Collection[str], ours: Container[str]) -> None:
        """Bring data sets into today's layout: an older catgan's pictures lay one folder higher.

        Args:
            names: Data sets that are catgan's own.
            ours: File names of catgan's pictures; others stay where they are.
        """
        for name in names:
            moved = {f: old for f, old in _files(self.root / name).items() if f in ours}
            if moved:  # before them: without a picture to move nobody would think of it
                (self.root / name / METADATA).unlink(missing_ok=True)
            for file, old in moved.items():
                new = self.folder(name) / file
                new.parent.mkdir(exist_ok=True)
                if new.exists():
                    old.unlink()
                else:
                    replace(old, new)
            _sweep(self.root / name, ours)

    def drawn(self) -> set[Drawn]:
        """The pictures there are, in a data set or left out; empty files (a power cut) are none."""
        found: set[Drawn] = set()
        for name in DRAWN:
            # the last one counts, as it is the newest
            for folder, suffix in (
                (self.root / name, ""),
                (self._waiting(name), SUFFIX),
                (self.folder(name), ""),
            ):
                for file, entry in _entries(folder, suffix):
                    picture = name, file
                    if entry.stat().st_size > 0:
                        found.add(picture)
                    else:
                        found.discard(picture)
        return found

    def write(self, finding: Finding, pictures: Pictures) -> None:
        """Put the pictures of a photo just looked at into their data sets.

        The copy in `full-body-kept` goes first, so that none outlives its original, whenever a run
        is killed: with another `size` the picture has the same name.

        Raises:
            DiskFull: There is no room for one.
            WorkerUnfit: Nobody waits for them any more.
        """
        if self.shared:
            check_wanted(self.root, self.shared)
        self._announce(finding, len(pictures.crops))
        if FULL_BODY_KEPT in self.names:  # else the folder is not there, or somebody else's
            (self.folder(FULL_BODY_KEPT) / finding.file()).unlink(missing_ok=True)
        self._write(self.folder(FULL_BODY) / finding.file(), pictures.whole)
        self._write_crops(finding, pictures.crops)

    def write_crops(self, finding: Finding, crops: Sequence[Picture]) -> None:
        """Put other crops of a photo than it had into their data set.

        Args:
            finding: Of the photo, as it is with them.
            crops: (size, size, 3) uint8 each, in the order of its crops.

        Raises:
            DiskFull: There is no room for one.
        """
        self._announce(finding, len(crops))
        self._write_crops(finding, crops)

    def _announce(self, finding: Finding, crops: int) -> None:
        names = (finding.file(index) for index in range(max(1, crops)))
        append_line(self.announcement, "\n".join(names))

    def _write_crops(self, finding: Finding, crops: Sequence[Picture]) -> None:
        for index, picture in enumerate(crops):
            self._write(self.folder(FACE_CROP) / finding.file(index), picture)

    def _write(self, path: Path, picture: Picture) -> None:
        write_picture(path, encode_png(picture), shared=bool(self.shared))

    def adopt(self, other: "Selection", findings: Sequence[Finding]) -> None:
        """Move the pictures of photos here from another selection, on the same file system.

        Those that it no longer has stay as they are here: an earlier call was killed after them.

        Args:
            other: Has the pictures, in its data sets.
            findings: Of the photos, as they were looked at there.
        """
        drawn = [picture for finding in findings for picture in sorted(finding.drawn())]
        if not drawn:
            return
        append_line(self.announcement, "\n".join(sorted({file for _, file in drawn})))
        for name, file in drawn:
            there = other.folder(name) / file
            if not there.is_file():
                continue
            if name == FULL_BODY and FULL_BODY_KEPT in self.names:  # as in `write`
                (self.folder(FULL_BODY_KEPT) / file).unlink(missing_ok=True)
            replace(there, self.folder(name) / file)

    def announced(self) -> set[str]:
        """File names of pictures that a run was about to write, since the last one that ended.

        Raises:
            FileRefused: The file with them is none of ours.
        """
        found: set[str] = set()
        for path in self.announcements():
            check_own(path)
            with suppress(FileNotFoundError):
                found.update(read_file(path).decode("utf-8", "replace").split("\n"))
        return found

    def forget_announced(self) -> None:
        """All that was announced is on record by now."""
        for path in self.announcements():
            path.unlink(missing_ok=True)

    def arrange(
        self,
        known: Callable[[str], AbstractSet[str]],
        wanted: Callable[[str], AbstractSet[str]],
        ours: Container[str],
    ) -> None:
        """Move the pictures wanted into their data sets, and the others out of them.

        Args:
            known: Data set -> file names of the pictures of all photos there are; any other of ours
                goes. Asked once for each of `DRAWN`, so that one is in memory at a time.
            wanted: Data set -> those that it is to hold; likewise.
            ours: File names of pictures that catgan has drawn: a person's own may be called alike.

        Raises:
            DiskFull: There is no room for a copy in `full-body-kept`.
        """
        self.sweep(ours)  # a process that died of a photo leaves a partial file
        for name in DRAWN:
            drawn, chosen = known(name), wanted(name)
            inside = {file for file, _ in _entries(self.folder(name))}
            outside = {file for file, _ in _entries(self._waiting(name), SUFFIX)}
            for file in sorted(inside | outside):
                here = self.folder(name) / file
                there = self._waiting(name) / (file + SUFFIX)
                if file not in drawn:
                    if file not in ours:
                        continue
                    here.unlink(missing_ok=True)
                    there.unlink(missing_ok=True)
                elif file not in chosen:
                    if file in inside:
                        there.parent.mkdir(parents=True, exist_ok=True)
                        replace(here, there)
                elif file not in inside:
                    replace(there, here)
                elif file in outside:
                    there.unlink()
        self._close_left_out()
        if FULL_BODY_KEPT in self.names:
            self._copy_kept(wanted(FULL_BODY_KEPT), ours)

    def _copy_kept(self, wanted: AbstractSet[str], ours: Container[str]) -> None:
        """Copies and not links: drives such as Colab's have none.

        A copy of another length than its original is none: a power cut leaves empty files.
        """
        for file, copy in self._inside(FULL_BODY_KEPT).items():
            if file not in wanted and file in ours:
                copy.unlink()
        for file in sorted(wanted):
            original, copy = self.folder(FULL_BODY) / file, self.folder(FULL_BODY_KEPT) / file
            if not (copy.is_file() and copy.stat().st_size == original.stat().st_size):
                write_picture(copy, read_file(original))

    def forget_left_out(self) -> None:
        """Remove all that is left out: it was drawn with other settings."""
        for name in DRAWN:
            for path in self._left_out(name).values():
                path.unlink()
        self._close_left_out()

    def remove(self, name: str, ours: Container[str]) -> None:
        """Take our pictures of a data set away, and with the last one the data set."""
        for file, path in self._inside(name).items():
            if file in ours:
                path.unlink()
        _sweep(self.folder(name), ours)
        self.close(name)

    def close(self, name: str) -> None:
        """Take an empty data set away: it would stop torchvision's `ImageFolder`."""
        (self.folder(name) / METADATA).unlink(missing_ok=True)
        cards.remove_card(self.root / name, card_head(name))
        for folder in (self.folder(name), self.root / name):
            with suppress(OSError):  # somebody else's file in it: theirs to clear away
                folder.rmdir()

    def holds(self, name: str) -> bool:
        """Whether a data set has a picture, in today's layout or the older one."""
        return bool(self._inside(name) or _files(self.root / name))

    def _inside(self, name: str) -> dict[str, Path]:
        return _files(self.folder(name))

    def _left_out(self, name: str) -> dict[str, Path]:
        return _files(self._waiting(name), SUFFIX)

    def _waiting(self, name: str) -> Path:
        return left_out_folder(self.root, name)

    def _close_left_out(self) -> None:
        for folder in (*map(self._waiting, DRAWN), self.folder(FULL_BODY) / LEFT_OUT):
            with suppress(OSError):
                folder.rmdir()


def check_wanted(root: Path, token: str) -> None:
    """That whoever asked for pictures in a folder still waits: another may be at work there by now.

    Args:
        root: The curated folder.
        token: What `.meeting` said then.

    Raises:
        WorkerUnfit: The command has ended, or begun anew.
    """
    if meeting_of(root) != token:
        raise WorkerUnfit(
            f"The command that images in {root} were for has ended, or was started again; "
            "rerun the same command."
        )


def meeting_of(root: Path) -> str | None:
    """What `.meeting` says; None where there is none."""
    try:
        return (root / MEETING).read_text(encoding="utf-8")
    except OSError:
        return None


def _sweep(folder: Path, ours: Container[str]) -> None:
    sweep_partials(folder, lambda name: name == METADATA or name in ours)


def _files(folder: Path, suffix: str = "") -> dict[str, Path]:
    """The pictures of catgan's in a folder, by what they are called in their data set."""
    return {name: folder / entry.name for name, entry in _entries(folder, suffix)}


def _entries(folder: Path, suffix: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name.removesuffix(suffix)
            if entry.name.endswith(suffix) and PICTURE_NAME.fullmatch(name):
                yield name, entry
