"""From a data set on disk to what a run trains on and what it is measured against."""

import dataclasses
from pathlib import Path

import numpy as np

from catgan.core.datasets import DataSet, held_out
from catgan.core.errors import BadSettings, TooFewPictures
from catgan.core.files import Json, sha256
from catgan.core.images import Pictures, read_pictures, resize_shorter_side
from catgan.train.config import TrainConfig

MIN_PICTURES = 8  # fewer make no data set, whatever the batch size


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunData:
    """What one run is about."""

    name: str
    """The data set's name."""
    folder: Path
    """Where its pictures are, absolute."""
    digest: str
    """SHA-256 over all names and contents, hexadecimal."""
    train: tuple[str, ...]
    """File names trained on, sorted."""
    held_out: tuple[str, ...]
    """File names never trained on, sorted; may be empty."""
    size: int
    """Side of the pictures on disk, pixels; the shorter one where they are not square."""

    def to_json(self) -> Json:
        """The record as `config.json` has it."""
        return {
            "name": self.name,
            "folder": str(self.folder),
            "digest": self.digest,
            "size": self.size,
            "train": len(self.train),
            "held_out": list(self.held_out),
        }


def load_data(dataset: DataSet, config: TrainConfig) -> tuple[RunData, Pictures]:
    """Split a data set and read its training pictures.

    Returns:
        What the run is about, and the training pictures, (N, size, size, 3) uint8.

    Raises:
        TooFewPictures: Too few to train on, or fewer than one batch.
        BadSettings: More are to be held out than there are.
        UnequalSizes: The pictures differ in size.
        UnreadablePhoto: One of them cannot be read.
    """
    count = len(dataset.files)
    out_count = config.held_out_of(count)
    if out_count >= count:
        raise BadSettings(
            f"--held-out is {out_count}, but {dataset.folder} has only {count} pictures; "
            "hold fewer out."
        )
    train, out = held_out(dataset.files, out_count)
    least = max(MIN_PICTURES, config.batch_size)
    if len(train) < least:
        raise TooFewPictures(
            f"{dataset.folder} has {len(train)} pictures to train on; at least {least} are needed "
            f"(--batch-size is {config.batch_size}). Add photos, or name another folder."
        )
    pictures = read_pictures([dataset.folder / name for name in train])
    height, width = pictures.shape[1:3]
    if (height, width) != (config.size, config.size):
        pictures = np.stack([resize_shorter_side(picture, config.size) for picture in pictures])
    data = RunData(
        name=dataset.name,
        folder=dataset.folder.resolve(),
        digest=digest(dataset),
        train=train,
        held_out=out,
        size=min(height, width),
    )
    return data, pictures


def digest(dataset: DataSet) -> str:
    """One hash of all names and contents of a data set, hexadecimal."""
    lines = (f"{path.name} {sha256(path.read_bytes())}\n" for path in dataset.paths())
    return sha256("".join(lines).encode())
