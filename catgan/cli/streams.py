"""Standard output and standard error that take any text, and say so when they cannot be written.

A terminal of another encoding than UTF-8 has no minus sign or plus-minus; a full disk, a closed
pipe or a closed descriptor raise whatever they raise, at a moment of their own. Here each text is
written as well as the encoding allows, and what cannot be written is one error with one sentence.
"""

import codecs
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from catgan.core.errors import OutputLost

# What catgan itself writes beyond ASCII; anything else becomes a question mark.
PLAIN = {
    "\N{MINUS SIGN}": "-",
    "\N{PLUS-MINUS SIGN}": "+/-",
    "\N{EN DASH}": "-",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{MIDDLE DOT}": "|",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{DEGREE SIGN}": " degrees",
}
HANDLER = "catgan.plain"


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(PLAIN.get(letter, "?") for letter in text), error.end


codecs.register_error(HANDLER, _plain)


class Stream:
    """A text stream of the program; whatever is not named here is the stream's own."""

    def __init__(self, stream: TextIO | None, name: str, *, must: bool) -> None:
        """Take a stream over.

        Args:
            stream: None where the descriptor was closed before the program began.
            name: What people call it.
            must: Whether what cannot be written is an error; else it is dropped.
        """
        self._stream = stream
        self._name = name
        self._must = must
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=HANDLER)

    def __getattr__(self, name: str) -> Any:
        """The stream's own."""
        if self._stream is None and name in ("encoding", "errors"):
            return "utf-8"
        return getattr(self._stream, name)

    def isatty(self) -> bool:
        """Whether a person sees it."""
        return self._stream is not None and self._stream.isatty()

    def write(self, text: str) -> int:
        """Write text.

        Raises:
            OutputLost: It cannot be written, and must be.
        """
        try:
            if self._stream is None:
                raise OSError(errno.EBADF, "it is closed")
            self._stream.write(text)
        except (OSError, ValueError) as error:  # ValueError: closed meanwhile
            self._lost(error)
        return len(text)

    def flush(self) -> None:
        """Have everything written.

        Raises:
            OutputLost: It cannot be, and must be.
        """
        if self._stream is None:
            return
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._lost(error)

    def _lost(self, error: Exception) -> None:
        if self._stream is not None:
            # what is left in its buffer would be tried again when Python ends, and said again
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        if self._must:
            self._must = False  # said once
            why = error.strerror if isinstance(error, OSError) else "it is closed"
            raise OutputLost(
                f"{self._name} could not be written ({why}); what was done is kept. "
                "Send it to a place with room, or leave the pipe open."
            ) from error


@contextmanager
def safe_streams() -> Iterator[None]:
    """Standard output and standard error made safe while the block runs."""
    before = sys.stdout, sys.stderr
    out = Stream(before[0], "Standard output", must=True)
    err = Stream(before[1], "Standard error", must=False)
    sys.stdout, sys.stderr = out, err
    try:
        yield
        out.flush()
    finally:
        sys.stdout, sys.stderr = before
