"""What became of a photo, and why."""

import dataclasses
from enum import StrEnum

from catgan.core.datasets import FACE_CROP
from catgan.core.files import Json
from catgan.curate.detect import Face


class Verdict(StrEnum):
    """Every photo gets exactly one."""

    KEPT = "kept"
    UNREADABLE = "unreadable"
    NO_FACE = "no-face"
    FACE_TOO_SMALL = "face-too-small"
    BLURRY = "blurry"
    TOO_DARK = "too-dark"
    DUPLICATE = "duplicate"


MEANING = {
    Verdict.KEPT: "a face was found and cropped",
    Verdict.NO_FACE: "no cat face found; the whole photo is kept",
    Verdict.FACE_TOO_SMALL: "the crop would have to be enlarged; the whole photo is kept",
    Verdict.BLURRY: "the face is blurred; the whole photo is kept",
    Verdict.TOO_DARK: "the face is nearly black; the whole photo is kept",
    Verdict.DUPLICATE: "the same as another photo, or nearly; left out",
    Verdict.UNREADABLE: "broken or not a picture; left out",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """One face's picture."""

    file: str
    """Its file name in `face-crop/`; "" where a screen took it out."""
    sharpness: float
    """Of the crop, 0 to 1; see `screens.sharpness`."""
    brightness: float
    """Of the crop, 0 to 255; see `screens.brightness`."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What looking at one photo found; a line of `photos.jsonl` and of the journal."""

    path: str
    """Relative to the raw folder, with forward slashes."""
    sha256: str
    """Of the file, hexadecimal; empty where it could not even be opened."""
    bytes: int
    """Size of the file."""
    modified: int
    """When the file last changed, nanoseconds since 1970."""
    width: int
    """Of the upright photo, pixels; 0 where unreadable."""
    height: int
    """Likewise."""
    verdict: Verdict
    """What became of it."""
    reason: str
    """Why, in words."""
    faces: tuple[Face, ...]
    """The faces found, the best first."""
    crops: tuple[Crop, ...]
    """The pictures of the first faces, in their order."""
    sharpness: float
    """Of the whole photo as a picture of the data set, 0 to 1; 0 where unreadable."""
    fingerprint: str
    """Of the whole photo, 16 hexadecimal digits; "" where unreadable. See `duplicates`."""
    outputs: dict[str, str]
    """Data set -> the photo's picture in it, relative to the curated folder."""

    def crop_files(self) -> list[str]:
        """File names of its pictures in `face-crop/`."""
        return [crop.file for crop in self.crops if crop.file]

    def pictures(self) -> set[str]:
        """All of its pictures, relative to the curated folder."""
        return {*self.outputs.values(), *(f"{FACE_CROP}/{file}" for file in self.crop_files())}

    def to_json(self) -> Json:
        """The record as it stands in `photos.jsonl`."""
        faces: list[Json] = []
        for index, face in enumerate(self.faces):
            record: Json = {
                "box": [round(value, 1) for value in (face.x, face.y, face.w, face.h)],
                "roll": round(face.roll, 1),
                "score": round(face.score, 3),
                "cascade": face.cascade,
            }
            if index < len(self.crops):
                crop = self.crops[index]
                record |= {
                    "sharpness": round(crop.sharpness, 4),
                    "brightness": round(crop.brightness, 1),
                }
                if crop.file:
                    record["file"] = crop.file
            faces.append(record)
        return {
            "path": self.path,
            "sha256": self.sha256,
            "width": self.width,
            "height": self.height,
            "verdict": str(self.verdict),
            "reason": self.reason,
            "sharpness": round(self.sharpness, 4),
            "fingerprint": self.fingerprint,
            "faces": faces,
            "outputs": dict(self.outputs),
        }

    def to_record(self) -> Json:
        """The same for the journal, with what tells whether the file has changed since.

        That stays out of `photos.jsonl`: a copied album has other times and is the same album.
        """
        return self.to_json() | {"bytes": self.bytes, "modified": self.modified}

    @classmethod
    def from_record(cls, record: Json) -> "Finding":
        """The finding of a journal's record.

        Raises:
            KeyError, TypeError, ValueError: It is no such record.
        """
        faces = tuple(
            Face(
                x=float(face["box"][0]),
                y=float(face["box"][1]),
                w=float(face["box"][2]),
                h=float(face["box"][3]),
                roll=float(face["roll"]),
                score=float(face["score"]),
                cascade=str(face["cascade"]),
            )
            for face in record["faces"]
        )
        return cls(
            path=str(record["path"]),
            sha256=str(record["sha256"]),
            bytes=int(record["bytes"]),
            modified=int(record["modified"]),
            width=int(record["width"]),
            height=int(record["height"]),
            verdict=Verdict(record["verdict"]),
            reason=str(record["reason"]),
            faces=faces,
            crops=tuple(
                Crop(
                    file=str(face.get("file", "")),
                    sharpness=float(face["sharpness"]),
                    brightness=float(face["brightness"]),
                )
                for face in record["faces"]
                if "sharpness" in face
            ),
            sharpness=float(record["sharpness"]),
            fingerprint=str(record["fingerprint"]),
            outputs={str(name): str(file) for name, file in record["outputs"].items()},
        )
