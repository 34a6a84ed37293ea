"""The word in a file that says catgan drew it: such a file may be drawn over, no other may."""

import io
import os
from pathlib import Path
from typing import BinaryIO

from PIL import Image, PngImagePlugin

from catgan.core.files import open_file
from catgan.core.pictures import Picture

STAMP = "catgan sample"
MOST_INDEX = 1 << 24  # bytes of a video's index, which has the comment; hours need less


def stamped_png(picture: Picture, note: str) -> bytes:
    """A picture as the bytes of a PNG file that says what drew it; the same bytes each time.

    Args:
        picture: (H, W, 3) uint8.
        note: What it was drawn from, a few words.
    """
    # the keywords are two of those that the PNG standard predefines (section 11.3.3.2)
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", STAMP)
    text.add_text("Comment", note)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=6, pnginfo=text)
    return buffer.getvalue()


def comment(note: str) -> str:
    """The comment of a film that says what drew it."""
    return f"{STAMP}: {note}"


def gif_comment(note: str) -> bytes:
    """The same for a GIF; at most 255 bytes, one block of the format."""
    return comment(note).encode("ascii", "replace")[:255]


def is_ours(path: Path) -> bool:
    """Whether catgan drew this file; False for whatever is no PNG, GIF or MP4."""
    try:
        with open_file(path) as file:
            if file.peek(8)[4:8] == b"ftyp":
                return STAMP.encode() in _index_of(file)
            with Image.open(file, formats=("PNG", "GIF")) as image:
                if image.format == "PNG":
                    return bool(image.info.get("Software") == STAMP)
                said = image.info.get("comment", b"")
                return isinstance(said, bytes) and said.startswith(STAMP.encode())
    except Exception:  # whatever a broken file makes its parser raise
        return False


def _index_of(file: BinaryIO) -> bytes:
    """The box `moov` of an MP4 file (ISO 14496-12, section 4.2): all that is said of its streams.

    Raises:
        ValueError: There is none, or it is longer than any index.
    """
    end = file.seek(0, os.SEEK_END)
    place = 0
    while place + 8 <= end:
        file.seek(place)
        head = file.read(16)
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        elif size == 0:  # to the end of the file
            size = end - place
        if size < 8:
            break
        if kind == b"moov":
            if size > MOST_INDEX:
                break
            file.seek(place)
            return file.read(size)
        place += size
    raise ValueError("the file has no index")
