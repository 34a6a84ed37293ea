"""Real images as they lie on disk: those trained on, and those to measure samples against."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from catgan.core.errors import BadUsage, NoPictures, UnreadablePhoto
from catgan.core.loading import load_picture
from catgan.formats.datasets import open_dataset

HELD_OUT = "held-out"
TRAINING = "training"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DataSplit:
    """A data set, split into what was trained on and what samples are measured against.

    Equal where two runs were trained on and are measured against the same images.
    """

    name: str
    """Name of the data set."""
    folder: Path
    """Where it is."""
    pictures: Path
    """Where its images lie: there, or in a folder inside."""
    digest: str
    """What the trainer knew the images by; "" where it did not say."""
    size: int
    """Side of the images in training, pixels: they are measured at it, too."""
    train: tuple[str, ...]
    """File names trained on; never empty."""
    held_out: tuple[str, ...]
    """File names kept out of training; may be empty."""

    @property
    def reference(self) -> str:
        """Which images samples are measured against: `held-out`, or `training` without any."""
        return HELD_OUT if self.held_out else TRAINING

    @property
    def reference_files(self) -> tuple[str, ...]:
        """Their file names."""
        return self.held_out or self.train

    @property
    def reference_key(self) -> tuple[Path, str, int, tuple[str, ...]]:
        """Equal where samples are measured against the same images at the same size."""
        return self.folder.resolve(), self.digest, self.size, self.reference_files

    def paths(self, names: Sequence[str]) -> list[Path]:
        """Where images of these names lie."""
        return [self.pictures / name for name in names]


def split_of_folder(folder: Path) -> DataSplit:
    """A folder of real images, all of them to be measured against.

    Raises:
        BadUsage: There is no such folder.
        NoPictures: It holds none, or the first of them is broken.
    """
    if not folder.is_dir():
        raise BadUsage(
            f"There is neither a run nor a folder {folder} to measure against; "
            "name a run, or a folder of real images."
        )
    dataset = open_dataset(folder)
    if dataset is None:
        raise NoPictures(f"{folder} holds no images to measure against; name another folder.")
    try:
        first = load_picture(dataset.paths()[0])
    except UnreadablePhoto as error:
        raise NoPictures(str(error)) from error
    return DataSplit(
        name=dataset.name,
        folder=folder,
        pictures=dataset.pictures,
        digest="",
        size=min(first.width, first.height),
        train=dataset.files,
        held_out=(),
    )
