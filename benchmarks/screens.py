"""What the screens for blur and darkness cost and catch: `make bench-screens PHOTOS=folder`.

Good faces are the labelled ones of the fitting part, cropped to 64 x 64 by their labels; spoiled
ones are the same, blurred, moved and darkened by known amounts.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.labels import labelled_photos
from catgan.core.photos import read_photo
from catgan.core.pictures import Picture
from catgan.curate.duplicates import NEAR
from catgan.curate.screens import (
    LEAST_BRIGHTNESS,
    LEAST_SHARPNESS,
    brightness,
    fingerprint,
    sharpness,
)

SIDE = 64


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, help="folder of labelled photos")
    folder = parser.parse_args().photos
    crops, prints = _good_faces(folder)
    print(f"{len(crops)} good faces")
    print(f"sharpness below {LEAST_SHARPNESS}: {_share(crops, _is_blurred):.2%}")
    for sigma in (0.7, 1.0, 1.5, 2.0):
        soft = [_gaussian(crop, sigma) for crop in crops]
        length = 2 * int(2 * sigma) + 1
        moved = [np.asarray(cv2.blur(crop, (length, 1)), dtype=np.uint8) for crop in crops]
        print(
            f"  blurred by {sigma} px: {_share(soft, _is_blurred):.1%}; "
            f"moved by {length} px: {_share(moved, _is_blurred):.1%}"
        )
    print(f"brightness below {LEAST_BRIGHTNESS}: {_share(crops, _is_dark):.2%}")
    for exposure in (0.5, 0.35, 0.25, 0.15):
        dark = [(crop * exposure).astype(np.uint8) for crop in crops]
        print(f"  exposed by {exposure}: {_share(dark, _is_dark):.1%}")
    codes = np.array(prints, dtype=np.uint64)
    bits = np.bitwise_count(codes[:, None] ^ codes[None])[np.triu_indices(len(codes), 1)]
    print(f"{len(bits)} pairs of photos; nearest {bits.min()} bits, {(bits <= NEAR).sum()} near")


def _good_faces(folder: Path) -> tuple[list[Picture], list[int]]:
    crops, prints = [], []
    for labelled in labelled_photos(folder):
        photo = read_photo(labelled.path.read_bytes())
        prints.append(int(fingerprint(photo.pixels), 16))
        if labelled.measuring:
            continue
        box = max(labelled.boxes(photo), key=lambda box: max(box.w, box.h))
        side = 1.2 * max(box.w, box.h)
        if side < SIDE:
            continue
        edges = (
            max(0.0, box.cx - side / 2),
            max(0.0, box.cy - side / 2),
            min(float(photo.width), box.cx + side / 2),
            min(float(photo.height), box.cy + side / 2),
        )
        image = Image.fromarray(photo.pixels)
        crop = image.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=edges)
        crops.append(np.asarray(crop, dtype=np.uint8))
    return crops, prints


def _gaussian(crop: Picture, sigma: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(crop, (0, 0), sigma), dtype=np.uint8)


def _is_blurred(crop: Picture) -> bool:
    return sharpness(crop) < LEAST_SHARPNESS


def _is_dark(crop: Picture) -> bool:
    return brightness(crop) < LEAST_BRIGHTNESS


def _share(crops: list[Picture], fault: Callable[[Picture], bool]) -> float:
    return sum(map(fault, crops)) / len(crops)


if __name__ == "__main__":
    main()
