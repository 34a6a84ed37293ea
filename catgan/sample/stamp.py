"""The word in a file that says catgan drew it: such a file may be drawn over, no other may."""

import io
from pathlib import Path

from PIL import Image, PngImagePlugin

from catgan.core.files import open_file
from catgan.core.pictures import Picture

STAMP = "catgan sample"


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


def gif_comment(note: str) -> bytes:
    """The comment of a GIF that says what drew it; at most 255 bytes, one block of the format."""
    return f"{STAMP}: {note}".encode("ascii", "replace")[:255]


def is_ours(path: Path) -> bool:
    """Whether catgan drew this file; False for whatever is no PNG or GIF."""
    try:
        with open_file(path) as file, Image.open(file, formats=("PNG", "GIF")) as image:
            if image.format == "PNG":
                return bool(image.info.get("Software") == STAMP)
            comment = image.info.get("comment", b"")
            return isinstance(comment, bytes) and comment.startswith(STAMP.encode())
    except Exception:  # whatever a broken file makes its parser raise
        return False
