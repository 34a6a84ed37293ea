"""The inspection as one HTML page that opens from disk."""

import base64
from pathlib import Path

from catgan import __version__
from catgan.core.files import write_bytes
from catgan.core.images import Picture, encode_jpeg, encode_png, sheet
from catgan.inspect.summary import Inspection

COLUMNS = 10


def write_page(inspection: Inspection, path: Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        DiskFull: There is no room for it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, render(inspection).encode())


def render(inspection: Inspection) -> str:
    """The page as HTML; style and pictures are inside it, and it has no script."""
    import jinja2  # here: who only wants the figures does not need it

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("catgan.inspect"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["photograph"] = lambda picture: _uri("jpeg", encode_jpeg(picture, 90))
    environment.filters["pixels"] = lambda picture: _uri("png", encode_png(picture))
    environment.filters["sheet"] = _sheet
    return environment.get_template("inspect.html.j2").render(
        version=__version__, inspection=inspection
    )


def _sheet(pictures: Picture) -> Picture:
    return sheet(pictures, columns=COLUMNS)


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64," + base64.b64encode(data).decode()
