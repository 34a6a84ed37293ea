"""Archives that are as they should be, and archives made to do harm."""

import gzip
import io
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from catgan.core.errors import FetchRefused
from catgan.fetch.archive import entries
from tests.fetch.conftest import tar_of, zip_of

FILES = {"a.txt": b"one", "sub/b.txt": b"two" * 1000, "empty": b""}


def unpacked(path: Path, most: int = 10_000_000) -> dict[str, bytes]:
    return {str(entry.name): b"".join(entry.chunks()) for entry in entries(path, most=most)}


@pytest.mark.parametrize("kind", ["zip", "", "gz", "bz2", "xz"])
def test_what_is_in_an_archive(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "archive.bin"  # told by what it holds, not by its name
    if kind == "zip":
        path.write_bytes(zip_of(FILES))
    else:
        with tarfile.open(path, f"w:{kind}") as archive:  # type: ignore[call-overload]
            for name, data in FILES.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    assert unpacked(path) == FILES


@pytest.mark.parametrize(
    "name", ["../a", "a/../../b", "/etc/a", "C:\\a", "C:a", "..\\a", "\\\\server\\a", "a/.."]
)
@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_names_that_lead_outside(tmp_path: Path, name: str, pack: object) -> None:
    assert callable(pack)
    path = tmp_path / "archive"
    path.write_bytes(pack({name: b"x"}))
    with pytest.raises(FetchRefused, match="leads outside its folder"):
        unpacked(path)


def test_links_devices_and_litter_are_passed_over(tmp_path: Path) -> None:
    members = []
    for name, kind in (("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE),
                       ("device", tarfile.CHRTYPE), ("pipe", tarfile.FIFOTYPE),
                       ("folder", tarfile.DIRTYPE)):  # fmt: skip
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        members.append(info)
    litter = {"__MACOSX/a.jpg": b"x", ".hidden": b"x", "a/.DS_Store": b"x"}
    path = tmp_path / "archive"
    path.write_bytes(tar_of(FILES | litter, tuple(members)))
    assert unpacked(path) == FILES
    buffer = io.BytesIO(zip_of(FILES | litter))
    with zipfile.ZipFile(buffer, "a") as archive:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    path.write_bytes(buffer.getvalue())
    assert unpacked(path) == FILES


@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_a_bomb_is_counted_as_it_comes_out(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    path = tmp_path / "bomb"
    path.write_bytes(pack({"zeros": bytes(20_000_000)}))
    assert path.stat().st_size < 100_000
    with pytest.raises(FetchRefused, match="unpacks to more than the 5 MB allowed"):
        unpacked(path, most=5_000_000)


def test_a_zip_that_lies_about_its_size(tmp_path: Path) -> None:
    data = bytearray(zip_of({"zeros": bytes(20_000_000)}))
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        where = data.index(signature) + place
        data[where : where + 4] = struct.pack("<I", 10)
    path = tmp_path / "bomb"
    path.write_bytes(data)
    with pytest.raises(FetchRefused):
        unpacked(path, most=5_000_000)


def test_a_tar_header_that_would_fill_the_memory(tmp_path: Path) -> None:
    """A pax header is read in one piece, as long as it claims to be."""
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 300_000_000
    path = tmp_path / "bomb"
    with gzip.open(path, "wb", compresslevel=1) as out:
        out.write(info.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(300):
            out.write(bytes(1_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(FetchRefused):
            unpacked(path, most=1_000_000_000)
        assert tracemalloc.get_traced_memory()[1] < 80_000_000
    finally:
        tracemalloc.stop()


def test_a_sparse_file_is_passed_over(tmp_path: Path) -> None:
    info = tarfile.TarInfo("sparse")
    info.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[483:495] = b"77777777777\0"  # its real size: eight gigabytes of nothing
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header[:512]):06o}\0 ".encode()
    path = tmp_path / "sparse.tar"
    path.write_bytes(bytes(header) + bytes(1024))
    assert unpacked(path) == {}


def test_what_is_broken_or_locked(tmp_path: Path) -> None:
    path = tmp_path / "archive"
    whole, tar = zip_of(FILES), tar_of({"a": bytes(range(256)) * 400})
    flipped = bytearray(whole)
    flipped[whole.index(b"one") if b"one" in whole else 40] ^= 0xFF
    locked = bytearray(whole)
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(signature) + place] |= 1
    for data, words in (
        (b"", "not a whole ZIP or tar archive"),
        (b"<html>not found</html>", "not a whole ZIP or tar archive"),
        (whole[: len(whole) // 2], "not a whole ZIP or tar archive"),
        (bytes(flipped), "not a whole ZIP or tar archive"),
        (tar[: len(tar) // 2], "not a whole ZIP or tar archive"),
        (bytes(locked), "is encrypted"),
    ):
        path.write_bytes(data)
        with pytest.raises(FetchRefused, match=words):
            unpacked(path)
