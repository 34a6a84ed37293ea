"""Pictures made ready: what stays as it is, what is cut, and several processes as one."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catgan.core import loading
from catgan.core.errors import UnreadablePhoto
from catgan.core.files import sha256
from catgan.core.loading import Loaded, load_all, load_picture, load_pictures
from catgan.core.pictures import encode_png


def write_noise(folder: Path, count: int, *, size: int = 16) -> list[Path]:
    rng = np.random.default_rng(count)
    paths = [folder / f"{index:03d}.png" for index in range(count)]
    for path in paths:
        path.write_bytes(encode_png(rng.integers(0, 256, (size, size, 3), dtype=np.uint8)))
    return paths


def share_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start processes after the first picture, however little is left."""
    monkeypatch.setattr(loading, "HERE_SECONDS", 0.0)
    monkeypatch.setattr(loading, "WORTH_SECONDS", 0.0)


def same(one: Loaded, other: Loaded) -> bool:
    return np.array_equal(one.pixels, other.pixels) and (
        (one.width, one.height, one.sha256) == (other.width, other.height, other.sha256)
    )


def test_a_picture_of_the_size_stays_as_it_is(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    path = tmp_path / "a.png"
    path.write_bytes(encode_png(pixels))
    found = load_picture(path, 16)
    assert np.array_equal(found.pixels, pixels)
    assert (found.width, found.height) == (16, 16)
    assert found.sha256 == sha256(path.read_bytes())


def test_an_oblong_picture_loses_its_margins_alone(tmp_path: Path) -> None:
    """Red margins beside a green square, twice the size: only green is left.

    The outermost three pixels aside: the Lanczos kernel reaches so far, over the cut.
    """
    pixels = np.zeros((32, 64, 3), dtype=np.uint8)
    pixels[..., 0] = 255
    pixels[:, 16:48] = (0, 255, 0)
    for name, picture in (("wide.png", pixels), ("high.png", pixels.transpose(1, 0, 2))):
        (tmp_path / name).write_bytes(encode_png(np.ascontiguousarray(picture)))
        found = load_picture(tmp_path / name, 16)
        assert (found.pixels[3:-3, 3:-3] == (0, 255, 0)).all()
        assert {found.width, found.height} == {32, 64}


def test_what_is_too_fine_becomes_grey_not_a_coarse_pattern(tmp_path: Path) -> None:
    """A board of single pixels at a third of its size; picking pixels would leave black and white.

    Every result pixel averages 9 or more; away from the rim that is grey to within 4 levels.
    """
    board = (np.indices((96, 96)).sum(axis=0) % 2 * 255).astype(np.uint8)
    (tmp_path / "a.png").write_bytes(encode_png(np.stack([board] * 3, axis=-1)))
    middle = load_picture(tmp_path / "a.png", 32).pixels[4:-4, 4:-4]
    assert abs(middle.astype(int) - 127.5).max() < 4


def test_a_smaller_picture_is_enlarged(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(np.full((5, 9, 3), 77, dtype=np.uint8)))
    found = load_picture(tmp_path / "a.png", 16)
    assert (found.pixels == 77).all()
    assert found.pixels.shape == (16, 16, 3)
    assert (found.width, found.height) == (9, 5)


def test_a_turned_photo_is_measured_upright(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif)
    found = load_picture(tmp_path / "a.jpg", 16)
    assert (found.width, found.height) == (20, 40)


@pytest.mark.parametrize("shared", [False, True])
def test_all_broken_pictures_are_named_at_once(
    shared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shared:
        share_at_once(monkeypatch)
    paths = write_noise(tmp_path, 12)
    paths[5].write_bytes(b"no picture")
    workers = 2 if shared else 1
    with pytest.raises(UnreadablePhoto, match=r"/005\.png cannot be read: not a picture\. Take it"):
        list(load_all(paths, 16, workers=workers))
    paths[9].unlink()
    given = 0
    with pytest.raises(UnreadablePhoto) as refused:
        for _ in load_all(paths, 16, workers=workers):
            given += 1
    assert given == 5, "and none after the first of them"
    words = "2 images in {} cannot be read: 005.png (not a picture), 009.png (No such file"
    assert words.format(tmp_path) in str(refused.value)
    with pytest.raises(UnreadablePhoto) as again:
        load_pictures(paths, 16)
    assert str(again.value) == str(refused.value)


def test_no_more_are_named_than_anybody_reads(tmp_path: Path) -> None:
    paths = [tmp_path / f"{index:02d}.png" for index in range(25)]
    with pytest.raises(UnreadablePhoto, match=r"19\.png \(No such .*\), and 5 more\. Take them"):
        list(load_all(paths, 16, workers=1))


def test_many_processes_give_what_one_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write_noise(tmp_path, 30, size=20)
    alone = list(load_all(paths, 16, workers=1))
    share_at_once(monkeypatch)
    monkeypatch.setattr(loading, "MOST_IN_CHUNK", 4)
    started: list[int] = []
    whole = loading._shared

    def count(paths: list[Path], size: int, **how: float) -> object:
        started.append(len(paths))
        return whole(paths, size, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(loading, "_shared", count)
    shared = list(load_all(paths, 16, workers=2))
    assert started == [29]
    assert len(shared) == 30
    assert all(same(one, other) for one, other in zip(alone, shared, strict=True))


def test_little_work_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("processes were started")

    monkeypatch.setattr(loading, "HERE_SECONDS", 0.0)
    monkeypatch.setattr(loading, "WORTH_SECONDS", 1e9)
    monkeypatch.setattr(loading, "_shared", fail)
    assert len(list(load_all(write_noise(tmp_path, 5), 16, workers=2))) == 5


def test_no_pictures_are_none() -> None:
    assert list(load_all([], 16)) == []


def test_it_may_be_ended_while_a_broken_folder_is_tried(tmp_path: Path) -> None:
    """After the first broken file none is given, but the rest is tried for a while."""
    paths = write_noise(tmp_path, 6)
    paths[1].write_bytes(b"")
    tried = []

    def tick(done: int) -> None:
        tried.append(done)
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(load_all(paths, 16, workers=1, tick=tick))
    assert tried == [1, 2, 3, 4]
