"""A data set: a folder of small pictures, curated by catgan or not."""

import dataclasses
import os
from collections.abc import Iterable
from pathlib import Path

from catgan.core.errors import NoPictures, NoSuchFolder
from catgan.core.files import Json, read_jsonl, sha256, write_jsonl

FULL_BODY = "full-body"
FULL_BODY_KEPT = "full-body-kept"
FACE_CROP = "face-crop"
METADATA = "metadata.jsonl"

# What torchvision's ImageFolder takes; a data set is judged by its names, photos by content.
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".ppm", ".pgm", ".tif", ".tiff"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """The pictures directly inside one folder."""

    name: str
    """What it is called: the folder's name."""
    folder: Path
    """Where it is."""
    files: tuple[str, ...]
    """File names, sorted; never empty."""

    def paths(self) -> list[Path]:
        """The pictures' paths, in the order of `files`."""
        return [self.folder / name for name in self.files]


def open_dataset(folder: Path) -> DataSet | None:
    """The data set that `folder` itself is, or None where no picture lies directly in it."""
    with os.scandir(folder) as entries:
        files = sorted(
            entry.name
            for entry in entries
            if Path(entry.name).suffix.lower() in SUFFIXES
            and not entry.name.startswith(".")
            and entry.is_file()
        )
    if not files:
        return None
    return DataSet(name=folder.resolve().name, folder=folder, files=tuple(files))


def find_datasets(folder: Path) -> list[DataSet]:
    """Every data set that a folder holds: its subfolders with pictures, else the folder itself.

    Contact sheets lie beside the data sets of a curated folder, so subfolders go first.

    Raises:
        NoSuchFolder: There is no such folder.
        NoPictures: Neither the folder nor a subfolder has pictures.
    """
    if not folder.is_dir():
        what = "a file, not a folder" if folder.exists() else "missing"
        raise NoSuchFolder(f"{folder} is {what}; name a folder of pictures.")
    subfolders = sorted(
        child for child in folder.iterdir() if child.is_dir() and not child.name.startswith(".")
    )
    found = [dataset for child in subfolders if (dataset := open_dataset(child)) is not None]
    # "before", "between", then "after"; any other folders by name
    first = {FULL_BODY: 0, FULL_BODY_KEPT: 1}
    found.sort(key=lambda dataset: (first.get(dataset.name, len(first)), dataset.name))
    if found:
        return found
    if (own := open_dataset(folder)) is not None:
        return [own]
    raise NoPictures(
        f"{folder} holds no pictures, nor does a folder directly inside it; "
        "curate some photos first: catgan curate raw/ curated/"
    )


def write_metadata(folder: Path, records: Iterable[Json]) -> None:
    """`metadata.jsonl` as Hugging Face's imagefolder reads it: one line a picture, `file_name`."""
    write_jsonl(folder / METADATA, records)


def read_metadata(folder: Path) -> dict[str, Json]:
    """What is known of each picture, by file name; empty for a folder that catgan did not make."""
    return {
        str(record["file_name"]): record
        for record in read_jsonl(folder / METADATA)
        if "file_name" in record
    }


def held_out(files: tuple[str, ...], count: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split file names into those to train on and those to measure on.

    The names with the lowest hashes are held out. So a photo held out of `full-body` is held out
    of `face-crop` too where that has it and as many are asked for (the two name their pictures
    alike), a photo added later moves one other at most, and no random state is involved.

    Args:
        files: File names, in any order.
        count: How many to hold out.

    Returns:
        (train, held out), each in the order of `files`.
    """
    by_hash = sorted(files, key=lambda name: sha256(name.encode()))
    chosen = set(by_hash[:count])
    train = tuple(name for name in files if name not in chosen)
    out = tuple(name for name in files if name in chosen)
    return train, out
