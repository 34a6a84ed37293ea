"""What is to be seen on each photo of a drawn album, exactly: `demo.jsonl` beside the photos.

Its name is none of a photo's and JSON does not begin like one, so `curate` passes it over. The
first line says which album it is (settings, the base model's digest, the latents that the cat is
drawn from), every further one describes a photo.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from catgan.core.files import append_jsonl, write_jsonl
from catgan.formats.records import from_json, read_records

NAME = "demo.jsonl"
FORMAT = 1
KIND = "demo-album"

PLAIN = "plain"
TURNED = "exif"
BLURRED = "blurred"
BURST = "burst"
BACK = "back"
EMPTY = "empty"
BROKEN = "broken"

EXPECTED = {
    PLAIN: "kept",
    TURNED: "kept",
    BLURRED: "blurry",
    BURST: "duplicate",
    BACK: "no-face",
    EMPTY: "no-face",
    BROKEN: "unreadable",
}
"""What a photo is -> the verdict that `curate` should come to.

`plain`: a cat facing the camera. `exif`: the same, stored turned, with an EXIF orientation.
`blurred`: out of focus or shaken. `burst`: nearly the same as the plain photo it was taken right
after, and less sharp. `back`: a cat from behind. `empty`: a room. `broken`: cut short, a text file
called a photo, or nothing at all.
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FaceTruth:
    """The face on a photo."""

    box: tuple[float, float, float, float]
    """x, y, w, h of the square from ear base to ear base, pixels of the upright photo."""
    roll: float
    """Turn of the head about the square's centre, degrees anticlockwise."""
    latent: int
    """Its number in `catgan.demo.face.latents_of`; the anchors stand in the first line."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a photo shows."""

    file: str
    """Its name."""
    kind: str
    """A key of `EXPECTED`."""
    verdict: str
    """What `curate` should say of it."""
    width: int
    """Of the upright photo, pixels; 0 where it is broken."""
    height: int
    """Likewise."""
    face: FaceTruth | None
    """None where there is none to be seen."""
    burst_of: str = ""
    """The photo that it nearly is, of a `burst`."""
    orientation: int = 1
    """The EXIF orientation that it is stored with, 1 to 8."""
    setting: str = ""
    """Where the photo was taken; of a broken file nothing."""
    pose: str = ""
    """What the cat does; without a cat nothing."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line: which album it is."""

    kind: str = KIND
    """What the file is."""
    format: int = FORMAT
    """Of the file."""
    settings: dict[str, Any]
    """What the album was drawn with."""
    model: str = ""
    """Digest of the base model that drew the faces."""
    anchors: tuple[int, ...] = ()
    """The latents that the cat is drawn from."""
    refused: int = 0
    """Faces drawn and not used, being too like an image that the model was trained on."""


def read_header(folder: Path) -> Header | None:
    """The first line of an album's `demo.jsonl`; None where there is no drawn album.

    Raises:
        BadRecord: It is damaged; names line and field.
    """
    table = next(read_records(folder / NAME, dict), None)
    if table is None or table.get("kind") != KIND:
        return None
    return from_json(table, Header, f"{folder / NAME}, line 1,")


def read_truth(folder: Path) -> Iterator[Truth]:
    """What is on the photos of an album, in their order; nothing where it is no drawn album.

    Raises:
        BadRecord: A line describes no photo; names line and field.
    """
    return read_records(folder / NAME, Truth, skip=1)


def write_truth(folder: Path, header: Header, truths: Iterable[Truth]) -> None:
    """Write `demo.jsonl`, whole or not at all.

    Raises:
        DiskFull: There is no room for it.
    """
    lines = [dataclasses.asdict(header), *(dataclasses.asdict(truth) for truth in truths)]
    write_jsonl(folder / NAME, lines)


def append_truth(folder: Path, truths: Iterable[Truth]) -> None:
    """Add photos to the end; a kill costs at most the line being written.

    Raises:
        DiskFull: There is no room for them.
    """
    append_jsonl(folder / NAME, [dataclasses.asdict(truth) for truth in truths])
