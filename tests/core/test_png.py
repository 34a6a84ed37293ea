"""PNGs with more metadata than picture, and what they say of their colours."""

import io
import struct
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from catgan.core import png
from catgan.core.loading import load_picture
from catgan.core.photos import read_photo
from tests.core.test_photos import P3, busy, icc_profile, quarters
from tests.drawing import encode, encode_turned

MIB = 1 << 20


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunks(data: bytes, *chunks: bytes) -> bytes:
    """A PNG with chunks put behind its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def large_metadata() -> Iterator[tuple[str, bytes]]:
    rubbish = zlib.compress(bytes(3 * MIB))
    yield "iCCP", chunk(b"iCCP", b"odd\0\0" + zlib.compress(bytes(40 * MIB)))
    yield "zTXt", chunk(b"zTXt", b"Comment\0\0" + rubbish)
    yield "iTXt", chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + rubbish)
    yield "EXIF as text", chunk(b"zTXt", b"Raw profile type exif\0\0" + rubbish)
    yield "many", chunk(b"tEXt", b"Comment\0" + b"x" * MIB) * 70
    yield "broken", chunk(b"iCCP", b"odd\0\0" + zlib.compress(bytes(MIB))[:-9])
    yield "no keyword", chunk(b"zTXt", b"x" * 300)


METADATA = dict(large_metadata())


@pytest.mark.parametrize("name", METADATA)
def test_metadata_is_passed_over(name: str, tmp_path: Path) -> None:
    data = with_chunks(encode(busy(), "PNG"), METADATA[name])
    assert np.array_equal(read_photo(data).pixels, busy())
    (tmp_path / "a.png").write_bytes(data)
    assert np.array_equal(load_picture(tmp_path / "a.png").pixels, busy()), "in train, too"


def test_what_is_packed_is_unpacked_up_to_a_bound_only() -> None:
    bombs = [chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(80 * MIB)))]
    bombs.append(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(80 * MIB))))
    data = with_chunks(encode(busy(), "PNG"), *bombs)
    tracemalloc.start()
    try:
        read_photo(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50 * MIB, "16 MiB of a profile, and a copy of it"


def test_a_large_profile_is_heeded() -> None:
    """A scanner's tables are larger than what Pillow unpacks."""
    profile = icc_profile(P3, "Display P3")
    large = profile + bytes(2 * MIB)
    large = struct.pack(">I", len(large)) + large[4:]
    data = with_chunks(
        encode(quarters(), "PNG"), chunk(b"iCCP", b"scanner\0\0" + zlib.compress(large))
    )
    assert read_photo(data).profile == large


@pytest.mark.parametrize("packed", [False, True])
def test_the_turn_is_heeded_where_it_is_in_a_text(packed: bool) -> None:
    """XMP, as some programs write it instead of EXIF."""
    xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><r tiff:Orientation="6"/></x:xmpmeta>'
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp, zip=packed)
    stored = Image.open(io.BytesIO(encode_turned(quarters(), 6, "PNG")))
    buffer = io.BytesIO()
    stored.save(buffer, "PNG", pnginfo=info, exif=b"")
    assert np.array_equal(read_photo(buffer.getvalue()).pixels, quarters())


@pytest.mark.parametrize("orientation", [3, 6])
def test_exif_is_kept(orientation: int) -> None:
    data = with_chunks(encode_turned(quarters(), orientation, "PNG"), METADATA["zTXt"])
    assert np.array_equal(read_photo(data).pixels, quarters())


def test_transparency_and_palette_are_kept() -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([255, 0, 255, 30, 60, 90])
    image.putpixel((0, 0), 0)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=0)
    seen = read_photo(with_chunks(buffer.getvalue(), METADATA["zTXt"])).pixels
    assert tuple(seen[0, 0]) == (128, 128, 128)
    assert tuple(seen[1, 1]) == (30, 60, 90)


def test_what_is_cut_or_rubbish_stays_so() -> None:
    data = encode(busy(), "PNG")
    for cut in (20, len(data) // 2, len(data) - 5):
        assert png.split(data[:cut])[0] == data[:cut]
    assert png.split(data + b"more")[0] == data


def test_what_it_says_of_its_colours() -> None:
    data = with_chunks(
        encode(busy(), "PNG"),
        chunk(b"gAMA", struct.pack(">I", 100_000)),
        chunk(b"cHRM", struct.pack(">8I", *range(10, 90, 10))),
        chunk(b"sRGB", b"\0"),
        chunk(b"cICP", b"\x0c\x0d\0\1"),
    )
    picture, colours = png.split(data)
    assert picture == encode(busy(), "PNG")
    assert colours == png.Colours(
        srgb=True,
        gamma=1.0,
        chromaticities=tuple(value / 1e5 for value in range(10, 90, 10)),
        coded=(12, 13),
    )
    broken = with_chunks(encode(busy(), "PNG"), chunk(b"gAMA", b"1"), chunk(b"cHRM", b"2"))
    assert png.split(broken)[1] == png.Colours()
