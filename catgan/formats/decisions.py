"""`decisions.jsonl`: what a person decided about faces and photos, one line each, for good.

Lines are only ever added, and each is on the disk before anybody is told that it is kept. A face is
known by its photo's SHA-256, the time in a video and its box, so that decisions outlive renamed
photos, another `curate` and another face finder. `standing` says what they come to.
"""

import dataclasses
import json
import math
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from catgan.core.errors import CatganError
from catgan.core.files import append_jsonl, drop_torn_line, read_file, to_json_line, write_bytes
from catgan.core.systems import sync
from catgan.formats.photos import MOST_SIDE, SHA256
from catgan.formats.records import read_records, to_json

NAME = "decisions.jsonl"
LEAST_SIDE = 1.0  # pixels of a square's

Box = tuple[float, float, float, float]
"""x, y, w, h of an ears' square as it would lie upright, pixels of the upright photo."""


class Choice(StrEnum):
    """What was decided; the last one about a face, or a photo, wins."""

    KEPT = "kept"
    REJECTED = "rejected"
    CLEARED = "cleared"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A line of `decisions.jsonl`."""

    sha256: str
    """Of the photo's file, hexadecimal; of a frame its video's."""
    seconds: float | None = None
    """When in the video, to a tenth; None for a photo."""
    box: Box | None = None
    """The face: its box as it was found, or first drawn; None for the photo as a whole."""
    roll: float = 0.0
    """Turn of the head about the box's centre, degrees anticlockwise."""
    decision: str
    """A `Choice`, or one that a newer catgan knows, which is passed over."""
    square: Box | None = None
    """The box drawn by hand that is to be cropped instead; None for the one found."""
    square_roll: float | None = None
    """Its turn, likewise."""
    decided: str
    """When it was decided, in UTC: `2026-11-27T14:05:09Z`."""

    def __post_init__(self) -> None:
        """Refuse what nobody can have decided.

        Raises:
            ValueError: Names the field.
        """
        if not (self.sha256 and SHA256.fullmatch(self.sha256)):
            raise ValueError("sha256 is not hexadecimal digits, or too few")
        if self.seconds is not None and not 0 <= self.seconds <= MOST_SIDE:
            raise ValueError(f"seconds is {self.seconds}")
        for name, box in (("box", self.box), ("square", self.square)):
            if box is not None and not _can_be(box):
                raise ValueError(f"{name} is {list(box)}")
        for name, turn in (("roll", self.roll), ("square_roll", self.square_roll)):
            if turn is not None and not abs(turn) <= 360:
                raise ValueError(f"{name} is {turn}")
        if self.square is not None and self.box is None:
            raise ValueError("square is there without a box")

    @property
    def place(self) -> tuple[str, float | None]:
        """The photo, or the frame of a video."""
        return self.sha256, self.seconds


def _can_be(box: Box) -> bool:
    x, y, w, h = box
    return (
        all(map(math.isfinite, box))
        and max(abs(x), abs(y)) <= MOST_SIDE
        and min(w, h) >= LEAST_SIDE
        and max(w, h) <= MOST_SIDE
    )


def now() -> str:
    """The time, as decisions have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_decisions(path: Path) -> list[Decision]:
    """All decisions in a file, in the order in which they were made; none where there is no file.

    Raises:
        BadRecord: A line is damaged; names it. (A last line cut short by a kill is passed over.)
    """
    return list(read_records(path, Decision))


def append_decisions(path: Path, decisions: Sequence[Decision]) -> None:
    """Add decisions to a file, all or none; they are on the disk when this returns.

    Raises:
        DiskFull, NotWritable, FileRefused: They cannot be.
    """
    if not decisions:
        return
    drop_torn_line(path)
    try:
        append_jsonl(path, map(to_json, decisions))
    except CatganError:
        with suppress(CatganError, OSError):
            drop_torn_line(path)
        raise
    sync(path)


def merge_decisions(path: Path, others: Iterable[Decision]) -> list[Decision]:
    """Add the decisions of another file that are not here yet, in their order.

    Returns:
        Those that were added.

    Raises:
        BadRecord: A line of `path` is damaged; names it.
        DiskFull, NotWritable, FileRefused: They cannot be added.
    """
    known = {to_json_line(to_json(one)) for one in read_decisions(path)}
    fresh = [one for one in others if to_json_line(to_json(one)) not in known]
    append_decisions(path, fresh)
    return fresh


def forget_decisions(path: Path, digests: Collection[str]) -> None:
    """Take every decision about some photos out of a file; the other lines stay as they are.

    Args:
        path: The file; nothing happens where there is none, or none about them.
        digests: SHA-256 of the photos' files, hexadecimal.

    Raises:
        BadRecord: A line is damaged; names it.
        DiskFull, NotWritable: It cannot be written.
    """
    if not any(one.sha256 in digests for one in read_decisions(path)):
        return
    lines = read_file(path).splitlines(keepends=True)
    whole = [line for line in lines if line.endswith(b"\n") and line.strip()]
    write_bytes(path, b"".join(line for line in whole if json.loads(line)["sha256"] not in digests))
