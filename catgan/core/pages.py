"""HTML pages that open from disk, with everything inside them."""

import base64
import html
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from catgan.core.errors import FileRefused
from catgan.core.files import beginning, check_destination
from catgan.core.version import __version__, program

if TYPE_CHECKING:
    import jinja2

PAGE = b'<meta name="generator" content="catgan'
"""What every page has near its beginning."""
COMMAND = re.compile(re.escape(PAGE) + rb' [^"]*\(([a-z]+)\)">')
"""The same with the command that wrote the page, which the first pages did not name."""


def page_environment(package: str, command: str) -> "jinja2.Environment":
    """Templates of a package's own `templates/`; text put into them is escaped, gaps are errors.

    All have `written_by`, for the mark in their head, and `program()`, for their foot.

    Args:
        package: That of the templates.
        command: Of catgan, that writes the page.
    """
    import jinja2  # here: who only wants the figures does not need it

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["program"] = program
    environment.globals["written_by"] = f"catgan {__version__} ({command})"
    return environment


def check_page(path: Path, command: str, *, option: str, usual: str) -> None:
    """Refuse a page to write that cannot be written, or would replace what another command wrote.

    Args:
        path: The file, there or not.
        command: Of catgan, that is to write it.
        option: The flag that names it.
        usual: A name for such a file.

    Raises:
        BadUsage: It is a folder, or lies in what is none or may not be written to.
        FileRefused: Something else than a page of this command is there.
    """
    check_destination(path, PAGE, option=option, usual=usual)
    written = COMMAND.search(beginning(path) or b"")
    if written is not None and (other := written[1].decode()) != command:
        raise FileRefused(
            f"{path} exists already, and catgan {other} wrote it; name another file: {option}"
        )


def data_uri(kind: str, data: bytes) -> str:
    """A picture inside a page.

    Args:
        kind: `jpeg`, `png` or `gif`.
        data: The picture's file.
    """
    return f"data:image/{kind};base64," + base64.b64encode(data).decode()


def for_notebook(words: str, pictures: Iterable[tuple[str, str, bytes]]) -> str:
    """What a notebook shows of a result (`_repr_html_`): words, and pictures under them.

    Args:
        words: A line.
        pictures: What each is, its kind as in `data_uri`, and its file.
    """
    figures = "".join(
        f'<figure style="display:inline-block;margin:0 1em 1em 0;vertical-align:top">'
        f'<img src="{data_uri(kind, data)}" alt="{html.escape(caption)}" style="max-width:100%">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        for caption, kind, data in pictures
    )
    return f"<div><p><code>{html.escape(words)}</code></p>{figures}</div>"
