"""What a page may ask to decide, checked field by field, and the decisions that it comes to."""

import dataclasses
from typing import Any

from catgan.core.errors import BadRecord
from catgan.formats.decisions import Box, Choice, Decision, now
from catgan.formats.records import from_json
from catgan.formats.standing import FaceStanding
from catgan.review.album import Album
from catgan.review.scissors import Crop, Scissors

MOST = 20_000  # decisions at once


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One decision that a page asks for."""

    photo: int
    """Number of the photo."""
    box: Box | None = None
    """The face, by what decisions know it by; None for the whole photo, or a new face."""
    roll: float = 0.0
    """Its turn."""
    choice: Choice
    """What is decided."""
    crop: Crop | None = None
    """The square that a person drew, as it is cut out."""
    square: tuple[float, float, float, float, float] | None = None
    """The same as the box and turn that are on record: for taking a change back."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a page posts."""

    album: str
    """Stamp of the album that it was made for: in another the same numbers mean other photos."""
    changes: tuple[Change, ...]
    """All or none of them are decided."""


def read_wish(table: Any) -> Wish:
    """A page's request.

    Raises:
        BadRecord: It is none.
    """
    if not isinstance(table, dict):
        raise BadRecord("The request is not a JSON object.")
    wish = from_json(table, Wish, "The request")
    if not 0 < len(wish.changes) <= MOST:
        raise BadRecord(f"The request has {len(wish.changes):,} changes; 1 to {MOST:,} can be.")
    return wish


def decisions_of(
    wish: Wish, album: Album, scissors: Scissors
) -> tuple[list[Decision], list[Change]]:
    """What a request comes to, and the changes that take it back.

    Raises:
        BadRecord: It names what there is not.
    """
    when = now()
    made, back = [], []
    for change in wish.changes:
        if not 0 <= change.photo < len(album.photos):
            raise BadRecord("There is no such photo.")
        sha256, seconds = album.place(change.photo)
        box, roll = change.box, change.roll
        square = None
        if change.crop is not None:
            square = scissors.box_of(change.crop)
        elif change.square is not None:
            square = change.square[:4], change.square[4]
        if square is not None and box is None:  # a face drawn where none was found
            box, roll = square
        try:
            one = Decision(
                sha256=sha256,
                seconds=seconds,
                box=box,
                roll=roll,
                decision=change.choice,
                square=None if square is None else square[0],
                square_roll=None if square is None else square[1],
                decided=when,
            )
        except ValueError as error:
            raise BadRecord(f"That cannot be decided: {error}.") from error
        made.append(one)
        back.append(_back(change.photo, box, roll, album))
    return made, back[::-1]


def _back(photo: int, box: Box | None, roll: float, album: Album) -> Change:
    standing = album.standing[photo]
    if box is None:
        return Change(photo=photo, choice=standing.choice or Choice.CLEARED)
    face = next((face for face in standing.faces if face.box == box), None)
    if face is None or face.choice is None:
        return Change(photo=photo, box=box, roll=roll, choice=Choice.CLEARED)
    return Change(photo=photo, box=box, roll=face.roll, choice=face.choice, square=_square(face))


def _square(face: FaceStanding) -> tuple[float, float, float, float, float]:
    (x, y, w, h), roll = face.shown
    return x, y, w, h, roll
