"""The rate of pictures with a face, by a finder that is handed in."""

import numpy as np
import pytest

from catgan.core.errors import TooFewPictures
from catgan.core.pictures import Picture
from catgan.measure.metrics.faces import FoundFaces, face_rate
from catgan.measure.statistics.intervals import wilson


class Bright:
    """Finds a face wherever a picture is bright, and remembers what it was shown."""

    name = "bright"

    def __init__(self) -> None:
        self.shown: list[Picture] = []

    def finds(self, picture: Picture) -> bool:
        self.shown.append(picture)
        return bool(picture.mean() > 128)


def test_the_rate_is_the_finders() -> None:
    pictures = np.repeat(np.array([0, 200, 255, 90, 180], dtype=np.uint8), 48).reshape(5, 4, 4, 3)
    finder = Bright()
    found = face_rate(pictures, FoundFaces(finder))
    assert (found.hits, found.total, found.extractor) == (3, 5, "bright")
    assert (found.low, found.high) == wilson(3, 5)
    np.testing.assert_array_equal(np.stack(finder.shown), pictures)


def test_no_pictures_have_no_rate() -> None:
    with pytest.raises(TooFewPictures):
        face_rate(np.empty((0, 4, 4, 3), dtype=np.uint8), FoundFaces(Bright()))


def test_faces_found_are_kept_as_features_are() -> None:
    pictures = np.repeat(np.array([0, 200, 255], dtype=np.uint8), 48).reshape(3, 4, 4, 3)
    finder = Bright()
    seen = FoundFaces(finder)
    assert seen.name == "bright"
    found = seen.extract(pictures)
    assert found.cat.tolist() == [0, 1, 1]
    assert found.pooled.shape == (3, 1)
    assert found.cat.dtype == found.pooled.dtype == np.float32
    assert int((found.cat > 0.5).sum()) == face_rate(pictures, seen).hits
