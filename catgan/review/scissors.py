"""What the page needs to know of how faces are cut: handed in, since `curate` cuts them."""

from pathlib import Path
from typing import Protocol

from catgan.core.photos import Photo
from catgan.core.pictures import Picture
from catgan.formats.decisions import Box

Crop = tuple[float, float, float, float]
"""Centre from the left and from the top, side, pixels of the whole photo; turn, degrees
anticlockwise: what is cut out for a face."""


class Scissors(Protocol):
    """Anything that cuts faces as the data sets have them."""

    @property
    def size(self) -> int:
        """Side of the pictures, pixels."""
        ...

    def crop_of(self, box: Box, roll: float, *, width: int, height: int) -> Crop:
        """What is cut out for a face of a photo of that width and height."""
        ...

    def box_of(self, crop: Crop) -> tuple[Box, float]:
        """The face that a square is cut out for, and its turn: the other way round."""
        ...

    def cut(self, photo: Photo, box: Box, roll: float) -> Picture | None:
        """The picture of a face, (size, size, 3) uint8; None where it would have to be enlarged."""
        ...

    def frame(self, path: Path, seconds: float) -> Photo:
        """A frame of a video.

        Raises:
            UnreadablePhoto: It cannot be decoded.
        """
        ...
