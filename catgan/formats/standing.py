"""What the decisions about a photo come to: which of its faces a person kept, rejected or drew."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from catgan.formats.decisions import Box, Choice, Decision

SAME = 0.4  # overlap, area shared over area covered, from which two boxes are of one face


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FaceStanding:
    """A face of a photo, and what was decided about it."""

    box: Box
    """What further decisions know it by: the box as found, or as first drawn."""
    roll: float
    """Its turn, degrees anticlockwise."""
    found: int | None
    """Its place among the faces found; None where a person drew it."""
    choice: Choice | None = None
    """Kept or rejected by hand; None where nobody decided."""
    square: tuple[Box, float] | None = None
    """The box and turn to be cropped instead of what was found; always there for a drawn face."""

    @property
    def shown(self) -> tuple[Box, float]:
        """The box and turn that are cropped."""
        return self.square or (self.box, self.roll)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PhotoStanding:
    """A photo, and what was decided about it."""

    choice: Choice | None = None
    """Kept or rejected as a whole."""
    faces: tuple[FaceStanding, ...] = ()
    """Those found, in their order; then those drawn where none was found."""


Decisions = Mapping[tuple[str, float | None], Sequence[Decision]]
"""Decisions by the photo (or frame) that they are about, in their order."""


def by_place(decisions: Iterable[Decision]) -> Decisions:
    """Decisions by the photo, or frame of a video, that they are about."""
    places: dict[tuple[str, float | None], list[Decision]] = defaultdict(list)
    for one in decisions:
        places[one.place].append(one)
    return places


def stand(found: Sequence[tuple[Box, float]], decisions: Iterable[Decision]) -> PhotoStanding:
    """What decisions about one photo come to.

    Each is about the face whose box is the same, else about the one whose box shares most with it:
    another face finder puts a box elsewhere by a little. What was kept and is no longer found is
    taken as drawn; what was rejected and is no longer found is no matter. A square once drawn stays
    with its face, kept or rejected, until the decision is cleared or names another one.

    Args:
        found: Boxes and turns of the faces found on it.
        decisions: About it, in their order.
    """
    choice: Choice | None = None
    faces = [
        FaceStanding(box=box, roll=roll, found=index) for index, (box, roll) in enumerate(found)
    ]
    for one in decisions:
        if one.decision not in tuple(Choice):
            continue
        chosen = Choice(one.decision)
        kept = None if chosen is Choice.CLEARED else chosen
        if one.box is None:
            choice = kept
            continue
        named = None if one.square is None else (one.square, one.square_roll or 0.0)
        index = _which(faces, one.box)
        if index is None:
            if chosen is Choice.KEPT:
                drawn = named or (one.box, one.roll)
                face = FaceStanding(box=one.box, roll=one.roll, found=None, square=drawn)
                faces.append(dataclasses.replace(face, choice=kept))
            continue
        face = faces[index]
        if kept is None and face.found is None:
            del faces[index]
            continue
        square = None if kept is None else named or face.square
        if face.found is not None and square == (face.box, face.roll):
            square = None  # back to what was found
        faces[index] = dataclasses.replace(face, choice=kept, square=square)
    return PhotoStanding(choice=choice, faces=tuple(faces))


def _which(faces: Sequence[FaceStanding], box: Box) -> int | None:
    """The face that a box is of: the one with the same, else the one that shares most with it."""
    shared = [overlap(face.box, box) for face in faces]
    if not shared:
        return None
    best = max(range(len(shared)), key=lambda index: shared[index])
    return best if shared[best] >= SAME else None


def overlap(one: Box, other: Box) -> float:
    """Area that two upright boxes share, over the area that they cover together, 0 to 1."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if across <= 0 or down <= 0:
        return 0.0
    both = across * down
    return both / (one[2] * one[3] + other[2] * other[3] - both)
