"""PNG files: what Pillow is given of them, and what they say about their colours.

Pillow refuses a picture for its metadata: a text or a profile of more than a megabyte unpacked.
None of that is wanted but the profile, and the texts that may say how the picture is turned.
"""

import dataclasses
import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_PROFILE = 16 << 20  # bytes unpacked; a scanner's tables are a few million
MOST_TEXT = 1 << 20  # bytes unpacked, of each of the two texts that are read

_PICTURE = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf"})
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
# XMP, and an EXIF block as ImageMagick stores it: both may hold the orientation.
_KEYWORDS = frozenset({b"XML:com.adobe.xmp", b"Raw profile type exif", b"Raw profile type APP1"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """What a PNG says about its colours, each where it does."""

    profile: bytes | None = None
    """An ICC profile."""
    srgb: bool = False
    """Whether it claims to be sRGB."""
    gamma: float | None = None
    """The exponent that its values were encoded with: 1/2.2 for most."""
    chromaticities: tuple[float, ...] | None = None
    """x and y of white, red, green and blue."""
    coded: tuple[int, int] | None = None
    """Primaries and transfer by the numbers of ITU-T H.273."""


def split(data: bytes) -> tuple[bytes, Colours]:
    """A PNG without the metadata that is of no use, and its colours.

    Args:
        data: The whole file; may be broken anywhere, which is for its decoder to find.

    Returns:
        The file to decode: picture, transparency and turn; the colours are taken out.
    """
    kept: list[bytes | memoryview] = [SIGNATURE]
    colours = Colours()
    view = memoryview(data)
    for kind, start, end in _chunks(data):
        body = view[start + 8 : end - 4]
        if kind in _TEXTS:
            if _is_wanted(bytes(body[:256]), kind, body):
                kept.append(view[start:end])
        elif kind in _PICTURE or len(kind) < 4 or not kind.isalpha():
            kept.append(view[start:end])
        else:
            colours = _with(colours, kind, body)
    return b"".join(kept), colours


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk; the last one may be cut, or be rubbish."""
    position = len(SIGNATURE)
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        end = min(position + 12 + length, len(data))
        yield kind, position, end
        if kind == b"IEND":
            return
        position = end


def _with(colours: Colours, kind: bytes, body: memoryview) -> Colours:
    """The colours with what a chunk adds to them; one that is broken adds nothing."""
    try:
        if kind == b"iCCP":
            head = bytes(body[:82])
            packed = body[head.index(b"\0") + 2 :]
            return dataclasses.replace(colours, profile=_unpacked(packed, MOST_PROFILE))
        if kind == b"sRGB":
            return dataclasses.replace(colours, srgb=True)
        if kind == b"gAMA":
            return dataclasses.replace(colours, gamma=struct.unpack(">I", body)[0] / 1e5 or None)
        if kind == b"cHRM":
            values = tuple(value / 1e5 for value in struct.unpack(">8I", body))
            return dataclasses.replace(colours, chromaticities=values)
        if kind == b"cICP":
            return dataclasses.replace(colours, coded=(body[0], body[1]))
    except (ValueError, IndexError, struct.error):
        pass
    return colours


def _is_wanted(head: bytes, kind: bytes, body: memoryview) -> bool:
    keyword, _, rest = head.partition(b"\0")
    if keyword not in _KEYWORDS:
        return False
    start = len(keyword) + 1
    if kind == b"zTXt":
        return _unpacked(body[start + 1 :], MOST_TEXT) is not None
    if kind == b"iTXt" and rest[:1] == b"\1":
        try:  # a language and a translated keyword come before the text
            for _ in range(2):
                start = head.index(b"\0", start + (2 if start == len(keyword) + 1 else 0)) + 1
        except ValueError:
            return False
        return _unpacked(body[start:], MOST_TEXT) is not None
    return len(body) <= MOST_TEXT


def _unpacked(packed: memoryview, most: int) -> bytes | None:
    """What was packed, or None where it is broken or more than `most` bytes."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, most + 1)
    except zlib.error:
        return None
    return data if len(data) <= most and unpacker.eof else None
