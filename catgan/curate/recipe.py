"""Recipes of `cascades/`: which cascade files, how they are run, and over which turns."""

import dataclasses
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from catgan.core.errors import BadRecipe
from catgan.core.files import sha256
from catgan.curate.opencv import cv2, haarcascades


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """One cascade file and how `detectMultiScale3` is to run it."""

    file: Path
    """The XML file, found."""
    scale_step: float
    """Each size of face looked for is this many times the one before; above 1."""
    min_neighbors: int
    """Overlapping hits that make one box; 1 keeps nearly all."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How faces are looked for; a value, so that workers can be handed it."""

    name: str
    """What `photos.jsonl` and people call it."""
    side: int
    """The photo is brought to this longer side before it is searched, pixels."""
    turns: tuple[float, ...]
    """Turns of the head looked for, degrees anticlockwise."""
    min_size: float
    """Smallest face box looked for, as a share of the longer side."""
    min_score: float
    """Boxes that score less are no face; see `cascades.CascadeDetector`."""
    cascades: tuple[Cascade, ...]
    """Run one after the other; their boxes are pooled."""
    verifier: Path | None = None
    """The fitted parts of `verified.VerifiedDetector`, which then finds the faces instead."""

    def digest(self) -> str:
        """A short hash of everything that changes what is found, the XML files included."""
        parts = [repr((self.side, self.turns, self.min_size, self.min_score))]
        for cascade in self.cascades:
            parts.append(repr((cascade.scale_step, cascade.min_neighbors)))
            parts.append(sha256(cascade.file.read_bytes()))
        if self.verifier is not None:
            parts.append(sha256(self.verifier.read_bytes()))
        return sha256("\n".join(parts).encode())[:16]


def recipes_folder() -> Path:
    """Where the recipes are: inside an installed package, at the top level of a checkout."""
    package = Path(str(files("catgan")))
    installed = package / "cascades"
    return installed if installed.is_dir() else package.parent / "cascades"


def recipe_names() -> list[str]:
    """The recipes that come with catgan."""
    return sorted(path.stem for path in recipes_folder().glob("*.toml"))


def load_recipe(name: str) -> Recipe:
    """A recipe by name, or from a person's own file.

    Args:
        name: A name in `cascades/`, or the path of a recipe (.toml) or of a cascade (.xml), which
            is then run upright with middling settings.

    Raises:
        BadRecipe: It is missing, or is not one.
    """
    if name in recipe_names():
        return _from_toml(recipes_folder() / f"{name}.toml")
    path = Path(name)
    if not path.is_file():
        raise BadRecipe(
            f"There is no cascade or recipe {name}; there are the recipes "
            f"{', '.join(recipe_names())}, or name a .xml or .toml file of your own."
        )
    if path.suffix.lower() == ".toml":
        return _from_toml(path)
    cascade = Cascade(file=_checked(path.resolve()), scale_step=1.1, min_neighbors=3)
    return Recipe(
        name=path.stem, side=640, turns=(0.0,), min_size=0.05, min_score=-1e9, cascades=(cascade,)
    )


def _from_toml(path: Path) -> Recipe:
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        cascades = tuple(
            Cascade(
                file=_find(str(entry["file"]), beside=path.parent),
                scale_step=float(entry["scale_step"]),
                min_neighbors=int(entry["min_neighbors"]),
            )
            for entry in table.get("cascade", [])
        )
        verifier = table.get("verifier")
        recipe = Recipe(
            name=path.stem,
            side=int(table["side"]),
            turns=tuple(float(turn) for turn in table.get("turns", [0])),
            min_size=float(table.get("min_size", 0.05)),
            min_score=float(table["min_score"]),
            cascades=cascades,
            verifier=None if verifier is None else _beside(str(verifier), path.parent),
        )
    except BadRecipe:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadRecipe(
            f"{path} is not a recipe that can be read ({type(error).__name__}: {error}); "
            f"compare it with {recipes_folder() / 'turned.toml'}."
        ) from error
    sane = (
        bool(recipe.cascades) != (recipe.verifier is not None)
        and recipe.turns
        and recipe.side >= 64
        and 0 < recipe.min_size < 1
        and all(c.scale_step > 1 and c.min_neighbors >= 0 for c in recipe.cascades)
    )
    if not sane:
        raise BadRecipe(
            f"{path} is not a recipe that can be run: it needs a side from 64, a min_size between "
            "0 and 1, at least one turn, and either a verifier or cascades, each with a scale_step "
            "above 1."
        )
    return recipe


def _beside(file: str, folder: Path) -> Path:
    """A verifier's file beside the recipe."""
    if not (folder / file).is_file():
        raise BadRecipe(
            f"The verifier {file} is not in {folder}; put it beside the recipe, reinstall catgan, "
            "or fit one: python -m benchmarks.fit_verifier"
        )
    return (folder / file).resolve()


def _find(file: str, *, beside: Path) -> Path:
    """A cascade file beside the recipe, where a person put one, else OpenCV's own."""
    for folder in (beside, Path(haarcascades)):
        if (folder / file).is_file():
            return _checked((folder / file).resolve())
    raise BadRecipe(
        f"The cascade {file} is neither in {beside} nor among OpenCV's own; "
        "put the file beside the recipe, or reinstall: pip install 'opencv-python<5'."
    )


def _checked(path: Path) -> Path:
    """The same path, once OpenCV has loaded it; a missing or foreign XML does not raise there."""
    if load_classifier(path) is None:
        raise BadRecipe(
            f"{path} is not a cascade that OpenCV can load; name a Haar or LBP cascade."
        )
    return path


def load_classifier(path: Path) -> "cv2.CascadeClassifier | None":
    """A classifier of one's own (sharing one between threads is unsafe), or None if it is none."""
    try:
        classifier = cv2.CascadeClassifier(str(path))
    except (cv2.error, SystemError):  # 4.x wraps the one in the other on a file that is no XML
        return None
    return None if classifier.empty() else classifier
