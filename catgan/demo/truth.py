"""What is to be seen on each photo of a drawn album, exactly: `demo.jsonl` beside the photos.

Its name is none of a photo's and JSON does not begin like one, so `curate` passes it over. The
first line says which album it is (settings, the base model's digest, the latents that the cat is
drawn from), every further one describes a photo.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from catgan.core.files import Json, read_jsonl

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

    def to_json(self) -> Json:
        """As one line of `demo.jsonl`."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, record: Json) -> "Truth":
        """Of one line of `demo.jsonl`.

        Raises:
            KeyError, TypeError, ValueError: The line is none.
        """
        values: dict[str, Any] = {
            field.name: record[field.name] for field in dataclasses.fields(cls)
        }
        face = values["face"]
        if face is not None:
            x, y, w, h = (float(side) for side in face["box"])
            values["face"] = FaceTruth(
                box=(x, y, w, h), roll=float(face["roll"]), latent=int(face["latent"])
            )
        return cls(**values)


def read_truth(folder: Path) -> Iterator[Truth]:
    """What is on the photos of an album, in their order; nothing where it is no drawn album."""
    for record in read_jsonl(folder / NAME):
        if "file" in record:
            yield Truth.from_json(record)
