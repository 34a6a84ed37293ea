"""What may be written where."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catgan.core.errors import BadUsage, FileRefused
from catgan.core.pictures import encode_png
from catgan.sample.gif import Movie, encode_gif
from catgan.sample.outputs import Outputs, file_names, left_over
from catgan.sample.stamp import is_ours, stamped_png

PICTURE = np.zeros((4, 4, 3), dtype=np.uint8)


def test_catgan_knows_its_own(tmp_path: Path) -> None:
    png, gif = tmp_path / "a.png", tmp_path / "a.gif"
    png.write_bytes(stamped_png(PICTURE, "epoch 1, seed 0"))
    gif.write_bytes(encode_gif(Movie(frames=[PICTURE], durations=[5]), "epoch 1"))
    assert is_ours(png)
    assert is_ours(gif)
    np.testing.assert_array_equal(np.asarray(Image.open(png)), PICTURE)
    other = tmp_path / "b"
    foreign = [encode_png(PICTURE), b"", b"catgan sample", b"\x89PNG\r\n\x1a\n", b"GIF89a"]
    for data in foreign:
        other.write_bytes(data)
        assert not is_ours(other)
    Image.fromarray(PICTURE).save(other, "GIF", comment=b"not by catgan sample")
    assert not is_ours(other)
    assert not is_ours(tmp_path)
    assert not is_ours(tmp_path / "missing")


def test_what_can_be_written(tmp_path: Path) -> None:
    ours = tmp_path / "ours.png"
    ours.write_bytes(stamped_png(PICTURE, "x"))
    outputs = Outputs(
        grid=ours,
        files=tmp_path / "new" / "folder",
        walk=tmp_path / "new" / "walk.GIF",
        timelapse=tmp_path / "t.gif",
    )
    outputs.check(3)
    Outputs().check(3)
    assert [path.name for path in tmp_path.iterdir()] == ["ours.png"]


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ({"grid": "cats.jpg"}, "--out is .*cats.jpg; it must be a file that ends in .png"),
        ({"walk": "walk.avi"}, "--walk is .*ends in .gif or .mp4"),
        ({"page": "page.pdf"}, "--page is .*ends in .html"),
        ({"page": "folder.html"}, "--page is .*folder.html, which is a folder"),
        ({"timelapse": "walk"}, "--timelapse is .*ends in .gif"),
        ({"grid": "folder.png"}, "--out is .*folder.png, which is a folder"),
        ({"walk": "folder.gif"}, "--walk is .*folder.gif, which is a folder"),
        ({"files": "file"}, "--files is .*file, which is a file"),
        ({"files": "file/below"}, "file is a file, not a folder"),
        ({"walk": "file/walk.gif"}, "file is a file, not a folder"),
        ({"walk": "a.gif", "timelapse": "folder/../a.gif"}, "--walk and --timelapse are both"),
        ({"grid": "f/cat-0002.png", "files": "f"}, "--out is .*, which --files writes too"),
    ],
)
def test_what_cannot_be(tmp_path: Path, outputs: dict[str, str], words: str) -> None:
    (tmp_path / "file").write_text("x")
    for name in ("folder", "folder.png", "folder.gif", "folder.html"):
        (tmp_path / name).mkdir()
    paths = {kind: tmp_path / name for kind, name in outputs.items()}
    with pytest.raises(BadUsage, match=words):
        Outputs(**paths).check(3)


def test_nothing_of_somebody_else_is_written_over(tmp_path: Path) -> None:
    mine = tmp_path / "mine.png"
    mine.write_bytes(encode_png(PICTURE))
    with pytest.raises(FileRefused, match=r"mine.png exists already"):
        Outputs(grid=mine).check(1)
    for kind, name in (("walk", "mine.mp4"), ("page", "mine.html")):
        (tmp_path / name).write_bytes(b"\0\0\0\x18ftypisom of my own")
        with pytest.raises(FileRefused, match=f"{name} exists already"):
            Outputs(**{kind: tmp_path / name}).check(1)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "cat-0003.png").write_bytes(encode_png(PICTURE))
    Outputs(files=folder).check(2)
    with pytest.raises(FileRefused, match=r"cat-0003.png exists already"):
        Outputs(files=folder).check(3)


def test_only_own_numbered_pictures_are_left_over(tmp_path: Path) -> None:
    own, foreign = stamped_png(PICTURE, "x"), encode_png(PICTURE)
    files = {
        "cat-0001.png": own,
        "cat-0004.png": own,
        "cat-10000.png": own,
        "cat-0005.png": foreign,
        "cat-6.png": own,
        "kitten.png": own,
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    assert [path.name for path in left_over(tmp_path, 3)] == ["cat-0004.png", "cat-10000.png"]
    assert left_over(tmp_path / "missing", 3) == []
    assert file_names(2) == ["cat-0001.png", "cat-0002.png"]
