"""How `review` sees and cuts squares: a `review.scissors.Scissors`, as `curate` cuts them."""

import dataclasses
from pathlib import Path

from catgan.core.errors import FaceTooSmall
from catgan.core.photos import Photo
from catgan.core.pictures import Picture
from catgan.curate.byhand import frame_at
from catgan.curate.crop import crop_face, square_around
from catgan.curate.find import PhotoFile
from catgan.curate.square import EAR_TO_EAR, Square, box_of, ears_of, square_of
from catgan.formats.decisions import Box


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CurateScissors:
    """Cuts with the size and the margin of a curated folder."""

    size: int
    """Side of the pictures, pixels."""
    margin: float
    """Growth of the ears' square on each side, in sides of it."""

    def crop_of(
        self, box: Box, roll: float, *, width: int, height: int
    ) -> tuple[float, float, float, float]:
        """What is cut out for a face: centre, side and turn of the square.

        Args:
            box: The ears' square, pixels of the whole photo.
            roll: Its turn, degrees anticlockwise.
            width: Of the photo, pixels.
            height: Likewise.
        """
        square = square_around(square_of(box, roll), margin=self.margin, width=width, height=height)
        return square.cx, square.cy, square.side, square.roll

    def box_of(self, crop: tuple[float, float, float, float]) -> tuple[Box, float]:
        """The face that a square is cut out for: the other way round."""
        cx, cy, side, roll = crop
        ears = side / (1 + 2 * self.margin)
        return box_of(ears_of(Square(cx=cx, cy=cy, side=ears / EAR_TO_EAR, roll=roll)))

    def cut(self, photo: Photo, box: Box, roll: float) -> Picture | None:
        """The picture of a face, (size, size, 3) uint8; None where it would have to be enlarged."""
        try:
            return crop_face(photo, square_of(box, roll), size=self.size, margin=self.margin)
        except FaceTooSmall:
            return None

    def frame(self, path: Path, seconds: float) -> Photo:
        """A frame of a video.

        Raises:
            UnreadablePhoto: It cannot be decoded.
        """
        status = path.stat()
        file = PhotoFile(
            path=path, name=path.name, bytes=status.st_size, modified=status.st_mtime_ns
        )
        return frame_at(file, seconds)
