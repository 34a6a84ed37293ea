"""Names to arms: which runs a person means, and which of them are runs of one arm."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from catgan.compare.source import (
    Source,
    has_checkpoint,
    open_pictures,
    open_run,
    yardstick_for_folders,
)
from catgan.core.datasets import open_dataset
from catgan.core.errors import BadUsage, UnknownRun
from catgan.core.files import Json
from catgan.core.runs import CONFIG, Run, find_runs, resolve_run

_SEEDED = re.compile(r"(.+)-s(\d+)")  # face-crop-s0, face-crop-s1: one arm, several seeds
# settings that change neither what is learnt nor for how long
NO_MATTER = frozenset({"seed", "device", "graphs", "checkpoint_minutes", "sample_every"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The runs of one arm: they differ in nothing but their seeds."""

    label: str
    """What the arm is called: its run's name, or what the names of its runs share."""
    sources: tuple[Source, ...]
    """From one on, in the order they were named, or of their seeds."""
    notes: tuple[str, ...]
    """What a reader must know of how they were put together."""


def plan_groups(
    names: Sequence[str], runs: Path, *, against: str | None = None, apart: bool = False
) -> list[Group]:
    """The arms that a person named, in that order, each with a name of its own.

    Args:
        names: Names of runs under `runs`, paths of run folders, what the names of several runs
            share (`face-crop` for `face-crop-s0`, `face-crop-s1`), or folders of pictures.
        runs: The folder of runs.
        against: The run, or the folder of real pictures, that folders of pictures are measured
            against; None for what all the runs named are.
        apart: Every run an arm of its own.

    Raises:
        BadUsage: Nothing was named, or one run twice; or nobody can tell what a folder of pictures
            is to be measured against.
        UnknownRun: One is no run; lists those there are.
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
            "--against says what a folder of pictures is measured against, but only runs are "
            "named, and each is measured against its own pictures; leave it out."
        )
    opened = {one.folder: open_run(one.run, one.name) for one in found if one.run is not None}
    pictures = [one for one in found if one.run is None]
    if pictures:
        reals = yardstick_for_folders(
            against, _run(against, runs), list(opened.values()), pictures[0].folder
        )
        for one in pictures:
            opened[one.folder] = open_pictures(one.folder, one.files, reals)
    heaps: dict[object, list[_Named]] = {}
    for one in found:
        heaps.setdefault(one.folder if apart else one.arm, []).append(one)
    groups = [group for heap in heaps.values() for group in _groups(heap, opened)]
    return _told_apart(groups)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A run, or a folder of pictures, that a name means."""

    name: str
    folder: Path
    run: Run | None
    files: tuple[str, ...] = ()
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
            ready = [run for run in seeded if has_checkpoint(run)]
            waiting = tuple(run.name for run in seeded if not has_checkpoint(run))
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
                f"{folder} is a folder with neither a run nor pictures in it; name a run, or a "
                "folder of pictures."
            )
        return [_Named(name=folder.resolve().name, folder=folder, run=None, files=dataset.files)]
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


def _groups(heap: Sequence[_Named], opened: dict[Path, Source]) -> list[Group]:
    sources = [opened[one.folder] for one in heap]
    notes = [
        f"{name} has no checkpoint yet, so it is left out."
        for name in dict.fromkeys(name for one in heap for name in one.left_out)
    ]
    if len(sources) == 1:
        return [Group(label=sources[0].name, sources=tuple(sources), notes=tuple(notes))]
    differ = differing([source.settings for source in sources])
    if any(source.reals != sources[0].reals for source in sources):
        differ.append("pictures")
    if not differ:
        return [Group(label=heap[0].base, sources=tuple(sources), notes=tuple(notes))]
    notes.append(
        f"{_listed([source.name for source in sources])} differ in more than their seeds "
        f"({', '.join(differ)}), so they are shown one by one, not as runs of one arm."
    )
    return [
        Group(
            label=source.name, sources=(source,), notes=tuple(notes) if source is sources[0] else ()
        )
        for source in sources
    ]


def _told_apart(groups: Sequence[Group]) -> list[Group]:
    """The same arms; those of one name are called by where they lie."""
    titles = [group.label for group in groups]
    return [
        group
        if titles.count(group.label) == 1
        else dataclasses.replace(group, label=str(group.sources[0].folder.parent / group.label))
        for group in groups
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


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
