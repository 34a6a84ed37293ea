"""In which order the wall shows things."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from catgan.core.taken import taken
from catgan.formats.decisions import Choice
from catgan.formats.photos import find_photo
from catgan.review.album import Album, place_of
from catgan.review.learn import chances
from catgan.review.likeness import Likeness, together

ORDERS = ("sure", "likeness", "time", "folder")


def by_score(album: Album) -> list[int]:
    """The least sure first; what is surer than anything a finder says, such as what was drawn,
    last."""
    return sorted(range(len(album.items)), key=lambda index: (album.items[index].score, index))


def by_chance(album: Album, likeness: Likeness) -> list[int] | None:
    """Those first that a person is least likely to keep; None while too little is known."""
    if likeness.vectors is None:
        return None
    choices = [album.items[index].choice for index in likeness.ids]
    found = chances(
        likeness.vectors,
        np.array([choice is Choice.REJECTED for choice in choices], dtype=bool),
        np.array([choice is Choice.KEPT for choice in choices], dtype=bool),
    )
    if found is None:
        return None
    order = [likeness.ids[place] for place in np.argsort(found, kind="stable")]
    return together(order, by_score(album))


def by_folder(album: Album) -> list[int]:
    """Folder by folder, as they are called."""

    def key(index: int) -> tuple[str, str, int]:
        path = PurePosixPath(album.photos[album.items[index].photo].path)
        return str(path.parent).casefold(), path.name.casefold(), index

    return sorted(range(len(album.items)), key=key)


def by_time(album: Album, raw: Path | None) -> list[int]:
    """As they were taken, frames of a video in theirs; by folder where that is not known."""
    if raw is None:
        return by_folder(album)
    times: dict[str, float] = {}
    keys: dict[int, tuple[float, float, int]] = {}
    for index in range(len(album.items)):
        record = album.photos[album.items[index].photo]
        name = record.clip or record.path
        if name not in times:
            times[name] = taken(find_photo(raw, record))
        keys[index] = times[name], place_of(record)[1] or 0.0, index
    return sorted(keys, key=keys.__getitem__)


def only(order: Sequence[int], album: Album) -> list[int]:
    """An order of crops, with everything else at its end."""
    return together(order, range(len(album.items)))
