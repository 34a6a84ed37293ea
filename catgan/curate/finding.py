"""What looking at one photo found: nothing that depends on other photos, and no verdict."""

import dataclasses
import re
from pathlib import PurePosixPath

from catgan.curate.square import Square
from catgan.formats.datasets import FACE_CROP, FULL_BODY

Drawn = tuple[str, str]
"""A picture that was drawn of a photo: the data set it is for, and its file name."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """The picture that was cut of a face."""

    sharpness: float
    """0 to 1; see `screens.sharpness`."""
    brightness: float
    """0 to 255; see `screens.brightness`."""
    detail: float = 0.0
    """Sharpness at its own size, up to twice that of the picture, 0 to 1."""
    fingerprint: str = ""
    """16 hexadecimal digits; see `duplicates`."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A face on a photo."""

    square: Square
    """The ears' square, in pixels of the whole photo."""
    crop: Crop | None = None
    """None where the face is too small, or another one of the photo is the best."""
    by_hand: bool = False
    """Whether it is there because a person decided so, and not because it was found."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is known of a photo by itself."""

    path: str
    """Relative to the folder of photos, with forward slashes."""
    sha256: str
    """Of the file, hexadecimal; "" where it could not even be opened."""
    bytes: int
    """Size of the file."""
    modified: int
    """When the file last changed, nanoseconds since 1970."""
    probe: str = ""
    """Of the contents, at the price of two small reads; see `find.probe_of`."""
    clip: str = ""
    """Path of the video that it is a frame of, like `path`; "" for a photo."""
    frames: int = 0
    """How many frames of that video there are."""
    width: int = 0
    """Of the upright photo, pixels; 0 where unreadable."""
    height: int = 0
    """Likewise."""
    why_not: str = ""
    """Why it cannot be read, or why no face of it was cropped; "" where there is no face either."""
    detector: str = ""
    """Name of what looked for faces; "" where unreadable."""
    faces: tuple[Face, ...] = ()
    """The faces found, the best first, those that have a crop before the others; then those that a
    person drew or chose."""
    sharpness: float = 0.0
    """Of the whole photo as a picture of the data set, 0 to 1; 0 where unreadable."""
    fingerprint: str = ""
    """Of the whole photo, 16 hexadecimal digits; "" where unreadable. See `duplicates`."""
    content: str = ""
    """Likewise, of what is on it, where its ground is even."""

    @property
    def readable(self) -> bool:
        """Whether there is a picture of it."""
        return self.width > 0

    def cropped(self) -> list[Face]:
        """The faces that have a crop, in their order."""
        return [face for face in self.faces if face.crop is not None]

    def crops(self) -> list[Crop]:
        """The crops, in the order of the faces."""
        return [face.crop for face in self.faces if face.crop is not None]

    def file(self, index: int = 0) -> str:
        """What its pictures are called: 0 for the whole photo, as for the crop of the best face."""
        return picture_name(photo_stem(self.path), self.sha256, index)

    def files(self, name: str) -> list[str]:
        """The pictures of it that were drawn for a data set, by file name."""
        if not self.readable or name not in (FULL_BODY, FACE_CROP):
            return []
        pictures = 1 if name == FULL_BODY else sum(face.crop is not None for face in self.faces)
        return [self.file(index) for index in range(pictures)]

    def drawn(self) -> set[Drawn]:
        """All pictures that were drawn of it."""
        return {(name, file) for name in (FULL_BODY, FACE_CROP) for file in self.files(name)}


_FRAME = re.compile(r"(.*)@(\d+\.\d)s")


def frame_path(clip: str, seconds: float) -> str:
    """What a frame of a video is called: `holiday/clip.mov@12.5s`."""
    return f"{clip}@{seconds:.1f}s"


def photo_stem(path: str) -> str:
    """What the pictures of a photo, or of a frame of a video, are named after."""
    if found := _FRAME.fullmatch(path):
        return f"{PurePosixPath(found[1]).stem}_{found[2]}s"
    return PurePosixPath(path).stem


PICTURE_NAME = re.compile(r".*-[0-9a-f]{10}(-\d+)?\.png")


def picture_name(stem: str, digest: str, index: int = 0) -> str:
    """The file name of a photo's picture: its own name, ten digits of its hash, its place.

    Args:
        stem: The photo's file name without suffix, `printable`; what may trouble
            a file system is replaced.
        digest: SHA-256 of the photo, hexadecimal.
        index: 0 for the best face (and the whole photo), 1 for the next ...
    """
    plain = re.sub(r"(\\x[0-9a-f]{2}|[^\w.+-])+", "_", stem, flags=re.ASCII)
    safe = plain.strip("._-")[:60] or "photo"
    return f"{safe}-{digest[:10]}" + (f"-{index + 1}" if index else "") + ".png"
