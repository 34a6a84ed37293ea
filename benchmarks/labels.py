"""A folder of labelled photos: which faces are where, and when a detection is right.

The folder holds `faces/` (N.jpg beside N.txt: one line a face, `0 xc yc w h` as fractions of the
picture), `no-cat/` (photos without a cat, in folders) and, where there are some, `album/` (photos
of which nothing is known) and `large/` (photos of a phone's size). Numbers N that 3 divides are
for measuring, the others for fitting.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from catgan.core.photos import Photo, read_photo
from catgan.curate.square import Square

Fractions = tuple[tuple[float, float, float, float], ...]
"""Centre, width and height of faces, as fractions of the photo."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A labelled face, in pixels of the photo."""

    cx: float
    """Centre from the left."""
    cy: float
    """Centre from the top."""
    w: float
    """Width."""
    h: float
    """Height."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A photo and its faces."""

    path: Path
    """The photo."""
    number: int
    """Its number."""
    fractions: Fractions
    """The faces as the label file has them."""

    @property
    def measuring(self) -> bool:
        """Whether it is for measuring only."""
        return self.number % 3 == 0

    def boxes(self, photo: Photo) -> list[Box]:
        """The faces in pixels of the whole photo."""
        return boxes_on(photo, self.fractions)


def boxes_on(photo: Photo, fractions: Fractions) -> list[Box]:
    """Labelled faces in pixels of the whole photo."""
    return [
        Box(cx=x * photo.width, cy=y * photo.height, w=w * photo.width, h=h * photo.height)
        for x, y, w, h in fractions
    ]


def labelled_photos(folder: Path) -> list[Labelled]:
    """The photos of `faces/`, by number."""
    found = []
    for text in (folder / "faces").glob("*.txt"):
        lines = [line.split() for line in text.read_text().splitlines() if line.strip()]
        found.append(
            Labelled(
                path=text.with_suffix(".jpg"),
                number=int(text.stem),
                fractions=tuple(
                    (float(line[1]), float(line[2]), float(line[3]), float(line[4]))
                    for line in lines
                ),
            )
        )
    return sorted(found, key=lambda photo: photo.number)


def photos_without(folder: Path) -> list[Path]:
    """The photos of `no-cat/`, by path."""
    return sorted((folder / "no-cat").rglob("*.jpg"))


def is_right(face: Square, boxes: Sequence[Box]) -> bool:
    """Whether a detection is a labelled face.

    Its centre lies in the label's box, and its width is 0.4 to 2.2 times the label's longer side.
    (Two people who labelled the same photos agreed at a median overlap of 0.66, so a finer rule
    would measure the labels.)
    """
    return any(
        abs(face.cx - box.cx) <= box.w / 2
        and abs(face.cy - box.cy) <= box.h / 2
        and 0.4 <= face.side / max(box.w, box.h) <= 2.2
        for box in boxes
    )


def open_photo(path: Path, side: int) -> Photo:
    """A photo decoded as `curate` decodes it for finding faces."""
    return read_photo(path.read_bytes(), side=side)
