"""The face of one photo, cut out as `curate` does it."""

from pathlib import Path

import numpy as np
import pytest

from catgan.cli.cutter import CurateCutter
from catgan.core.errors import NoPictures, UnreadablePhoto
from catgan.core.photos import read_photo
from catgan.core.pictures import encode_png
from catgan.curate.crop import crop_face
from catgan.curate.square import Square
from tests.drawing import EyeDetector, Head, draw_photo, encode


@pytest.fixture
def cutter(monkeypatch: pytest.MonkeyPatch) -> CurateCutter:
    monkeypatch.setattr("catgan.cli.cutter.make_recipe_detector", lambda _: EyeDetector())
    return CurateCutter()


def test_the_face_is_cut_out_as_curate_does(cutter: CurateCutter, tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(encode(draw_photo(300, 240, Head(cx=150, cy=120, w=90), seed=1)))
    found = cutter.cut(photo, 32)
    read = read_photo(photo.read_bytes())
    (ears, *_) = EyeDetector().find(read)
    assert isinstance(ears, Square)
    np.testing.assert_array_equal(found, crop_face(read, ears, size=32))


def test_a_crop_is_taken_whole(cutter: CurateCutter, tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    (tmp_path / "crop.png").write_bytes(encode_png(picture))
    np.testing.assert_array_equal(cutter.cut(tmp_path / "crop.png", 32), picture)


def test_no_is_said_in_words(cutter: CurateCutter, tmp_path: Path) -> None:
    empty, small, text = (tmp_path / name for name in ("empty.jpg", "small.jpg", "text.jpg"))
    empty.write_bytes(encode(np.full((240, 300, 3), 90, dtype=np.uint8)))
    small.write_bytes(encode(draw_photo(300, 240, Head(cx=150, cy=120, w=60), seed=1)))
    text.write_text("a cat")
    for path, kind, words in (
        (empty, NoPictures, "No cat's face was found in .*empty.jpg"),
        (small, NoPictures, "The face in .*small.jpg is too small"),
        (text, UnreadablePhoto, "text.jpg cannot be read"),
        (tmp_path, UnreadablePhoto, "cannot be read"),
    ):
        with pytest.raises(kind, match=words):
            cutter.cut(path, 128)
