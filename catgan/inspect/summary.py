"""What is in a curated folder."""

import dataclasses
import re
from collections import Counter
from pathlib import Path

from catgan.core.errors import NoPictures
from catgan.core.files import AnyPath, Json, check_folder
from catgan.core.loading import load_pictures
from catgan.core.pages import for_notebook
from catgan.core.pictures import (
    Picture,
    Pictures,
    encode_jpeg,
    mean_picture,
    sheet,
    spread_evenly,
)
from catgan.core.words import count
from catgan.formats.curated import CuratedNote, find_raw, read_note, recorded_raw
from catgan.formats.datasets import (
    FACE_CROP,
    FULL_BODY,
    FULL_BODY_KEPT,
    DataSet,
    find_datasets,
    read_metadata,
)
from catgan.formats.photos import FaceRecord, PhotoRecord, find_photo, read_photos
from catgan.inspect.others import OtherPhotos, other_photos
from catgan.inspect.pairs import Pair, nearest_pairs
from catgan.inspect.spread import Spread, spread_of

COLUMNS = 10  # of images on the page
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
    raw: Path | None
    """The folder of its photos, as it was named or is on record; None where it is neither."""
    gone: int | None
    """Photos on record that are no longer in that folder; None where that is not there either."""
    finished: bool
    """Whether the last curation of the folder came to its end."""
    settings: Json
    """What it was curated with; empty for a folder that `curate` did not make."""
    verdicts: tuple[VerdictCount, ...]
    """Verdicts that were given, the commonest first."""
    others: tuple[OtherPhotos, ...]
    """The photos that got another verdict than `kept`."""
    spreads: tuple[Spread, ...]
    """Face sizes, turns, sharpness and so on of the faces cropped."""
    sets: tuple[SetSummary, ...]
    """The data sets."""

    def __repr__(self) -> str:
        """One line."""
        sets = ", ".join(f"{found.name} {found.pictures:,}" for found in self.sets)
        return f"Inspection({self.folder}: {count(self.photos, 'photo')}; {sets})"

    def _repr_html_(self) -> str:
        """For a notebook: images of each data set as well."""
        sheets = [
            (found.name, "jpeg", encode_jpeg(sheet(found.shown, columns=COLUMNS)))
            for found in self.sets
        ]
        return for_notebook(repr(self), sheets)

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
            "raw": None if self.raw is None else str(self.raw),
            "gone": self.gone,
            "finished": self.finished,
            "settings": self.settings,
            "verdicts": {found.verdict: found.photos for found in self.verdicts},
            "others": {
                other.verdict: [{"path": one.name, "reason": one.reason} for one in other.photos]
                for other in self.others
            },
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


def inspect_curated(folder: AnyPath, raw: AnyPath | None = None) -> Inspection:
    """Look through what `curate` made, or any folder of pictures of equal size.

    Args:
        folder: The folder.
        raw: Where its photos are now; None for where they were when it was curated.

    Raises:
        NoSuchFolder: There is no such folder, or no folder `raw`.
        FolderRefused: A newer catgan made it.
        BadRecord: Its records are damaged.
        NoPictures: It holds neither pictures nor records of photos.
        UnequalSizes, UnreadablePhoto: A data set is broken.
    """
    folder, raw = Path(folder), None if raw is None else Path(raw)
    check_folder(folder, "name the folder that catgan curate wrote")
    records = read_photos(folder)
    try:
        datasets = find_datasets(folder)
    except NoPictures:
        if not records:
            raise
        datasets = []  # every photo was unreadable: worth a look all the same
    note = read_note(folder) or CuratedNote(finished=not records, settings={})
    made = note.data_sets or {}
    raw = recorded_raw(folder, note) if raw is None else find_raw(folder, note, raw)
    return Inspection(
        folder=folder,
        photos=len(records),
        raw=raw,
        gone=None if raw is None or not raw.is_dir() else _gone(records, raw),
        finished=note.finished,
        settings=note.settings,
        verdicts=_verdicts(records),
        others=other_photos(folder, raw, records),
        # the faces that have a picture in the set
        spreads=tuple(_spreads([face for photo in records for face in photo.faces if face.file])),
        sets=tuple(
            _summary(dataset, ABOUT.get(dataset.name, "") if dataset.name in made else "")
            for dataset in datasets
        ),
    )


def _gone(records: list[PhotoRecord], raw: Path) -> int:
    return sum(not find_photo(raw, record).is_file() for record in records)


def _verdicts(records: list[PhotoRecord]) -> tuple[VerdictCount, ...]:
    counted = Counter(record.verdict for record in records)
    return tuple(
        VerdictCount(
            verdict=verdict,
            photos=photos,
            reason=_commonest([record.reason for record in records if record.verdict == verdict]),
        )
        for verdict, photos in counted.most_common()
    )


def _commonest(reasons: list[str]) -> str:
    """The commonest reason, reasons that differ in a number alone counted as one."""
    kinds = Counter(re.sub(r"\d+", "0", reason) for reason in reasons)
    kind = kinds.most_common(1)[0][0]
    return next(reason for reason in reasons if re.sub(r"\d+", "0", reason) == kind)


def _spreads(faces: list[FaceRecord]) -> list[Spread]:
    spreads = [
        spread_of(
            [face.box[2] for face in faces],
            name="face width",
            unit="pixels of the photo",
            meaning="From ear base to ear base, before the crop was reduced.",
        ),
        spread_of(
            [face.roll for face in faces],
            name="turn of the head",
            unit="degrees anticlockwise",
            meaning="What the crops were turned by to bring the eyes level.",
        ),
        spread_of(
            [face.sharpness for face in faces if face.sharpness is not None],
            name="sharpness of the crop",
            unit="",
            meaning="0 to 1; crops below 0.55 look blurred at 64 x 64.",
        ),
        spread_of(
            [face.brightness for face in faces if face.brightness is not None],
            name="brightness of the crop",
            unit="0 to 255",
            meaning="What the brightest tenth of its pixels reach.",
        ),
        spread_of(
            [face.score for face in faces],
            name="score of the face",
            unit="",
            meaning="How sure the face finder was; each recipe has a scale of its own.",
        ),
    ]
    return [spread for spread in spreads if spread is not None]


def _summary(dataset: DataSet, about: str) -> SetSummary:
    metadata, paths = read_metadata(dataset.folder), dataset.paths()
    chosen = [paths[index] for index in spread_evenly(len(paths), MOST)]
    pictures = load_pictures(chosen)
    height, width = pictures.shape[1:3]

    def origin(index: int) -> str:
        name = chosen[index].name
        return (metadata[name].photo if name in metadata else None) or name

    return SetSummary(
        name=dataset.name,
        about=about,
        pictures=len(paths),
        side=(width, height),
        looked_at=len(pictures),
        mean=mean_picture(pictures),
        shown=pictures[spread_evenly(len(pictures), SHOWN)],
        pairs=tuple(
            (
                pair,
                origin(pair.first),
                origin(pair.second),
                pictures[[pair.first, pair.second]],
            )
            for pair in nearest_pairs(pictures)
        ),
    )
