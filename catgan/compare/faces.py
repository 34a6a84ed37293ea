"""How large a face is in the pictures of a data set, from what `curate` wrote down."""

import dataclasses
from pathlib import Path

import numpy as np

from catgan.core.datasets import FACE_CROP, FULL_BODY, FULL_BODY_KEPT
from catgan.core.files import read_json, read_jsonl

PHOTOS = "photos.jsonl"
NOTE = "catgan.json"
WHOLE = (FULL_BODY, FULL_BODY_KEPT)  # data sets of whole photos


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FaceSize:
    """The face in the pictures of a data set, where curate found one."""

    width: float
    """Median width from ear base to ear base, pixels of the picture."""
    pictures: int
    """Pictures that this is known of."""

    @property
    def pixels(self) -> float:
        """Pixels of the square from ear base to ear base, the median's."""
        return self.width**2


def face_size(data_folder: Path, size: int) -> FaceSize | None:
    """How many pixels wide the faces of a data set are.

    A whole photo becomes the square in its middle, its shorter side `size` pixels; a crop is as
    wide as the face and a margin on both sides.

    Args:
        data_folder: A data set, in the folder that `curate` made.
        size: Side that its pictures have in training, pixels.

    Returns:
        None where that folder says nothing of faces: it is not curate's.
    """
    curated = data_folder.resolve().parent
    widths = []
    try:
        note = read_json(curated / NOTE) or {}
        margin = float(note.get("settings", {}).get("margin", 0.25))
        for record in read_jsonl(curated / PHOTOS):
            faces = record.get("faces", [])
            # a crop bears the name of its photo's whole picture: only the folder tells them apart
            if data_folder.name == FACE_CROP:
                crops = [face["file"] for face in faces if face.get("file")]
                widths += [size / (1 + 2 * margin) for _ in crops]
            elif data_folder.name in WHOLE and data_folder.name in record["outputs"] and faces:
                shorter = min(record["width"], record["height"])
                widths.append(float(faces[0]["box"][2]) * size / shorter)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, ZeroDivisionError):
        return None  # another program's file of that name
    if not widths:
        return None
    return FaceSize(width=float(np.median(widths)), pictures=len(widths))
