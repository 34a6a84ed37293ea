"""File names as text: a name may hold bytes that are no UTF-8, and text that is kept may not."""

import re
from pathlib import Path

_NO_UNICODE = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile(rb"\\x([89a-f][0-9a-f])")


def printable(text: str) -> str:
    r"""Text that can be written anywhere: a byte of a name that is no UTF-8 becomes `\xNN`."""
    return _NO_UNICODE.sub(_escaped, text)


def printable_json(document: str) -> str:
    """A JSON document with every text in it `printable`."""
    return _NO_UNICODE.sub(lambda found: "\\" + _escaped(found), document)


def from_printable(text: str) -> str:
    """The file name that `printable` made `text` of; one that is `printable` itself stays.

    What merely looks so comes out as another name: try the text itself first.
    """
    found = _ESCAPED.sub(lambda byte: bytes.fromhex(byte[1].decode()), name_bytes(text))
    return found.decode("utf-8", "surrogateescape")


def existing(path: Path) -> Path:
    """The place of a path that was kept as text: itself, or what `printable` made it of."""
    if path.exists():
        return path
    before = Path(from_printable(str(path)))
    return before if before.exists() else path


def name_bytes(name: str) -> bytes:
    """The bytes of a file name, for digests: UTF-8 and what is none, on every system the same."""
    return name.encode("utf-8", "surrogatepass" if _is_of_windows(name) else "surrogateescape")


def _is_of_windows(name: str) -> bool:
    return any(not "\udc80" <= found <= "\udcff" for found in _NO_UNICODE.findall(name))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    # how Python holds a byte that is no UTF-8; any other comes from Windows
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"
