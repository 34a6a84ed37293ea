"""Real pictures as they lie on disk: those trained on, and those to measure samples against."""

import dataclasses
from pathlib import Path

from catgan.core.datasets import open_dataset
from catgan.core.errors import BadUsage, NoPictures, UnreadablePhoto
from catgan.core.images import read_photo

HELD_OUT = "held-out"
TRAINING = "training"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reals:
    """A data set, split into what was trained on and what samples are measured against.

    Equal where two runs were trained on and are measured against the same pictures.
    """

    name: str
    """Name of the data set."""
    folder: Path
    """Where it lies."""
    digest: str
    """What the trainer knew the pictures by; "" where it did not say."""
    size: int
    """Side of the pictures in training, pixels: they are measured at it, too."""
    train: tuple[str, ...]
    """File names trained on; never empty."""
    held_out: tuple[str, ...]
    """File names kept out of training; may be empty."""

    @property
    def reference(self) -> str:
        """Which pictures samples are measured against: `held-out`, or `training` without any."""
        return HELD_OUT if self.held_out else TRAINING

    @property
    def reference_files(self) -> tuple[str, ...]:
        """Their file names."""
        return self.held_out or self.train

    @property
    def yardstick(self) -> tuple[Path, str, int, tuple[str, ...]]:
        """Equal where samples are measured against the same pictures at the same size."""
        return self.folder.resolve(), self.digest, self.size, self.reference_files


def reals_of_folder(folder: Path) -> Reals:
    """A folder of real pictures, all of them to be measured against.

    Raises:
        BadUsage: There is no such folder.
        NoPictures: It holds none, or the first of them is broken.
    """
    if not folder.is_dir():
        raise BadUsage(
            f"There is neither a run nor a folder {folder} to measure against; "
            "name a run, or a folder of real pictures."
        )
    dataset = open_dataset(folder)
    if dataset is None:
        raise NoPictures(f"{folder} holds no pictures to measure against; name another folder.")
    first = dataset.paths()[0]
    try:
        size = min(read_photo(first.read_bytes()).pixels.shape[:2])
    except (OSError, UnreadablePhoto) as error:
        raise NoPictures(f"{first} cannot be read: {error}; take it out of the folder.") from error
    return Reals(
        name=dataset.name,
        folder=folder,
        digest="",
        size=size,
        train=dataset.files,
        held_out=(),
    )
