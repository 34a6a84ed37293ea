"""A run as it lies on disk, checked before anything is measured."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from catgan.core.datasets import open_dataset
from catgan.core.errors import BadUsage, CheckpointRefused, NoPictures, UnknownRun
from catgan.core.files import Json
from catgan.core.runs import CONFIG, FORMAT, Run, resolve_run

HELD_OUT = "held-out"
TRAINING = "training"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one run was trained on, and how far it got."""

    label: str
    """What the run is called here: its name, or its path where two share a name."""
    run: Run
    """Where everything of it lies."""
    catgan: str
    """The version that trained it."""
    settings: Json
    """The settings that it was trained with."""
    finished: bool
    """Whether it ran to its last epoch."""
    checkpoint: Path
    """The checkpoint to measure."""
    best: bool
    """Whether that is the best one; else the last."""
    data_name: str
    """Name of the data set."""
    data_folder: Path
    """Where the data set lies."""
    data_digest: str
    """What the trainer knew the data by; "" where it did not say."""
    size: int
    """Side of the pictures trained on, pixels."""
    train: tuple[str, ...]
    """File names trained on; never empty."""
    held_out: tuple[str, ...]
    """File names kept out of training; may be empty."""
    notes: tuple[str, ...]
    """What a reader must know of this run, in sentences."""

    @property
    def reference(self) -> str:
        """Which pictures samples are measured against: `held-out`, or `training` without any."""
        return HELD_OUT if self.held_out else TRAINING

    @property
    def reference_files(self) -> tuple[str, ...]:
        """Their file names."""
        return self.held_out or self.train

    @property
    def yardstick(self) -> tuple[Path, str, tuple[str, ...]]:
        """Equal between runs measured against the same pictures."""
        return self.data_folder.resolve(), self.data_digest, self.reference_files


def open_sources(names: Sequence[str], runs: Path) -> list[Source]:
    """The runs that a person named, in that order, each with a name of its own.

    Args:
        names: Names of runs under `runs`, or paths of run folders.
        runs: The folder of runs.

    Raises:
        BadUsage: No run was named, or one twice.
        UnknownRun: One is none; lists those there are.
        CheckpointRefused: One has no checkpoint yet.
        NoPictures: The data set of one is gone.
    """
    if not names:
        raise BadUsage("Name at least one run to look at: catgan compare full-body face-crop")
    found = [resolve_run(name, runs) for name in names]
    folders = [run.folder.resolve() for run in found]
    for index, folder in enumerate(folders):
        if folder in folders[:index]:
            raise BadUsage(f"{names[index]} is named twice; a run is compared with other runs.")
    titles = [run.name for run in found]
    return [
        _open(run, label=run.name if titles.count(run.name) == 1 else str(run.folder))
        for run in found
    ]


def _open(run: Run, label: str) -> Source:
    config = run.read_config()
    try:
        if config is None or int(config["format"]) > FORMAT:
            raise KeyError("format")
        settings, data = dict(config["settings"]), dict(config["data"])
        folder, size = Path(data["folder"]), int(settings["size"])  # data's is that of the files
        chosen = frozenset(map(str, data["held_out"]))
        trained_on = int(data["train"])
    except (KeyError, TypeError, ValueError) as error:
        raise UnknownRun(
            f"{run.folder / CONFIG} is not one that this catgan wrote, or is broken; "
            "name another run, or train this one anew."
        ) from error
    checkpoint = next((path for path in (run.best, run.last) if path.is_file()), None)
    if checkpoint is None:
        raise CheckpointRefused(
            f"The run {label} has no checkpoint yet, so there is no generator to look at; "
            "let it train for an epoch or more first: catgan train"
        )
    files = _files(folder, label)
    train = tuple(name for name in files if name not in chosen)
    held_out = tuple(name for name in files if name in chosen)
    if not train:
        raise NoPictures(
            f"None of the pictures that the run {label} was trained on is left in {folder}; "
            "put them back, or train the run anew."
        )
    finished = bool(config.get("finished", False))
    return Source(
        label=label,
        run=run,
        catgan=str(config.get("catgan", "unknown")),
        settings=settings,
        finished=finished,
        checkpoint=checkpoint,
        best=checkpoint == run.best,
        data_name=str(data.get("name", folder.name)),
        data_folder=folder,
        data_digest=str(data.get("digest", "")),
        size=size,
        train=train,
        held_out=held_out,
        notes=tuple(
            _notes(
                settings,
                finished=finished,
                epochs=_epochs(run.read_stats()),
                trained_on=trained_on,
                train=len(train),
                chosen=len(chosen),
                held_out=len(held_out),
            )
        ),
    )


def _files(folder: Path, label: str) -> tuple[str, ...]:
    try:
        dataset = open_dataset(folder)
    except OSError:
        dataset = None
    if dataset is None:
        raise NoPictures(
            f"The pictures that the run {label} was trained on are gone: {folder} "
            f"{'holds none' if folder.is_dir() else 'is missing'}; "
            "put the folder back, or train the run anew."
        )
    return dataset.files


def _epochs(stats: list[dict[str, Any]]) -> int:
    done = [record["epoch"] for record in stats if isinstance(record.get("epoch"), int)]
    return max(done, default=0)


def _notes(
    settings: Json,
    *,
    finished: bool,
    epochs: int,
    trained_on: int,
    train: int,
    chosen: int,
    held_out: int,
) -> list[str]:
    notes = []
    if not finished:
        total = settings.get("epochs")
        far = f"{epochs} of {total} epochs are done" if total else f"{epochs} epochs are done"
        notes.append(f"This run is still going or was stopped: {far}. It is compared as it stands.")
    if train != trained_on or held_out != chosen:
        notes.append(
            "The data set has changed since this run was trained: then "
            f"{trained_on} pictures to train on and {chosen} held out, now {train} and {held_out}. "
            "Pictures that were added count as trained on."
        )
    if held_out == 0:
        notes.append(
            "No picture was held out of this run's training, so its samples are measured against "
            "the very pictures that it was trained on. A run that only copies them looks good here."
        )
    return notes
