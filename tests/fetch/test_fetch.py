"""`fetch` from end to end, from a server on this machine."""

import dataclasses
import hashlib
import shutil
from pathlib import Path

import pytest

from catgan.core.errors import BadSettings, BadUsage, FetchRefused, FolderRefused, NoPictures
from catgan.fetch import albums
from catgan.fetch.albums import OXFORD_PETS, Album, Packed
from catgan.fetch.config import FetchConfig
from catgan.fetch.pipeline import FetchProgress, fetch_photos, plan_fetch
from tests.fetch.conftest import Site, photo, tar_of, zip_of

CATS = {f"images/{name}.jpg": photo(seed) for seed, name in enumerate(("Bombay_1", "Sphynx_2"))}
DOGS = {"images/beagle_1.jpg": photo(10), "images/pug_3.jpg": photo(11)}
# name, breed, 1 for a cat and 2 for a dog, breed among those
TRAINVAL = "Bombay_1 8 1 4\nbeagle_1 5 2 4\n"
TEST = "Sphynx_2 34 1 12\npug_3 26 2 17\n"


def pets_at(site: Site) -> Album:
    """An album of the layout of the Oxford-IIIT pets, four photos large."""
    notes = {"images/Bombay_1.mat": b"MATLAB"}
    lists = {"annotations/trainval.txt": TRAINVAL.encode(), "annotations/test.txt": TEST.encode()}
    packed = {}
    for name, files in (("images", CATS | DOGS | notes), ("annotations", lists)):
        data = tar_of(files)
        site.files[f"{name}.tar.gz"] = data
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        packed[name] = Packed(url=site.url(f"{name}.tar.gz"), md5=md5)
    return dataclasses.replace(OXFORD_PETS, photos=packed["images"], labels=packed["annotations"])


@pytest.fixture
def pets(site: Site, monkeypatch: pytest.MonkeyPatch) -> Album:
    album = pets_at(site)
    monkeypatch.setitem(albums.ALBUMS, album.name, album)
    return album


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_cats_of_an_album(site: Site, pets: Album, tmp_path: Path) -> None:
    said: list[FetchProgress] = []
    raw = tmp_path / "raw"
    result = fetch_photos("oxford-pets", raw, progress=said.append)
    assert [path.name for path in raw.iterdir()] == ["oxford-pets"]
    found = files_in(raw / "oxford-pets")
    source = found.pop("SOURCE.md").decode()
    assert found == {name.removeprefix("images/"): data for name, data in CATS.items()}
    assert (result.photos, result.bytes) == (2, sum(map(len, CATS.values())))
    assert "ShareAlike 4.0" in source
    assert "parkhi12a" in source
    assert result.sha256 in source
    assert hashlib.sha256(site.files["images.tar.gz"]).hexdigest() == result.sha256
    assert str(tmp_path) not in source
    assert {one.doing.split()[0] for one in said} == {"fetching", "checking", "unpacking"}
    asked = len(site.asked)
    again = fetch_photos("oxford-pets", raw)
    assert (again.photos, again.plan.there, len(site.asked)) == (2, True, asked)


@pytest.mark.slow
def test_they_are_those_that_torchvision_takes_for_cats(
    site: Site, pets: Album, tmp_path: Path
) -> None:
    datasets = pytest.importorskip("torchvision.datasets")
    fetch_photos("oxford-pets", tmp_path / "raw")
    ours = {path.stem for path in (tmp_path / "raw" / "oxford-pets").glob("*.jpg")}
    root = tmp_path / "torchvision" / "oxford-iiit-pet"
    for name in ("images", "annotations"):
        archive = tmp_path / f"{name}.tar.gz"
        archive.write_bytes(site.files[archive.name])
        shutil.unpack_archive(archive, root, filter="data")
    theirs = set()
    for split in ("trainval", "test"):
        found = datasets.OxfordIIITPet(root.parent, split=split, target_types="binary-category")
        for path, kind in zip(found._images, found._bin_labels, strict=True):
            if found.bin_classes[kind] == "Cat":
                theirs.add(path.stem)
    assert ours == theirs


@pytest.mark.slow
def test_the_album_is_where_torchvision_has_it() -> None:
    datasets = pytest.importorskip("torchvision.datasets")
    ours = [(one.url, one.md5) for one in (OXFORD_PETS.photos, OXFORD_PETS.labels)]
    assert ours == [tuple(one) for one in datasets.OxfordIIITPet._RESOURCES]


def test_a_stopped_fetch_goes_on(site: Site, pets: Album, tmp_path: Path) -> None:
    class Stopped(BaseException):
        pass

    def stop(progress: FetchProgress) -> None:
        if progress.doing == "unpacking":
            raise Stopped

    raw = tmp_path / "raw"
    with pytest.raises(Stopped):
        fetch_photos("oxford-pets", raw, progress=stop)
    assert not (raw / "oxford-pets").exists()
    asked = len(site.asked)
    assert fetch_photos("oxford-pets", raw).photos == 2
    assert len(site.asked) == asked  # both archives had come whole
    assert [path.name for path in raw.iterdir()] == ["oxford-pets"]


def test_a_damaged_album_is_fetched_again(site: Site, pets: Album, tmp_path: Path) -> None:
    good = site.files["images.tar.gz"]
    site.files["images.tar.gz"] = good[:-1] + bytes([good[-1] ^ 1])
    with pytest.raises(FetchRefused, match="its checksum is not"):
        fetch_photos("oxford-pets", tmp_path / "raw")
    assert not (tmp_path / "raw" / "oxford-pets").exists()
    site.files["images.tar.gz"] = good
    assert fetch_photos("oxford-pets", tmp_path / "raw").photos == 2


ARCHIVE = {
    "cats/LICENSE.txt": b"Ask my cat.",
    "cats/notes.txt": b"not a photo",
    "cats/a.jpg": photo(1),
    "cats/A.JPG": photo(2),
    "cats/more/b.jpg": photo(3),
    "cats/fake.jpg": b"not a photo either",
    "cats/what?.jpg": photo(4),
    "cats/con.jpg": photo(5),
}


@pytest.mark.parametrize("pack", [zip_of, tar_of])
@pytest.mark.parametrize("local", [True, False])
def test_the_photos_of_an_archive(site: Site, tmp_path: Path, pack: object, local: bool) -> None:
    assert callable(pack)
    data = pack(ARCHIVE)
    name = "my cats.zip" if pack is zip_of else "my cats.tar.gz"
    site.files["my%20cats" + name.removeprefix("my cats")] = data
    (tmp_path / name).write_bytes(data)
    source = str(tmp_path / name) if local else site.url("my%20cats" + name[7:]) + "?key=secret"
    if not local:
        site.files["my%20cats" + name[7:] + "?key=secret"] = data
    digest = hashlib.sha256(data).hexdigest()
    result = fetch_photos(source, tmp_path / "raw", FetchConfig(sha256=digest.upper()))
    folder = tmp_path / "raw" / "my-cats"
    assert result.plan.folder == folder
    found = files_in(folder)
    about = found.pop("SOURCE.md").decode()
    assert digest in about
    assert "secret" not in about
    assert str(tmp_path) not in about
    assert found.pop("cats/LICENSE.txt") == b"Ask my cat."
    # two names that differ in case alone are two files on every system
    names = [name.casefold() for name in found]
    assert len(set(names)) == len(names) == 5
    assert sorted(found.values()) == sorted(photo(seed) for seed in (1, 2, 3, 4, 5))
    assert not [name for name in found if "?" in name]
    assert (result.photos, result.passed_over) == (5, 2)
    again = fetch_photos(source, tmp_path / "raw")
    assert (again.plan.there, again.photos) == (True, 5)


def test_nothing_is_left_of_what_is_refused(site: Site, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    files = {"a.jpg": photo(1), "../b.jpg": photo(2)}
    site.files["evil.zip"] = zip_of(files)
    with pytest.raises(FetchRefused, match="leads outside"):
        fetch_photos(site.url("evil.zip"), raw)
    site.files["half.zip"] = zip_of({"a.jpg": photo(1)})[:-30]
    with pytest.raises(FetchRefused, match="not a whole ZIP"):
        fetch_photos(site.url("half.zip"), raw)
    site.files["half.zip"] = zip_of({"a.jpg": photo(1)})  # it is asked for again
    assert fetch_photos(site.url("half.zip"), raw).photos == 1
    shutil.rmtree(raw / "half")
    site.files["text.zip"] = zip_of({"a.txt": b"x"})
    with pytest.raises(NoPictures, match="holds no photo"):
        fetch_photos(site.url("text.zip"), raw)
    site.files["cats.zip"] = zip_of({"a.jpg": photo(1)})
    with pytest.raises(FetchRefused, match="not the one asked for"):
        fetch_photos(site.url("cats.zip"), raw, FetchConfig(sha256="0" * 64))
    site.files["bomb.zip"] = zip_of({"a.jpg": photo(1) + bytes(30_000_000)})
    with pytest.raises(FetchRefused, match="unpacks to more than the 20 MB"):
        fetch_photos(site.url("bomb.zip"), raw, FetchConfig(max_gigabytes=0.02))
    assert not [path for path in raw.rglob("*.jpg") if ".fetch" not in str(path)]
    assert not [path for path in raw.iterdir() if not path.name.startswith(".")]
    assert not (tmp_path / "b.jpg").exists()
    assert fetch_photos(site.url("cats.zip"), raw).photos == 1


def test_a_folder_of_somebody_else_is_left_alone(site: Site, tmp_path: Path) -> None:
    site.files["cats.zip"] = zip_of({"a.jpg": photo(1)})
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "mine.jpg").write_bytes(b"mine")
    with pytest.raises(FolderRefused, match="exists already and does not come from"):
        fetch_photos(site.url("cats.zip"), tmp_path)
    assert files_in(tmp_path) == {"cats/mine.jpg": b"mine"}
    other = tmp_path / "other"
    fetch_photos(site.url("cats.zip"), other)
    site.files["new/cats.zip"] = zip_of({"b.jpg": photo(2)})
    with pytest.raises(FolderRefused, match="does not come from"):
        fetch_photos(site.url("new/cats.zip"), other)


def test_a_full_disk_is_noticed_before_it_is_full(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catgan.core.errors import DiskFull

    site.files["cats.zip"] = zip_of({"a.jpg": photo(1)}) + bytes(2_000_000)
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("catgan.fetch.pipeline.shutil.disk_usage", lambda _: usage)
    with pytest.raises(DiskFull, match="has no room for it"):
        fetch_photos(site.url("cats.zip"), tmp_path / "raw")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://h/cats.zip", "cats"),
        ("https://h/cats.tar.gz?x=1", "cats"),
        ("https://h/", "photos"),
        ("https://h/%2e%2e", "photos"),
        ("https://h/a/..%2f..%2fb.zip", "b"),
        ("https://h/.hidden.zip", "hidden"),
        ("https://h/download", "download"),
    ],
)
def test_the_folder_is_named_after_the_archive(tmp_path: Path, address: str, name: str) -> None:
    assert plan_fetch(address, tmp_path).folder == tmp_path / name


def test_what_cannot_be_asked_for(tmp_path: Path) -> None:
    for source in ("oxford-pet", "ftp://h/cats.zip", "file:///etc/passwd", str(tmp_path)):
        with pytest.raises(BadUsage, match="albums are: oxford-pets"):
            plan_fetch(source, tmp_path)
    for address in ("http://", "https://h:0/a", "http://h:port/a", "http://[/a", "https://h/a b"):
        with pytest.raises(BadUsage, match="is not a web address"):
            plan_fetch(address, tmp_path)
    for settings in ({"sha256": "12"}, {"max_gigabytes": 0.0}, {"max_gigabytes": float("nan")}):
        with pytest.raises(BadSettings):
            FetchConfig(**settings)
