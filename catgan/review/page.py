"""The wall as one file, that needs no server: it keeps its state in the browser."""

import base64
import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from catgan.core.errors import NoPictures, UnreadablePhoto
from catgan.core.files import write_text
from catgan.core.pages import page_environment
from catgan.core.pictures import encode_jpeg
from catgan.formats.curated import NAME, read_note
from catgan.review.album import VIEWS, Album
from catgan.review.ledger import Ledger
from catgan.review.likeness import Likeness
from catgan.review.orders import by_folder, by_score, only
from catgan.review.pictures import PictureShelf
from catgan.review.rows import row

MOST = 5000  # crops: some 15 MB
ALIKE = 60  # nearest crops that each has
QUALITY = 85  # of their JPEGs


def write_page(
    path: Path, ledger: Ledger, shelf: PictureShelf, likeness: Likeness, *, line: str
) -> int:
    """Write the page, whole or not at all; how many crops it has.

    Args:
        path: The file.
        ledger: The album and what was decided so far.
        shelf: The pictures.
        likeness: Looks at the crops.
        line: The command that the data sets follow by.

    Raises:
        NoPictures: There is no crop.
        DiskFull: There is no room for it.
    """
    album = ledger.album
    shown = _shown(album, shelf)
    if not shown:
        raise NoPictures(f"There are no crops in {ledger.curated} to review.")
    likeness.start({index: where for index in shown if (where := shelf.file(album.items[index]))})
    likeness.wait()
    data = _data(album, shelf, likeness, shown, album_name(ledger.curated))
    script = _read("review.js")
    style = _read("review.css")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    template = page_environment("catgan.review", "review").get_template("review.html.j2")

    write_text(
        path,
        template.render(
            folder=str(ledger.curated),
            line=line,
            static=True,
            style=style,
            script=script,
            # in a script element "<" alone can end it; JSON may write it otherwise
            data=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
            policy=policy,
        ),
    )
    return len(shown)


def album_name(curated: Path) -> str:
    """What the browser keeps the state by: this curated folder, wherever the page lies."""
    note = read_note(curated)
    facts = [str(curated.resolve()), None if note is None else note.raw]
    return hashlib.sha256(json.dumps([NAME, facts]).encode()).hexdigest()[:16]


def _shown(album: Album, shelf: PictureShelf) -> list[int]:
    """The crops that the page has: the least sure, if there are too many."""
    crops = [index for index in by_score(album) if shelf.file(album.items[index]) is not None]
    return crops[:MOST]


def _data(
    album: Album, shelf: PictureShelf, likeness: Likeness, shown: list[int], name: str
) -> dict[str, Any]:
    place = {index: number for number, index in enumerate(shown)}
    photos = sorted({album.items[index].photo for index in shown})
    photo_place = {photo: number for number, photo in enumerate(photos)}
    items = []
    tiles = []
    for index in shown:
        item = album.items[index]
        values = row(index, item)
        items.append([place[index], photo_place[item.photo], *values[2:]])
        tiles.append(_tile(album, shelf, index))
    alike: list[list[int]] = [[] for _ in shown]
    if likeness.vectors is not None:
        for start in range(0, len(likeness.ids), 512):
            near = likeness.vectors[start : start + 512] @ likeness.vectors.T
            best = np.argsort(-near, axis=1, kind="stable")[:, : ALIKE + 1]
            for offset, row_of in enumerate(best):
                own = likeness.ids[start + offset]
                others = (likeness.ids[number] for number in row_of)
                alike[place[own]] = [place[other] for other in others if other != own][:ALIKE]
    row_of_all = only(likeness.row(), album)
    return {
        "album": name,
        "version": 0,
        "size": 0,
        "views": list(map(str, VIEWS)),
        "items": items,
        "photos": [[album.photos[photo].path, album.photos[photo].reason] for photo in photos],
        "places": [list(album.place(photo)) for photo in photos],
        "tiles": tiles,
        "alike": alike,
        "orders": {
            "sure": list(range(len(shown))),
            "likeness": [place[index] for index in row_of_all if index in place],
            "folder": [place[index] for index in by_folder(album) if index in place],
        },
    }


def _tile(album: Album, shelf: PictureShelf, index: int) -> str:
    item = album.items[index]
    try:
        picture = shelf.tile(item, album.photos[item.photo])
    except UnreadablePhoto:
        picture = np.full((8, 8, 3), 128, dtype=np.uint8)
    return base64.b64encode(encode_jpeg(picture, QUALITY)).decode()


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode()


def _read(name: str) -> str:
    text = files("catgan.review").joinpath("static", name).read_text(encoding="utf-8")
    assert "</" not in text, name
    return text
