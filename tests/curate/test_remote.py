"""Photos at an address: in this process's memory, and in an object storage on this machine."""

import dataclasses
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

fsspec = pytest.importorskip("fsspec")

from catgan.core.errors import (  # noqa: E402
    BadUsage,
    FolderRefused,
    MissingPackage,
    NoPictures,
    NoSuchFolder,
    NotReached,
    UnreadablePhoto,
)
from catgan.core.remote import Remote, is_address, place_of  # noqa: E402
from catgan.curate.config import CurateConfig  # noqa: E402
from catgan.curate.copying import copy_curated  # noqa: E402
from catgan.curate.find import MAX_BYTES, PhotoFile, find_photos  # noqa: E402
from catgan.curate.pipeline import curate_photos, curate_shard, plan_curation  # noqa: E402
from catgan.formats.curated import read_note  # noqa: E402
from tests.drawing import EyeDetector, Head, draw_photo, encode, read_jsonl, tree  # noqa: E402

HERE = CurateConfig(workers=1)


def upload(folder: Path, system: Any, base: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            system.pipe(f"{base}/{path.relative_to(folder).as_posix()}", path.read_bytes())


def comparable(curated: Path) -> dict[str, object]:
    """All but what says where the photos lie, and when and as what they were stored."""
    found: dict[str, object] = dict(tree(curated))
    note = read_note(curated)
    assert note is not None
    found["catgan.json"] = (note.settings, note.counts, note.data_sets, note.finished)
    for name in found:
        if name.startswith(".findings-"):
            stored = {"modified", "probe"}
            found[name] = [
                {key: line[key] for key in line if key not in stored}
                for line in read_jsonl(curated / name)
            ]
    return found


@pytest.fixture
def memory(album: Path) -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    upload(album, system, "/cats")
    yield system
    system.rm("/", recursive=True)


@pytest.fixture(scope="module")
def local(album: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    curated = tmp_path_factory.mktemp("local") / "curated"
    curate_photos(album, curated, HERE, make_detector=EyeDetector())
    return curated


class TestPlaces:
    def test_what_is_an_address(self) -> None:
        for address in ("s3://b/c", "memory://x", "zip://::s3://b/a.zip", "hf://datasets/x/y"):
            assert is_address(address)
        for path in (
            "raw",
            "/raw",
            "./a://b",
            "C:\\photos",
            "spain::2020",
            "spain::a/raw",
            Path("s3://b"),
        ):
            assert not is_address(path)
        assert place_of("file:///raw") == Path("/raw")
        assert place_of("raw/") == Path("raw")

    def test_the_address_of_a_folder_on_windows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert place_of("file:///C:/photos") == Path("/C:/photos")
        monkeypatch.setattr("catgan.core.remote.WINDOWS", True)
        assert place_of("file:///C:/photos") == Path("C:/photos")
        assert place_of("file:///photos") == Path("/photos")

    def test_data_sets_need_a_folder(
        self, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not one that is called like the address, which a path would be."""
        monkeypatch.chdir(tmp_path)
        calls = (
            lambda: curate_photos(album, "s3://bucket/cats", HERE, make_detector=EyeDetector()),
            lambda: curate_shard(album, "s3://bucket/cats", "1/2", HERE),
            lambda: plan_curation(album, "s3://bucket/cats", HERE),
            lambda: copy_curated("s3://bucket/cats", "memory://copy"),
        )
        for call in calls:
            with pytest.raises(BadUsage, match="s3://bucket/cats is an address"):
                call()
        assert not list(tmp_path.iterdir())

    def test_a_password_is_not_shown(self) -> None:
        assert str(Remote(root="sftp://me:secret@host/cats")) == "sftp://host/cats"

    def test_nobody_knows_it(self, tmp_path: Path) -> None:
        with pytest.raises(BadUsage, match="is not an address that fsspec knows"):
            curate_photos("nonsense://x", tmp_path / "c", HERE, make_detector=EyeDetector())

    def test_a_package_is_missing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "gcsfs", None)
        with pytest.raises(MissingPackage, match="pip install gcsfs"):
            curate_photos("gs://x/y", tmp_path / "c", HERE, make_detector=EyeDetector())


class TestMemory:
    def test_the_same_as_from_a_folder(self, memory: Any, local: Path, tmp_path: Path) -> None:
        curate_photos("memory://cats", tmp_path / "c", make_detector=EyeDetector())
        assert comparable(tmp_path / "c") == comparable(local)

    def test_finds_what_a_folder_has(self, memory: Any, album: Path) -> None:
        there, here = find_photos(Remote(root="memory://cats")), find_photos(album)
        assert [photo.name for photo in there.photos] == [photo.name for photo in here.photos]
        assert [photo.bytes for photo in there.photos] == [photo.bytes for photo in here.photos]
        assert there.unused == here.unused

    def test_again_only_what_is_new_or_has_changed(self, memory: Any, tmp_path: Path) -> None:
        def fresh() -> int:
            return curate_photos("memory://cats", tmp_path / "c", make_detector=EyeDetector()).fresh

        assert fresh() == 19
        assert fresh() == 0
        photo = encode(draw_photo(160, 120, Head(cx=80, cy=60, w=64), seed=77))
        memory.pipe("/cats/new.jpg", photo)
        memory.pipe("/cats/two.jpg", photo[:-1] + b"\0")
        assert fresh() == 2
        memory.rm("/cats/new.jpg")
        result = curate_photos("memory://cats", tmp_path / "c", make_detector=EyeDetector())
        assert (result.fresh, result.gone) == (0, 1)

    def test_new_photos_are_read_once(
        self, memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not once more to see whether a known photo has moved, which another size rules out."""
        for name in memory.find("/cats"):
            if not name.endswith("two.jpg"):
                memory.rm(name)
        assert (
            curate_photos("memory://cats", tmp_path / "c", make_detector=EyeDetector()).fresh == 1
        )
        for seed in range(3):
            photo = encode(draw_photo(160, 120, Head(cx=80, cy=60, w=64), seed=seed))
            memory.pipe(f"/cats/new{seed}.jpg", photo)
        asked: Counter[str] = Counter()
        real = type(memory).cat_file

        def count(own: Any, path: str, *rest: Any, **more: Any) -> bytes:
            asked[path.rpartition("/")[2]] += 1
            return bytes(real(own, path, *rest, **more))

        monkeypatch.setattr(type(memory), "cat_file", count)
        assert (
            curate_photos("memory://cats", tmp_path / "c", make_detector=EyeDetector()).fresh == 3
        )
        # what it is, and all of it
        assert {name: n for name, n in asked.items() if "new" in name} == {
            f"new{seed}.jpg": 2 for seed in range(3)
        }

    def test_what_is_larger_than_any_photo_is_not_fetched(self, memory: Any) -> None:
        (file,) = [one for one in Remote(root="memory://cats").files() if one.name == "two.jpg"]
        place = dataclasses.replace(file.place, size=MAX_BYTES + 1)
        photo = PhotoFile(path=place, name="two.jpg", bytes=MAX_BYTES + 1, modified=1)
        for fetch in (photo.read, photo.digest):
            with pytest.raises(UnreadablePhoto, match="more than any photo"):
                fetch()

    def test_in_parts(self, memory: Any, local: Path, tmp_path: Path) -> None:
        for number in (1, 2):
            curate_shard(
                "memory://cats", tmp_path / "c", f"{number}/2", make_detector=EyeDetector()
            )
        curate_photos("memory://cats", tmp_path / "c", make_detector=EyeDetector(), merge=True)
        assert comparable(tmp_path / "c") == comparable(local)

    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises((NoPictures, NoSuchFolder), match="memory://none"):
            curate_photos("memory://none", tmp_path / "c", make_detector=EyeDetector())
        assert not (tmp_path / "c").exists()

    def test_a_file_is_no_folder(self, memory: Any, tmp_path: Path) -> None:
        with pytest.raises(NoSuchFolder, match="it is a file"):
            curate_photos("memory://cats/two.jpg", tmp_path / "c", make_detector=EyeDetector())

    def test_no_cluster_sees_it(self, memory: Any, tmp_path: Path) -> None:
        config = CurateConfig(scheduler="tcp://127.0.0.1:1")
        with pytest.raises(BadUsage, match="in this process alone"):
            curate_photos("memory://cats", tmp_path / "c", config, make_detector=EyeDetector())

    def test_a_photo_that_cannot_be_opened_is_a_verdict(
        self, memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = type(memory).cat_file

        def refuse(own: Any, path: str, *rest: Any, **more: Any) -> bytes:
            if path.endswith("two.jpg"):
                raise PermissionError("denied")
            return bytes(real(own, path, *rest, **more))

        monkeypatch.setattr(type(memory), "cat_file", refuse)
        result = curate_photos("memory://cats", tmp_path / "c", make_detector=EyeDetector())
        assert result.unreadable["the file cannot be opened (Permission denied)"] == 1

    @pytest.mark.parametrize("answers", [True, False])
    def test_a_storage_that_fails(
        self, memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: bool
    ) -> None:
        """One file that cannot be had is a verdict, a storage that is away a sentence."""
        real, info = type(memory).cat_file, type(memory).info
        monkeypatch.setattr("catgan.core.remote.PAUSES", (0, 0))

        def fail(own: Any, path: str, *rest: Any, **more: Any) -> bytes:
            if path.endswith("two.jpg"):
                raise RuntimeError("connection reset")
            return bytes(real(own, path, *rest, **more))

        monkeypatch.setattr(type(memory), "cat_file", fail)
        if not answers:

            def away(*_: Any, **__: Any) -> None:
                raise RuntimeError("no route")

            monkeypatch.setattr(type(memory), "info", away)
            with pytest.raises(NotReached, match="cannot be reached \\(connection reset\\)"):
                curate_photos("memory://cats", tmp_path / "c", make_detector=EyeDetector())
            monkeypatch.setattr(type(memory), "info", info)
            monkeypatch.setattr(type(memory), "cat_file", real)
            again = curate_photos("memory://cats", tmp_path / "c", make_detector=EyeDetector())
            assert again.photos == 19
            return
        result = curate_photos("memory://cats", tmp_path / "c", make_detector=EyeDetector())
        assert result.unreadable["the file cannot be opened (connection reset)"] == 1

    def test_a_video_is_watched_as_from_a_folder(self, memory: Any, tmp_path: Path) -> None:
        """And it comes from a temporary folder, where nothing of it stays."""
        pytest.importorskip("av")
        from tests.curate.test_clips import film, walk

        (tmp_path / "raw").mkdir()
        film(tmp_path / "raw" / "walk.mkv", walk(30))
        upload(tmp_path / "raw", memory, "/films")
        curate_photos("memory://films", tmp_path / "c", make_detector=EyeDetector())
        curate_photos(tmp_path / "raw", tmp_path / "d", HERE, make_detector=EyeDetector())
        assert comparable(tmp_path / "c") == comparable(tmp_path / "d")
        assert not list(Path(tempfile.gettempdir()).glob("catgan-*/*.mkv"))


class TestCopy:
    def test_takes_all_of_it_and_then_what_has_changed(
        self, memory: Any, local: Path, tmp_path: Path
    ) -> None:
        curated = tmp_path / "c"
        shutil.copytree(local, curated)
        files = {
            path.relative_to(curated).as_posix(): path
            for path in curated.rglob("*")
            if path.is_file() and path.name != ".lock"
        }
        first = copy_curated(curated, "memory://copy/of")
        assert (first.sent, first.kept, first.removed) == (len(files), 0, 0)
        stored = {
            path.removeprefix("/copy/of/"): memory.cat(path) for path in memory.find("/copy/of")
        }
        del stored[".catgan-copy.jsonl"]
        assert stored == {name: path.read_bytes() for name, path in files.items()}
        again = copy_curated(curated, "memory://copy/of")
        assert (again.sent, again.kept, again.removed) == (0, len(files), 0)
        sheet = curated / "contact-face-crop.jpg"
        data = bytearray(sheet.read_bytes())
        data[-1] ^= 1  # of the same size
        sheet.write_bytes(bytes(data))
        (curated / "photos.jsonl").unlink()
        changed = copy_curated(curated, "memory://copy/of")
        assert (changed.sent, changed.removed) == (1, 1)
        assert memory.cat("/copy/of/contact-face-crop.jpg") == bytes(data)
        assert not memory.exists("/copy/of/photos.jsonl")

    def test_interrupted_it_carries_on(
        self, memory: Any, local: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("catgan.curate.copying.BATCH", 3)
        monkeypatch.setattr("catgan.curate.copying.NOTED", 6)

        def stop(done: int, total: int) -> None:
            if done >= 12:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            copy_curated(local, "memory://copy", progress=stop)
        assert not memory.exists("/copy/catgan.json"), "it comes last"
        result = copy_curated(local, "memory://copy")
        assert result.kept == 12
        assert memory.exists("/copy/catgan.json")

    def test_what_did_not_arrive_whole_is_said(
        self, memory: Any, local: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = type(memory).pipe

        def cut(own: Any, files: Any, *rest: Any, **more: Any) -> None:
            cut_short = {n: d[:-1] if "photos.jsonl" in n else d for n, d in files.items()}
            real(own, cut_short, *rest, **more)

        monkeypatch.setattr(type(memory), "pipe", cut)
        with pytest.raises(NotReached, match=r"1 file at memory://copy, such as photos\.jsonl"):
            copy_curated(local, "memory://copy")
        monkeypatch.undo()
        assert copy_curated(local, "memory://copy").sent == 2  # and catgan.json

    def test_a_folder_that_was_fetched_from_there(
        self, memory: Any, local: Path, tmp_path: Path
    ) -> None:
        """With the list of what lies there, which is no file of the curated folder."""
        curated = tmp_path / "c"
        shutil.copytree(local, curated)
        copy_curated(curated, "memory://copy")
        (curated / ".catgan-copy.jsonl").write_bytes(memory.cat("/copy/.catgan-copy.jsonl")[:50])
        again = copy_curated(curated, "memory://copy")
        assert (again.sent, again.removed) == (0, 0)
        assert copy_curated(curated, "memory://other").sent == again.kept
        assert copy_curated(curated, "memory://other").sent == 0

    def test_what_is_written_down_on_the_way_stays_small(
        self, memory: Any, local: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Beside the files: of a million of them the list has 100 MB."""
        monkeypatch.setattr("catgan.curate.copying.BATCH", 1)
        monkeypatch.setattr("catgan.curate.copying.NOTED", 1)
        real = type(memory).pipe
        lists: list[int] = []

        def count(own: Any, files: Any, *rest: Any, **more: Any) -> None:
            lists.extend(len(data) for name, data in files.items() if ".catgan-copy" in name)
            real(own, files, *rest, **more)

        monkeypatch.setattr(type(memory), "pipe", count)
        copy_curated(local, "memory://copy")
        assert len(lists) > 5, "what was sent before a stop is known"
        assert sum(lists) < 12 * lists[-1]

    def test_others_files_are_left_alone(self, memory: Any, local: Path) -> None:
        with pytest.raises(FolderRefused, match="holds other files"):
            copy_curated(local, "memory://cats")

    def test_what_is_not_finished(self, memory: Any, local: Path, tmp_path: Path) -> None:
        shutil.copytree(local, tmp_path / "c")
        note = json.loads((tmp_path / "c" / "catgan.json").read_text())
        (tmp_path / "c" / "catgan.json").write_text(json.dumps(note | {"finished": False}))
        with pytest.raises(FolderRefused, match="half made"):
            copy_curated(tmp_path / "c", "memory://copy")

    def test_a_folder_is_no_address(self, local: Path, tmp_path: Path) -> None:
        with pytest.raises(BadUsage, match="it takes an address"):
            copy_curated(local, str(tmp_path / "copy"))


@pytest.fixture(scope="module")
def storage(album: Path) -> Iterator[Any]:
    """An object storage on this machine, with the drawn album in it."""
    pytest.importorskip("moto.server")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "cat",
        "AWS_SECRET_ACCESS_KEY": "cat",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        system = fsspec.filesystem("s3", skip_instance_cache=True)
        system.mkdir("cats")
        upload(album, system, "cats/album")
        yield system
    finally:
        os.environ.clear()
        os.environ.update(before)
        server.stop()


@pytest.mark.slow
class TestObjectStorage:
    def test_two_processes_make_the_same_as_from_a_folder(
        self, storage: Any, local: Path, tmp_path: Path
    ) -> None:
        config = CurateConfig(workers=2)
        curated = tmp_path / "c"
        curate_photos("s3://cats/album", curated, config, make_detector=EyeDetector())
        assert comparable(curated) == comparable(local)
        note = read_note(curated)
        assert note is not None and note.raw == "s3://cats/album"
        again = curate_photos("s3://cats/album", curated, config, make_detector=EyeDetector())
        assert again.fresh == 0

    def test_known_by_its_tag_nothing_is_read_again(
        self, storage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        curate_photos("s3://cats/album", tmp_path / "c", HERE, make_detector=EyeDetector())
        from catgan.core.remote import RemoteReader

        asked = []
        real = RemoteReader.read

        def count(own: RemoteReader, most: int = -1) -> bytes:
            asked.append(own)
            return real(own, most)

        monkeypatch.setattr(RemoteReader, "read", count)
        again = curate_photos("s3://cats/album", tmp_path / "c", HERE, make_detector=EyeDetector())
        # what is not called a photo is looked into, and what could not be read is tried again
        unreadable = sum(again.unreadable.values())
        assert again.fresh == 0
        assert len(asked) <= 3 * unreadable + 3

    def test_taken_up_and_back(self, storage: Any, local: Path, tmp_path: Path) -> None:
        result = copy_curated(local, "s3://cats/curated")
        assert copy_curated(local, "s3://cats/curated").sent == 0
        storage.get("cats/curated", str(tmp_path / "back"), recursive=True)
        names = {path.relative_to(local) for path in local.rglob("*") if path.is_file()}
        assert result.sent == len(names) - 1  # .lock
        for name in names - {Path(".lock")}:
            assert (tmp_path / "back" / name).read_bytes() == (local / name).read_bytes()

    def test_no_such_bucket(self, storage: Any, tmp_path: Path) -> None:
        with pytest.raises(NoSuchFolder, match="s3://nowhere/x cannot be listed"):
            curate_photos("s3://nowhere/x", tmp_path / "c", HERE, make_detector=EyeDetector())
        with pytest.raises(NoPictures, match="no photos in s3://cats/empty"):
            curate_photos("s3://cats/empty", tmp_path / "c", HERE, make_detector=EyeDetector())
