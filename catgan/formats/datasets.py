"""A data set: a folder of small pictures, curated by catgan or not, and its `metadata.jsonl`.

Those that `curate` makes have their pictures in a folder `train` inside. So Hugging Face's
`imagefolder` takes them all for one split, where it would take the words `test` or `train` in a
file name for a split of its own, and torchvision's `ImageFolder` takes them for one class.
"""

import dataclasses
import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from catgan.core.errors import NoPictures
from catgan.core.files import check_folder, open_file, read_file, sha256, write_jsonl
from catgan.core.kinds import PICTURE_SUFFIXES, SNIFF, looks_like_picture
from catgan.core.names import name_bytes
from catgan.core.words import count
from catgan.formats.records import read_records, to_json

FULL_BODY = "full-body"
FULL_BODY_KEPT = "full-body-kept"
FACE_CROP = "face-crop"
CASCADE = "cascade"  # what proposed a face: see `PictureRecord.proposer`
METADATA = "metadata.jsonl"
SPLIT = "train"  # the folder with the pictures, inside that of a data set
LEFT_OUT = ".left-out"
LEFT_OUT_SUFFIX = ".out"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """The pictures of one folder."""

    name: str
    """What it is called: the folder's name."""
    folder: Path
    """Where it is."""
    pictures: Path
    """Where its pictures lie: `folder`, or the folder `train` in it."""
    files: tuple[str, ...]
    """File names, sorted; never empty."""

    def __repr__(self) -> str:
        """One line."""
        return f"DataSet({self.folder}: {count(len(self.files), 'image')})"

    def paths(self) -> list[Path]:
        """The pictures' paths, in the order of `files`."""
        return [self.pictures / name for name in self.files]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PictureRecord:
    """A line of `metadata.jsonl`: where a picture comes from."""

    file_name: str
    """The picture, in the same folder: Hugging Face's name for it."""
    photo: str | None = None
    """The photo, relative to the folder of photos, with forward slashes."""
    sha256: str | None = None
    """Of the photo's file, hexadecimal."""
    photo_width: int | None = None
    """Of the upright photo, pixels."""
    photo_height: int | None = None
    """Likewise."""
    group: str | None = None
    """What it belongs with, to be held out as one: a video, a burst; None where with nothing."""
    box: tuple[float, float, float, float] | None = None
    """Of a face crop: see `photos.FaceRecord`; likewise the next five."""
    roll: float | None = None
    """Degrees anticlockwise."""
    score: float | None = None
    """How sure the finder is."""
    proposer: str | None = None
    """What proposed it: `map` or `cascade`."""
    sharpness: float | None = None
    """Of the crop, 0 to 1."""
    brightness: float | None = None
    """Of the crop, 0 to 255."""


def pictures_of(folder: Path) -> Path:
    """Where the pictures of a data set lie: the folder itself, or the folder `train` in it.

    The latter only where that has a `metadata.jsonl`: a person's own `cats/train` and `cats/more`
    are two data sets.
    """
    split = folder / SPLIT
    return split if (split / METADATA).is_file() else folder


def left_out_folder(curated: Path, name: str) -> Path:
    """Where the pictures of a data set lie that a verdict left out, each with `LEFT_OUT_SUFFIX`."""
    return curated / FULL_BODY / SPLIT / LEFT_OUT / name


def open_dataset(folder: Path) -> DataSet | None:
    """The data set that `folder` itself is, or None where it has no pictures.

    As for `curate`, pictures are what is one by its first bytes, and what is called one: that is a
    broken one, and whoever reads it says so.

    Args:
        folder: Of a data set, curated or not; must be there.
    """
    pictures = pictures_of(folder)
    with os.scandir(pictures) as entries:
        files = sorted(
            entry.name
            for entry in entries
            if not entry.name.startswith(".")
            and entry.is_file()
            and (
                Path(entry.name).suffix.lower() in PICTURE_SUFFIXES
                or _looks_like_picture(Path(entry.path))
            )
        )
    if not files:
        return None
    return DataSet(name=folder.resolve().name, folder=folder, pictures=pictures, files=tuple(files))


def _looks_like_picture(path: Path) -> bool:
    try:
        with open_file(path, most=1 << 62) as file:
            return looks_like_picture(file.read(SNIFF))
    except OSError:
        return False


def find_datasets(folder: Path) -> list[DataSet]:
    """Every data set that a folder holds: its subfolders with pictures, else the folder itself.

    Contact sheets lie beside the data sets of a curated folder, so subfolders go first.

    Raises:
        NoSuchFolder: There is no such folder.
        NoPictures: Neither the folder nor a subfolder has pictures.
    """
    check_folder(folder, "name a folder of images, or make one: catgan curate raw/ curated/")
    if pictures_of(folder) != folder and (own := open_dataset(folder)) is not None:
        return [own]
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


def write_metadata(pictures: Path, records: Iterable[PictureRecord]) -> None:
    """Write `metadata.jsonl` beside the pictures, whole or not at all.

    Raises:
        DiskFull: There is no room for it.
    """
    write_jsonl(pictures / METADATA, map(to_json, records))


def read_metadata(folder: Path) -> dict[str, PictureRecord]:
    """What is known of each picture of a data set, by file name.

    Nothing is known of the pictures of a folder that catgan did not make; a person's own
    `metadata.jsonl` may hold anything, and what is no such record is passed over.
    """
    path = pictures_of(folder) / METADATA
    return {r.file_name: r for r in read_records(path, PictureRecord, forgiving=True)}


def found_by_cascade(folder: Path) -> frozenset[str]:
    """The file names of pictures of a data set whose face OpenCV's cascades alone proposed."""
    records = read_metadata(folder)
    return frozenset(name for name, one in records.items() if one.proposer == CASCADE)


def groups_of(dataset: DataSet) -> dict[str, str]:
    """Which images belong together, by file name: those of one video, or of one burst."""
    records = read_metadata(dataset.folder)
    return {name: one.group for name, one in records.items() if one.group is not None}


def held_out(
    files: tuple[str, ...], count: int, groups: Mapping[str, str] | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split file names into those to train on and those to measure on.

    The names with the lowest hashes are held out. So a photo held out of `full-body` is held out
    of `face-crop` too where that has it and as many are asked for (the two name their pictures
    alike), a photo added later moves one other at most, and no random state is involved.

    Images of one group go to one side: frames of a video on both would make copies of what was
    trained on look like what was learned. A group that is too large to be held out is trained on.

    Args:
        files: File names, in any order.
        count: How many to hold out; fewer, where nothing but groups is left that are larger.
        groups: Names of files -> their group, of those that have one.

    Returns:
        (train, held out), each in the order of `files`.
    """
    together: dict[str, list[str]] = {}
    for name in files:
        group = (groups or {}).get(name)
        together.setdefault(name if group is None else f"group {group}", []).append(name)
    chosen: set[str] = set()
    for key in sorted(together, key=lambda key: sha256(name_bytes(key))):
        if len(chosen) + len(together[key]) <= count:
            chosen.update(together[key])
    train = tuple(name for name in files if name not in chosen)
    out = tuple(name for name in files if name in chosen)
    return train, out


def digest_of(dataset: DataSet) -> str:
    """What a run knows its images by: SHA-256 over all names and contents, hexadecimal.

    Raises:
        OSError: One cannot be read.
    """
    digest = hashlib.sha256()
    for name, path in zip(dataset.files, dataset.paths(), strict=True):
        add_to_digest(digest, name, sha256(read_file(path)))
    return digest.hexdigest()


def add_to_digest(digest: "hashlib._Hash", name: str, contents: str) -> None:
    """Add an image to the digest of its data set; they come in the order of their names.

    Args:
        digest: Of those before it.
        name: The file's.
        contents: SHA-256 of the file, hexadecimal.
    """
    digest.update(name_bytes(f"{name} {contents}\n"))
