"""A run's pictures: the same in memory and on disk, what was done to them, and what is refused."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
import torch

from catgan.core.errors import BadSettings, DiskFull, TooFewPictures, UnreadablePhoto
from catgan.core.files import sha256
from catgan.core.photos import read_photo
from catgan.core.pictures import Pictures, encode_png, resize_shorter_side
from catgan.formats.datasets import DataSet, open_dataset
from catgan.formats.datasets import held_out as split
from catgan.train import data as data_module
from catgan.train import memory
from catgan.train import pictures as pictures_module
from catgan.train import store as store_module
from catgan.train.config import TrainConfig
from catgan.train.data import check_data, load_data
from catgan.train.loop import train_gan
from catgan.train.memory import free_device_memory, free_memory
from catgan.train.pictures import TrainingPictures
from catgan.train.store import choose_storage, large_folder, open_store
from tests.train.conftest import MakeDataSet, draw_blob

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")
SMALL = TrainConfig(recipe="balanced", size=16, batch_size=4)

OnDisk = Callable[[], Path]


@pytest.fixture
def on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OnDisk:
    """Once called: no memory is left for pictures, and the folder returned takes the files."""

    def change() -> Path:
        folder = tmp_path / "large"
        folder.mkdir()
        monkeypatch.setattr(store_module, "ALWAYS", 0)
        monkeypatch.setattr(store_module, "SPARE", 0)
        monkeypatch.setattr(store_module, "free_memory", lambda: 0)
        monkeypatch.setenv("TMPDIR", str(folder))
        monkeypatch.setattr(tempfile, "tempdir", None)  # where it remembers the last answer
        return folder

    return change


def opened(folder: Path) -> DataSet:
    dataset = open_dataset(folder)
    assert dataset is not None
    return dataset


def plain(paths: list[Path]) -> Pictures:
    """Read by the shortest way there is."""
    return np.stack([read_photo(path.read_bytes()).pixels for path in paths])


class TestBatches:
    def test_are_the_pictures_from_minus_one_to_one(self, make_data_set: MakeDataSet) -> None:
        folder = make_data_set(12)
        data, pictures, _ = load_data(opened(folder), SMALL)
        assert np.array_equal(pictures, plain([folder / name for name in data.train]))
        batch = TrainingPictures(pictures, CPU).batch(torch.tensor([7, 0, 7]))
        wanted = pictures[[7, 0, 7]].transpose(0, 3, 1, 2).astype(np.float32) / np.float32(127.5)
        assert np.array_equal(batch.numpy(), wanted - 1)
        assert batch.is_contiguous()
        assert batch.dtype == torch.float32

    @pytest.mark.parametrize("size", [16, 32])
    def test_are_the_same_in_memory_and_on_disk(
        self, size: int, make_data_set: MakeDataSet, on_disk: OnDisk
    ) -> None:
        """To the last bit, in any order, in batches of any length, expected or not."""
        dataset = opened(make_data_set(23))
        config = TrainConfig(recipe="balanced", size=size, batch_size=4, held_out=3)
        ours, pictures, _ = load_data(dataset, config)
        in_memory = TrainingPictures(pictures, CPU)
        folder = on_disk()
        theirs, mapped, _ = load_data(dataset, config)
        expected, surprised = TrainingPictures(mapped, CPU), TrainingPictures(mapped, CPU)
        assert (in_memory.place, expected.place) == ("memory", "disk")
        assert ours.storage.folder is None
        assert theirs.storage.folder == folder
        assert ours.record == theirs.record
        random = torch.Generator().manual_seed(0)
        for length in (1, 3, 20):
            order = torch.randperm(20, generator=random)
            expected.expect(order)
            surprised.expect(order.flip(0)[:5])  # wrong, and too short
            for indices in torch.split(order, length):
                one = in_memory.batch(indices)
                assert torch.equal(one, expected.batch(indices))
                assert torch.equal(one, surprised.batch(indices))
                assert one.stride() == surprised.batch(indices).stride()

    def test_are_the_same_from_a_device(
        self, make_data_set: MakeDataSet, on_disk: OnDisk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The processor stands in for a graphics card with room, filled in several copies."""
        on_disk()
        _, mapped, _ = load_data(opened(make_data_set(11)), SMALL)
        away = TrainingPictures(mapped, CPU)
        monkeypatch.setattr(pictures_module, "free_device_memory", lambda _: 10**9)
        monkeypatch.setattr(pictures_module, "COPIED_AT_ONCE", 3 * mapped[0].nbytes)
        there = TrainingPictures(mapped, CPU)
        assert there.place == "device"
        indices = torch.randperm(11)
        assert torch.equal(there.batch(indices), away.batch(indices))
        monkeypatch.setattr(pictures_module, "free_device_memory", lambda _: mapped.nbytes)
        assert TrainingPictures(mapped, CPU).place == "disk"  # it would fill the device

    @pytest.mark.cuda
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA card")
    def test_are_the_same_on_a_graphics_card(
        self, make_data_set: MakeDataSet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        card = torch.device("cuda")
        _, pictures, _ = load_data(opened(make_data_set(11)), SMALL)
        there = TrainingPictures(pictures, card)
        monkeypatch.setattr(pictures_module, "free_device_memory", lambda _: 0)
        sent = TrainingPictures(pictures, card)
        assert (there.place, sent.place) == ("device", "memory")
        indices = torch.randperm(11)
        assert torch.equal(there.batch(indices), sent.batch(indices))

    def test_reading_is_begun_once_for_each_picture_ahead_of_its_batch(
        self, make_data_set: MakeDataSet, on_disk: OnDisk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        on_disk()
        _, mapped, _ = load_data(
            opened(make_data_set(30, size=64)), TrainConfig(recipe="balanced", size=64)
        )
        pictures = TrainingPictures(mapped, CPU)
        if pictures._map is None:
            pytest.skip("this system takes no advice on what will be read")
        begun: list[int] = []

        class Listener:
            def madvise(self, _: int, start: int, length: int) -> None:
                assert length >= mapped[0].nbytes
                begun.append((start + length) // mapped[0].nbytes - 1)

        monkeypatch.setattr(pictures_module, "AHEAD", 6)
        pictures._map = Listener()  # type: ignore[assignment]
        order = torch.randperm(30)
        pictures.expect(order)
        for given, indices in enumerate(torch.split(order, 4)):
            assert begun == order[: 4 * given + 6].tolist()
            pictures.batch(indices)
        assert begun == order.tolist()


class TestOnDisk:
    def test_a_whole_run_ends_with_the_same_weights(
        self, make_data_set: MakeDataSet, tmp_path: Path, on_disk: OnDisk
    ) -> None:
        data = make_data_set(13)
        config = TrainConfig(
            recipe="balanced", size=16, ngf=4, ndf=4, latent_dim=8, device="cpu", epochs=2
        )
        results = [train_gan(data, tmp_path / "memory", config)]
        folder = on_disk()
        results.append(train_gan(data, tmp_path / "disk", config))
        ours, theirs = (
            torch.load(result.run.last, weights_only=True)["discriminator"] for result in results
        )
        assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())
        assert list(folder.iterdir()) == []

    def test_a_picture_that_changed_is_seen(
        self, make_data_set: MakeDataSet, on_disk: OnDisk
    ) -> None:
        on_disk()
        folder = make_data_set(9)
        before, pictures, _ = load_data(opened(folder), SMALL)
        other = draw_blob(np.random.default_rng(99), 16)
        (folder / before.train[4]).write_bytes(encode_png(other))
        after, again, _ = load_data(opened(folder), SMALL)
        assert before.record.digest != after.record.digest
        assert np.array_equal(again[4], other)
        same = [index for index in range(9) if index != 4]
        assert np.array_equal(pictures[same], again[same])

    @pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to look into it")
    def test_killed_while_writing_it_leaves_nothing(
        self, make_data_set: MakeDataSet, on_disk: OnDisk
    ) -> None:
        dataset = make_data_set(20)
        folder = on_disk()
        script = """
import sys, time
from pathlib import Path
from catgan.formats.datasets import open_dataset
from catgan import TrainConfig
from catgan.train import data, store
store.ALWAYS = store.SPARE = 0
store.BUFFER = 512
store.free_memory = lambda: 0
whole = data.load_all
def half(paths, size, tick):
    for index, picture in enumerate(whole(paths, size, tick=tick)):
        if index == 10:
            print("half", flush=True)
            time.sleep(600)
        yield picture
data.load_all = half
data.load_data(open_dataset(Path(sys.argv[1])), TrainConfig(recipe="balanced", size=16))
"""
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(dataset)],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
        )
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"half\n"
            files = list(Path(f"/proc/{child.pid}/fd").iterdir())
            written = [file.stat().st_size for file in files if str(folder) in str(file.readlink())]
            assert len(written) == 1
            assert 0 < written[0] < 20 * 16 * 16 * 3  # it was in the middle of it
        finally:
            child.kill()
            child.communicate()
        assert list(folder.iterdir()) == []
        data, mapped, _ = load_data(opened(dataset), SMALL)
        assert np.array_equal(mapped, plain([dataset / name for name in data.train]))

    def test_a_broken_picture_leaves_nothing(
        self, make_data_set: MakeDataSet, on_disk: OnDisk
    ) -> None:
        dataset = make_data_set(20)
        folder = on_disk()
        (dataset / "blob-015.png").write_bytes(b"no picture")
        with pytest.raises(UnreadablePhoto, match=r"blob-015\.png cannot be read"):
            load_data(opened(dataset), SMALL)
        assert list(folder.iterdir()) == []

    def test_too_little_room_is_known_before_anything_is_read(
        self, make_data_set: MakeDataSet, on_disk: OnDisk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dataset = opened(make_data_set(10))
        folder = on_disk()
        monkeypatch.setattr(store_module, "SPARE", 10**18)
        monkeypatch.setattr(data_module, "load_all", None)
        with pytest.raises(DiskFull, match=r"10 images of 16 x 16 take .* set TMPDIR to a fold"):
            load_data(dataset, SMALL)
        with pytest.raises(DiskFull):
            check_data(dataset, SMALL)
        assert list(folder.iterdir()) == []

    def test_a_disk_that_fills_up_is_a_sentence(
        self, make_data_set: MakeDataSet, on_disk: OnDisk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dataset = opened(make_data_set(10))
        folder = on_disk()
        make = tempfile.TemporaryFile

        class Full:
            """A disk with room for three pictures."""

            def __init__(self, file: IO[bytes]) -> None:
                self.file = file

            def write(self, content: memoryview) -> None:
                if self.file.tell() >= 3 * 16 * 16 * 3:
                    raise OSError(errno.ENOSPC, "No space left on device")
                self.file.write(content)

            def __enter__(self) -> "Full":
                return self

            def __exit__(self, *_: object) -> None:
                self.file.close()

        made: list[Full] = []

        def make_full(**how: Any) -> Full:
            made.append(Full(make(**how)))
            return made[-1]

        monkeypatch.setattr(tempfile, "TemporaryFile", make_full)
        with pytest.raises(DiskFull, match=r"The disk is full: .*large could not be written"):
            load_data(dataset, SMALL)
        assert made[0].file.closed
        assert list(folder.iterdir()) == []

    def test_a_plan_writes_nothing_and_says_the_same(
        self, make_data_set: MakeDataSet, on_disk: OnDisk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dataset = opened(make_data_set(10))
        on_disk()
        data, _, _ = load_data(dataset, SMALL)
        monkeypatch.setattr(tempfile, "TemporaryFile", None)
        assert check_data(dataset, SMALL) == data


class TestMemory:
    @pytest.mark.parametrize("disk", [False, True])
    def test_pictures_are_in_it_once_or_not_at_all(
        self, disk: bool, make_data_set: MakeDataSet, on_disk: OnDisk
    ) -> None:
        """Peak of what Python and numpy hold, against the size of the data set: 2.9 MB.

        Once, and a fifth for file names and the picture being read; on disk half of it: what is
        written at once, 1 MB, and the same fifth.
        """
        dataset = opened(make_data_set(240, size=64))
        if disk:
            on_disk()
        config = TrainConfig(recipe="balanced", size=64, held_out=0)
        load_data(dataset, config)  # modules and caches
        tracemalloc.start()
        try:
            data, pictures, _ = load_data(dataset, config)
            batches = TrainingPictures(pictures, CPU)
            batches.batch(torch.arange(4))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert len(data.train) == 240
        assert peak < (0.6 if disk else 1.2) * pictures.nbytes

    @pytest.mark.parametrize(
        ("free", "processes", "in_memory"),
        [
            (10**10, 1, True), (10**10, 4, True), (10**10, 5, False), (2 * 10**9, 1, False),
            (0, 1, False),
        ],
    )  # fmt: skip
    def test_half_of_what_is_free_is_taken(
        self,
        free: int,
        processes: int,
        in_memory: bool,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """100,000 pictures of 64 x 64 are 1.2 GB; ranks of a machine share what it has."""
        monkeypatch.setattr(store_module, "free_memory", lambda: free)
        monkeypatch.setattr(store_module, "SPARE", 0)
        usage = type("Usage", (), {"free": 10**12})
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
        storage = choose_storage(100_000, 64, processes)
        assert storage.bytes == 100_000 * 64 * 64 * 3
        assert (storage.folder is None) == in_memory

    def test_a_small_data_set_is_always_in_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(store_module, "free_memory", lambda: 0)
        assert choose_storage(500, 64).folder is None

    def test_the_machine_has_some_and_the_processor_none_of_its_own(self) -> None:
        assert free_memory() > 10**7
        assert free_device_memory(CPU) == 0

    def test_a_container_limits_it(self, tmp_path: Path) -> None:
        """Both versions of control groups; a group's parent may leave less than the group."""
        inner = tmp_path / "box" / "inner"
        inner.mkdir(parents=True)
        (inner / "memory.max").write_text("max\n")
        (inner / "memory.current").write_text("5\n")
        (inner.parent / "memory.max").write_text("1000\n")
        (inner.parent / "memory.current").write_text("700\n")
        (inner.parent / "memory.stat").write_text("anon 1\ninactive_file 200\n")
        old = tmp_path / "memory" / "job"
        old.mkdir(parents=True)
        (old / "memory.limit_in_bytes").write_text("90\n")
        (old / "memory.usage_in_bytes").write_text("100\n")
        memberships = tmp_path / "cgroup"
        memberships.write_text("5:cpu,memory:/job\n4:cpuset:/job\n0::/box/inner\n")
        assert list(memory._free_of_groups(memberships, tmp_path)) == [0, 500]
        memberships.write_text("0::/../elsewhere\n")
        assert list(memory._free_of_groups(memberships, tmp_path)) == []
        assert list(memory._free_of_groups(tmp_path / "missing", tmp_path)) == []

    def test_tmpdir_names_the_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tempfile, "tempdir", None)
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        assert large_folder() == tmp_path

    def test_an_array_outlives_its_store(self, on_disk: OnDisk) -> None:
        on_disk()
        picture = draw_blob(np.random.default_rng(0), 16)
        with open_store(choose_storage(2, 16)) as store:
            store.add(picture)
            store.add(picture[:, ::-1])  # not contiguous
            pictures = store.pictures()
        assert np.array_equal(pictures, [picture, picture[:, ::-1]])


class TestSizes:
    def test_pictures_of_any_size_become_equal_and_are_counted(
        self, make_data_set: MakeDataSet
    ) -> None:
        folder = make_data_set(10)
        rng = np.random.default_rng(5)
        for name, height, width in (
            ("large", 40, 40), ("wide", 20, 33), ("narrow", 30, 12), ("small", 9, 9),
        ):  # fmt: skip
            picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
            (folder / f"{name}.png").write_bytes(encode_png(picture))
        data, pictures, _ = load_data(opened(folder), SMALL)
        record = data.record
        assert (record.resized, record.cut, record.enlarged, record.size) == (4, 2, 2, 9)
        for name, picture in zip(data.train, pictures, strict=True):
            pixels = read_photo((folder / name).read_bytes()).pixels
            if pixels.shape != (16, 16, 3):
                pixels = resize_shorter_side(pixels, 16)
            assert np.array_equal(picture, pixels), name

    def test_held_out_pictures_are_counted_too(self, make_data_set: MakeDataSet) -> None:
        dataset = opened(make_data_set(12))
        config = TrainConfig(recipe="balanced", size=16, held_out=2)
        _, out = split(dataset.files, 2)
        odd = draw_blob(np.random.default_rng(0), 18)
        (dataset.folder / out[0]).write_bytes(encode_png(odd))
        data, _, _ = load_data(dataset, config)
        assert (data.record.resized, data.record.cut, data.record.enlarged) == (1, 0, 0)

    def test_nothing_is_counted_where_nothing_was_done(self, make_data_set: MakeDataSet) -> None:
        data, _, _ = load_data(opened(make_data_set(10)), SMALL)
        record = data.record
        assert (record.resized, record.cut, record.enlarged, record.size) == (0, 0, 0, 16)


class TestHeldOut:
    def test_is_prepared_like_the_training_pictures(self, make_data_set: MakeDataSet) -> None:
        """The same folder, once all held in and once split: the same pictures by name."""
        dataset = opened(make_data_set(20, size=23))
        everything, pictures, _ = load_data(dataset, SMALL)
        by_name = dict(zip(everything.train, pictures, strict=True))
        config = TrainConfig(recipe="balanced", size=16, held_out=6)
        data, train, out = load_data(dataset, config)
        assert out.shape == (6, 16, 16, 3)
        assert np.array_equal(out, [by_name[name] for name in data.record.held_out])
        assert np.array_equal(train, [by_name[name] for name in data.train])

    def test_none_is_an_empty_array(self, make_data_set: MakeDataSet) -> None:
        assert load_data(opened(make_data_set(10)), SMALL)[2].shape == (0, 16, 16, 3)

    def test_of_very_many_those_of_a_smaller_share_are_read(
        self, make_data_set: MakeDataSet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(data_module, "MOST_HELD_OUT", 4)
        dataset = opened(make_data_set(20))
        many, few = (
            TrainConfig(recipe="balanced", size=16, held_out=9),
            TrainConfig(recipe="balanced", size=16, held_out=4),
        )
        assert len(load_data(dataset, many)[0].record.held_out) == 9
        assert np.array_equal(load_data(dataset, many)[2], load_data(dataset, few)[2])

    def test_a_broken_one_is_refused_at_once(self, make_data_set: MakeDataSet) -> None:
        dataset = opened(make_data_set(20))
        _, out = split(dataset.files, 3)
        (dataset.folder / out[1]).write_bytes(b"no picture")
        with pytest.raises(UnreadablePhoto, match=out[1]):
            load_data(dataset, TrainConfig(recipe="balanced", size=16, held_out=3))


class TestLoading:
    def test_the_digest_is_of_names_and_contents_alone(self, make_data_set: MakeDataSet) -> None:
        dataset = opened(make_data_set(10))
        lines = [f"{path.name} {sha256(path.read_bytes())}\n" for path in dataset.paths()]
        wanted = sha256("".join(lines).encode())
        for config in (SMALL, TrainConfig(recipe="balanced", size=32, held_out=2)):
            assert load_data(dataset, config)[0].record.digest == wanted
        (dataset.folder / "blob-000.png").rename(dataset.folder / "blob-999.png")
        assert load_data(opened(dataset.folder), SMALL)[0].record.digest != wanted

    def test_too_few_are_refused_before_any_is_read(
        self, make_data_set: MakeDataSet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dataset = opened(make_data_set(10))
        monkeypatch.setattr(data_module, "load_all", None)
        with pytest.raises(TooFewPictures, match="has 7 images to train on; at least 8"):
            load_data(dataset, TrainConfig(recipe="balanced", size=16, held_out=3))
        with pytest.raises(BadSettings, match="has only 10 images"):
            load_data(dataset, TrainConfig(recipe="balanced", size=16, held_out=10))

    def test_what_takes_long_is_reported_and_may_be_ended(
        self, make_data_set: MakeDataSet, on_disk: OnDisk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dataset = opened(make_data_set(10))
        folder = on_disk()
        said: list[tuple[int, int]] = []
        load_data(dataset, SMALL, report=lambda done, count: said.append((done, count)))
        assert said == []  # done at once
        monkeypatch.setattr(data_module, "QUIET_SECONDS", 0.0)
        monkeypatch.setattr(data_module, "REPORT_SECONDS", 0.0)
        load_data(dataset, SMALL, report=lambda done, count: said.append((done, count)))
        assert said == [(done, 10) for done in range(1, 11)]

        def stop(done: int, count: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            load_data(dataset, SMALL, report=stop)
        assert list(folder.iterdir()) == []
