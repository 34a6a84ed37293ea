"""A folder with all kinds mixed in: the good photos are kept, the others named, and rightly."""

import io
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catgan.curate.clip import can_read_clips
from catgan.curate.config import CurateConfig
from catgan.curate.pipeline import curate_photos
from catgan.curate.unused import Unused
from catgan.formats.photos import read_photos
from tests.core.test_jpeg import detailed
from tests.core.test_png import METADATA, with_chunks
from tests.core.test_raw import DNG, SENSOR, THUMBNAIL, strip_tags, tiff
from tests.drawing import EyeDetector, Head, draw_photo, encode, png_header, write

GOOD = 100


def good_photos(folder: Path) -> None:
    """100 photos of heads, each unlike the others."""
    for seed in range(GOOD):
        rng = np.random.default_rng(seed)
        w = float(rng.uniform(70, 120))
        cx, cy, roll = (float(rng.uniform(*ends)) for ends in ((80, 240), (80, 160), (-40, 40)))
        head = Head(cx=cx, cy=cy, w=w, roll=roll)
        picture = draw_photo(320, 240, head, seed=seed)
        blocks = rng.integers(0, 70, (6, 8, 3)).repeat(40, axis=0).repeat(40, axis=1)
        plain = (picture[..., 1] > 90) & (picture[..., 0] < 120)
        picture[plain] = (picture[plain] // 2 + blocks[plain]).astype(np.uint8)
        write(folder / f"good/{seed:03d}.jpg", encode(picture))


def odd_files(large: bool) -> Iterator[tuple[str, bytes, str]]:
    """Name, contents and reason ("" where it can be read) of what people have among their photos.

    Args:
        large: Those of hundreds of megabytes, too.
    """
    photo = detailed(50, 8)
    data = encode(photo, quality=88)
    middle = len(data) // 2
    yield "no end.jpg", data[:-2], ""
    yield "zeros at the end.jpg", data[:-2] + bytes(4096), ""
    yield "cut.jpg", data[:-60], "cut short"
    yield "hole.jpg", data[:middle] + bytes(512) + data[middle + 512 :], "spoiled"
    yield "large hole.jpg", data[:middle] + bytes(4096) + data[middle + 4096 :], "spoiled"
    for name in ("iCCP", "zTXt", "many"):
        seed = 60 + len(name)
        yield f"{name}.png", with_chunks(encode(detailed(seed, 3), "PNG"), METADATA[name]), ""
    yield "linear.png", with_chunks(encode(detailed(71, 3), "PNG"), gamma(1.0)), ""
    preview = encode(np.asarray(Image.fromarray(detailed(72, 8)).resize((960, 720))))
    yield "good.dng", tiff("<", DNG | strip_tags(THUMBNAIL), SENSOR, strip_tags(preview)), ""
    yield "small.dng", tiff("<", DNG | strip_tags(THUMBNAIL), SENSOR), "export it as JPEG"
    yield "new.cr3", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(500), "export it as JPEG"
    yield "empty.jpg", b"", "the file is empty"
    yield "letter.jpg", b"Dear diary\n" * 99, "not a picture"
    yield "bomb.png", png_header(60_000, 60_000), "megapixels"
    progressive = encode(photo, progressive=True)
    last = progressive.rindex(b"\xff\xda")
    passes = 20_000 if large else 200
    yield "scans.jpg", progressive[:-2] + progressive[last:-2] * passes + b"\xff\xd9", "passes"
    yield "clip.mov", b"\0\0\0\x14ftypqt  " + bytes(400), "video cannot be read"
    if large:
        yield "nothing.jpg", b"\xff" * 200_000_000, "not a picture"
        line = b" ".join(b"%d" % value for value in range(100)) + b"\n"
        text = b"P3\n6000 4000\n255\n" + line * (216_000_000 // len(line))
        yield "text.jpg", text, "not a picture"
        yield "deep.png", deep_png(16_000, 15_600), ""


def gamma(value: float) -> bytes:
    body = b"gAMA" + struct.pack(">I", round(value * 1e5))
    return struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))


def deep_png(width: int, height: int) -> bytes:
    """250 megapixels at 16 bits."""
    row = b"\0" + (bytes(range(256)) * (width * 6 // 256 + 1))[: width * 6]
    packer = zlib.compressobj(1)
    body = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    out = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    out.seek(0, os.SEEK_END)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    for kind, part in ((b"IHDR", header), (b"IDAT", body), (b"IEND", b"")):
        out.write(struct.pack(">I", len(part)) + kind + part)
        out.write(struct.pack(">I", zlib.crc32(kind + part)))
    return out.getvalue()


def mix(folder: Path, *, large: bool) -> dict[str, str]:
    """Write all of it; the reasons by path."""
    reasons = {}
    for name, data, why in odd_files(large):
        write(folder / "odd" / name, data)
        reasons[f"odd/{name}"] = why
    for name in ("@eaDir", "#recycle", ".Trash-1000"):
        write(folder / name / "thumbnail.jpg", encode(detailed(1, 3)))
    write(folder / ".IMG_7.HEIC.icloud", b"bplist00")
    write(folder / "new.jxl", b"\xff\x0a" + bytes(40))
    write(folder / "scan.jp2", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40))
    write(folder / "notes.txt", b"about the cat\n" * 9)
    (folder / "elsewhere").symlink_to(folder.parent)
    (folder / "gone.jpg").symlink_to(folder / "nowhere.jpg")
    return reasons


UNUSED = {
    Unused.SYSTEM_FOLDER: 3,
    Unused.ICLOUD: 1,
    Unused.JPEG_XL: 1,
    Unused.JPEG_2000: 1,
    Unused.LINKED_FOLDER: 1,
    Unused.DEAD_LINK: 1,
}


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="links are rare there")
def test_the_good_are_kept_and_the_others_named(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    good_photos(raw)
    reasons = mix(raw, large=False)
    config = CurateConfig(workers=1, blur_screen=False)
    result = curate_photos(raw, tmp_path / "c", config, make_detector=EyeDetector())
    found = {record.path: record for record in read_photos(tmp_path / "c")}
    kept = [path for path, one in found.items() if one.verdict == "kept"]
    assert [path for path in kept if path.startswith("good/")] == [
        f"good/{seed:03d}.jpg" for seed in range(GOOD)
    ]
    for path, why in reasons.items():
        if path == "odd/clip.mov" and not can_read_clips():
            continue
        record = found[path]
        assert (record.verdict == "unreadable") == bool(why), record
        assert why in record.reason, record
    assert {kind: number for kind, number in result.unused.items() if kind in UNUSED} == UNUSED
