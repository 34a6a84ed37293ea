"""From a data set on disk to what a run trains on and what it is measured against."""

import contextlib
import dataclasses
import hashlib
import time
from collections.abc import Callable

import numpy as np

from catgan.core.errors import BadSettings, TooFewPictures
from catgan.core.loading import load_all
from catgan.core.pictures import Picture, Pictures
from catgan.core.words import count
from catgan.formats.datasets import DataSet, add_to_digest, groups_of, held_out
from catgan.formats.runs import DataRecord
from catgan.train.config import TrainConfig
from catgan.train.store import Storage, choose_storage, open_store

LEAST_TRAINED = 8  # images; fewer make no data set, whatever the batch size
MOST_HELD_OUT = 2000  # pictures measured against; more would tell nothing new
QUIET_SECONDS = 2.0  # of reading before anything is said of it
REPORT_SECONDS = 0.5  # between two reports

Report = Callable[[int, int], None]
"""Called with the pictures read so far and all that there are."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunData:
    """What one run is about."""

    record: DataRecord
    """As `config.json` has it."""
    train: tuple[str, ...]
    """File names trained on, sorted."""
    storage: Storage
    """Where the training images are kept while the run goes: the machine's affair."""


def load_data(
    dataset: DataSet, config: TrainConfig, *, report: Report | None = None, processes: int = 1
) -> tuple[RunData, Pictures, Pictures]:
    """Split a data set and read its pictures.

    Every picture is read once, so that a broken one is known before anything is written, and what
    becomes of the folder later is no matter. Those of another size, or not square, become squares
    of `config.size`; see `load_picture`.

    Args:
        dataset: The data set.
        config: The run's settings.
        report: Told about twice a second how far the reading is, once it has taken two seconds; may
            raise to end it.
        processes: How many do the same on this machine, this one among them.

    Returns:
        What the run is about; the training pictures, (N, size, size, 3) uint8: an array, or a
        read-only map of a temporary file where memory is short (see `choose_storage`); and those
        to measure against, (M, size, size, 3) uint8, M from 0: of more than `MOST_HELD_OUT`, those
        that a smaller `--held-out` would have held out too. Both in the order of their names.

    Raises:
        TooFewPictures: Too few to train on, or fewer than one batch.
        BadSettings: More are to be held out than there are.
        UnreadablePhoto: One of them cannot be read.
        DiskFull: There is room for the training pictures neither in memory nor on disk.
    """
    train, out = _split(dataset, config)
    storage = choose_storage(len(train), config.size, processes)
    kept_out, measured = frozenset(out), frozenset(held_out(out, MOST_HELD_OUT)[1])
    measured_pictures: list[Picture] = []
    with open_store(storage) as store:

        def keep(name: str, picture: Picture) -> None:
            if name not in kept_out:
                store.add(picture)
            elif name in measured:
                measured_pictures.append(picture)

        record = _look_through(dataset, config.size, (train, out), keep, report)
        pictures = store.pictures()
    side = config.size
    against = np.empty((len(measured_pictures), side, side, 3), dtype=np.uint8)
    for place, picture in zip(against, measured_pictures, strict=True):
        place[:] = picture
    return RunData(record=record, train=train, storage=storage), pictures, against


def check_data(dataset: DataSet, config: TrainConfig, *, report: Report | None = None) -> RunData:
    """What `load_data` says of the same arguments; the pictures are read, but none is kept.

    Raises:
        What `load_data` does.
    """
    train, out = _split(dataset, config)
    storage = choose_storage(len(train), config.size)
    record = _look_through(dataset, config.size, (train, out), lambda name, picture: None, report)
    return RunData(record=record, train=train, storage=storage)


def _split(dataset: DataSet, config: TrainConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """File names to train on and held out, if there are enough of them."""
    images = len(dataset.files)
    out_count = config.held_out_of(images)
    if out_count >= images:
        raise BadSettings(
            f"--held-out is {out_count}, but {dataset.folder} has only {count(images, 'image')}; "
            "hold fewer out."
        )
    train, out = held_out(dataset.files, out_count, groups_of(dataset))
    least = max(LEAST_TRAINED, config.batch_size)
    if len(train) < least:
        raise TooFewPictures(
            f"{dataset.folder} has {count(len(train), 'image')} to train on; at least {least} are "
            f"needed (--batch-size is {config.batch_size}). Add photos, or name another folder."
        )
    return train, out


def _look_through(
    dataset: DataSet,
    size: int,
    split: tuple[tuple[str, ...], tuple[str, ...]],
    keep: Callable[[str, Picture], None],
    report: Report | None,
) -> DataRecord:
    """Read every image once, hand it over at its new size, and say what they were."""
    digest = hashlib.sha256()
    smallest, resized, cut, enlarged = None, 0, 0, 0
    told = time.monotonic() + QUIET_SECONDS - REPORT_SECONDS

    def tick(done: int) -> None:
        nonlocal told
        if report is not None and time.monotonic() - told >= REPORT_SECONDS:
            report(done, len(dataset.files))
            told = time.monotonic()

    with contextlib.closing(load_all(dataset.paths(), size, tick=tick)) as pictures:
        for name, picture in zip(dataset.files, pictures, strict=True):
            add_to_digest(digest, name, picture.sha256)
            short = min(picture.width, picture.height)
            smallest = short if smallest is None else min(short, smallest)
            resized += (picture.width, picture.height) != (size, size)
            cut += picture.width != picture.height
            enlarged += short < size
            keep(name, picture.pixels)
    train, out = split
    return DataRecord(
        name=dataset.name,
        folder=str(dataset.folder.resolve()),
        digest=digest.hexdigest(),
        size=smallest or 0,
        resized=resized,
        cut=cut,
        enlarged=enlarged,
        train=len(train),
        held_out=out,
    )
