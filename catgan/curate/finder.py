"""The face finder of `curate` for pictures that are small already: samples, and their real kin."""

import dataclasses
from pathlib import Path

from catgan.core.errors import MissingPackage
from catgan.core.photos import Photo
from catgan.core.pictures import Picture
from catgan.curate.opencv import cv2, haarcascades
from catgan.curate.recipe import load_classifier, load_recipe
from catgan.curate.verified import VerifiedDetector

# A picture of 64 pixels, enlarged to this: half the time of 384 for nearly as many faces (figures
# in docs/log.md).
SIDE = 256
RECIPE = "verified"

CASCADES = ("haarcascade_frontalcatface.xml", "haarcascade_frontalcatface_extended.xml")
ENLARGED = 192  # pixels that a picture is brought to for the cascades
PADDING = 24  # and on each side of it, so that a face that fills the picture is not cut off
STEP, NEIGHBOURS, LEAST = 1.05, 2, 60  # of `detectMultiScale`


class PictureFinder:
    """Says whether a small picture has a cat's face in it: a `measure.metrics.faces.FaceFinder`."""

    def __init__(self) -> None:
        """Load the recipe that `curate` finds faces with by default.

        Raises:
            BadRecipe: Its file is missing or broken.
            MissingPackage: The package with the net's weights is missing or broken.
        """
        # The map alone proposes: the cascades are a judge of their own.
        recipe = dataclasses.replace(load_recipe(RECIPE), side=SIDE, cascades=(), min_cat=0.0)
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


class CascadeFinder:
    """Says whether OpenCV's two cat cascades find a face in a small picture: a `FaceFinder`, too.

    They had no part in choosing pictures or epochs. Cascades look for the light and dark of one
    upright, frontal face, so a generator that draws such a face over and over pleases them more
    than photos do.
    """

    def __init__(self) -> None:
        """Load the cascades that come with OpenCV.

        Raises:
            MissingPackage: OpenCV has come without them.
        """
        self._classifiers = []
        for name in CASCADES:
            classifier = load_classifier(Path(haarcascades) / name)
            if classifier is None:
                raise MissingPackage(
                    f"OpenCV {cv2.__version__} has no {name}; "
                    "reinstall it: pip install --force-reinstall 'opencv-python>=4.10,<5'."
                )
            self._classifiers.append(classifier)

    @property
    def name(self) -> str:
        """The cascades, and the version of OpenCV."""
        return f"cat cascades of OpenCV {cv2.__version__}, {ENLARGED} px"

    def finds(self, picture: Picture) -> bool:
        """Whether one of them finds a face.

        Args:
            picture: (H, W, 3) uint8 sRGB; brought to 192 x 192, with its edges drawn out by 24.
        """
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        grey = cv2.resize(grey, (ENLARGED, ENLARGED), interpolation=cv2.INTER_LINEAR)
        grey = cv2.copyMakeBorder(grey, PADDING, PADDING, PADDING, PADDING, cv2.BORDER_REPLICATE)
        return any(
            len(
                classifier.detectMultiScale(
                    grey, scaleFactor=STEP, minNeighbors=NEIGHBOURS, minSize=(LEAST, LEAST)
                )
            )
            for classifier in self._classifiers
        )
