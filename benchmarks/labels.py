"""A folder of labelled photos: which faces are where, and when a detection is right.

The folder holds `faces/` (N.jpg beside N.txt: one line a face, `0 xc yc w h` as fractions of the
picture), `no-cat/` (photos without a cat, in folders) and, where there are some, `album/` and
`voc-cats/` (photos labelled by eye, in `labels-album.tsv` and `labels-voc-cats.tsv`) and `large/`
(photos of a phone's size). For measuring only are numbers N that 3 divides in `faces/`, and every
third photo, from the first, of `album/`, `voc-cats/` and `no-cat/animals/`; the others are for
fitting.

Labels by eye: F, a good face; S, a face from the side, partly hidden, very small, or from above or
below; N, no face of a real cat to be seen; U, cannot tell. One face a photo is labelled: its middle
and the width of the square on eyes and nose.
"""

import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from catgan.core.photos import Photo, read_photo
from catgan.curate.square import Square

Fractions = tuple[tuple[float, float, float, float], ...]
"""Centre, width and height of faces, as fractions of the photo."""

BY_EYE = ("album", "voc-cats")
EYES_TO_HEAD = 1.3  # width of the box around a head, in widths of the square on eyes and nose


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
    reach: float = 0.5
    """How far from the middle a detection's may lie, in widths and heights."""
    sides: tuple[float, float] = (0.4, 2.2)
    """How wide a detection may be, in longer sides."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A photo and its faces."""

    path: Path
    """The photo."""
    measuring: bool
    """Whether it is for measuring only."""
    fractions: Fractions = ()
    """The faces as the label file has them; by eye, the square on eyes and nose."""
    label: str = "F"
    """F, S, N or U, of the best face."""
    by_eye: bool = False
    """Read off to a tenth of a face, and one face a photo."""

    def boxes(self, photo: Photo) -> list[Box]:
        """The faces in pixels of the whole photo: boxes around the head."""
        if not self.by_eye:
            return boxes_on(photo, self.fractions)
        return [
            Box(
                cx=x * photo.width,
                cy=y * photo.height,
                w=EYES_TO_HEAD * w * photo.width,
                h=EYES_TO_HEAD * w * photo.width,
                reach=0.65,
                sides=(0.35, 2.6),
            )
            for x, y, w, _ in self.fractions
        ]


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
                measuring=int(text.stem) % 3 == 0,
                fractions=tuple(
                    (float(line[1]), float(line[2]), float(line[3]), float(line[4]))
                    for line in lines
                ),
            )
        )
    return sorted(found, key=lambda photo: int(photo.path.stem))


def photos_by_eye(folder: Path, name: str) -> list[Labelled]:
    """The photos of a folder labelled by eye, by name; none where it is not there."""
    table = folder / f"labels-{name}.tsv"
    if not table.is_file():
        return []
    with table.open(encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file, delimiter="\t")}
    found = []
    for index, path in enumerate(sorted((folder / name).glob("*.jpg"))):
        row = rows[path.name]
        place = (float(row["cx"]), float(row["cy"]), float(row["w"]), 0.0) if row["cx"] else None
        found.append(
            Labelled(
                path=path,
                measuring=index % 3 == 0,
                fractions=(place,) if place else (),
                label=row["label"],
                by_eye=True,
            )
        )
    return found


def photos_without(folder: Path) -> list[Labelled]:
    """The photos of `no-cat/`, by path; every third of `animals` is for measuring only."""
    found = []
    for kind in sorted(path for path in (folder / "no-cat").iterdir() if path.is_dir()):
        for index, path in enumerate(sorted(kind.rglob("*.jpg"))):
            measuring = kind.name == "animals" and index % 3 == 0
            found.append(Labelled(path=path, measuring=measuring, label="N"))
    return found


def is_right(face: Square, boxes: Sequence[Box]) -> bool:
    """Whether a detection is a labelled face.

    Its centre lies in the label's box, and its width is 0.4 to 2.2 times the label's longer side
    (0.65 of a box from its middle, and 0.35 to 2.6, for labels by eye).
    (Two people who labelled the same photos agreed at a median overlap of 0.66, so a finer rule
    would measure the labels.)
    """
    return any(
        abs(face.cx - box.cx) <= box.reach * box.w
        and abs(face.cy - box.cy) <= box.reach * box.h
        and box.sides[0] <= face.side / max(box.w, box.h) <= box.sides[1]
        for box in boxes
    )


def open_photo(path: Path, side: int) -> Photo:
    """A photo decoded as `curate` decodes it for finding faces."""
    return read_photo(path.read_bytes(), side=side)
