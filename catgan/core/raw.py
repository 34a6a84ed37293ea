"""Raw photos of cameras: the largest preview inside, which the camera developed itself.

DNG, NEF, ARW, CR2 and their like are TIFFs (TIFF 6.0; DNG 1.6): directories of tags, in a chain and
below each other, one for each picture inside. What a TIFF reader shows is the first of them, often
a thumbnail.
"""

import dataclasses
import struct
from collections.abc import Iterator

from catgan.core import jpeg
from catgan.core.errors import UnreadablePhoto

LEAST_SIDE = 640  # pixels of the longer side; smaller previews are thumbnails
REASON = "raw photo: export it as JPEG"
MOST_DIRECTORIES = 64
MOST_VALUES = 4096

_COMPRESSION, _PHOTOMETRIC, _ORIENTATION = 259, 262, 274
_STRIPS, _STRIP_BYTES = 273, 279
_CHAIN, _JPEG_AT, _JPEG_BYTES, _DNG_VERSION = 330, 513, 514, 50706
_SENSOR = frozenset({32803, 34892})  # photometric: as the sensor has it
_RAW_CODINGS = frozenset(
    {32767, 32769, 32770, 34713, 65000, 65535}
)  # of Sony, Samsung, Nikon, Pentax
_SIZES = {1: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4, 13: 4}
_LETTERS = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 13: "I"}

Directory = dict[int, tuple[int, ...]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A picture inside a raw photo."""

    jpeg: bytes
    """The file of it."""
    orientation: int
    """EXIF's number for the turn that brings it upright."""


def find_preview(data: bytes) -> Preview | None:
    """The largest preview in a raw photo; None where a TIFF is none.

    Args:
        data: A TIFF, whole; may be broken anywhere.

    Raises:
        UnreadablePhoto: It is a raw photo with no preview of use.
    """
    directories = list(_directories(data))
    if not _is_raw(data, directories):
        return None
    found: list[tuple[int, bytes]] = []
    for directory in directories:
        for start, length in _pictures(directory):
            inside = data[start : start + length]
            if len(inside) == length and inside.startswith(b"\xff\xd8\xff"):
                try:
                    layout = jpeg.lay_out(inside)
                except UnreadablePhoto:
                    continue
                if not layout.lossless:
                    found.append((max(layout.width, layout.height), inside))
    side, largest = max(found, key=lambda one: one[0], default=(0, b""))
    if side < LEAST_SIDE:
        raise UnreadablePhoto(REASON)
    turns = [directory[_ORIENTATION][0] for directory in directories if _ORIENTATION in directory]
    return Preview(jpeg=largest, orientation=turns[0] if turns else 1)


def _is_raw(data: bytes, directories: list[Directory]) -> bool:
    return data[8:10] == b"CR" or any(
        _DNG_VERSION in one
        or _SENSOR & set(one.get(_PHOTOMETRIC, ()))
        or _RAW_CODINGS & set(one.get(_COMPRESSION, ()))
        for one in directories
    )


def _pictures(directory: Directory) -> Iterator[tuple[int, int]]:
    """Offset and length of what may be a JPEG in a directory."""
    if directory.get(_JPEG_AT) and directory.get(_JPEG_BYTES):
        yield directory[_JPEG_AT][0], directory[_JPEG_BYTES][0]
    strips, lengths = directory.get(_STRIPS, ()), directory.get(_STRIP_BYTES, ())
    coded = directory.get(_COMPRESSION, (0,))[0] in (6, 7)
    sensor = _SENSOR & set(directory.get(_PHOTOMETRIC, ()))
    if coded and not sensor and len(strips) == len(lengths) == 1:
        yield strips[0], lengths[0]


def _directories(data: bytes) -> Iterator[Directory]:
    """Every directory, those of the chain first, each followed by those below it."""
    order = "<" if data[:2] == b"II" else ">"
    waiting, seen = [_number(data, 4, order)], set[int]()
    while waiting and len(seen) < MOST_DIRECTORIES:
        place = waiting.pop(0)
        if place in seen or not 8 <= place < len(data) - 2:
            continue
        seen.add(place)
        directory, after = _directory(data, place, order)
        waiting = [*directory.get(_CHAIN, ()), *waiting, after]
        yield directory


def _directory(data: bytes, place: int, order: str) -> tuple[Directory, int]:
    (count,) = struct.unpack_from(order + "H", data, place)
    directory: Directory = {}
    for index in range(count):
        entry = data[place + 2 + 12 * index : place + 14 + 12 * index]
        if len(entry) < 12:
            return directory, 0
        tag, kind, values = struct.unpack(order + "HHI", entry[:8])
        size = _SIZES.get(kind, 0) * values
        if not size or values > MOST_VALUES:
            continue
        start = 0 if size <= 4 else struct.unpack(order + "I", entry[8:])[0]
        body = entry[8 : 8 + size] if size <= 4 else data[start : start + size]
        if len(body) == size:
            directory[tag] = struct.unpack(f"{order}{values}{_LETTERS[kind]}", body)
    return directory, _number(data, place + 2 + 12 * count, order)


def _number(data: bytes, place: int, order: str) -> int:
    return int.from_bytes(data[place : place + 4], "little" if order == "<" else "big")
