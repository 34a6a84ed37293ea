"""Feeds mutated pictures to the reader; run as a program, so that a crash of a decoder is seen.

Prints one JSON line: how many were read, how many refused, the slowest, and the peak memory.
"""

import faulthandler
import io
import json
import random
import resource
import sys
import time

import numpy as np
from PIL import Image

from catgan.core.errors import UnreadablePhoto
from catgan.core.photos import read_photo

SLOW = 20.0  # seconds for one picture of 96 x 72 pixels: something hangs
MEMORY = 3 << 30  # bytes of address space on top of what the libraries took


def originals(rng: np.random.Generator) -> dict[str, bytes]:
    """One small picture in every format that is read."""
    blocks = rng.integers(0, 256, (9, 12, 4), dtype=np.uint8)
    picture = blocks.repeat(8, axis=0).repeat(8, axis=1)
    rgb = Image.fromarray(np.ascontiguousarray(picture[..., :3]))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera"
    kinds: dict[str, tuple[Image.Image, str, dict[str, object]]] = {
        "jpeg": (rgb, "JPEG", {"exif": exif}),
        "progressive": (rgb, "JPEG", {"progressive": True}),
        "cmyk": (rgb.convert("CMYK"), "JPEG", {}),
        "png": (rgb, "PNG", {"exif": exif}),
        "alpha": (Image.fromarray(picture), "PNG", {}),
        "palette": (rgb.convert("P"), "PNG", {"transparency": 3}),
        "grey16": (Image.fromarray(picture[..., 0].astype(np.uint16) * 257), "PNG", {}),
        "webp": (rgb, "WEBP", {}),
        "lossless": (Image.fromarray(picture), "WEBP", {"lossless": True}),
        "gif": (rgb.convert("P"), "GIF", {}),
        "tiff": (rgb, "TIFF", {}),
        "lzw": (rgb, "TIFF", {"compression": "tiff_lzw"}),
        "deflate": (rgb, "TIFF", {"compression": "tiff_deflate"}),
        "bmp": (rgb, "BMP", {}),
    }
    found = {}
    for name, (image, kind, options) in kinds.items():
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        found[name] = buffer.getvalue()
    return found


def mutate(data: bytes, random_: random.Random) -> bytes:
    """One of: flipped bytes, cut short, a hole, a stutter, absurd numbers in the header."""
    changed = bytearray(data)
    kind = random_.randrange(6)
    if kind == 0:
        for _ in range(random_.randint(1, 24)):
            changed[random_.randrange(len(changed))] ^= 1 << random_.randrange(8)
    elif kind == 1:
        del changed[random_.randrange(len(changed)) :]
    elif kind == 2:
        start = random_.randrange(len(changed))
        del changed[start : start + random_.randint(1, 64)]
    elif kind == 3:
        start = random_.randrange(len(changed))
        changed[start:start] = changed[start : start + random_.randint(1, 64)]
    elif kind == 4:  # the sizes and offsets stand near the beginning
        start = random_.randrange(min(64, len(changed)))
        value = random_.choice([0, 1, 0x7F, 0xFF])
        for index in range(start, min(start + random_.choice([1, 2, 4]), len(changed))):
            changed[index] = value
    else:
        for _ in range(random_.randint(1, 4)):
            changed[random_.randrange(min(200, len(changed)))] = random_.randrange(256)
    return bytes(changed)


def main(count: int, seed: int) -> None:
    """Read `count` mutated pictures, reduced or whole."""
    faulthandler.enable()
    random_ = random.Random(seed)
    sources = originals(np.random.default_rng(seed))
    for data in sources.values():
        read_photo(data)  # unharmed ones are read; the libraries are loaded now
    peak = _peak()
    taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()  # noqa: SIM115, PTH123
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    names = sorted(sources)
    read = refused = 0
    slowest = 0.0
    for index in range(count):
        data = mutate(sources[names[index % len(names)]], random_)
        if random_.random() < 0.3:
            data = mutate(data, random_)
        faulthandler.dump_traceback_later(SLOW, exit=True)
        start = time.perf_counter()
        try:
            photo = read_photo(data, side=random_.choice([None, 32]))
        except UnreadablePhoto as error:
            assert str(error), "a reason in words"
            refused += 1
        else:
            assert photo.pixels.dtype == np.uint8
            assert photo.pixels.ndim == 3
            assert photo.pixels.shape[2] == 3
            read += 1
        slowest = max(slowest, time.perf_counter() - start)
        faulthandler.cancel_dump_traceback_later()
    print(  # noqa: T201
        json.dumps(
            {
                "read": read,
                "refused": refused,
                "slowest": slowest,
                "grown_mb": (_peak() - peak) / 1024,
            }
        )
    )


def _peak() -> int:
    """The most memory this process has held, KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
