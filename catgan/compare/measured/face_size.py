"""How large a face is in the images of a data set, from what `curate` wrote down."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from catgan.core.errors import BadRecord, FolderRefused
from catgan.formats.curated import read_note
from catgan.formats.datasets import FACE_CROP, FULL_BODY, FULL_BODY_KEPT
from catgan.formats.photos import PhotoRecord, read_photos

WHOLE = (FULL_BODY, FULL_BODY_KEPT)  # data sets of whole photos
MARGIN = 0.25  # around a face, where the note does not say


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FaceSize:
    """The face in the images of a data set, where curate found one."""

    width: float
    """Median width from ear base to ear base, pixels of the image."""
    pictures: int
    """Images that this is known of."""

    @property
    def pixels(self) -> float:
        """Pixels of the square from ear base to ear base, the median's."""
        return self.width**2


def face_size(folder: Path, size: int) -> FaceSize | None:
    """How many pixels wide the faces of a data set are.

    A whole photo becomes the square in its middle, its shorter side `size` pixels; a crop is as
    wide as the face and a margin on both sides.

    Args:
        folder: Of a data set, in the folder that `curate` made.
        size: Side that its images have in training, pixels.

    Returns:
        None where that folder says nothing of faces: it is not curate's, or is damaged.
    """
    curated = folder.resolve().parent
    try:
        note = read_note(curated)
        margin = MARGIN if note is None else float(note.settings.get("margin", MARGIN))
        widths = list(_widths(read_photos(curated), folder.name, size, margin))
    except (BadRecord, FolderRefused, TypeError, ValueError, ZeroDivisionError):
        return None
    if not widths:
        return None
    return FaceSize(width=float(np.median(widths)), pictures=len(widths))


def _widths(photos: list[PhotoRecord], dataset: str, size: int, margin: float) -> Iterator[float]:
    for photo in photos:
        # a crop bears the name of its photo's whole image: only the folder tells them apart
        if dataset == FACE_CROP:
            yield from (size / (1 + 2 * margin) for face in photo.faces if face.file)
        elif dataset in WHOLE and dataset in photo.outputs and photo.faces:
            yield photo.faces[0].box[2] * size / min(photo.width, photo.height)
