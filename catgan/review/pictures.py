"""The pictures that the page shows: crops, whole photos, and squares drawn since."""

import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np
from PIL import Image

from catgan.core.colours import to_srgb
from catgan.core.errors import UnreadablePhoto
from catgan.core.files import read_file
from catgan.core.loading import load_picture
from catgan.core.photos import Photo, read_photo
from catgan.core.pictures import Picture, encode_jpeg, resize_shorter_side
from catgan.formats.datasets import (
    FACE_CROP,
    FULL_BODY,
    LEFT_OUT_SUFFIX,
    SPLIT,
    left_out_folder,
)
from catgan.formats.photos import FaceRecord, PhotoRecord, find_photo
from catgan.formats.standing import FaceStanding
from catgan.review.album import Item, place_of
from catgan.review.scissors import Scissors

SHOWN = 1600  # pixels of the longer side of a photo as the page has it
REMEMBERED = 8  # photos decoded last
MOST = 1 << 26  # bytes of a picture of a data set


class PictureShelf:
    """Pictures of one curated folder. Nothing outside of it and of the photos' folder is read."""

    def __init__(self, curated: Path, raw: Path | None, scissors: Scissors) -> None:
        """Remember where things are.

        Args:
            curated: The curated folder.
            raw: The folder of photos; None where it is not known, or gone.
            scissors: Cuts faces as the data sets have them.
        """
        self._curated = curated
        self._raw = raw
        self._scissors = scissors
        self._photos: OrderedDict[tuple[str, float | None], Photo] = OrderedDict()
        self._lock = threading.Lock()

    def tile(self, item: Item, record: PhotoRecord) -> Picture:
        """The picture of an item, (H, W, 3) uint8, some 64 pixels wide.

        Raises:
            UnreadablePhoto: There is none, or it cannot be read.
        """
        if item.face is None:
            return self._whole(record)
        if (path := self.file(item)) is not None:
            return load_picture(path).pixels
        box, roll = item.face.shown
        picture = self._scissors.cut(self.photo(record), box, roll)
        if picture is None:
            raise UnreadablePhoto("the square would have to be enlarged")
        return picture

    def file(self, item: Item) -> Path | None:
        """The picture's file, if there is one of the very square that is to be cropped."""
        face, record = item.face, item.record
        if face is None or record is None or not _is_of(record, face):
            return None
        for name, path in (
            (record.file, self._curated / FACE_CROP / SPLIT / (record.file or "")),
            (
                record.left_out,
                left_out_folder(self._curated, FACE_CROP)
                / ((record.left_out or "") + LEFT_OUT_SUFFIX),
            ),
        ):
            if name and _is_inside(path, self._curated) and path.is_file():
                return path
        return None

    def _whole(self, record: PhotoRecord) -> Picture:
        if FULL_BODY in record.outputs:
            path = self._curated / record.outputs[FULL_BODY]
            if _is_inside(path, self._curated):
                return load_picture(path).pixels
        photo = self.photo(record)
        return to_srgb(resize_shorter_side(photo.pixels, self._scissors.size), photo.profile)

    def photo(self, record: PhotoRecord) -> Photo:
        """A whole photo, or the frame of a video, decoded to some 1,600 pixels.

        Raises:
            UnreadablePhoto: It is gone, lies elsewhere, or cannot be read.
        """
        place = place_of(record)
        with self._lock:
            if (known := self._photos.get(place)) is not None:
                self._photos.move_to_end(place)
                return known
        photo = self._read(record)
        with self._lock:
            self._photos[place] = photo
            while len(self._photos) > REMEMBERED:
                self._photos.popitem(last=False)
        return photo

    def _read(self, record: PhotoRecord) -> Photo:
        if self._raw is None:
            raise UnreadablePhoto("the folder of photos is not where it was")
        path = find_photo(self._raw, record)
        if not _is_inside(path, self._raw):
            raise UnreadablePhoto("the photo lies outside of its folder, behind a link")
        seconds = place_of(record)[1]
        try:
            if seconds is not None:
                return self._scissors.frame(path, seconds)
            return read_photo(read_file(path), side=SHOWN)
        except OSError as error:
            raise UnreadablePhoto(error.strerror or "it cannot be opened") from error

    def shown(self, record: PhotoRecord) -> bytes:
        """A whole photo as a JPEG, its longer side at most 1,600 pixels.

        Raises:
            UnreadablePhoto: See `photo`.
        """
        photo = self.photo(record)
        height, width = photo.pixels.shape[:2]
        pixels = photo.pixels
        if max(height, width) > SHOWN:
            image = Image.fromarray(pixels)
            image.thumbnail((SHOWN, SHOWN), Image.Resampling.BOX, reducing_gap=2.0)
            pixels = np.asarray(image, dtype=np.uint8)
        return encode_jpeg(to_srgb(pixels, photo.profile), 90)


def _is_of(record: FaceRecord, face: FaceStanding) -> bool:
    """Whether what is on record of a face is the square that is to be cropped."""
    return (record.box, record.roll) == face.shown


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether a file lies in a folder, with all links followed."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a link to itself
        return False
