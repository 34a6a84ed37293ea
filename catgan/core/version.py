"""The version of catgan, and where it is at home: the one place that says so."""

__version__ = "0.1.0"

HOMEPAGE = ""
"""The project's address; empty until it has one, and then `urls` of pyproject.toml has it too."""


def program() -> str:
    """What made a file, as the file says it: catgan, its version, and its address."""
    return f"catgan {__version__}" + (f" ({HOMEPAGE})" if HOMEPAGE else "")
