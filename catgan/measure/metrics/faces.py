"""How many images have a face in them, by whichever finder is handed in."""

from typing import Protocol

import numpy as np

from catgan.core.pictures import Picture, Pictures
from catgan.measure.extractors.base import Extractor, Features
from catgan.measure.statistics.rate import Rate, rate


class FaceFinder(Protocol):
    """Anything that says whether an image has a cat's face in it."""

    @property
    def name(self) -> str:
        """What its rates are labelled with; other settings, another name."""
        ...

    def finds(self, picture: Picture) -> bool:
        """Whether there is a face.

        Args:
            picture: (H, W, 3) uint8 sRGB.
        """
        ...


class FoundFaces:
    """A face finder as an extractor, so that what it found can be kept like features."""

    def __init__(self, finder: FaceFinder) -> None:
        """Wrap a finder.

        Args:
            finder: Says which images have a face.
        """
        self._finder = finder

    @property
    def name(self) -> str:
        """The finder's."""
        return self._finder.name

    def extract(self, pictures: Pictures) -> Features:
        """What was found.

        Args:
            pictures: (N, H, W, 3) uint8 sRGB, N from 1.

        Returns:
            `cat` is 1 where there is a face and 0 elsewhere; `pooled` is the same, (N, 1).
        """
        found = np.array([self._finder.finds(picture) for picture in pictures], dtype=np.float32)
        return Features(pooled=found[:, None], cat=found)


def face_rate(pictures: Pictures, faces: Extractor) -> Rate:
    """How many images have a face in them.

    A finder that chose the images of an arm favours that arm: beside it belongs the same rate of
    the arm's real images.

    Args:
        pictures: (N, H, W, 3) uint8 sRGB, N from 1.
        faces: A `FoundFaces`, or one whose findings are kept.

    Raises:
        TooFewPictures: There is none.
    """
    return rate(faces.extract(pictures).cat > 0.5, extractor=faces.name)
