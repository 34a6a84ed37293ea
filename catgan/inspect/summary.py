"""What is in a curated folder."""

import dataclasses
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from catgan.core.datasets import (
    FACE_CROP,
    FULL_BODY,
    FULL_BODY_KEPT,
    DataSet,
    find_datasets,
    read_metadata,
)
from catgan.core.errors import NoPictures, NoSuchFolder
from catgan.core.files import Json, read_json, read_jsonl
from catgan.core.images import Picture, Pictures, read_pictures
from catgan.inspect.pairs import Pair, nearest_pairs
from catgan.inspect.spread import Spread, spread_of

SHOWN = 60  # pictures of a set on the page
MOST = 5000  # pictures of a set that the mean and the pairs are taken of, spread evenly over it
ABOUT = {
    FULL_BODY: "every readable photo, whole",
    FULL_BODY_KEPT: "the photos of face-crop, whole",
    FACE_CROP: "the faces, level and centred",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VerdictCount:
    """How many photos got one verdict."""

    verdict: str
    """The verdict."""
    photos: int
    """Photos that got it."""
    reason: str
    """The commonest reason given, in words."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SetSummary:
    """What is in one data set."""

    name: str
    """The data set."""
    about: str
    """What its pictures are, in words; "" where `curate` did not make it."""
    pictures: int
    """How many it holds."""
    side: tuple[int, int]
    """Width and height of its pictures, pixels."""
    looked_at: int
    """Pictures that the mean and the pairs are taken of."""
    mean: Picture
    """(H, W, 3) uint8: the average picture."""
    shown: Pictures
    """(up to 60, H, W, 3) uint8: pictures spread evenly over the set."""
    pairs: tuple[tuple[Pair, str, str, Pictures], ...]
    """The most alike pictures: the pair, the two file names, and the two pictures."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A curated folder, looked through."""

    folder: Path
    """The folder."""
    photos: int
    """Photos that were looked at; 0 for a folder that `curate` did not make."""
    finished: bool
    """Whether the last curation of the folder came to its end."""
    settings: Json
    """What it was curated with; empty for a folder that `curate` did not make."""
    verdicts: tuple[VerdictCount, ...]
    """Verdicts that were given, the commonest first."""
    spreads: tuple[Spread, ...]
    """Face sizes, turns, sharpness and so on of the faces cropped."""
    sets: tuple[SetSummary, ...]
    """The data sets."""

    def table(self) -> tuple[list[str], list[list[str]]]:
        """The spreads for a terminal: headers, and rows of as many cells."""
        headers = ["of the faces", "5%", "25%", "median", "75%", "95%", "faces"]
        rows = []
        for spread in self.spreads:
            name = f"{spread.name}, {spread.unit}" if spread.unit else spread.name
            cells = [f"{value:.3g}" for value in spread.quantiles]
            rows.append([name, *cells, str(spread.count)])
        return headers, rows

    def to_json(self) -> Json:
        """The inspection as one JSON object, without the pictures."""
        return {
            "kind": "inspection",
            "folder": str(self.folder),
            "photos": self.photos,
            "finished": self.finished,
            "settings": self.settings,
            "verdicts": {count.verdict: count.photos for count in self.verdicts},
            "spreads": [spread.to_json() for spread in self.spreads],
            "data_sets": [
                {
                    "name": found.name,
                    "pictures": found.pictures,
                    "width": found.side[0],
                    "height": found.side[1],
                    "nearest_pairs": [
                        {"files": [first, second], "alike": round(pair.alike, 4)}
                        for pair, first, second, _ in found.pairs
                    ],
                }
                for found in self.sets
            ],
        }


def inspect_curated(folder: Path) -> Inspection:
    """Look through what `curate` made, or any folder of pictures of equal size.

    Raises:
        NoSuchFolder: There is no such folder.
        NoPictures: It holds neither pictures nor records of photos.
        UnequalSizes, UnreadablePhoto: A data set is broken.
    """
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise NoSuchFolder(f"{folder} {what}; name the folder that curate wrote.")
    records = list(read_jsonl(folder / "photos.jsonl"))
    try:
        datasets = find_datasets(folder)
    except NoPictures:
        if not records:
            raise
        datasets = []  # every photo was unreadable: worth a look all the same
    note = read_json(folder / "catgan.json") or {}
    made = note.get("data_sets", {})
    return Inspection(
        folder=folder,
        photos=len(records),
        finished=bool(note.get("finished", not records)),
        settings=note.get("settings", {}),
        verdicts=_verdicts(records),
        spreads=tuple(_spreads(_faces(records))),
        sets=tuple(
            _summary(dataset, ABOUT.get(dataset.name, "") if dataset.name in made else "")
            for dataset in datasets
        ),
    )


def _verdicts(records: list[Json]) -> tuple[VerdictCount, ...]:
    counted = Counter(str(record["verdict"]) for record in records)
    return tuple(
        VerdictCount(
            verdict=verdict,
            photos=photos,
            reason=_commonest(
                [
                    str(record.get("reason", ""))
                    for record in records
                    if record["verdict"] == verdict
                ]
            ),
        )
        for verdict, photos in counted.most_common()
    )


def _commonest(reasons: list[str]) -> str:
    """The commonest reason, reasons that differ in a number alone counted as one."""
    kinds = Counter(re.sub(r"\d+", "0", reason) for reason in reasons)
    kind = kinds.most_common(1)[0][0]
    return next(reason for reason in reasons if re.sub(r"\d+", "0", reason) == kind)


def _faces(records: list[Json]) -> list[dict[str, Any]]:
    """The faces that have a picture in the set."""
    return [face for record in records for face in record.get("faces", []) if "file" in face]


def _spreads(faces: list[dict[str, Any]]) -> list[Spread]:
    spreads = [
        spread_of(
            [float(face["box"][2]) for face in faces],
            name="face width",
            unit="pixels of the photo",
            meaning="From ear base to ear base, before the crop was reduced.",
        ),
        spread_of(
            [float(face["roll"]) for face in faces],
            name="turn of the head",
            unit="degrees anticlockwise",
            meaning="What the crops were turned by to bring the eyes level.",
        ),
        spread_of(
            [float(face["sharpness"]) for face in faces if "sharpness" in face],
            name="sharpness of the crop",
            unit="",
            meaning="0 to 1; crops below 0.55 look blurred at 64 x 64.",
        ),
        spread_of(
            [float(face["brightness"]) for face in faces if "brightness" in face],
            name="brightness of the crop",
            unit="0 to 255",
            meaning="What the brightest tenth of its pixels reach.",
        ),
        spread_of(
            [float(face["score"]) for face in faces],
            name="score of the face",
            unit="",
            meaning="How sure the face finder was; each recipe has a scale of its own.",
        ),
    ]
    return [spread for spread in spreads if spread is not None]


def _summary(dataset: DataSet, about: str) -> SetSummary:
    count = len(dataset.files)
    chosen = _evenly(count, MOST)
    pictures = read_pictures([dataset.folder / dataset.files[index] for index in chosen])
    metadata = read_metadata(dataset.folder)
    names = [dataset.files[index] for index in chosen]
    origins = [str(metadata.get(name, {}).get("photo", name)) for name in names]
    height, width = pictures.shape[1:3]
    return SetSummary(
        name=dataset.name,
        about=about,
        pictures=count,
        side=(width, height),
        looked_at=len(pictures),
        mean=pictures.mean(axis=0, dtype=np.float64).round().astype(np.uint8),
        shown=pictures[_evenly(len(pictures), SHOWN)],
        pairs=tuple(
            (
                pair,
                origins[pair.first],
                origins[pair.second],
                pictures[[pair.first, pair.second]],
            )
            for pair in nearest_pairs(pictures)
        ),
    )


def _evenly(count: int, most: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Up to `most` indices, spread evenly over `count`."""
    return np.linspace(0, count - 1, min(most, count)).round().astype(np.int64)
