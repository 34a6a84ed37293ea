"""JPEG files: decoded whole, perhaps reduced, or refused with the reason.

libjpeg fills in grey where data are missing, and decodes whatever it finds where they are spoiled;
it says so in warnings that Pillow keeps to itself. simplejpeg, on the same libjpeg-turbo, hands the
first of them over, for the same pixels. The segments are walked here first (ITU-T T.81, annex B):
for the bounds on what a decoder is given, and for what its warnings cannot tell.
"""

import dataclasses
import io
import re
from collections.abc import Sequence

import numpy as np
from PIL import Image
from simplejpeg import decode_jpeg

from catgan.core.errors import UnreadablePhoto

MOST_SCANS = 100  # a progressive photo has about ten; each more is a pass over all pixels
MOST_SEGMENTS = 5000  # between scans; ICC profiles and large EXIF blocks are a few dozen
MOST_FILL = 1 << 16  # bytes between two segments: a phone's padding, not a file full of nothing
LEAST_HOLE = 64  # zero bytes in a row that are looked at for what they decode to
SPARE = 2  # bytes after the last block that some cameras write

END = b"\xff\xd9"
CUT_SHORT = "the file is cut short"
MISSING = "the file is broken (a part of the picture is missing)"
SPOILED = "the file is broken (a part of the picture is spoiled)"

# A marker that is neither a stuffed zero, nor a fill byte, nor a restart inside a scan.
_MARKER = re.compile(rb"\xff([^\x00\x01\xff\xd0-\xd7])")
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
_TABLES, _START_OF_SCAN, _END_OF_IMAGE = 0xC4, 0xDA, 0xD9
_PROGRESSIVE = 0xC2
_BLOCK_ENDS = frozenset(range(0, 0xF0, 16))  # symbols: nothing more in this block, or in 2 to 2^14
_ZEROS = bytes(LEAST_HOLE)
_LEFT_OVER = re.compile(r"(\d+) extraneous bytes before marker 0x(..)")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One pass over the picture."""

    start: int
    """Offset of its first byte of data."""
    end: int
    """Offset of the marker after it; the file's length where there is none."""
    flat: bool
    """Whether zeros in its data decode to blocks in which nothing changes."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the segments of a JPEG's first picture are."""

    width: int
    """As stored, pixels."""
    height: int
    """Likewise."""
    lossless: bool
    """Whether it is coded as raw photos are, which only their own programs show."""
    scans: tuple[Scan, ...]
    """In order."""
    complete: bool
    """Whether the scans together bring every bit of every coefficient."""
    ended: bool
    """Whether an end marker follows the last one."""


def lay_out(data: bytes) -> Layout:
    """Walk the segments of a JPEG's first picture.

    End markers inside an EXIF thumbnail say nothing, and what a camera appends after the picture (a
    second one, a video) may hold anything.

    Raises:
        UnreadablePhoto: There is no picture in it, or more scans or segments than any photo has.
    """
    walk = _Walk()
    position, segments, open_scan = 2, 0, False
    while found := _MARKER.search(data, position, len(data) if open_scan else position + MOST_FILL):
        if open_scan:
            walk.end_scan(found.start())
        marker = found[1][0]
        open_scan = marker == _START_OF_SCAN
        if marker == _END_OF_IMAGE:
            return walk.layout(ended=True)
        segments += 1
        if segments > MOST_SEGMENTS:
            raise UnreadablePhoto(f"the file has more than {MOST_SEGMENTS:,} segments")
        length = int.from_bytes(data[found.end() : found.end() + 2], "big")
        body = data[found.end() + 2 : found.end() + length]
        position = found.end() + max(length, 2)
        walk.take(marker, body, position)
    if open_scan:
        walk.end_scan(len(data))
    return walk.layout(ended=False)


class _Walk:
    """What is known of a picture at one segment of it."""

    def __init__(self) -> None:
        self._frame: tuple[int, int, int] | None = None  # marker, width, height
        self._left: dict[int, list[int | None]] = {}  # component -> bits still to come, by place
        self._zeros: dict[int, int] = {}  # Huffman table -> the symbol of its code of zeros
        self._scans: list[Scan] = []
        self._flat = False
        self._start = 0

    def take(self, marker: int, body: bytes, after: int) -> None:
        if marker in _FRAMES and self._frame is None and len(body) >= 6:
            height, width, parts = body[1] << 8 | body[2], body[3] << 8 | body[4], body[5]
            self._frame = marker, width, height
            self._left = {
                body[6 + 3 * i]: [None] * 64 for i in range(parts) if 6 + 3 * i < len(body)
            }
        elif marker == _TABLES:
            self._read_tables(body)
        elif marker == _START_OF_SCAN:
            if len(self._scans) >= MOST_SCANS:
                raise UnreadablePhoto(f"the picture comes in more than {MOST_SCANS} passes")
            self._begin_scan(body)
            self._start = after

    def _read_tables(self, body: bytes) -> None:
        while len(body) > 17:
            counts, symbols = body[1:17], body[17:]
            if symbols:  # codes are given out from zeros on, the shortest first
                self._zeros[body[0]] = symbols[0]
            body = symbols[sum(counts) :]

    def _begin_scan(self, body: bytes) -> None:
        count = body[0] if body else 0
        parts = [(body[1 + 2 * i], body[2 + 2 * i]) for i in range(count) if 2 + 2 * i < len(body)]
        first, last, bits = body[-3:] if len(body) >= 4 else (0, 63, 0)
        if self._frame is None or self._frame[0] != _PROGRESSIVE:
            first, last, bits = 0, 63, 0  # baseline: what stands there means nothing
        for part, _ in parts:
            left = self._left.get(part)
            if left is not None:
                left[first : min(last, 63) + 1] = [bits & 15] * (min(last, 63) + 1 - first)
        self._flat = bool(parts) and all(
            (first > 0 or bits >> 4 > 0 or self._zeros.get(tables >> 4) == 0)
            and (last == 0 or self._zeros.get(0x10 | tables & 15, 1) in _BLOCK_ENDS)
            for _, tables in parts
        )

    def end_scan(self, end: int) -> None:
        self._scans.append(Scan(start=self._start, end=end, flat=self._flat))

    def layout(self, *, ended: bool) -> Layout:
        if self._frame is None:
            raise UnreadablePhoto("the file is broken: it begins like a JPEG, but holds no picture")
        if not self._scans:
            raise UnreadablePhoto(CUT_SHORT)
        marker, width, height = self._frame
        return Layout(
            width=width,
            height=height,
            lossless=marker in _LOSSLESS,
            scans=tuple(self._scans),
            complete=all(bits == 0 for left in self._left.values() for bits in left),
            ended=ended,
        )


def decode(data: bytes, layout: Layout, mode: str, size: tuple[int, int] | None) -> Image.Image:
    """The pixels of a JPEG's first picture.

    Args:
        data: The whole file.
        layout: Its segments.
        mode: Pillow's for it: L, RGB or CMYK.
        size: Least width and height, of those that a reduced transform gives (1/2, 1/4, 1/8); None
            for the whole.

    Returns:
        An image of that mode, as stored: neither turned nor in other colours.

    Raises:
        UnreadablePhoto: A part of it is missing or spoiled.
    """
    if not layout.ended:
        if not layout.complete:
            raise UnreadablePhoto(CUT_SHORT)
        data += END
    _check_zeros(data, layout)
    spaces = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
    width, height = size or (0, 0)
    try:
        pixels = decode_jpeg(
            data, spaces.get(mode, "RGB"), min_width=width, min_height=height, strict=True
        )
    except ValueError as error:
        warning = str(error)
        if "tjDecompressHeader" in warning:  # an odd sampling of colours, which TurboJPEG has not
            return _decode_oddly_sampled(data, layout, size)
        _explain(warning, data, layout)
        pixels = decode_jpeg(
            data, spaces.get(mode, "RGB"), min_width=width, min_height=height, strict=False
        )
    if mode == "CMYK":  # Adobe's inks are inverted or not; Pillow knows, and the check is done
        return _with_pillow(data, size)
    return Image.fromarray(pixels[..., 0] if mode == "L" else pixels)


def _check_zeros(data: bytes, layout: Layout) -> None:
    """Refuse a hole of zeros that the decoder passes over without a warning.

    Huffman codes fall into step again after a hole; in one case of eight even the count of blocks
    comes out right. But only where a table was made for a picture with even parts do zeros mean
    blocks in which nothing changes; with any other, block after block of the same odd pattern.
    """
    for scan in layout.scans:
        # at the end they are padding, or lack what they replaced
        last = len(data[scan.start : scan.end].rstrip(b"\0")) + scan.start
        if not scan.flat and data.find(_ZEROS, scan.start, last) >= 0:
            raise UnreadablePhoto(SPOILED)


def _explain(warning: str, data: bytes, layout: Layout) -> None:
    """Refuse the picture unless what libjpeg warns of is harmless."""
    if "premature end" in warning.lower():
        raise UnreadablePhoto(MISSING if layout.ended else CUT_SHORT)
    if left_over := _LEFT_OVER.search(warning):
        # More bytes than blocks: padding after the last one, or blocks that decoded to too few.
        end = layout.scans[-1].end
        spare = data[max(0, end - int(left_over[1])) : end]
        last = int(left_over[2], 16) == _END_OF_IMAGE
        if last and (len(spare) <= SPARE or (len(set(spare)) == 1 and spare[0] in (0, 255))):
            return
        raise UnreadablePhoto(SPOILED)
    if "corrupt" in warning.lower() or "bogus" in warning.lower():
        raise UnreadablePhoto(SPOILED)
    harmless = ("jfif revision", "adobe color transform", "inconsistent progression", "sos param")
    if not any(words in warning.lower() for words in harmless):
        raise UnreadablePhoto(f"the file is broken ({warning[:120]})")


def _with_pillow(data: bytes, size: tuple[int, int] | None) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        if size:
            image.draft(None, size)
        image.load()
        return image.copy()


# Bytes without a marker among them that decode to something on any Huffman table.
_NOISE = bytes((37 * index + 11) % 251 for index in range(64))


def _decode_oddly_sampled(data: bytes, layout: Layout, size: tuple[int, int] | None) -> Image.Image:
    """The same where no warnings are to be had.

    A picture whose last corner is grey may lack data. Then bytes are added at the end of every
    scan: a decoder that has all it needs passes over them, one that lacks some uses them.
    """
    image = _with_pillow(data, size)
    corner = np.asarray(image.crop((image.width - 2, image.height - 2, image.width, image.height)))
    if corner.min() >= 127 and corner.max() <= 128:
        longer = _with_pillow(_NOISE.join(_pieces(data, layout.scans)), size)
        if longer.tobytes() != image.tobytes():
            raise UnreadablePhoto(MISSING if layout.ended else CUT_SHORT)
    return image


def _pieces(data: bytes, scans: Sequence[Scan]) -> list[bytes]:
    ends = [scan.end for scan in scans]
    return [data[i:j] for i, j in zip([0, *ends], [*ends, len(data)], strict=True)]
