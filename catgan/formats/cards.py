"""`README.md` of a folder that others may be given: a card, part of which is its owner's.

What is between two marks is written anew each time; all around them is the owner's to change, the
licence above all, and is kept. A `README.md` without the marks is somebody else's, and stays.
"""

import dataclasses
import re
from pathlib import Path

from catgan.core.files import read_file, write_text

NAME = "README.md"
BEGIN = (
    "<!-- catgan:begin. From here to catgan:end the page is written anew each time; "
    "the rest of it is yours to change. -->"
)
END = "<!-- catgan:end -->"
MOST_BYTES = 1 << 20  # of a card
LICENCE = "# license: to be said by the owner, for example: cc-by-4.0"
"""In the front matter, where a licence would stand."""
UNSAID = (
    "Not stated yet, so nobody else may use this. If it is yours, say here what others may do with "
    "it, and put the licence's short name into the first lines of this file."
)
"""What stands under "Licence" until the owner has said."""

_MADE = re.compile(
    r"^<!-- catgan:begin\b[^\n]*\n.*^<!-- catgan:end\b[^\n]*$", re.MULTILINE | re.DOTALL
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a card says, in Markdown."""

    head: str
    """The beginning of a new one, from then on its owner's: the front matter, title and licence."""
    made: str
    """What is written anew each time."""

    def text(self) -> str:
        """The whole of a new card."""
        return f"{self.head.strip()}\n\n{self._block()}\n"

    def into(self, text: str) -> str | None:
        """A card that is there already, brought up to date; None where `text` is no card."""
        if not _MADE.search(text):
            return None
        return _MADE.sub(lambda _: self._block(), text, count=1)

    def _block(self) -> str:
        return f"{BEGIN}\n\n{self.made.strip()}\n\n{END}"


def write_card(folder: Path, card: Card) -> bool:
    """Write the card of a folder, whole or not at all; what its owner wrote is kept.

    Args:
        folder: Must be there.
        card: What it is to say.

    Returns:
        False where a `README.md` lies there that is no card; it stays as it is.

    Raises:
        DiskFull, NotWritable: It cannot be written.
    """
    path = folder / NAME
    text = card.text()
    if path.exists() or path.is_symlink():
        before = _read(path)
        updated = None if before is None else card.into(before)
        if updated is None:
            return False
        if updated == before:
            return True
        text = updated
    write_text(path, text)
    return True


def read_card(folder: Path) -> str | None:
    """The text of a folder's card; None where there is none, or a `README.md` that is no card."""
    text = _read(folder / NAME)
    return text if text is not None and _MADE.search(text) else None


def remove_card(folder: Path, head: str) -> None:
    """Take a card away, unless its owner has changed it or it is none.

    Args:
        folder: Of the card.
        head: How it began when it was new.
    """
    text = read_card(folder)
    if text is not None and [part.strip() for part in _MADE.split(text)] == [head.strip(), ""]:
        (folder / NAME).unlink(missing_ok=True)


def _read(path: Path) -> str | None:
    """The text of a plain file; None for a link, or what cannot be read."""
    if path.is_symlink():
        return None
    try:
        return read_file(path, most=MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        return None


def head_of(title: str, words: str, facts: str) -> str:
    """The part of a card that is its owner's, before they have changed anything.

    Args:
        title: Of the page.
        words: One sentence under it.
        facts: Lines of front matter (YAML) beside the licence.
    """
    return f"""---
{LICENCE}
{facts.strip()}
---

# {title}

{words}

## Licence

{UNSAID}
"""
