"""What a person named, as it lies on disk, checked before anything is measured."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from catgan.compare.reals import Reals, reals_of_folder
from catgan.core.datasets import open_dataset
from catgan.core.errors import BadUsage, CheckpointRefused, NoPictures, UnknownRun
from catgan.core.files import Json
from catgan.core.runs import CONFIG, FORMAT, Run


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A run and how far it got; or a folder of pictures, which are taken for samples."""

    name: str
    """What it is called."""
    folder: Path
    """Where it lies."""
    run: Run | None
    """Everything of the run; None for a folder of pictures."""
    pictures: tuple[str, ...]
    """File names of a folder's pictures; empty for a run."""
    reals: Reals
    """What it was trained on and is measured against."""
    catgan: str
    """The version that trained it; "" for a folder of pictures."""
    settings: Json
    """The settings that it was trained with; empty for a folder of pictures."""
    stats: tuple[Json, ...]
    """What training wrote down, one record an epoch; read once, since the run may be going on."""
    finished: bool
    """Whether it ran to its last epoch."""
    checkpoint: Path | None
    """The checkpoint to measure; None for a folder of pictures."""
    best: bool
    """Whether that is the best one; else the last."""
    notes: tuple[str, ...]
    """What a reader must know of it, in sentences."""


def has_checkpoint(run: Run) -> bool:
    """Whether there is a generator to look at."""
    return _checkpoint(run) is not None


def open_run(run: Run, name: str) -> Source:
    """A run, checked.

    Args:
        run: Where it lies.
        name: What it is called.

    Raises:
        UnknownRun: Its `config.json` is of something else.
        CheckpointRefused: It has no checkpoint yet.
        NoPictures: The pictures that it was trained on are gone.
    """
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
    checkpoint = _checkpoint(run)
    if checkpoint is None:
        raise CheckpointRefused(
            f"The run {name} has no checkpoint yet, so there is no generator to look at; "
            "let it train for an epoch or more first: catgan train"
        )
    files = _files(folder, name)
    train = tuple(file for file in files if file not in chosen)
    held_out = tuple(file for file in files if file in chosen)
    if not train:
        raise NoPictures(
            f"None of the pictures that the run {name} was trained on is left in {folder}; "
            "put them back, or train the run anew."
        )
    finished = bool(config.get("finished", False))
    stats = tuple(_well_formed(run.read_stats()))
    return Source(
        name=name,
        folder=run.folder,
        run=run,
        pictures=(),
        reals=Reals(
            name=str(data.get("name", folder.name)),
            folder=folder,
            digest=str(data.get("digest", "")),
            size=size,
            train=train,
            held_out=held_out,
        ),
        catgan=str(config.get("catgan", "unknown")),
        settings=settings,
        stats=stats,
        finished=finished,
        checkpoint=checkpoint,
        best=checkpoint == run.best,
        notes=tuple(
            _notes(
                settings,
                finished=finished,
                epochs=max((record["epoch"] for record in stats), default=0),
                trained_on=trained_on,
                train=len(train),
                chosen=len(chosen),
                held_out=len(held_out),
            )
        ),
    )


def open_pictures(folder: Path, files: tuple[str, ...], reals: Reals) -> Source:
    """A folder whose pictures are taken for samples.

    Args:
        folder: Where they lie.
        files: Their names, from one on.
        reals: What they are measured against.

    Raises:
        BadUsage: They are those very pictures.
    """
    if folder.resolve() == reals.folder.resolve():
        raise BadUsage(
            f"{folder} would be measured against its own pictures; "
            "name another run or folder: --against"
        )
    return Source(
        name=folder.resolve().name,
        folder=folder,
        run=None,
        pictures=files,
        reals=reals,
        catgan="",
        settings={},
        stats=(),
        finished=True,
        checkpoint=None,
        best=False,
        notes=(
            f"This is a folder of {len(files)} pictures, not a run. They are taken for samples and "
            f"measured against {reals.reference} pictures of {reals.name}.",
        ),
    )


def yardstick_for_folders(
    named: str | None, named_run: Run | None, runs: Sequence[Source], folder: Path
) -> Reals:
    """What folders of pictures are measured against.

    Args:
        named: What a person said that it is to be, if anything.
        named_run: The run of that name, if it is one.
        runs: The runs compared.
        folder: A folder of pictures, for the sentence.

    Raises:
        BadUsage: Nobody said, and the runs do not say.
    """
    if named_run is not None:
        return open_run(named_run, named_run.name).reals
    if named is not None:
        return reals_of_folder(Path(named))
    if not runs:
        raise BadUsage(
            f"{folder} is a folder of pictures, not a run, and there is no run beside it to say "
            "which real pictures it is to be measured against; name a run or a folder of real "
            "pictures: --against face-crop"
        )
    if len({source.reals.yardstick for source in runs}) > 1:
        raise BadUsage(
            f"{folder} is a folder of pictures, not a run, and the runs named are measured against "
            f"different real pictures; say which are meant: --against {runs[0].name}"
        )
    return runs[0].reals


def _checkpoint(run: Run) -> Path | None:
    return next((path for path in (run.best, run.last) if path.is_file()), None)


def _files(folder: Path, name: str) -> tuple[str, ...]:
    try:
        dataset = open_dataset(folder)
    except OSError:
        dataset = None
    if dataset is None:
        raise NoPictures(
            f"The pictures that the run {name} was trained on are gone: {folder} "
            f"{'holds none' if folder.is_dir() else 'is missing'}; "
            "put the folder back, or train the run anew."
        )
    return dataset.files


def _well_formed(stats: list[dict[str, Any]]) -> Iterator[Json]:
    """Records of an epoch, each once: a resumed run may have written the newest one twice."""
    by_epoch = {record["epoch"]: record for record in stats if isinstance(record.get("epoch"), int)}
    yield from (by_epoch[epoch] for epoch in sorted(by_epoch))


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
