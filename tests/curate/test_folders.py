"""Folders that people really have: shares that drop, systems' own folders, files of no use here."""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from catgan.core.errors import NoPictures, NoSuchFolder
from catgan.core.photos import Photo
from catgan.curate.config import CurateConfig
from catgan.curate.find import PROBED, find_photos, probe_of
from catgan.curate.pipeline import CurateResult, curate_photos, plan_curation
from catgan.curate.square import Square
from catgan.curate.unused import Unused, reasons, sentences
from catgan.formats.curated import read_note
from catgan.formats.photos import read_photos
from tests.drawing import EyeDetector, Head, draw_photo, encode, encode_turned, tree, write

HERE = CurateConfig(workers=1)


def curate(raw: Path, curated: Path) -> CurateResult:
    return curate_photos(raw, curated, HERE, make_detector=EyeDetector())


def cat(seed: int) -> bytes:
    head = Head(cx=90 + 9 * seed, cy=100, w=100 - 5 * seed, roll=12 * seed)
    return encode(draw_photo(240, 200, head, seed=seed))


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    for index, name in enumerate(("a.jpg", "share/b.jpg", "share/deep/c.jpg", "z.jpg")):
        write(tmp_path / "raw" / name, cat(index))
    return tmp_path / "raw"


class Broken:
    """Makes listing fail for folders of one name, as a share that has dropped does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self._scandir = os.scandir

    def for_folder(self, name: str) -> None:
        def scandir(path: Any = ".") -> Any:
            if Path(path).name == name:
                raise OSError(112, "Host is down", str(path))
            return self._scandir(path)

        self._patch.setattr(os, "scandir", scandir)

    def mend(self) -> None:
        self._patch.setattr(os, "scandir", self._scandir)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broken]:
    share = Broken(monkeypatch)
    yield share
    share.mend()


class TestAFolderThatCannotBeListed:
    def test_takes_nothing_along(self, raw: Path, tmp_path: Path, broken: Broken) -> None:
        curate(raw, tmp_path / "c")
        before = tree(tmp_path / "c")
        for _ in range(2):
            broken.for_folder("share")
            result = curate(raw, tmp_path / "c")
            broken.mend()
            assert [(one.name, one.why) for one in result.unlisted] == [("share/", "Host is down")]
            assert (result.photos, result.fresh, result.gone) == (4, 0, 0)
            assert tree(tmp_path / "c") == before
        note = read_note(tmp_path / "c")
        assert note is not None
        assert note.finished

    def test_the_rest_is_done(self, raw: Path, tmp_path: Path, broken: Broken) -> None:
        curate(raw, tmp_path / "c")
        (raw / "a.jpg").unlink()
        write(raw / "new.jpg", cat(9))
        broken.for_folder("deep")
        result = curate(raw, tmp_path / "c")
        assert (result.photos, result.fresh, result.gone) == (4, 1, 1)
        paths = [record.path for record in read_photos(tmp_path / "c")]
        assert paths == ["new.jpg", "share/b.jpg", "share/deep/c.jpg", "z.jpg"]
        broken.mend()
        curate(raw, tmp_path / "c")
        curate(raw, tmp_path / "as new")
        assert tree(tmp_path / "c") == tree(tmp_path / "as new")

    def test_at_first_only_named(self, raw: Path, tmp_path: Path, broken: Broken) -> None:
        broken.for_folder("share")
        result = curate(raw, tmp_path / "c")
        assert (result.photos, len(result.unlisted)) == (2, 1)
        assert plan_curation(raw, tmp_path / "c", HERE).unlisted == result.unlisted
        broken.mend()
        assert curate(raw, tmp_path / "c").fresh == 2

    def test_nor_does_the_whole_of_it(self, raw: Path, tmp_path: Path, broken: Broken) -> None:
        curate(raw, tmp_path / "c")
        before = tree(tmp_path / "c")
        broken.for_folder("raw")
        with pytest.raises(NoSuchFolder, match="cannot be listed"):
            curate(raw, tmp_path / "c")
        assert tree(tmp_path / "c") == before

    def test_nor_files_that_cannot_be_asked_about(
        self, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        curate(raw, tmp_path / "c")
        before = tree(tmp_path / "c")
        stat = Path.stat

        def fail(path: Path, **how: Any) -> os.stat_result:
            if path.name == "b.jpg":
                raise OSError(116, "Stale file handle", str(path))
            return stat(path, **how)

        monkeypatch.setattr(Path, "stat", fail)
        result = curate(raw, tmp_path / "c")
        monkeypatch.setattr(Path, "stat", stat)
        assert (result.photos, result.fresh) == (4, 0)
        assert tree(tmp_path / "c") == before


class TestOtherBytes:
    """Of the same size and time: programs that turn a photo by its tag keep both."""

    def test_are_looked_at_again(self, tmp_path: Path) -> None:
        upright = draw_photo(200, 240, Head(cx=100, cy=120, w=90), seed=3)
        as_stored = encode_turned(upright, 6)
        lying = as_stored.replace(b"\x12\x01\x03\0\1\0\0\0\x06", b"\x12\x01\x03\0\1\0\0\0\x01")
        if lying == as_stored:  # the other byte order
            lying = as_stored.replace(b"\x01\x12\0\3\0\0\0\1\0\6", b"\x01\x12\0\3\0\0\0\1\0\1")
        assert lying != as_stored
        assert len(lying) == len(as_stored)
        write(tmp_path / "raw" / "a.jpg", lying)
        write(tmp_path / "raw" / "b.jpg", cat(1))
        curate(tmp_path / "raw", tmp_path / "c")
        write(tmp_path / "raw" / "a.jpg", as_stored)  # with the same time
        result = curate(tmp_path / "raw", tmp_path / "c")
        assert result.fresh == 1
        sizes = {record.path: record.width for record in read_photos(tmp_path / "c")}
        assert sizes["a.jpg"] == 200
        curate(tmp_path / "raw", tmp_path / "as new")
        assert tree(tmp_path / "c") == tree(tmp_path / "as new")

    def test_a_probe_reads_both_ends(self, tmp_path: Path) -> None:
        data = bytes(range(256)) * 1000
        for place in (0, PROBED - 1, len(data) - PROBED, len(data) - 1):
            changed = data[:place] + b"!" + data[place + 1 :]
            assert probe_of(changed) != probe_of(data), place
        for size in (0, 1, PROBED, PROBED + 1, 2 * PROBED, len(data)):
            write(tmp_path / "a.jpg", data[:size])
            (photo,) = find_photos(tmp_path).photos
            assert photo.probe() == probe_of(data[:size])


class TestNotUsed:
    def test_is_counted_by_kind(self, raw: Path, tmp_path: Path) -> None:
        write(raw / ".IMG_1.HEIC.icloud", b"bplist00")
        write(raw / "deep" / ".IMG_2.JPG.icloud", b"bplist00")
        write(raw / "new.jxl", b"\xff\x0a" + bytes(30))
        write(raw / "renamed", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(30))
        write(raw / "scan.jp2", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(30))
        write(raw / "notes.txt", b"about the cat\n" * 9)
        (raw / "elsewhere").symlink_to(tmp_path)
        (raw / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
        for name in (
            "@eaDir", "#recycle", "@Recycle", "$RECYCLE.BIN", ".Trash-1000", "lost+found",
            ".thumbnails", "__MACOSX", "deep/@eaDir",
        ):  # fmt: skip
            write(raw / name / "thumbnail.jpg", cat(5))
        found = find_photos(raw)
        assert [photo.name for photo in found.photos] == [
            "a.jpg", "share/b.jpg", "share/deep/c.jpg", "z.jpg"
        ]  # fmt: skip
        assert found.unused == {
            Unused.ICLOUD: 2,
            Unused.JPEG_XL: 2,
            Unused.JPEG_2000: 1,
            Unused.LINKED_FOLDER: 1,
            Unused.DEAD_LINK: 1,
            Unused.SYSTEM_FOLDER: 9,
        }
        assert curate(raw, tmp_path / "c").unused == found.unused

    def test_a_line_each_and_none_for_nothing(self) -> None:
        assert sentences({}) == []
        for kind in Unused:
            (one,), (many,) = sentences({kind: 1}), sentences({kind: 1200})
            assert one.startswith("Not used: 1 ")
            assert many.startswith("Not used: 1,200 ")
            assert one.endswith(".")
        assert "Finder" in sentences({Unused.ICLOUD: 2})[0]

    def test_where_there_is_no_photo_it_says_what_there_is(self, tmp_path: Path) -> None:
        write(tmp_path / "raw" / ".IMG_1.HEIC.icloud", b"bplist00")
        with pytest.raises(NoPictures, match="1 photo is still in iCloud"):
            curate(tmp_path / "raw", tmp_path / "c")
        assert not (tmp_path / "c").exists()

    def test_reasons(self) -> None:
        whys = {"a": 1, "b": 3, "c": 2, "d": 1}
        assert reasons(whys) == "b (3 files), c (2 files), a (1 file), ..."
        assert reasons({"a": 2}) == "a (2 files)"


class Endless(EyeDetector):
    """Never comes back from a photo of one width, as a decoder may not."""

    __slots__ = ()

    def find(self, photo: Photo) -> Sequence[Square]:
        if photo.width == 330:
            # a C function that keeps Python waiting would do the same, only hotter
            time.sleep(600)
        return super().find(photo)


def test_a_photo_that_takes_for_ever_is_given_up_and_tried_again(raw: Path, tmp_path: Path) -> None:
    write(raw / "endless.jpg", encode(draw_photo(330, 240, Head(cx=100, cy=130, w=84), seed=8)))
    config = CurateConfig(workers=2, photo_seconds=2)
    result = curate_photos(raw, tmp_path / "c", config, make_detector=Endless())
    record = next(one for one in read_photos(tmp_path / "c") if one.path == "endless.jpg")
    assert record.verdict == "unreadable"
    assert "more than 2 s" in record.reason
    assert result.counts["kept"] == 4
    again = curate(raw, tmp_path / "c")
    assert (again.fresh, again.counts["kept"]) == (1, 5), "nor do the seconds look at all again"
