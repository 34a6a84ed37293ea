"""Raw photos: the largest preview inside, upright, or what to do about it."""

import struct

import numpy as np
import pytest

from catgan.core.errors import UnreadablePhoto
from catgan.core.kinds import looks_like_picture
from catgan.core.photos import read_photo
from catgan.core.pictures import Picture
from catgan.core.raw import REASON
from tests.core.test_photos import JPEG_LEVELS, distance, quarters
from tests.drawing import STORED, encode

Tags = dict[int, int | bytes]


def tiff(order: str, *directories: Tags, chained: bool = False, head: bytes = b"") -> bytes:
    """A TIFF: the first directory, and the others below it, or after it in the chain.

    A tag's value is a number, or the bytes of a picture, which its offset is put in for.
    """
    start = 8 + len(head)
    places, at = [], start
    for tags in directories:
        places.append(at)
        at += 2 + 12 * (len(tags) + 1) + 4
    pictures = b""
    below_at = at
    at += 4 * len(directories)
    body = b""
    for number, tags in enumerate(directories):
        entries: dict[int, tuple[int, int, int]] = {}
        for tag, value in tags.items():
            if isinstance(value, bytes):
                entries[tag] = 4, 1, at + len(pictures)
                pictures += value
            else:
                entries[tag] = (4, 1, value)
        others = places[1:] if number == 0 and not chained else []
        value = others[0] if len(others) == 1 else below_at
        entries[330] = (4, len(others), value) if others else (4, 0, 0)
        body += struct.pack(order + "H", len(entries))
        for tag in sorted(entries):
            body += struct.pack(order + "HHII", tag, *entries[tag])
        after = places[number + 1] if chained and number + 1 < len(places) else 0
        body += struct.pack(order + "I", after)
    below = b"".join(struct.pack(order + "I", place) for place in places[1:])
    mark = b"II*\0" if order == "<" else b"MM\0*"
    whole = mark + struct.pack(order + "I", start) + head + body
    return whole + below.ljust(4 * len(directories), b"\0") + pictures


def preview(width: int = 960, height: int = 640) -> Picture:
    return quarters(width, height)


def jpeg_tags(data: bytes) -> Tags:
    return {513: data, 514: len(data)}


def strip_tags(data: bytes, photometric: int = 6) -> Tags:
    return {259: 7, 262: photometric, 273: data, 279: len(data)}


THUMBNAIL = encode(quarters(160, 120))
SENSOR: Tags = {256: 4000, 257: 3000, 259: 1, 262: 32803}
DNG: Tags = {50706: 0x01040000, 274: 6, 254: 1}


def upright_jpeg(orientation: int, width: int = 960, height: int = 640) -> bytes:
    return encode(np.ascontiguousarray(STORED[orientation](preview(width, height))))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("chained", [False, True])
def test_the_largest_preview_upright(order: str, chained: bool) -> None:
    """A DNG: a thumbnail first, then the sensor's, then previews."""
    first = DNG | strip_tags(THUMBNAIL)
    others = [SENSOR, strip_tags(encode(quarters(320, 240))), strip_tags(upright_jpeg(6))]
    photo = read_photo(tiff(order, first, *others, chained=chained))
    assert (photo.width, photo.height) == (960, 640)
    assert distance(photo.pixels, preview()) <= JPEG_LEVELS
    reduced = read_photo(tiff(order, first, *others, chained=chained), side=240)
    assert reduced.pixels.shape == (160, 240, 3)


@pytest.mark.parametrize(
    ("head", "directories"),
    [
        (b"", [{262: 32803, 259: 34713, 274: 1} | jpeg_tags(upright_jpeg(1))]),  # as Nikon
        (b"", [{259: 6, 274: 1} | jpeg_tags(upright_jpeg(1)), {262: 32803, 259: 32767}]),  # Sony
        (b"CR\2\0\0\0\0\0", [strip_tags(upright_jpeg(1)), jpeg_tags(THUMBNAIL)]),  # Canon
    ],
    ids=["nef", "arw", "cr2"],
)
def test_other_makers(head: bytes, directories: list[Tags]) -> None:
    photo = read_photo(tiff("<", *directories, chained=True, head=head))
    assert distance(photo.pixels, preview()) <= JPEG_LEVELS


def test_a_thumbnail_is_no_photo() -> None:
    with pytest.raises(UnreadablePhoto, match=REASON):
        read_photo(tiff("<", DNG | strip_tags(THUMBNAIL), SENSOR))
    with pytest.raises(UnreadablePhoto, match=REASON):
        read_photo(tiff("<", DNG | strip_tags(THUMBNAIL), strip_tags(upright_jpeg(1, 639, 400))))
    photo = read_photo(
        tiff("<", DNG | strip_tags(THUMBNAIL) | {274: 1}, strip_tags(upright_jpeg(1, 640, 400)))
    )
    assert (photo.width, photo.height) == (640, 400)


def test_what_the_sensor_saw_is_no_preview() -> None:
    with pytest.raises(UnreadablePhoto, match=REASON):
        read_photo(tiff("<", DNG, strip_tags(upright_jpeg(1), photometric=32803)))


@pytest.mark.parametrize(
    "head",
    [
        b"FUJIFILMCCD-RAW 0201FF383501",
        b"IIRO\x08\0\0\0",
        b"IIU\0\x18\0\0\0",
        b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
    ],
    ids=["raf", "orf", "rw2", "cr3"],
)
def test_those_that_are_no_tiff(head: bytes) -> None:
    data = head + bytes(500) + upright_jpeg(1)
    assert looks_like_picture(data[:64])
    with pytest.raises(UnreadablePhoto, match=REASON):
        read_photo(data)


def test_a_tiff_is_none() -> None:
    picture = quarters()
    assert np.array_equal(read_photo(encode(picture, "TIFF")).pixels, picture)


def test_a_broken_one_is_refused() -> None:
    whole = tiff("<", DNG | strip_tags(THUMBNAIL), SENSOR, strip_tags(upright_jpeg(6)))
    for cut in (10, 60, 200, len(whole) - 500):
        with pytest.raises(UnreadablePhoto):
            read_photo(whole[:cut])
    loop = bytearray(tiff("<", DNG, SENSOR))
    loop[4:8] = (9).to_bytes(4, "little")
    with pytest.raises(UnreadablePhoto):
        read_photo(bytes(loop))
