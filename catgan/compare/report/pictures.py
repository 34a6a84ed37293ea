"""Pictures as they go into the page: sheets of small images, encoded."""

import dataclasses

import numpy as np
from PIL import Image

from catgan.compare.measured.run import Pairs
from catgan.core.pages import data_uri
from catgan.core.pictures import Picture, Pictures, encode_jpeg, sheet

GAP = 2  # between the images of a sheet, pixels
TILES = 24  # images shown of a sheet
COLUMNS = 6
TILE = 64  # a larger image is shown at this side, pixels
QUALITY = 80
GROUND = 128  # grey between images: a page may be light or dark


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """A picture ready to be shown."""

    jpeg: bytes
    """The file."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""

    @property
    def uri(self) -> str:
        """The picture inside the page."""
        return data_uri("jpeg", self.jpeg)


def still(picture: Picture, quality: int = QUALITY) -> Still:
    """A picture as it goes into the page."""
    height, width = picture.shape[:2]
    return Still(jpeg=encode_jpeg(picture, quality), width=width, height=height)


def sheet_of(pictures: Pictures, *, columns: int = COLUMNS, most: int = TILES) -> Picture:
    """A sheet of the first images, each brought down to 64 pixels where it is larger.

    Args:
        pictures: (N, H, W, 3) uint8, N from 1.
        columns: Images in a row.
        most: Images shown.
    """
    pictures = pictures[:most]
    height, width = pictures.shape[1:3]
    limit = TILE if len(pictures) > 1 else COLUMNS * (TILE + GAP)  # one image is a whole grid
    if max(height, width) > limit:
        scale = limit / max(height, width)
        target = (max(1, round(width * scale)), max(1, round(height * scale)))
        pictures = np.stack(
            [
                np.asarray(Image.fromarray(picture).resize(target, Image.Resampling.LANCZOS))
                for picture in pictures
            ]
        )
    return sheet(pictures, columns=columns, gap=GAP, ground=GROUND)


def pairs_still(pairs: Pairs) -> Still:
    """Samples in the first row, the training images nearest to them in the second."""
    both = np.concatenate([pairs.samples, pairs.training])
    return still(sheet_of(both, columns=len(pairs.samples), most=len(both)))


def tiles_for(arms: int) -> int:
    """Images to show of a sheet where so many arms share the page."""
    return TILES if arms <= 4 else TILES // 2
