"""The face finder of `curate`, for commands that need the face of a photo or two."""

from pathlib import Path

from catgan.core.errors import FaceTooSmall, NoPictures, UnreadablePhoto
from catgan.core.files import read_file
from catgan.core.photos import read_photo
from catgan.core.pictures import Picture, resize_shorter_side
from catgan.curate.config import CurateConfig
from catgan.curate.crop import crop_face
from catgan.curate.detector import make_recipe_detector
from catgan.curate.recipe import load_recipe

CROPPED = 2  # times the size of a crop, up to which a square picture is taken for a crop itself


class CurateCutter:
    """Cuts faces out as `curate` does by default: a `sample.likeness.FaceCutter`."""

    def __init__(self) -> None:
        """Load the finder.

        Raises:
            BadRecipe: Its file is missing or broken.
            MissingPackage: A package that it needs is missing or broken.
        """
        self._config = CurateConfig()
        self._detector = make_recipe_detector(load_recipe(self._config.cascade))

    def cut(self, photo: Path, size: int) -> Picture:
        """The best face, level; of a small square picture, such as `curate` writes, all of it.

        Args:
            photo: A file.
            size: Side of the result, pixels.

        Returns:
            (size, size, 3) uint8 sRGB.

        Raises:
            UnreadablePhoto: It cannot be read.
            NoPictures: It has no face, or only smaller ones.
        """
        try:
            read = read_photo(read_file(photo))
        except (OSError, UnreadablePhoto) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise UnreadablePhoto(f"{photo} cannot be read ({why}); name another photo.") from error
        if read.width == read.height <= CROPPED * size:
            return resize_shorter_side(read.pixels, size)
        found = self._detector.find(read)
        if not found:
            raise NoPictures(
                f"No cat's face was found in {photo}; name a photo in which it looks at the camera."
            )
        try:
            return crop_face(read, found[0], size=size, margin=self._config.margin)
        except FaceTooSmall as error:
            raise NoPictures(
                f"The face in {photo} is too small ({error}); name a photo taken from closer."
            ) from error
