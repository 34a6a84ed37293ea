"""`--scheduler`: a real scheduler and real workers on this machine, and what may happen to them."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

pytest.importorskip("distributed")

from benchmarks.soak import cluster
from benchmarks.soak.machines import Machines, children_of
from catgan.core.errors import DiskFull, NotReached, WorkerUnfit
from catgan.core.photos import Photo
from catgan.curate import site
from catgan.curate.config import CurateConfig
from catgan.curate.looking import CurateProgress
from catgan.curate.pipeline import CurateResult, curate_photos
from catgan.curate.square import Square
from tests.drawing import EyeDetector, Head, draw_photo, encode, read_jsonl, tree, write

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc to look for processes"),
]


@dataclasses.dataclass(frozen=True)
class Deadly(EyeDetector):
    """Ends a process at a photo that is 330 pixels wide."""

    whose: str = "own"

    def find(self, photo: Photo) -> Sequence[Square]:
        if photo.width == 330:
            os.kill(os.getpid() if self.whose == "own" else os.getppid(), signal.SIGKILL)
        return EyeDetector.find(self, photo)


def on(
    machines: Machines, raw: Path, curated: Path, detector: EyeDetector, **more: object
) -> CurateResult:
    config = CurateConfig(scheduler=machines.address)
    return curate_photos(raw, curated, config, make_detector=detector, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """A scheduler and two workers that nothing happens to."""
    with Machines(tmp_path_factory.mktemp("machines")) as started:
        started.add_worker("one")
        started.add_worker("two")
        yield started


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Machines]:
    """A scheduler without workers, which gives tasks up early."""
    with Machines(tmp_path / "machines", deaths=2) as started:
        yield started


@pytest.fixture(scope="module")
def local(album: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    curated = tmp_path_factory.mktemp("local") / "curated"
    curate_photos(album, curated, CurateConfig(workers=1), make_detector=EyeDetector())
    return tree(curated)


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Six photos with a cat each, which take a second each with a slow detector."""
    for seed in range(6):
        head = Head(cx=80, cy=60, w=50 + seed)
        write(tmp_path / "few" / f"{seed:02}.jpg", encode(draw_photo(160, 120, head, seed=seed)))
    return tmp_path / "few"


SLOW = EyeDetector(wait=1.0)


def of_few(few: Path, place: Path) -> dict[str, bytes]:
    curate_photos(few, place, CurateConfig(workers=1), make_detector=EyeDetector())
    return tree(place)


class TestSame:
    def test_the_same_files_as_here(
        self, machines: Machines, album: Path, tmp_path: Path, local: dict[str, bytes]
    ) -> None:
        result = on(machines, album, tmp_path / "c", EyeDetector())
        assert tree(tmp_path / "c") == local
        assert result.photos == result.fresh == 19
        assert on(machines, album, tmp_path / "c", EyeDetector()).fresh == 0

    def test_by_a_relative_path(
        self, machines: Machines, album: Path, tmp_path: Path, local: dict[str, bytes],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        """Workers stand in folders of their own."""
        monkeypatch.chdir(tmp_path)
        on(machines, Path(os.path.relpath(album)), Path("c"), EyeDetector())
        assert tree(tmp_path / "c") == local

    def test_a_photo_that_kills_its_process_is_the_only_one_lost(
        self, machines: Machines, album: Path, tmp_path: Path
    ) -> None:
        """And the worker goes on: photos are looked at in a process beside it."""
        on(machines, album, tmp_path / "c", Deadly())
        curate_photos(album, tmp_path / "d", CurateConfig(workers=2), make_detector=Deadly())
        assert tree(tmp_path / "c") == tree(tmp_path / "d")
        lost = [r for r in read_jsonl(tmp_path / "c" / "photos.jsonl") if "crashed" in r["reason"]]
        assert len(lost) == 1

    def test_a_photo_that_takes_too_long(
        self, machines: Machines, few: Path, tmp_path: Path
    ) -> None:
        """As here it is tried again by the next run."""
        config = CurateConfig(scheduler=machines.address, photo_seconds=2)
        write(few / "long.jpg", encode(draw_photo(330, 120, seed=99)))
        result = curate_photos(few, tmp_path / "c", config, make_detector=Sleepy())
        assert result.unreadable == {"reading it took more than 2 s, and was given up": 1}
        again = on(machines, few, tmp_path / "c", EyeDetector())
        assert (again.fresh, dict(again.unreadable)) == (1, {})

    def test_videos(self, machines: Machines, few: Path, tmp_path: Path) -> None:
        pytest.importorskip("av")
        from tests.curate.test_clips import film, walk

        film(few / "walk.mkv", walk(30))
        on(machines, few, tmp_path / "c", EyeDetector())
        assert tree(tmp_path / "c") == of_few(few, tmp_path / "d")
        assert any("@" in name for name in (tmp_path / "c" / "photos.jsonl").read_text().split('"'))

    def test_through_the_file_that_the_scheduler_writes(
        self, machines: Machines, few: Path, tmp_path: Path
    ) -> None:
        file = tmp_path / "scheduler.json"
        file.write_text(f'{{"address": "{machines.address}"}}')
        config = CurateConfig(scheduler=str(file))
        curate_photos(few, tmp_path / "c", config, make_detector=EyeDetector())
        assert tree(tmp_path / "c") == of_few(few, tmp_path / "d")


@dataclasses.dataclass(frozen=True)
class Sleepy(EyeDetector):
    """Takes for ever over a photo that is 330 pixels wide."""

    def find(self, photo: Photo) -> Sequence[Square]:
        if photo.width == 330:
            time.sleep(600)
        return EyeDetector.find(self, photo)


class TestWorkers:
    def test_one_that_is_killed_costs_nothing(
        self, own: Machines, few: Path, tmp_path: Path
    ) -> None:
        nannies = [own.add_worker("one"), own.add_worker("two")]

        def kill() -> None:
            while not list((tmp_path / "c").rglob("*.png")):
                time.sleep(0.1)
            for worker in own.workers_of(nannies[0].pid):
                os.kill(worker, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        on(own, few, tmp_path / "c", SLOW)
        killer.join()
        assert tree(tmp_path / "c") == of_few(few, tmp_path / "d")

    def test_a_photo_that_kills_the_worker_itself_is_found_by_halving(
        self, own: Machines, few: Path, tmp_path: Path
    ) -> None:
        own.add_worker("one")
        own.add_worker("two")
        for name in ("03.jpg", "04.jpg", "05.jpg"):
            (few / name).unlink()
        write(few / "01a.jpg", encode(draw_photo(330, 120, seed=99)))
        on(own, few, tmp_path / "c", Deadly(whose="worker"))
        records = read_jsonl(tmp_path / "c" / "photos.jsonl")
        lost = [record["path"] for record in records if "crashed" in record["reason"]]
        assert lost == ["01a.jpg"]
        assert [r["path"] for r in records if r["verdict"] == "unreadable"] == lost
        (few / "01a.jpg").unlink()
        assert on(own, few, tmp_path / "c", EyeDetector()).fresh == 0
        assert tree(tmp_path / "c") == of_few(few, tmp_path / "d")

    def test_one_that_comes_late_is_used(self, own: Machines, few: Path, tmp_path: Path) -> None:
        seen: list[CurateProgress] = []
        late = threading.Timer(3, own.add_worker, ("late",))
        late.start()
        on(own, few, tmp_path / "c", EyeDetector(), progress=seen.append)
        late.join()
        assert seen[-1].done == 6
        assert tree(tmp_path / "c") == of_few(few, tmp_path / "d")

    def test_none_at_all_is_said(
        self, own: Machines, few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("catgan.core.cluster.NOBODY", 5.0)
        with pytest.raises(NotReached, match="has had no worker"):
            on(own, few, tmp_path / "c", EyeDetector())

    def test_one_without_the_photos_is_named(
        self, own: Machines, few: Path, tmp_path: Path
    ) -> None:
        """A drive that is not mounted there: an empty folder in its place."""
        own.add_worker("bad", prefix=hiding(few))
        with pytest.raises(WorkerUnfit, match=f"does not see the photos in {few}"):
            on(own, few, tmp_path / "c", EyeDetector())
        assert not (tmp_path / "c" / "photos.jsonl").exists()

    def test_one_without_the_curated_folder_is_named(
        self, own: Machines, few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        curated = tmp_path / "shared" / "c"
        curated.parent.mkdir()
        own.add_worker("bad", prefix=hiding(curated.parent))
        with pytest.raises(WorkerUnfit, match=f"does not see {curated}"):
            on(own, few, curated, EyeDetector())
        assert not list(curated.rglob("*.png"))

    def test_one_that_comes_late_without_the_photos_is_named(
        self, own: Machines, few: Path, tmp_path: Path
    ) -> None:
        late = threading.Timer(3, own.add_worker, ("bad",), {"prefix": hiding(few)})
        late.start()
        with pytest.raises(WorkerUnfit, match=f"does not see the photos in {few}"):
            on(own, few, tmp_path / "c", EyeDetector())
        late.join()

    def test_other_versions_are_named(
        self, machines: Machines, few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = site.versions()
        monkeypatch.setattr(site, "versions", lambda: {**real, "numpy": "0.1"})
        with pytest.raises(WorkerUnfit, match=rf"numpy {real['numpy']}, but this run uses 0\.1"):
            on(machines, few, tmp_path / "c", EyeDetector())

    def test_one_without_catgan_is_named(self, own: Machines, few: Path, tmp_path: Path) -> None:
        """A module of that name that is none hides it."""
        (tmp_path / "none" / "catgan").mkdir(parents=True)
        (tmp_path / "none" / "catgan" / "__init__.py").write_text("raise ImportError('not here')\n")
        own.add_worker("bad", environment={"PYTHONPATH": str(tmp_path / "none")})
        with pytest.raises(WorkerUnfit, match=r"worker tcp://.* (lacks catgan|failed)"):
            on(own, few, tmp_path / "c", EyeDetector())

    def test_a_full_disk_on_one_of_them(self, own: Machines, few: Path, tmp_path: Path) -> None:
        """No file of it may have more than 2,000 bytes: a sentence, and then the same files."""
        bad = own.add_worker("bad", prefix=("prlimit", "--fsize=2000", "--"))
        with pytest.raises(DiskFull, match="could not be written"):
            on(own, few, tmp_path / "c", EyeDetector())
        os.killpg(bad.pid, signal.SIGKILL)
        own.add_worker("good")
        on(own, few, tmp_path / "c", EyeDetector())
        assert tree(tmp_path / "c") == of_few(few, tmp_path / "d")


class TestScheduler:
    def test_killed_it_is_said_and_the_same_call_carries_on(
        self, own: Machines, few: Path, tmp_path: Path
    ) -> None:
        own.add_worker("one")

        watch = threading.Event()

        def look() -> None:
            while not watch.wait(0.2):
                if own.scheduler is not None and list((tmp_path / "c").rglob("*.png")):
                    own.scheduler.kill()
                    return

        watcher = threading.Thread(target=look)
        watcher.start()
        began = time.monotonic()
        with pytest.raises(NotReached, match=f"connection to the scheduler {own.address} was lost"):
            on(own, few, tmp_path / "c", SLOW)
        watch.set()
        watcher.join()
        assert time.monotonic() - began < 120
        own.start_scheduler()
        own.add_worker("two")
        on(own, few, tmp_path / "c", EyeDetector())
        assert tree(tmp_path / "c") == of_few(few, tmp_path / "d")

    def test_nobody_is_there(
        self, few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("catgan.core.cluster.CONNECT", 2.0)
        for address in ("tcp://127.0.0.1:9", "nonsense://x", "no-such-host.invalid:8786"):
            config = CurateConfig(scheduler=address)
            with pytest.raises(NotReached, match="cannot be reached"):
                curate_photos(few, tmp_path / "c", config, make_detector=EyeDetector())
        assert not (tmp_path / "c" / "catgan.json").exists()


def test_a_killed_run_leaves_nobody_at_work_in_its_folder(
    own: Machines, few: Path, tmp_path: Path
) -> None:
    """The workers hear of the next run, and leave the folder to it."""
    nanny = own.add_worker("one")
    script = (
        "import sys; from pathlib import Path\n"
        "from catgan import CurateConfig, curate_photos\n"
        "from tests.drawing import EyeDetector\n"
        "if __name__ == '__main__':\n"
        "    curate_photos(sys.argv[1], sys.argv[2], CurateConfig(scheduler=sys.argv[3]),\n"
        "                  make_detector=EyeDetector(wait=1.0))\n"
    )
    line = [sys.executable, "-c", script, str(few), str(tmp_path / "c"), own.address]
    with subprocess.Popen(line, cwd=Path(__file__).parents[2]) as run:
        while not list((tmp_path / "c").rglob("*.png")) and run.poll() is None:
            time.sleep(0.1)
        run.kill()
    # here, beside the worker that is still at it
    curate_photos(few, tmp_path / "c", CurateConfig(workers=1), make_detector=EyeDetector())
    done = tree(tmp_path / "c")
    assert done == of_few(few, tmp_path / "d")
    (worker,) = own.workers_of(nanny.pid)
    until = time.monotonic() + 60
    while time.monotonic() < until and any(children_of(worker)):
        time.sleep(0.5)
    assert tree(tmp_path / "c") == done


def hiding(folder: Path) -> list[str]:
    prefix = cluster.hiding(folder)
    if prefix is None:
        pytest.skip("may not mount anything, to hide a folder from one process")
    return prefix
