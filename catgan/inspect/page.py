"""The inspection as one HTML page that opens from disk."""

from pathlib import Path

from catgan.core.files import AnyPath, write_text
from catgan.core.pages import data_uri, page_environment
from catgan.core.pictures import Picture, encode_jpeg, encode_png, sheet
from catgan.core.words import count
from catgan.inspect.summary import COLUMNS, Inspection


def write_page(inspection: Inspection, path: AnyPath) -> None:
    """Write the page, whole or not at all.

    Raises:
        DiskFull: There is no room for it.
    """
    write_text(Path(path), render(inspection))


def render(inspection: Inspection) -> str:
    """The page as HTML; style and pictures are inside it, and it has no script."""
    environment = page_environment("catgan.inspect", "inspect")
    environment.filters["photograph"] = lambda picture: data_uri("jpeg", encode_jpeg(picture, 90))
    environment.filters["pixels"] = lambda picture: data_uri("png", encode_png(picture))
    environment.filters["sheet"] = _sheet
    environment.filters["count"] = count
    return environment.get_template("inspect.html.j2").render(inspection=inspection)


def _sheet(pictures: Picture) -> Picture:
    return sheet(pictures, columns=COLUMNS)
