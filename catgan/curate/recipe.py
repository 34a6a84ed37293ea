"""Recipes of `cascades/`: what proposes faces, how it is run, and what is to be believed of it."""

import dataclasses
import math
import subprocess
import sys
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from catgan.core.errors import BadRecipe
from catgan.core.files import read_file, sha256
from catgan.core.settings import read_toml
from catgan.core.systems import WINDOWS
from catgan.curate.choices import NORMAL
from catgan.curate.opencv import cv2, haarcascades

MOST_SIDE, MOST_TURNS, MOST_CASCADES = 4096, 72, 16
LEAST_STEP = 1.01  # of sizes: each takes a look of its own
TRY_SECONDS = 30.0  # that a foreign cascade may take with one small picture


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """One cascade file and how `detectMultiScale3` is to run it."""

    file: Path
    """The XML file, found."""
    scale_step: float
    """Each size of face looked for is this many times the one before; above 1."""
    min_neighbors: int
    """How many other hits must overlap one for a box; 0 keeps every hit, for a verifier."""
    turns: tuple[float, ...] | None = None
    """Turns of the head that this one looks for, instead of the recipe's."""


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
    """What scores less is no face; see `cascades.CascadeDetector`, `verified.VerifiedDetector`."""
    cascades: tuple[Cascade, ...]
    """Run one after the other; their boxes are pooled."""
    verifier: Path | None = None
    """The fitted parts of `verified.VerifiedDetector`: they propose places on the net's map, and
    verify those and what the cascades propose. None: the cascades' boxes are the faces."""
    sure: float = -math.inf
    """Score of the map's best face from which the cascades are not asked; with a verifier alone."""
    min_cat: float = 0.0
    """How likely ImageNet's kinds of cat must be together for a photo to have a face, 0 to 1; with
    a verifier alone."""
    cascade_side: int = 0
    """What the cascades' picture is brought to, pixels, if not `side`; 0 for that."""
    strictness: str = NORMAL
    """Which of its limits `min_score` is, of `STRICTNESS`."""

    def digest(self) -> str:
        """A short hash of everything that changes what is found, the XML files included."""
        parts = [repr((self.side, self.turns, self.min_size, self.min_score))]
        if self.cascade_side:
            parts.append(repr(self.cascade_side))
        for cascade in self.cascades:
            parts.append(repr((cascade.scale_step, cascade.min_neighbors)))
            if cascade.turns is not None:
                parts.append(repr(cascade.turns))
            parts.append(sha256(read_file(cascade.file)))
        if self.verifier is not None:
            parts.append(repr((self.sure, self.min_cat)))
            parts.append(sha256(read_file(self.verifier)))
        return sha256("\n".join(parts).encode())[:16]


def recipes_folder() -> Path:
    """Where the recipes are: inside an installed package, at the top level of a checkout."""
    package = Path(str(files("catgan")))
    installed = package / "cascades"
    return installed if installed.is_dir() else package.parent / "cascades"


def recipe_names() -> list[str]:
    """The recipes that come with catgan."""
    return sorted(path.stem for path in recipes_folder().glob("*.toml"))


def load_recipe(name: str, strictness: str = NORMAL) -> Recipe:
    """A recipe by name, or from a person's own file.

    Args:
        name: A name in `cascades/`, or the path of a recipe (.toml) or of a cascade (.xml), which
            is then run upright with middling settings.
        strictness: Of `STRICTNESS`: which limit its verifier goes by.

    Raises:
        BadRecipe: It is missing, or is not one, or has no such limit.
    """
    recipe = _load(name, strictness)
    if strictness != recipe.strictness:
        raise BadRecipe(
            f"The recipe {recipe.name} cannot be more or less strict; leave out "
            f"--strictness {strictness}, or name a recipe that can, such as verified."
        )
    return recipe


def _load(name: str, strictness: str) -> Recipe:
    if name in recipe_names():
        return _from_toml(recipes_folder() / f"{name}.toml", strictness)
    path = Path(name)
    if not path.is_file():
        raise BadRecipe(
            f"There is no cascade or recipe {name}; there are the recipes "
            f"{', '.join(recipe_names())}, or name a .xml or .toml file of your own."
        )
    if path.suffix.lower() == ".toml":
        return _from_toml(path, strictness)
    cascade = Cascade(file=_checked(path.resolve()), scale_step=1.1, min_neighbors=3)
    return Recipe(
        name=path.stem, side=640, turns=(0.0,), min_size=0.05, min_score=-1e9, cascades=(cascade,)
    )


def _from_toml(path: Path, strictness: str) -> Recipe:
    try:
        table = read_toml(path)
        cascades = tuple(
            Cascade(
                file=_find(str(entry["file"]), beside=path.parent),
                scale_step=float(entry["scale_step"]),
                min_neighbors=int(entry["min_neighbors"]),
                turns=_turns(entry["turns"]) if "turns" in entry else None,
            )
            for entry in table.get("cascade", [])
        )
        verifier = table.get("verifier")
        limits = table.get("min_scores", {NORMAL: table.get("min_score")})
        if strictness not in limits:
            strictness = NORMAL
        recipe = Recipe(
            name=path.stem,
            side=int(table["side"]),
            turns=_turns(table.get("turns", [0])),
            min_size=float(table.get("min_size", 0.05)),
            min_score=float(limits[strictness]),
            cascades=cascades,
            verifier=None if verifier is None else _beside(str(verifier), path.parent),
            sure=float(table.get("sure", -math.inf)),
            min_cat=float(table.get("min_cat", 0)),
            cascade_side=int(table.get("cascade_side", 0)),
            strictness=strictness,
        )
    except BadRecipe:
        raise
    except (
        OSError,
        ArithmeticError,
        ValueError,
        RecursionError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        raise BadRecipe(
            f"{path} is not a recipe that can be read ({type(error).__name__}: {error}); "
            f"compare it with {recipes_folder() / 'turned.toml'}."
        ) from error
    sane = (
        (bool(recipe.cascades) or recipe.verifier is not None)
        and all(
            0 < len(turns) <= MOST_TURNS and all(-180 <= turn <= 180 for turn in turns)
            for turns in (recipe.turns, *(c.turns for c in recipe.cascades if c.turns is not None))
        )
        and not math.isnan(recipe.sure)
        and 0 <= recipe.min_cat <= 1
        and all(64 <= side <= MOST_SIDE for side in (recipe.side, recipe.cascade_side or 64))
        and 0 < recipe.min_size < 1
        and math.isfinite(recipe.min_score)
        and len(recipe.cascades) <= MOST_CASCADES
        and all(
            LEAST_STEP <= c.scale_step <= 10 and 0 <= c.min_neighbors <= 1000
            for c in recipe.cascades
        )
    )
    if not sane:
        raise BadRecipe(
            f"{path} is not a recipe that can be run: it needs a side of 64 to {MOST_SIDE}, a "
            f"min_size between 0 and 1, a min_score, 1 to {MOST_TURNS} turns of -180 to 180, and "
            f"a verifier or 1 to {MOST_CASCADES} cascades or both, each with a scale_step of "
            f"{LEAST_STEP} to 10 and min_neighbors of 0 to 1000."
        )
    return recipe


def _turns(values: Iterable[Any]) -> tuple[float, ...]:
    return tuple(float(turn) for turn in values)


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
    foreign = not path.is_relative_to(Path(haarcascades).resolve())
    if (foreign and not _survives(path)) or load_classifier(path) is None:
        raise BadRecipe(
            f"{path} is not a cascade that OpenCV can load; name a Haar or LBP cascade."
        )
    return path


# Some broken cascades end the process that looks with them: such a one is to be another. Hits are
# not grouped (the 0), which takes half a minute where there is one at every place.
_TRY = """
import sys
from pathlib import Path
import numpy as np
from catgan.curate.recipe import load_classifier
cascade = load_classifier(Path(sys.argv[1]))
noise = np.random.default_rng(0).integers(0, 256, (240, 240), dtype=np.uint8)
cascade.detectMultiScale3(noise, 1.1, 0, minSize=(24, 24), outputRejectLevels=True)
"""


def _survives(path: Path) -> bool:
    """Whether OpenCV can look with a cascade without harm."""
    try:
        tried = subprocess.run(
            [sys.executable, "-c", _TRY, str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TRY_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


def load_classifier(path: Path) -> "cv2.CascadeClassifier | None":
    """A classifier of one's own (sharing one between threads is unsafe), or None if it is none."""
    try:
        if WINDOWS and not str(path).isascii():
            classifier = read_classifier(read_file(path))
        else:
            classifier = cv2.CascadeClassifier(str(path))
    except (
        cv2.error,
        SystemError,
        OSError,
    ):  # 4.x wraps the one in the other on a file that is no XML
        return None
    return None if classifier.empty() else classifier


def read_classifier(data: bytes) -> "cv2.CascadeClassifier":
    """A classifier from the contents of its file, empty if it is none.

    OpenCV opens no file on Windows whose path has letters beyond the system's own code page.

    Raises:
        cv2.error, SystemError: It is no XML.
    """
    how = cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY
    storage = cv2.FileStorage(data.decode("utf-8", "replace"), how)
    classifier = cv2.CascadeClassifier()
    classifier.read(storage.getFirstTopLevelNode())
    return classifier
