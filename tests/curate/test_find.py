"""Photos are found by what is in them, at any depth, always in the same order."""

import os
from pathlib import Path

import pytest

from catgan.core.errors import NoSuchFolder, UnreadablePhoto
from catgan.core.names import printable
from catgan.curate import find
from catgan.curate.find import check_raw, find_photos
from catgan.formats.photos import PhotoRecord, find_photo
from tests.drawing import ALBUM, draw_photo, encode, write

JPEG = encode(draw_photo(40, 30))


def found(raw: Path) -> list[str]:
    return [photo.name for photo in find_photos(raw).photos]


def test_the_album(album: Path) -> None:
    assert found(album) == list(ALBUM)
    for photo in find_photos(album).photos:
        assert photo.path == album / photo.name
        assert photo.read() == photo.path.read_bytes()
        assert photo.bytes == photo.path.stat().st_size
        assert photo.modified == 10**18


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_by_content_whatever_it_is_called(tmp_path: Path, kind: str) -> None:
    data = encode(draw_photo(40, 30), kind)
    for name in ("IMG_0001", "export.dat", "cat.txt"):
        write(tmp_path / name, data)
    write(tmp_path / "cat.md", b"about the cat\n" * 20)
    assert found(tmp_path) == ["IMG_0001", "cat.txt", "export.dat"]


def test_what_is_called_a_photo_is_found_to_get_its_verdict(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.PNG", "c.heic", "d.Tiff"):
        write(tmp_path / name, b"")
    assert found(tmp_path) == ["a.jpg", "b.PNG", "c.heic", "d.Tiff"]


def test_the_order_is_that_of_the_paths(tmp_path: Path) -> None:
    names = ["B.jpg", "a b.jpg", "a-1.jpg", "a.jpg", "a/x.jpg", "a/y/z.jpg", "a0.jpg", "ä.jpg"]
    for name in reversed(names):
        write(tmp_path / name, JPEG)
    assert found(tmp_path) == sorted(names)


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    for name in (".a.jpg", "._b.jpg", ".trash/c.jpg", "shown/.deep/d.jpg", "shown/e.jpg"):
        write(tmp_path / name, JPEG)
    assert found(tmp_path) == ["shown/e.jpg"]


@pytest.mark.skipif(os.name == "nt", reason="links and pipes are rare there")
def test_links_and_what_is_no_file(tmp_path: Path) -> None:
    write(tmp_path / "raw" / "cat.jpg", JPEG)
    write(tmp_path / "elsewhere" / "other.jpg", JPEG)
    raw = tmp_path / "raw"
    (raw / "loop").symlink_to(raw)
    (raw / "folder.jpg").symlink_to(tmp_path / "elsewhere")
    (raw / "gone.jpg").symlink_to(raw / "nowhere.jpg")
    (raw / "link.jpg").symlink_to(tmp_path / "elsewhere" / "other.jpg")
    os.mkfifo(raw / "pipe.jpg")
    (raw / "empty folder.jpg").mkdir()
    assert found(raw) == ["cat.jpg", "link.jpg"]


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_name_that_is_no_unicode(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.jpg")
    try:
        write(path, JPEG)
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    (photo,) = find_photos(tmp_path).photos
    assert photo.name == "caf\\xe9.jpg"
    record = PhotoRecord(path=photo.name, sha256="", width=0, height=0, verdict="", reason="")
    assert find_photo(tmp_path, record) == path, "and back"
    assert photo.read() == JPEG


def test_printable_leaves_names_alone() -> None:
    assert printable("小鉄 (1) é.jpg") == "小鉄 (1) é.jpg"


def test_a_file_larger_than_any_photo_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "film.jpg", JPEG)
    (photo,) = find_photos(tmp_path).photos
    monkeypatch.setattr(find, "MAX_BYTES", len(JPEG))
    assert photo.read() == JPEG
    monkeypatch.setattr(find, "MAX_BYTES", len(JPEG) - 1)
    with pytest.raises(UnreadablePhoto, match="more than any photo"):
        photo.read()


def test_a_file_that_has_gone_says_so(tmp_path: Path) -> None:
    write(tmp_path / "cat.jpg", JPEG)
    (photo,) = find_photos(tmp_path).photos
    (tmp_path / "cat.jpg").unlink()
    with pytest.raises(UnreadablePhoto, match=r"cannot be opened \(No such file"):
        photo.read()


def test_check_raw(tmp_path: Path) -> None:
    check_raw(tmp_path)
    with pytest.raises(NoSuchFolder, match="does not exist"):
        check_raw(tmp_path / "nowhere")
    write(tmp_path / "cat.jpg", JPEG)
    with pytest.raises(NoSuchFolder, match="is a file, not a folder"):
        check_raw(tmp_path / "cat.jpg")


def test_folders_a_thousand_deep(tmp_path: Path) -> None:
    """More than Python's own stack holds; what lies deepest is found, or its folder is named."""
    deep = tmp_path / "raw"
    deep.mkdir()
    at = os.open(deep, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=at)
        inner = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)
    (deep / "a.jpg").write_bytes(b"x")
    try:
        found = find_photos(deep)
        assert [photo.name for photo in found.photos] == ["a.jpg"]
    finally:  # what removes old folders of tests would recurse as well
        while (deep / "d" / "d").exists():
            (deep / "d" / "d").rename(deep / "next")
            (deep / "d").rmdir()
            (deep / "next").rename(deep / "d")
