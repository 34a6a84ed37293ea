"""How much sooner bad crops are gone where the page learns from what was rejected.

    python -m benchmarks.review PHOTOS [--work FOLDER]

PHOTOS is a folder as `benchmarks/labels.py` describes it, with `labels-album.tsv`. Simulated owners
go through the wall from its beginning and press x on every bad crop, an arrow on every other: each
crop that they look at costs one stroke. From 30 rejections on, and after every tenth one more, the
rest is put in the order that the page learnt; beside it the same owner goes on in the order of the
finder. Nothing of the layer was chosen on these photos.

- wrong: the album and 139 photos of dogs, by OpenCV's cascade (recipe quick). Bad is what is no
  labelled face.
- side: the album by the default recipe. Bad is every face that is labelled as seen from the side or
  partly hidden.
"""

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catgan.core.places import cache_folder
from catgan.curate.config import CurateConfig
from catgan.curate.pipeline import curate_photos
from catgan.formats.photos import FaceRecord, PhotoRecord, read_photos
from catgan.review.features import CropFeatures
from catgan.review.learn import LEAST, chances
from catgan.review.likeness import Likeness, Vectors

AGAIN = 10  # rejections between two learnt orders
AFTER = (50, 100, 200)  # strokes after the first learnt order
Label = tuple[str, float, float, float]
"""F, S, N or U; centre and width as fractions of the photo."""


def main() -> None:
    """Print a table for each owner."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("photos", type=Path)
    parser.add_argument("--work", type=Path, default=Path("review-bench"))
    given = parser.parse_args()
    labels = read_labels(given.photos / "labels-album.tsv")
    quick = CurateConfig(cascade="quick", duplicate_screen=False, blur_screen=False)
    usual = CurateConfig(duplicate_screen=False, blur_screen=False)
    with_dogs = ("album", "no-cat/dogs")

    def wrong(photo: PhotoRecord, face: FaceRecord) -> bool:
        return not is_right(photo, face, labels)

    def side(photo: PhotoRecord, face: FaceRecord) -> bool:
        label = labels.get(Path(photo.path).name)
        return label is not None and label[0] == "S" and is_right(photo, face, labels)

    print(
        f"{'owner':<14} crops   bad  at first learnt order: strokes, bad left; then bad left after"
    )
    for name, folders, config, is_bad in (
        ("side", ("album",), usual, side),
        ("wrong", with_dogs, quick, wrong),
    ):
        work = given.work / config.cascade
        scores, vectors, bad = crops(given.photos, work, folders, config, is_bad)
        for learns in (False, True):
            began, left_then, left = simulate(scores, vectors, bad, learns=learns)
            told = "  ".join(f"{after:>3}: {value:>3}" for after, value in left.items())
            how = "learnt" if learns else "finder"
            print(
                f"{name:<14} {len(bad):>5} {int(bad.sum()):>5}  {began:>4} {left_then:>4}   "
                f"{how}  {told}"
            )


def read_labels(path: Path) -> dict[str, Label]:
    """The labels by file name."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        name, kind, *place = line.split("\t")[:5]
        x, y, w = (float(value) if value else 0.0 for value in place)
        found[name] = kind, x, y, w
    return found


def is_right(photo: PhotoRecord, face: FaceRecord, labels: dict[str, Label]) -> bool:
    """Whether a crop is of the labelled face, by the rule that stands beside the labels."""
    label = labels.get(Path(photo.path).name)
    if label is None or label[0] not in "FS":
        return False
    _, cx, cy, w = label
    wide = 1.3 * w * photo.width
    x, y, side, _ = face.box
    return (
        abs(x + side / 2 - cx * photo.width) <= 0.65 * wide
        and abs(y + side / 2 - cy * photo.height) <= 0.65 * wide
        and 0.35 <= side / wide <= 2.6
    )


def crops(
    photos: Path,
    work: Path,
    folders: tuple[str, ...],
    config: CurateConfig,
    is_bad: Callable[[PhotoRecord, FaceRecord], bool],
) -> tuple[NDArray[np.float64], Vectors, NDArray[np.bool_]]:
    """The crops of some folders: how sure the finder is, their features, which are bad."""
    for name in folders:
        target = work / "raw" / Path(name).name
        if not target.exists():
            shutil.copytree(photos / name, target)
    curated = work / "curated"
    curate_photos(work / "raw", curated, config)
    files: dict[int, Path] = {}
    scores, bad = [], []
    for photo in read_photos(curated):
        for face in photo.faces:
            if face.file is not None:
                files[len(files)] = curated / "face-crop" / "train" / face.file
                scores.append(face.score)
                bad.append(is_bad(photo, face))
    cache = cache_folder()
    likeness = Likeness(CropFeatures(cache / "features" if cache else None))
    likeness.start(files)
    likeness.wait()
    assert likeness.vectors is not None, likeness.why_not
    vectors = np.empty_like(likeness.vectors)
    vectors[list(likeness.ids)] = likeness.vectors
    return np.array(scores), vectors, np.array(bad)


def simulate(
    scores: NDArray[np.float64], vectors: Vectors, bad: NDArray[np.bool_], *, learns: bool
) -> tuple[int, int, dict[int, int]]:
    """An owner goes through the wall.

    Returns:
        Strokes until there were 30 rejections, bad crops left then, and after so many strokes more.
    """
    order = list(np.argsort(scores, kind="stable"))
    rejected, kept = np.zeros(len(bad), dtype=bool), np.zeros(len(bad), dtype=bool)
    passed = np.zeros(len(bad), dtype=bool)
    began = left_then = 0
    left: dict[int, int] = {}
    strokes = 0
    while order and len(left) < len(AFTER):
        crop = order.pop(0)
        strokes += 1
        passed[crop] = True
        rejected[crop] = bad[crop]
        number = int(rejected.sum())
        if bad[crop] and number >= LEAST and (number - LEAST) % AGAIN == 0:
            if number == LEAST:
                began, left_then = strokes, int(bad.sum()) - number
            if learns and (found := chances(vectors, rejected, kept)) is not None:
                order = [index for index in np.argsort(found, kind="stable") if not passed[index]]
        if began and strokes - began in AFTER:
            left[strokes - began] = int(bad.sum()) - number
    return began, left_then, left


if __name__ == "__main__":
    main()
