"""HTML pages that open from disk, with everything inside them."""

import base64
import html
from collections.abc import Iterable
from typing import TYPE_CHECKING

from catgan.core.version import program

if TYPE_CHECKING:
    import jinja2

PAGE = b'<meta name="generator" content="catgan'
"""What every page has near its beginning."""


def page_environment(package: str) -> "jinja2.Environment":
    """Templates of a package's own `templates/`; text put into them is escaped, gaps are errors.

    All have `program()`, for their foot.
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
    return environment


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
