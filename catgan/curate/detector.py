"""What finds faces: the one thing that the rest of `curate` asks of it."""

from collections.abc import Sequence
from typing import Protocol

from catgan.core.photos import Photo
from catgan.curate.recipe import Recipe
from catgan.curate.square import Square


class Detector(Protocol):
    """Whatever finds faces; the pipeline is handed one."""

    @property
    def name(self) -> str:
        """What `photos.jsonl` calls it: the recipe's name."""
        ...

    @property
    def side(self) -> int:
        """The longer side that a photo should at least be decoded to, pixels."""
        ...

    def find(self, photo: Photo) -> Sequence[Square]:
        """The faces of a photo, the best first: the ears' squares, in pixels of the whole photo."""
        ...


class RecipeDetector:
    """A detector that does as a recipe says, and is called by its name."""

    def __init__(self, recipe: Recipe) -> None:
        """Keep the recipe."""
        self.recipe = recipe

    @property
    def name(self) -> str:
        """The recipe's."""
        return self.recipe.name

    @property
    def side(self) -> int:
        """The longer side that photos are looked at in, pixels."""
        return self.recipe.side


def make_recipe_detector(recipe: Recipe) -> Detector:
    """The detector that a recipe asks for.

    Raises:
        MissingPackage: A package that it needs is missing or broken.
        BadRecipe: Its fitted parts are broken.
    """
    if recipe.verifier is None:
        from catgan.curate.cascades import CascadeDetector

        return CascadeDetector(recipe)
    from catgan.curate.verified import VerifiedDetector  # ONNX Runtime and the network

    return VerifiedDetector(recipe)
