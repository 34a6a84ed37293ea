"""HTML pages that open from disk, with everything inside them."""

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2

PAGE = b'<meta name="generator" content="catgan'
"""What every page has near its beginning."""


def page_environment(package: str) -> "jinja2.Environment":
    """Templates of a package's own `templates/`; text put into them is escaped, gaps are errors."""
    import jinja2  # here: who only wants the figures does not need it

    return jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def data_uri(kind: str, data: bytes) -> str:
    """A picture inside a page.

    Args:
        kind: `jpeg` or `png`.
        data: The picture's file.
    """
    return f"data:image/{kind};base64," + base64.b64encode(data).decode()
