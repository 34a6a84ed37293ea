"""When a photo was taken, as far as its file says."""

import warnings
from datetime import datetime
from pathlib import Path

from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")  # whose EXIF is found without decoding anything
EXIF, ORIGINAL, CHANGED = 0x8769, 0x9003, 0x0132  # EXIF 2.32: the block, DateTimeOriginal, DateTime


def taken(path: Path) -> float:
    """Seconds since 1970, by the camera's clock; else when the file last changed; 0 if gone."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with path.open("rb") as file, Image.open(file, formats=FORMATS) as image:
                exif = image.getexif()
                moment = exif.get_ifd(EXIF).get(ORIGINAL) or exif.get(CHANGED)
        return datetime.strptime(str(moment)[:19], "%Y:%m:%d %H:%M:%S").timestamp()
    except Exception:  # whatever a broken EXIF block makes its parser raise
        pass
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
