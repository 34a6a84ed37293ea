"""`photos.jsonl`: one line for each photo that `curate` looked at, kept or not, and why.

Its journal, `.findings-*.jsonl`, has the same lines and three fields more.
"""

import dataclasses
import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from catgan.core.files import write_jsonl
from catgan.core.names import existing
from catgan.formats.records import check_ranges, read_records, to_json

NAME = "photos.jsonl"
SHA256, FINGERPRINT = re.compile("([0-9a-f]{64})?"), re.compile("([0-9a-f]{16})?")
MOST_SIDE = 10**9  # pixels


class Verdict(StrEnum):
    """What became of a photo; every photo has exactly one."""

    KEPT = "kept"
    UNREADABLE = "unreadable"
    NO_FACE = "no-face"
    FACE_TOO_SMALL = "face-too-small"
    BLURRY = "blurry"
    TOO_DARK = "too-dark"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FaceRecord:
    """A face on a photo."""

    box: tuple[float, float, float, float]
    """x, y, w, h of the square from ear base to ear base as it would lie with the head upright,
    pixels of the upright photo."""
    roll: float
    """Turn of the head about the square's centre, degrees anticlockwise."""
    score: float
    """How sure the finder is; each recipe has a scale of its own."""
    recipe: str = ""
    """The recipe that found it; "" in older records, which called it `cascade`."""
    proposer: str | None = None
    """What proposed the place that the recipe verified: `map` or `cascade`; None where it is not
    known."""
    sharpness: float | None = None
    """Of its crop, 0 to 1; None where there is no crop, as of all but the best face."""
    brightness: float | None = None
    """Of its crop, 0 to 255; likewise."""
    detail: float | None = None
    """Sharpness of its crop at its own size, up to twice the picture's, 0 to 1; likewise."""
    fingerprint: str | None = None
    """Perceptual hash of its crop, 16 hexadecimal digits; likewise."""
    file: str | None = None
    """Its picture in `face-crop`; None where it has none there."""
    left_out: str | None = None
    """What its picture is called that a verdict left out; see `datasets.left_out_folder`."""
    by_hand: bool | None = None
    """True where it is there because a person kept or drew it (`decisions.jsonl`); else None."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PhotoRecord:
    """A line of `photos.jsonl`."""

    path: str
    """Relative to the folder of photos, with forward slashes."""
    sha256: str
    """Of the file, hexadecimal; "" where it could not even be opened."""
    width: int
    """Of the upright photo, pixels; 0 where unreadable."""
    height: int
    """Likewise."""
    verdict: str
    """What became of it: a `Verdict`, or one that a newer catgan knows."""
    reason: str
    """Why, in words."""
    sharpness: float = 0.0
    """Of the whole photo as a picture of the data set, 0 to 1; 0 where unreadable."""
    fingerprint: str = ""
    """Perceptual hash of the whole photo, 16 hexadecimal digits; "" where unreadable."""
    content: str | None = None
    """The same of what is on it, where it has an even ground; None where it has none."""
    clip: str | None = None
    """The video that it is a frame of, like `path`; None for a photo."""
    frames: int | None = None
    """How many frames of that video there are; likewise."""
    faces: tuple[FaceRecord, ...] = ()
    """The faces found, the best first."""
    outputs: dict[str, str] = dataclasses.field(default_factory=dict)
    """Data set -> the photo's picture in it, relative to the curated folder."""
    bytes: int | None = None
    """Size of the file; in the journal alone, as a copied album is the same album."""
    modified: int | None = None
    """When the file last changed, nanoseconds since 1970; in the journal alone."""
    probe: str | None = None
    """Hash of the file's beginning and end, 16 hexadecimal digits; in the journal alone."""

    def __post_init__(self) -> None:
        """Refuse what no photo can have, which pictures are named, compared and sorted by.

        Raises:
            ValueError: Names the field.
        """
        check_ranges(self, {"width": (0, MOST_SIDE), "height": (0, MOST_SIDE)})
        for name, digits in (("sha256", SHA256), ("fingerprint", FINGERPRINT)):
            if not digits.fullmatch(getattr(self, name)):
                raise ValueError(f"{name} is not hexadecimal digits, or too few")


def find_photo(raw: Path, record: PhotoRecord) -> Path:
    """Where the photo of a record is, or was; of a frame the video.

    Args:
        raw: The folder of photos.
        record: Of one of them; its path is `printable`.
    """
    return existing(raw / (record.clip or record.path))


def read_photos(curated: Path) -> list[PhotoRecord]:
    """What became of each photo, by path; empty for a folder that `curate` did not make.

    Raises:
        BadRecord: A line is damaged; names it.
    """
    return list(read_records(curated / NAME, PhotoRecord))


def write_photos(curated: Path, records: Iterable[PhotoRecord]) -> None:
    """Write `photos.jsonl`, whole or not at all.

    Raises:
        DiskFull: There is no room for it.
    """
    write_jsonl(curated / NAME, map(to_json, records))
