"""Work over processes: order, little in flight, nothing lost to a crash, nothing left behind."""

import functools
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from catgan.core.errors import CatganError, DiskFull
from catgan.core.executors import IN_FLIGHT, ChunkMap, processors

ROOT = Path(__file__).resolve().parents[2]

_added = 0


def begin(added: int) -> None:
    global _added
    _added = added


def begin_not(added: int) -> None:
    raise RuntimeError("no")


def add(items: Sequence[int]) -> list[int]:
    return [item + _added for item in items]


def add_slowly(items: Sequence[int]) -> list[int]:
    time.sleep(0.02 * (items[0] % 3))  # so that later chunks are done before earlier ones
    return add(items)


def add_or_die(deadly: dict[int, int], items: Sequence[int]) -> list[int]:
    for item in items:
        if deadly.get(item) == 0:
            os._exit(0)
        elif item in deadly:
            os.kill(os.getpid(), deadly[item])
    return add(items)


def no_room(items: Sequence[int]) -> list[int]:
    raise DiskFull("The disk is full: x.")


def sleep_long(items: Sequence[int]) -> list[int]:
    os.write(1, b"%d\n" % os.getpid())
    time.sleep(600)
    return list(items)


def lost(item: int) -> int:
    return -item


def chunk_map(
    work: Callable[[Sequence[int]], list[int]],
    *,
    workers: int = 2,
    chunk: int = 4,
    initializer: Callable[..., None] = begin,
) -> ChunkMap[int, int]:
    return ChunkMap(
        work, lost=lost, initializer=initializer, arguments=(100,), workers=workers, chunk=chunk
    )


def test_results_come_in_the_order_of_the_items() -> None:
    for workers in (1, 3):
        results = list(chunk_map(add_slowly, workers=workers).run(range(30)))
        assert [len(chunk) for chunk in results] == [4] * 7 + [2]
        assert list(itertools.chain(*results)) == list(range(100, 130))


def test_nothing_to_do() -> None:
    assert list(chunk_map(add).run([])) == []


def test_little_is_in_flight() -> None:
    taken = 0

    def endless() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    results = chunk_map(add).run(endless())
    for done in range(1, 6):
        next(results)
        assert taken <= 4 * (2 * IN_FLIGHT + done)
    results.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()


@pytest.mark.skipif(os.name == "nt", reason="no such signals on Windows")
def test_an_item_that_kills_its_process_is_the_only_one_lost() -> None:
    deadly = {6: 0, 7: int(signal.SIGKILL), 19: int(signal.SIGKILL)}
    results = list(chunk_map(functools.partial(add_or_die, deadly)).run(range(40)))
    expected = [lost(item) if item in deadly else item + 100 for item in range(40)]
    assert list(itertools.chain(*results)) == expected


def add_or_die_once(marks: Path, items: Sequence[int]) -> list[int]:
    for item in items:
        mark = marks / str(item)
        if item % 5 == 0 and (len(items) > 1 or not mark.exists()):
            if len(items) == 1:
                mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return add(items)


@pytest.mark.skipif(os.name == "nt", reason="no such signals on Windows")
def test_an_item_whose_process_was_ended_twice_but_once_alone_is_not_lost(tmp_path: Path) -> None:
    """Somebody else may have ended it: an item is judged by two deaths alone."""
    results = chunk_map(functools.partial(add_or_die_once, tmp_path)).run(range(12))
    assert list(itertools.chain(*results)) == list(range(100, 112))


@pytest.mark.skipif(os.name == "nt", reason="no such signals on Windows")
def test_processes_killed_from_outside_between_two_results_cost_nothing() -> None:
    results = chunk_map(add).run(range(60))
    got = [next(results)]
    for child in multiprocessing.active_children():
        child.kill()
        child.join()
    got += results
    assert list(itertools.chain(*got)) == list(range(100, 160))


def test_an_error_is_raised_here() -> None:
    with pytest.raises(DiskFull, match="The disk is full: x"):
        list(chunk_map(no_room).run(range(8)))


def test_processes_that_cannot_start_are_no_fault_of_the_items() -> None:
    with pytest.raises(CatganError, match="as soon as they start"):
        list(chunk_map(add, initializer=begin_not).run(range(8)))


def test_one_worker_works_here() -> None:
    here: list[int] = []

    def work(items: Sequence[int]) -> list[int]:
        here.append(os.getpid())
        return list(items)

    assert list(chunk_map(work, workers=1).run(range(4))) == [[0, 1, 2, 3]]
    assert here == [os.getpid()]


def test_there_is_a_processor() -> None:
    assert 1 <= processors() <= (os.cpu_count() or 1)


def _alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc to look for processes")
def test_no_process_outlives_a_parent_that_was_killed() -> None:
    script = (
        "from tests.core.test_executors import chunk_map, sleep_long\n"
        "list(chunk_map(sleep_long, chunk=1).run([1, 2]))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        workers = [int(parent.stdout.readline()) for _ in range(2)]
        assert all(map(_alive, workers))
        parent.kill()
        parent.wait()
        for _ in range(100):
            if not any(map(_alive, workers)):
                break
            time.sleep(0.1)
        survivors = [worker for worker in workers if _alive(worker)]
        for survivor in survivors:
            os.kill(survivor, signal.SIGKILL)
        assert not survivors


CTRL_C = """
import sys, time
from pathlib import Path
if __name__ != "__main__":  # a process that is being started: as slow as one that imports much
    Path(sys.argv[1]).touch()
    time.sleep(0.7)
from catgan.cli.interrupts import interrupts
from catgan.core.errors import Interrupted
from catgan.core.executors import ChunkMap
def work(items):
    time.sleep(0.1)
    return list(items)
def start():
    pass
if __name__ == "__main__":
    try:
        with interrupts():
            list(ChunkMap(work, lost=int, initializer=start, workers=2).run(range(10_000)))
    except Interrupted:
        sys.exit(130)
"""


@pytest.mark.skipif(os.name == "nt", reason="no process groups on Windows")
def test_ctrl_c_while_processes_start_is_said_by_nobody_else(tmp_path: Path) -> None:
    """It reaches the whole group, as from a terminal, and those that import do not know of it."""
    program, importing = tmp_path / "program.py", tmp_path / "importing"
    program.write_text(CTRL_C, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(program), str(importing)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    while process.poll() is None and not importing.exists():
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
