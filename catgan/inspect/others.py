"""The photos whose face was not cropped, verdict by verdict, each with a small picture."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from catgan.core.errors import UnreadablePhoto
from catgan.core.files import read_file
from catgan.core.loading import load_picture
from catgan.core.photos import read_photo, to_srgb
from catgan.core.pictures import Picture, resize_shorter_side
from catgan.formats.datasets import FULL_BODY
from catgan.formats.photos import PhotoRecord, Verdict, find_photo

SIDE = 96  # of the small pictures, pixels
MOST = 500  # photos of one verdict that are shown


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OtherPhoto:
    """A photo that is in no face-crop."""

    name: str
    """Its path in the folder of photos."""
    reason: str
    """Why, in words."""
    picture: Picture | None
    """(96, 96, 3) uint8; None where the photo cannot be read, or is gone."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OtherPhotos:
    """All photos of one verdict."""

    verdict: str
    """The verdict."""
    photos: tuple[OtherPhoto, ...]
    """By path, the first 500 of them."""
    more: int
    """How many there are besides."""


def other_photos(
    curated: Path, raw: Path | None, records: Sequence[PhotoRecord]
) -> tuple[OtherPhotos, ...]:
    """The photos of every verdict but `kept`, the commonest verdict first.

    Args:
        curated: The curated folder.
        raw: The folder of photos; None where it is not known.
        records: Of all photos.
    """
    heaps: dict[str, list[PhotoRecord]] = {}
    for record in records:
        if record.verdict != Verdict.KEPT:
            heaps.setdefault(record.verdict, []).append(record)
    return tuple(
        OtherPhotos(
            verdict=verdict,
            photos=tuple(
                OtherPhoto(
                    name=record.path,
                    reason=record.reason,
                    picture=_picture(curated, raw, record),
                )
                for record in heap[:MOST]
            ),
            more=max(0, len(heap) - MOST),
        )
        for verdict, heap in sorted(heaps.items(), key=lambda item: (-len(item[1]), item[0]))
    )


def _picture(curated: Path, raw: Path | None, record: PhotoRecord) -> Picture | None:
    """The photo's picture of full-body, which is quick to read; else the photo, made small."""
    try:
        if FULL_BODY in record.outputs:
            return load_picture(curated / record.outputs[FULL_BODY], SIDE).pixels
        if raw is None or not record.width:
            return None
        photo = read_photo(read_file(find_photo(raw, record)), side=4 * SIDE, short=SIDE)
        return to_srgb(resize_shorter_side(photo.pixels, SIDE), photo.profile)
    except (OSError, UnreadablePhoto):  # it has its row all the same
        return None
