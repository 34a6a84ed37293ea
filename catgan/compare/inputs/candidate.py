"""A run, or a folder of images, as it lies on disk, checked before anything is measured."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from catgan.compare.inputs.split import DataSplit, split_of_folder
from catgan.core.errors import BadUsage, NoPictures, UnknownRun
from catgan.core.files import Json
from catgan.core.names import printable
from catgan.core.words import count
from catgan.formats.datasets import DataSet, digest_of, open_dataset
from catgan.formats.runs import CONFIG, Run, RunConfig
from catgan.formats.stats import EpochStats


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A run and how far it got; or a folder of images, which are taken for samples."""

    name: str
    """What it is called."""
    folder: Path
    """Where it is."""
    run: Run | None
    """Everything of the run; None for a folder of images."""
    images: tuple[Path, ...]
    """A folder's images; empty for a run."""
    split: DataSplit
    """What it was trained on and is measured against."""
    catgan: str
    """The version that trained it; "" for a folder of images."""
    settings: Json
    """The settings that it was trained with; empty for a folder of images."""
    stats: tuple[EpochStats, ...]
    """What training wrote down, one record an epoch; read once, since the run may be going on."""
    finished: bool
    """Whether it ran to its last epoch."""
    checkpoint: Path | None
    """The checkpoint to measure; None for a folder of images."""
    notes: tuple[str, ...]
    """What a reader must know of it, in sentences."""

    @property
    def which(self) -> str:
        """Whether the checkpoint is the `best` one or the `last`."""
        return "best" if self.run is not None and self.checkpoint == self.run.best else "last"

    def count(self, wanted: int) -> int:
        """How many samples there are to measure: as many as wanted from a generator, or all of a
        folder's images, at most `wanted`."""
        return wanted if self.checkpoint is not None else min(wanted, len(self.images))


def open_run(run: Run, data: Path | None = None) -> Candidate:
    """A run, checked.

    Args:
        run: The run.
        data: Where its data set has been moved to, or the folder that it lies in; None to look
            where it was.

    Raises:
        UnknownRun: There is none.
        BadRecord: Its `config.json` or `stats.jsonl` is damaged, or of something else.
        CheckpointRefused: It has no checkpoint yet.
        NoPictures: The images that it was trained on are gone.
    """
    name = run.name
    config = run.read_config()
    size = None if config is None else config.settings.get("size")
    if config is None or size is None:
        raise UnknownRun(
            f"{run.folder / CONFIG} does not say what the run was trained with; "
            "name another run, or train this one anew."
        )
    checkpoint = run.find_checkpoint()
    dataset = _dataset(run.find_data(config.data, data), name)
    chosen = frozenset(map(printable, config.data.held_out))
    train = tuple(file for file in dataset.files if printable(file) not in chosen)
    held_out = tuple(file for file in dataset.files if printable(file) in chosen)
    if not train:
        raise NoPictures(
            f"None of the images that the run {name} was trained on is left in {dataset.folder}; "
            "put them back, or train the run anew."
        )
    split = DataSplit(
        name=config.data.name,
        folder=dataset.folder,
        pictures=dataset.pictures,
        digest=config.data.digest,
        size=size,
        train=train,
        held_out=held_out,
    )
    stats = tuple(run.read_stats())
    return Candidate(
        name=name,
        folder=run.folder,
        run=run,
        images=(),
        split=split,
        catgan=config.catgan,
        settings=config.settings,
        stats=stats,
        finished=config.finished,
        checkpoint=checkpoint,
        notes=tuple(_notes(config, split, dataset, epochs=stats[-1].epoch if stats else 0)),
    )


def open_images(dataset: DataSet, split: DataSplit) -> Candidate:
    """A folder whose images are taken for samples.

    Args:
        dataset: The folder.
        split: What they are measured against.

    Raises:
        BadUsage: They are those very images.
    """
    if dataset.folder.resolve() == split.folder.resolve():
        raise BadUsage(
            f"{dataset.folder} would be measured against its own images; "
            "name another run or folder: --against"
        )
    return Candidate(
        name=dataset.name,
        folder=dataset.folder,
        run=None,
        images=tuple(dataset.paths()),
        split=split,
        catgan="",
        settings={},
        stats=(),
        finished=True,
        checkpoint=None,
        notes=(
            f"This is a folder of {count(len(dataset.files), 'image')}, not a run. They stand for "
            f"samples and are measured against {split.reference} images of {split.name}.",
        ),
    )


def reference_of_folders(
    named: str | None,
    named_run: Run | None,
    runs: Sequence[Candidate],
    folder: Path,
    data: Path | None = None,
) -> DataSplit:
    """What folders of images are measured against.

    Args:
        named: What a person said that it is to be, if anything.
        named_run: The run of that name, if it is one.
        runs: The runs compared.
        folder: A folder of images, for the sentence.
        data: As in `open_run`.

    Raises:
        BadUsage: Nobody said, and the runs do not say.
    """
    if named_run is not None:
        return open_run(named_run, data).split
    if named is not None:
        return split_of_folder(Path(named))
    if not runs:
        raise BadUsage(
            f"{folder} is a folder of images, not a run, and no run is compared with it that would "
            "say which real images to measure it against; name a run or a folder of real images: "
            "--against face-crop"
        )
    if len({one.split.reference_key for one in runs}) > 1:
        raise BadUsage(
            f"{folder} is a folder of images, not a run, and the runs named are measured against "
            f"different real images; say which are meant: --against {runs[0].name}"
        )
    return runs[0].split


def _dataset(folder: Path, name: str) -> DataSet:
    try:
        dataset = open_dataset(folder)
    except OSError:
        dataset = None
    if dataset is None:
        raise NoPictures(
            f"The images that the run {name} was trained on are gone: {folder} "
            f"{'holds none' if folder.is_dir() else 'is missing'}; "
            "put the folder back, or say where it is now: --data FOLDER"
        )
    return dataset


def _differs(dataset: DataSet, digest: str) -> bool:
    """Whether a data set holds other images than those of a digest, where there is one."""
    try:
        return bool(digest) and digest_of(dataset) != digest
    except OSError:
        return False  # measuring says which image cannot be read


def _notes(config: RunConfig, split: DataSplit, dataset: DataSet, *, epochs: int) -> list[str]:
    notes = []
    if not config.finished:
        total = config.settings.get("epochs")
        far = (
            f"{epochs} of {count(total, 'epoch')}"
            if isinstance(total, int)
            else count(epochs, "epoch")
        )
        notes.append(
            f"This run is still going or was stopped: {far} done. It is compared as it stands."
        )
    then, now = (
        (config.data.train, len(config.data.held_out)),
        (len(split.train), len(split.held_out)),
    )
    if then != now:
        notes.append(
            "The data set has changed since this run was trained: then "
            f"{count(then[0], 'image')} to train on and {then[1]} held out, now {now[0]} and "
            f"{now[1]}. New images count as trained on."
        )
    elif _differs(dataset, config.data.digest):
        notes.append(
            "The images of the data set have changed since this run was trained, though there are "
            "as many: they were curated again with other settings, or edited. The run is measured "
            "against images that it was not trained on."
        )
    if not split.held_out:
        notes.append(
            "No images were held out of training, so samples are measured against the very images "
            "that were trained on. Copies of them would look good here."
        )
    return notes
