"""Which runs have learned from images of a curated folder: that cannot be taken out of weights."""

import dataclasses
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from catgan.core.errors import BadRecord
from catgan.formats.datasets import digest_of, open_dataset
from catgan.formats.runs import Run, RunConfig, find_runs


class Knows(StrEnum):
    """What a run has to do with an image."""

    TRAINED = "trained"
    """It was trained on it."""
    MEASURED = "measured"
    """The image was held out: the run was measured by it, and its best epoch chosen."""
    PERHAPS = "perhaps"
    """Its data set has changed since, so nobody can tell."""
    INHERITED = "inherited"
    """It started from a run that was, or may have been, trained on it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainedRun:
    """A run that has to do with an image."""

    run: Run
    """The run."""
    knows: Knows
    """What it has to do with it."""


def trained_on(images: Mapping[str, Sequence[str]], curated: Path, runs: Path) -> list[TrainedRun]:
    """The runs that have to do with some images; ask before they are taken away.

    Args:
        images: Data set -> file names, as they are in it now.
        curated: The folder of the data sets.
        runs: The folder of runs.

    Returns:
        By name. Runs whose records are damaged count as those that may have been trained on them.
    """
    found: dict[Path, TrainedRun] = {}
    starts: dict[Path, Path] = {}
    for run in find_runs(runs):
        try:
            config = run.read_config()
            if config is None:
                continue
            if start := config.settings.get("start_from"):
                starts[run.folder.resolve()] = Path(start).resolve()
            knows = _knows(run, config, images, curated)
        except (BadRecord, TypeError, ValueError):  # a path that is none
            knows = Knows.PERHAPS
        if knows is not None:
            found[run.folder.resolve()] = TrainedRun(run=run, knows=knows)
    passed_on = True
    while passed_on:  # a run may have started from one that started from another
        passed_on = False
        for folder, start in starts.items():
            parent = found.get(start)
            if parent is None or parent.knows == Knows.MEASURED:
                continue
            own = found.get(folder)
            if own is None or own.knows == Knows.MEASURED:
                found[folder] = TrainedRun(run=Run(folder=folder), knows=Knows.INHERITED)
                passed_on = True
    return sorted(found.values(), key=lambda one: one.run.name)


def _knows(
    run: Run, config: RunConfig, images: Mapping[str, Sequence[str]], curated: Path
) -> Knows | None:
    data = config.data
    place = run.find_data(data)
    if not place.resolve().is_relative_to(curated.resolve()):
        return None
    names = set(images.get(data.name, ()))
    if names and names <= set(data.held_out):
        return Knows.MEASURED
    dataset = open_dataset(place) if place.is_dir() else None
    if dataset is None or digest_of(dataset) != data.digest:
        return Knows.PERHAPS
    return Knows.TRAINED if names else None
