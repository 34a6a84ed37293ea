"""The contact sheets: images of each data set on one picture, to look at."""

from collections.abc import Sequence
from pathlib import Path

from catgan.core.files import write_picture
from catgan.core.loading import load_pictures
from catgan.core.pictures import encode_jpeg, sheet, spread_evenly
from catgan.curate.folder import CuratedFolder
from catgan.curate.judge import Judged

SHEET_PICTURES = 200
SHEET_COLUMNS = 20


def contact_sheets(folder: CuratedFolder, judged: Sequence[Judged]) -> dict[str, Path]:
    """One sheet a data set: up to 200 of its pictures, spread evenly over it."""
    sheets = {}
    for name in folder.names:
        path = folder.sheet(name)
        files = sorted(file for photo in judged for file in photo.pictures.get(name, ()))
        if not files:
            path.unlink(missing_ok=True)
            continue
        chosen = [files[index] for index in spread_evenly(len(files), SHEET_PICTURES)]
        pictures = load_pictures([folder.selection.folder(name) / file for file in chosen])
        write_picture(path, encode_jpeg(sheet(pictures, columns=SHEET_COLUMNS)))
        sheets[name] = path
    return sheets
