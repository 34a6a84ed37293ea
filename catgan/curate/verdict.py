"""What became of a photo, and why."""

import dataclasses
from enum import StrEnum

from catgan.core.files import Json
from catgan.curate.detect import Face


class Verdict(StrEnum):
    """Every photo gets exactly one."""

    KEPT = "kept"
    UNREADABLE = "unreadable"
    NO_FACE = "no-face"
    FACE_TOO_SMALL = "face-too-small"
    DUPLICATE = "duplicate"


MEANING = {
    Verdict.KEPT: "a face was found and cropped",
    Verdict.NO_FACE: "no cat face found; the whole photo is kept",
    Verdict.FACE_TOO_SMALL: "the crop would have to be enlarged; the whole photo is kept",
    Verdict.DUPLICATE: "the same file as another one; left out",
    Verdict.UNREADABLE: "broken or not a picture; left out",
}


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
    crops: tuple[str, ...]
    """File names in `face-crop/` of the first faces, in their order."""
    outputs: dict[str, str]
    """Data set -> the photo's picture in it, relative to the curated folder."""

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
                record["file"] = self.crops[index]
            faces.append(record)
        return {
            "path": self.path,
            "sha256": self.sha256,
            "width": self.width,
            "height": self.height,
            "verdict": str(self.verdict),
            "reason": self.reason,
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
            crops=tuple(str(face["file"]) for face in record["faces"] if "file" in face),
            outputs={str(name): str(file) for name, file in record["outputs"].items()},
        )
