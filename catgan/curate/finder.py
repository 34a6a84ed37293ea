"""The face finder of `curate` for pictures that are small already: samples, and their real kin."""

import dataclasses

from catgan.core.photos import Photo
from catgan.core.pictures import Picture
from catgan.curate.recipe import load_recipe
from catgan.curate.verified import VerifiedDetector

# A picture of 64 pixels, enlarged to this: half the time of 384 for nearly as many faces (figures
# in docs/log.md).
SIDE = 256
RECIPE = "verified"


class PictureFinder:
    """Says whether a small picture has a cat's face in it: a `measure.metrics.faces.FaceFinder`."""

    def __init__(self) -> None:
        """Load the recipe that `curate` finds faces with by default.

        Raises:
            BadRecipe: Its file is missing or broken.
            MissingPackage: The package with the net's weights is missing or broken.
        """
        recipe = dataclasses.replace(load_recipe(RECIPE), side=SIDE)
        self._detector = VerifiedDetector(recipe)
        self._name = f"face finder {recipe.name}-{recipe.digest()[:8]}"

    @property
    def name(self) -> str:
        """Its recipe, and a digest of all that changes what it finds."""
        return self._name

    def finds(self, picture: Picture) -> bool:
        """Whether there is a face.

        Args:
            picture: (H, W, 3) uint8 sRGB.
        """
        height, width = picture.shape[:2]
        photo = Photo(pixels=picture, width=width, height=height, profile=None)
        return bool(self._detector.find(photo))
