"""What each part of a recipe brings: one change at a time, over several seeds.

    python -m benchmarks.ablation DATASET RUNS --arms article,balanced --seeds 0,1,2 --kimg 200
    python -m benchmarks.ablation --table RUNS
    python -m benchmarks.ablation --table RUNS --at 40    # each run as it was at 40,000 pictures
    python -m benchmarks.ablation --judges RUNS    # what judges see that chose nothing

What it brings to begin with nets that have learned already, those of a run on other pictures:

    python -m benchmarks.ablation DATASET RUNS --arms balanced,warm --start-from RUN --pictures 200

DATASET is a folder of equal pictures (the face crops of `catgan curate`); 500 of them, or as many
as --pictures says, are trained on and all others held out. A run lies in RUNS/ARM-sSEED and carries
on where it was stopped, so the same line may be interrupted at any time. Called twice at once, the
two share the work.
"""

import argparse
import dataclasses
import math
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from catgan.compare.config import CompareConfig
from catgan.compare.pipeline import compare_runs
from catgan.compare.quantities.catalogue import (
    CASCADES,
    DIVERSITY,
    KID,
    RECOGNISED,
    SECOND_KID,
    SECOND_RECOGNISED,
)
from catgan.core import words
from catgan.core.errors import FolderRefused, TrainingLost
from catgan.core.places import cache_folder
from catgan.curate.finder import CascadeFinder
from catgan.formats.datasets import open_dataset
from catgan.formats.runs import find_runs
from catgan.formats.stats import EpochStats
from catgan.train.best import best_of
from catgan.train.config import TrainConfig
from catgan.train.loop import train_gan
from catgan.train.progress import TrainProgress

SHARED: dict[str, Any] = {"ngf": 32, "ndf": 32, "batch_size": 8, "precision": "bfloat16"}
BY_32: dict[str, Any] = {"batch_size": 32}
"""What `projected` was made for: at 8 it collapsed."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One recipe, or one with one change."""

    what: str
    """In words."""
    recipe: str
    """Where the settings start from."""
    changes: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Settings that differ from it."""


ARMS = {
    "article": Arm(what="`article`, as it is", recipe="article"),
    "article-average": Arm(
        what="`article` with the averaged generator", recipe="article", changes={"average_kimg": 10}
    ),
    "article-augment": Arm(
        what="`article` with augmentation, flips and average; batch norm stays",
        recipe="balanced",
        changes={"norm": "batch", "start_d": "dcgan", "r1": 0.0, "lr_g": 2e-4, "lr_d": 2e-4},
    ),
    "balanced": Arm(what="`balanced`", recipe="balanced"),
    "no-average": Arm(what="without the average", recipe="balanced", changes={"average_kimg": 0}),
    "no-flip": Arm(what="without flips", recipe="balanced", changes={"flip": False}),
    "no-augment": Arm(what="without augmentation", recipe="balanced", changes={"augment": ""}),
    "no-colour": Arm(
        what="without changes of colour", recipe="balanced", changes={"augment": "translation"}
    ),
    "no-translation": Arm(
        what="without translation", recipe="balanced", changes={"augment": "colour"}
    ),
    "group": Arm(
        what="group norm in D, DCGAN's start and rates, no R1",
        recipe="balanced",
        changes={"norm": "group", "start_d": "dcgan", "r1": 0.0, "lr_g": 2e-4, "lr_d": 2e-4},
    ),
    "no-r1": Arm(what="without R1", recipe="balanced", changes={"r1": 0.0}),
    "slow": Arm(
        what="both at DCGAN's rates", recipe="balanced", changes={"lr_g": 2e-4, "lr_d": 2e-4}
    ),
    "dcgan-start": Arm(
        what="D's weights from DCGAN's start", recipe="balanced", changes={"start_d": "dcgan"}
    ),
    "cutout": Arm(
        what="with cutout as well",
        recipe="balanced",
        changes={"augment": "colour,translation,cutout"},
    ),
    "slow-d": Arm(what="D at half the rate", recipe="balanced", changes={"lr_d": 5e-4}),
    "warm": Arm(what="`balanced`, begun with the nets of --start-from", recipe="balanced"),
    "warm-slow": Arm(
        what="the same, at a quarter of the rates",
        recipe="balanced",
        changes={"lr_g": 1e-4, "lr_d": 2.5e-4},
    ),
    "projected": Arm(what="`projected`", recipe="projected", changes=BY_32),
    "projected-wide": Arm(
        what="`projected` with a discriminator of twice the width",
        recipe="projected",
        changes=BY_32 | {"ndf": 64},
    ),
    "projected-transposed": Arm(
        what="`projected` with DCGAN's generator",
        recipe="projected",
        changes=BY_32 | {"upsample": "transposed", "skip": False},
    ),
    "projected-no-skip": Arm(
        what="`projected` without skip-layer excitation",
        recipe="projected",
        changes=BY_32 | {"skip": False},
    ),
    "projected-16": Arm(
        what="`projected` at batch 16", recipe="projected", changes={"batch_size": 16}
    ),
    "long-average": Arm(
        what="average of half-life 20,000 pictures", recipe="balanced", changes={"average_kimg": 20}
    ),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What all runs have in common."""

    pictures: int
    """Pictures trained on; all others are held out."""
    kimg: float
    """Thousands of pictures shown in all."""
    every: float
    """Thousands of pictures shown between two measurements."""


WARM = frozenset({"warm", "warm-slow"})


def settings(arm: Arm, seed: int, pictures: int, plan: Plan) -> TrainConfig:
    """The settings of one run on a data set of so many pictures."""
    every = max(1, round(plan.every * 1000 / plan.pictures))
    return TrainConfig.of_recipe(
        arm.recipe,
        **SHARED
        | {
            "seed": seed,
            "held_out": pictures - plan.pictures,
            "epochs": round(plan.kimg * 1000 / plan.pictures),
            "evaluate_every": every,
            "sample_every": every,
            "device": "cpu",
        }
        | arm.changes,
    )


def train(folder: Path, runs: Path, arms: dict[str, Arm], seeds: Sequence[int], plan: Plan) -> None:
    """Every run that is neither done nor under way elsewhere; seed by seed."""
    dataset = open_dataset(folder)
    if dataset is None or len(dataset.files) < plan.pictures + 50:
        sys.exit(
            f"{folder} has too few pictures: {plan.pictures} to train on and 50 to measure against."
        )
    for seed in seeds:
        for name, arm in arms.items():
            run = runs / f"{name}-s{seed}"
            began, shown = time.process_time(), 0

            def say(progress: TrainProgress, name: str = run.name) -> None:
                if progress.epoch_done and progress.epoch % 20 == 0:
                    balance = words.balance(progress.balance.state, progress.balance.since)
                    print(
                        f"{name} epoch {progress.epoch}: KID {progress.kid}, {balance}", flush=True
                    )

            try:
                result = train_gan(
                    dataset, run, settings(arm, seed, len(dataset.files), plan), progress=say
                )
                shown = result.images_shown
            except FolderRefused as error:
                print(f"{run.name} is left to another process ({error})", flush=True)
                continue
            except TrainingLost as error:
                print(error, flush=True)
                continue
            print(f"{run.name} done: {shown} pictures, {time.process_time() - began:.0f} CPU s")


def table(runs: Path, *, kimg: float = math.inf) -> str:
    """All runs as a Markdown table, one row an arm; the numbers of its seeds side by side.

    Args:
        runs: The folder of runs.
        kimg: What was measured after so many thousand pictures is left out, so that runs of
            different lengths compare; a run that did not come so far is left out itself.
    """
    lines = [
        "| | pictures shown, thousands | best KID | at thousand | KID at the end | recognised at "
        "the best | at the end | copies at the best | D's gap at the end |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    by_arm: dict[str, list[list[EpochStats]]] = {}
    for run in find_runs(runs):
        name, _, _ = run.name.rpartition("-s")
        stats = run.read_stats()
        measured = [
            epoch for epoch in stats if epoch.kid is not None and epoch.images_shown <= kimg * 1000
        ]
        far = max((epoch.images_shown for epoch in stats), default=0)
        if measured and (kimg == math.inf or far >= kimg * 1000):
            by_arm.setdefault(name, []).append(measured)
    for name in [*ARMS, *(other for other in by_arm if other not in ARMS)]:
        found = by_arm.get(name)
        if not found:
            continue
        best = [best_of(measured) or measured[0] for measured in found]
        ends = [measured[-1] for measured in found]
        columns = [
            " ".join(f"{end.images_shown / 1000:.0f}" for end in ends),
            _numbers([epoch.kid or 0.0 for epoch in best]),
            " ".join(f"{epoch.images_shown / 1000:.0f}" for epoch in best),
            _numbers([epoch.kid or 0.0 for epoch in ends]),
            _shares([epoch.recognised or 0.0 for epoch in best]),
            _shares([epoch.recognised or 0.0 for epoch in ends]),
            _shares([epoch.copies or 0.0 for epoch in best]),
            _numbers([epoch.gap or 0.0 for epoch in ends]),
        ]
        what = ARMS[name].what if name in ARMS else name
        lines.append(f"| {what} | {' | '.join(columns)} |")
    return "\n".join(lines)


JUDGED = (RECOGNISED, SECOND_RECOGNISED, DIVERSITY, CASCADES, KID, SECOND_KID)


def judged(runs: Path) -> str:
    """What the best networks of every arm are worth to judges that chose nothing, as Markdown.

    Beside them stands what the first network says, which chose the epochs; behind each number that
    of real images. The cascades' share is to be read beside the variety of samples.

    Args:
        runs: The folder of runs.
    """
    arms = dict.fromkeys(run.name.rpartition("-s")[0] or run.name for run in find_runs(runs))
    folder = cache_folder()
    compared = compare_runs(
        list(arms),
        CompareConfig(device="cpu"),
        runs=runs,
        cascades=CascadeFinder(),
        cache=None if folder is None else folder / "features",
    )
    rows = {row.key: row for row in compared.rows}
    lines = [
        f"| | {' | '.join(one.label for one in JUDGED)} |",
        f"| --- |{' --- |' * len(JUDGED)}",
    ]
    for place, arm in enumerate(compared.arms):
        cells = []
        for one in JUDGED:
            text, real = rows[one.key].cells[place].text, rows.get(f"{one.key}_real")
            cells.append(text if real is None else f"{text}; real {real.cells[place].text}")
        what = ARMS[arm.label].what if arm.label in ARMS else arm.label
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _numbers(values: Sequence[float]) -> str:
    each = " ".join(f"{value:.3f}" for value in values)
    return each if len(values) == 1 else f"{statistics.fmean(values):.3f} ({each})"


def _shares(values: Sequence[float]) -> str:
    each = " ".join(f"{value:.0%}" for value in values)
    return each if len(values) == 1 else f"{statistics.fmean(values):.0%} ({each})"


def main() -> None:
    """Read the arguments and train, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?")
    parser.add_argument("runs", type=Path, nargs="?")
    parser.add_argument("--table", type=Path, metavar="RUNS")
    parser.add_argument("--judges", type=Path, metavar="RUNS")
    parser.add_argument("--at", type=float, default=math.inf, metavar="KIMG")
    parser.add_argument("--arms", default=",".join(name for name in ARMS if name not in WARM))
    parser.add_argument(
        "--start-from", metavar="RUN", help="whose nets the arms warm and warm-slow begin with"
    )
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--every", type=float, default=10, metavar="KIMG")
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--kimg", type=float, default=60)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    if given.table is not None:
        print(table(given.table, kimg=given.at))
        return
    if given.judges is not None:
        print(judged(given.judges))
        return
    if given.runs is None:
        parser.error("name the data set and a folder for the runs")
    names = given.arms.split(",")
    unknown = [name for name in names if name not in ARMS]
    if unknown:
        parser.error(f"there is no arm {unknown[0]}; there are: {', '.join(ARMS)}")
    arms = {name: ARMS[name] for name in names}
    for name in WARM & arms.keys():
        if given.start_from is None:
            parser.error(f"{name} needs --start-from")
        start = {"start_from": str(Path(given.start_from).absolute())}
        arms[name] = dataclasses.replace(arms[name], changes=arms[name].changes | start)
    os.nice(5)
    torch.set_num_threads(given.threads)
    seeds = [int(seed) for seed in given.seeds.split(",")]
    plan = Plan(pictures=given.pictures, kimg=given.kimg, every=given.every)
    train(given.dataset, given.runs, arms, seeds, plan)


if __name__ == "__main__":
    main()
