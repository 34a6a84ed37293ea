"""Names to arms: which runs a person means, and which of them are runs of one arm."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from catgan.compare.inputs.candidate import (
    Candidate,
    open_images,
    open_run,
    reference_of_folders,
)
from catgan.core.errors import BadUsage, UnknownRun
from catgan.core.files import Json
from catgan.core.words import listed
from catgan.formats.datasets import DataSet, open_dataset
from catgan.formats.runs import CONFIG, Run, find_runs, resolve_run

_SEEDED = re.compile(r"(.+)-s(\d+)")  # face-crop-s0, face-crop-s1: one arm, several seeds
# settings that change neither what is learnt nor for how long
NO_MATTER = frozenset({"seed", "device", "graphs", "checkpoint_minutes", "sample_every"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlannedArm:
    """The runs of one arm: they differ in nothing but their seeds."""

    label: str
    """What the arm is called: its run's name, or what the names of its runs share."""
    candidates: tuple[Candidate, ...]
    """From one on, in the order they were named, or of their seeds."""
    notes: tuple[str, ...]
    """What a reader must know of how they were put together."""


def plan_arms(
    names: Sequence[str],
    runs: Path,
    *,
    against: str | None = None,
    apart: bool = False,
    data: Path | None = None,
) -> list[PlannedArm]:
    """The arms that a person named, in that order, each with a name of its own.

    Args:
        names: Names of runs under `runs`, paths of run folders, what the names of several runs
            share (`face-crop` for `face-crop-s0`, `face-crop-s1`), or folders of images.
        runs: The folder of runs.
        against: The run, or the folder of real images, that folders of images are measured
            against; None for what all the runs named are.
        apart: Every run an arm of its own.
        data: Where the data sets of the runs have been moved to; None to look where they were.

    Raises:
        BadUsage: Nothing was named, or one run twice; or nobody can tell what a folder of images
            is to be measured against.
        UnknownRun: One is not a run; lists those there are.
        BadRecord: What one wrote down is damaged.
        CheckpointRefused: One has no checkpoint yet.
        NoPictures: The data set of one is gone.
    """
    if not names:
        raise BadUsage("Name at least one run to look at: catgan compare full-body face-crop")
    found: list[_Named] = [one for name in names for one in _meant_by(name, runs)]
    folders: list[Path] = []
    for one in found:
        if one.folder.resolve() in folders:
            raise BadUsage(f"{one.name} is named twice; a run is compared with other runs.")
        folders.append(one.folder.resolve())
    if against is not None and all(one.run is not None for one in found):
        raise BadUsage(
            "--against says what a folder of images is measured against, but only runs are "
            "named, and each is measured against its own images; leave it out."
        )
    opened = {one.folder: open_run(one.run, data) for one in found if one.run is not None}
    datasets = [one.dataset for one in found if one.dataset is not None]
    if datasets:
        split = reference_of_folders(
            against, _run(against, runs), list(opened.values()), datasets[0].folder, data
        )
        opened |= {dataset.folder: open_images(dataset, split) for dataset in datasets}
    heaps: dict[object, list[_Named]] = {}
    for one in found:
        heaps.setdefault(one.folder if apart else one.arm, []).append(one)
    return _told_apart([arm for heap in heaps.values() for arm in _arms(heap, opened)])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A run, or a folder of images, that a name means."""

    name: str
    folder: Path
    run: Run | None = None
    dataset: DataSet | None = None
    left_out: tuple[str, ...] = ()
    """Runs of the same arm that have no checkpoint yet."""

    @property
    def arm(self) -> tuple[Path, str]:
        """Equal between runs of one arm."""
        return self.folder.resolve().parent, self.base if self.run else self.name

    @property
    def base(self) -> str:
        """The name without its seed."""
        seeded = _SEEDED.fullmatch(self.name)
        return seeded[1] if seeded else self.name


def _meant_by(name: str, runs: Path) -> list[_Named]:
    run = _run(name, runs)
    if run is not None:
        return [_Named(name=run.name, folder=run.folder, run=run)]
    for place in (runs / name, Path(name)):
        seeded = _seeded(place)
        if seeded:
            ready = [run for run in seeded if run.checkpoint() is not None]
            waiting = tuple(run.name for run in seeded if run.checkpoint() is None)
            # with none ready, the first one's refusal says what to do
            return [
                _Named(name=run.name, folder=run.folder, run=run, left_out=waiting)
                for run in ready or seeded[:1]
            ]
    folder = Path(name)
    if folder.is_dir():
        dataset = open_dataset(folder)
        if dataset is None:
            raise UnknownRun(
                f"{folder} is a folder with neither a run nor images in it; name a run, or a "
                "folder of images."
            )
        return [_Named(name=dataset.name, folder=folder, dataset=dataset)]
    resolve_run(name, runs)  # raises, and lists the runs there are
    raise AssertionError(name)


def _seeded(place: Path) -> list[Run]:
    """The runs beside `place` that are called like it but for a seed, by their seeds."""
    found = []
    for run in find_runs(place.parent):
        seeded = _SEEDED.fullmatch(run.name)
        if seeded and seeded[1] == place.name:
            found.append((int(seeded[2]), run.name, run))
    return [run for _, _, run in sorted(found, key=lambda entry: entry[:2])]


def _run(name: str | None, runs: Path) -> Run | None:
    if name is None:
        return None
    folders = (runs / name, Path(name))
    return next((Run(folder=folder) for folder in folders if (folder / CONFIG).is_file()), None)


def _arms(heap: Sequence[_Named], opened: dict[Path, Candidate]) -> list[PlannedArm]:
    candidates = [opened[one.folder] for one in heap]
    notes = [
        f"{name} has no checkpoint yet, so it is left out."
        for name in dict.fromkeys(name for one in heap for name in one.left_out)
    ]
    first = candidates[0]
    differ = differing([one.settings for one in candidates])
    if any(one.split != first.split for one in candidates):
        differ.append("images")
    if len(candidates) == 1 or not differ:
        label = first.name if len(candidates) == 1 else heap[0].base
        return [PlannedArm(label=label, candidates=tuple(candidates), notes=tuple(notes))]
    notes.append(
        f"{listed([one.name for one in candidates])} differ in more than their seeds "
        f"({', '.join(differ)}), so they are shown one by one, not as runs of one arm."
    )
    return [
        PlannedArm(label=one.name, candidates=(one,), notes=tuple(notes) if one is first else ())
        for one in candidates
    ]


def _told_apart(arms: Sequence[PlannedArm]) -> list[PlannedArm]:
    """The same arms; those of one name are called by where they are."""
    labels = [arm.label for arm in arms]
    return [
        arm
        if labels.count(arm.label) == 1
        else dataclasses.replace(arm, label=str(arm.candidates[0].folder.parent / arm.label))
        for arm in arms
    ]


def differing(settings: Sequence[Json]) -> list[str]:
    """Settings that change what is learnt and are not the same everywhere.

    A run from before a setting existed counts as one that left it empty.
    """
    names = list(dict.fromkeys(name for one in settings for name in one))
    return [
        name
        for name in names
        if name not in NO_MATTER and len({repr(one.get(name, "")) for one in settings}) > 1
    ]
