"""The claim of the project, put to the test: does cropping to the face help, and by how much?

    python -m benchmarks.study data PHOTOS STUDY      # the album, curated, and three data sets
    python -m benchmarks.study train STUDY            # the runs, in the order of their weight
    python -m benchmarks.study measure STUDY          # what the judges say; takes minutes
    python -m benchmarks.study page STUDY docs/results.md   # the page with its figures and pictures

PHOTOS is a folder as `benchmarks/labels.py` describes it. The album is `faces` and `album` and a
quarter as many photos without a cat. Of what `catgan curate` makes of it three data sets are drawn,
each of 500 pictures to train on and 500 to measure against: `face-crop`; `full-body-kept`, the same
photos whole, so that what lies between the two is the crop; and `full-body`, photos of all that the
album has, so that what lies between the last two is the filter. A run lies in
STUDY/runs/RECIPE-DATA-sSEED and goes on where it was stopped; `train`, called twice, shares the
work. `--arms` and `--seeds` choose among the runs, `--kimg` says how long they are.
"""

import argparse
import dataclasses
import json
import os
import random
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.results.measured import measure
from benchmarks.results.page import write_page
from catgan.core.errors import FolderRefused, TrainingLost
from catgan.curate.pipeline import curate_photos
from catgan.formats.curated import NAME as NOTE
from catgan.formats.datasets import (
    FACE_CROP,
    FULL_BODY,
    FULL_BODY_KEPT,
    SPLIT,
    open_dataset,
    pictures_of,
    read_metadata,
    write_metadata,
)
from catgan.formats.photos import NAME as PHOTOS
from catgan.formats.runs import Run
from catgan.train.config import TrainConfig
from catgan.train.loop import train_gan

TRAINED, HELD_OUT = 500, 500
SEED = 0
EVERY = 5  # thousand images between two measurements
KIMG = 35.0
PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A recipe on a data set."""

    recipe: str
    """Of `catgan train`."""
    data: str
    """The data set's name."""

    @property
    def name(self) -> str:
        """What its runs are called, before `-s0`."""
        return f"{self.recipe}-{self.data}"


ARMS = {
    arm.name: arm
    for arm in (
        Arm(recipe="projected", data=FACE_CROP),
        Arm(recipe="projected", data=FULL_BODY),
        Arm(recipe="article", data=FACE_CROP),
        Arm(recipe="article", data=FULL_BODY),
        Arm(recipe="projected", data=FULL_BODY_KEPT),
        Arm(recipe="article", data=FULL_BODY_KEPT),
        Arm(recipe="balanced", data=FACE_CROP),
        Arm(recipe="balanced", data=FULL_BODY),
        Arm(recipe="balanced", data=FULL_BODY_KEPT),
    )
}
"""In the order of their weight."""


def make_data(photos: Path, study: Path) -> None:
    """Lay the album out as links, curate it, and draw the data sets."""
    cats = [path for name in ("faces", "album") for path in _photos(photos / name)]
    others = _photos(photos / "no-cat")
    chosen = sorted(random.Random(SEED).sample(others, len(cats) // 4))
    for path in (*cats, *chosen):
        place = study / "raw" / ("no-cat" if path in chosen else path.parent.name) / path.name
        if not place.is_symlink():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(path.resolve())
    result = curate_photos(study / "raw", study / "curated")
    print(result.counts)
    draw(study / "curated", study / "data")


def draw(curated: Path, data: Path) -> None:
    """Draw the three data sets: hard links to pictures, and the lines about them."""
    count = TRAINED + HELD_OUT
    crops = _files(curated / FACE_CROP)
    kept = sorted(random.Random(SEED).sample(crops, count))
    whole = sorted(random.Random(SEED + 1).sample(_files(curated / FULL_BODY), count))
    for name, source, files in (
        (FACE_CROP, FACE_CROP, kept),
        (FULL_BODY_KEPT, FULL_BODY, kept),
        (FULL_BODY, FULL_BODY, whole),
    ):
        folder = data / name / SPLIT
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            if not (folder / file).exists():
                os.link(pictures_of(curated / source) / file, folder / file)
        records = read_metadata(curated / source)
        write_metadata(folder, [records[file] for file in files])
    for told in (
        PHOTOS,
        NOTE,
    ):  # `compare` tells the size of faces from it
        shutil.copyfile(curated / told, data / told)


def _photos(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PHOTO_SUFFIXES)


def _files(folder: Path) -> list[str]:
    dataset = open_dataset(folder)
    assert dataset is not None, f"{folder} has no pictures"
    return list(dataset.files)


def settings(arm: Arm, seed: int, kimg: float) -> TrainConfig:
    """The settings of one run: the recipe's own, at the default width."""
    every = round(EVERY * 1000 / TRAINED)
    return TrainConfig(
        recipe=arm.recipe,
        seed=seed,
        held_out=HELD_OUT,
        epochs=round(kimg * 1000 / TRAINED),
        evaluate_every=every,
        sample_every=every,
    )


def planned(arms: Sequence[str], seeds: Sequence[int]) -> Iterator[tuple[Arm, int]]:
    """The runs in their order: two arms that are compared go on side by side, seed by seed."""
    by_recipe: dict[tuple[str, bool], list[Arm]] = {}
    for name in arms:
        arm = ARMS[name]
        by_recipe.setdefault((arm.recipe, arm.data == FULL_BODY_KEPT), []).append(arm)
    for together in by_recipe.values():
        for seed in seeds:
            for arm in together:
                yield arm, seed


def train(study: Path, arms: Sequence[str], seeds: Sequence[int], kimg: float) -> None:
    """Every run that is neither done nor under way elsewhere."""
    for arm, seed in planned(arms, seeds):
        dataset = open_dataset(study / "data" / arm.data)
        if dataset is None:
            sys.exit(f"{study / 'data' / arm.data} has no pictures; run `data` first.")
        run = study / "runs" / f"{arm.name}-s{seed}"
        began, before = time.process_time(), _shown(run)
        try:
            result = train_gan(dataset, run, settings(arm, seed, kimg))
        except FolderRefused as error:
            print(f"{run.name} is left to another process ({error})", flush=True)
            continue
        except TrainingLost as error:
            print(f"{run.name}: {error}", flush=True)
            continue
        taken = {
            "run": run.name,
            "images": result.images_shown - before,
            "seconds": round(time.process_time() - began, 1),
        }
        with (study / "processor-time.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps(taken) + "\n")
        print(f"{run.name}: {result.images_shown} images", flush=True)


def _shown(run: Path) -> int:
    """Images that a run had seen before."""
    return max((one.images_shown for one in Run(folder=run).read_stats()), default=0)


def main() -> None:
    """Read the arguments and do that part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = parser.add_subparsers(dest="part", required=True)
    part = parts.add_parser("data")
    part.add_argument("photos", type=Path)
    part.add_argument("study", type=Path)
    part = parts.add_parser("train")
    part.add_argument("study", type=Path)
    part.add_argument("--arms", default=",".join(ARMS))
    part.add_argument("--seeds", default="0,1,2")
    part.add_argument("--kimg", type=float, default=KIMG)
    parts.add_parser("measure").add_argument("study", type=Path)
    part = parts.add_parser("page")
    part.add_argument("study", type=Path)
    part.add_argument("page", type=Path)
    given: Any = parser.parse_args()
    if given.part == "data":
        make_data(given.photos, given.study)
    elif given.part == "train":
        torch.set_num_threads(1)
        seeds = [int(seed) for seed in given.seeds.split(",")]
        train(given.study, given.arms.split(","), seeds, given.kimg)
    elif given.part == "measure":
        measure(given.study)
    else:
        write_page(given.study, given.page)


if __name__ == "__main__":
    main()
