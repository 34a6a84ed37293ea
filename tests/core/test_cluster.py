"""Tasks on a cluster, with a client that is made up: what is handed out, halved and blamed."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("distributed")

from distributed import KilledWorker

from catgan.core.cluster import LEAST_TASK, MOST_TASK, Cluster
from catgan.core.errors import CatganError, DiskFull, NotReached, WorkerUnfit
from catgan.core.executors import IN_FLIGHT

Work = Callable[[Sequence[int]], list[int]]


class MadeUp:
    """A client and its executor: tasks are done when their results are asked for."""

    def __init__(self, threads: int = 2) -> None:
        self.status = "running"
        self.scheduler = self
        self.threads = threads
        self.batches: list[list[int]] = []
        self.under_way = self.most = 0

    def ncores(self) -> None:
        """Asked by name alone."""

    def sync(self, _: Any, callback_timeout: float) -> dict[str, int]:
        return {"tcp://worker": self.threads} if self.threads else {}

    def get_executor(self, *, pure: bool, retries: int) -> "MadeUp":
        assert (pure, retries >= 1) == (False, True)
        return self

    def submit(self, work: Work, batch: list[int]) -> "Future[list[int]]":
        self.batches.append(batch)
        future: Future[list[int]] = Future()
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            future.set_result(work(batch))
        except Exception as error:
            future.set_exception(error)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: "Future[list[int]]") -> None:
        self.under_way -= 1


def killed() -> KilledWorker:
    whose: Any = None
    return KilledWorker("task", whose, 3)


def lost(item: int) -> int:
    return -item


def run(client: MadeUp, work: Work, items: Sequence[int], task: int = 10) -> list[int]:
    chunks = Cluster(client, "tcp://here").run(work, items, task=task, lost=lost)
    return sorted(itertools.chain.from_iterable(chunks))


def test_every_item_is_worked_on_once() -> None:
    client = MadeUp()
    assert run(client, list, range(1, 96)) == list(range(1, 96))
    assert sorted(itertools.chain(*client.batches)) == list(range(1, 96))


def test_nothing_to_do() -> None:
    assert run(MadeUp(), list, []) == []


def test_late_workers_get_work_while_the_others_are_never_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tasks may come back so often that nobody ever waits a second for one."""
    monkeypatch.setattr("catgan.core.cluster.ASKED", 0.0)
    client = MadeUp(threads=1)
    results = Cluster(client, "tcp://here").run(list, range(1000), task=10, lost=lost)
    for _ in range(5):
        next(results)
    client.threads = 8
    for _ in range(IN_FLIGHT):  # those that are under way
        next(results)
    assert len(client.batches) >= 8 * IN_FLIGHT


def test_no_more_is_taken_than_is_under_way() -> None:
    taken = 0

    def endless() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    results = Cluster(MadeUp(), "tcp://here").run(list, endless(), task=10, lost=lost)
    for done in range(1, 30):
        next(results)
        assert taken <= 10 * (2 * IN_FLIGHT + done)


@given(st.sets(st.integers(1, 60), max_size=4), st.integers(1, 25))
def test_what_kills_its_workers_is_found_by_halving(deadly: set[int], task: int) -> None:
    def work(batch: Sequence[int]) -> list[int]:
        if deadly & set(batch):
            raise killed()
        return list(batch)

    expected = sorted(-item if item in deadly else item for item in range(1, 61))
    assert run(MadeUp(), work, range(1, 61), task) == expected


def test_whoever_was_only_beside_it_is_not_blamed() -> None:
    """A task may die with a worker that another one ended: alone it gets through."""
    client = MadeUp()

    def work(batch: Sequence[int]) -> list[int]:
        company = len(client.batches) <= 2 * IN_FLIGHT
        if company or 7 in batch:
            raise killed()
        return list(batch)

    items = range(1, 6 * IN_FLIGHT + 1)
    assert run(client, work, items, 1) == sorted(-7 if item == 7 else item for item in items)
    assert client.batches.count([7]) == 2, "in company, and alone"


@pytest.mark.parametrize("error", [DiskFull("The disk is full: x."), NotReached("gone")])
def test_an_error_of_the_work_is_raised_here(error: CatganError) -> None:
    def work(batch: Sequence[int]) -> list[int]:
        raise error

    with pytest.raises(type(error), match=str(error)):
        run(MadeUp(), work, range(20))


def test_whatever_else_a_worker_raises_is_a_sentence() -> None:
    def work(batch: Sequence[int]) -> list[int]:
        raise ModuleNotFoundError("No module named 'catgan'", name="catgan")

    with pytest.raises(WorkerUnfit, match="lacks catgan; install the same catgan there"):
        run(MadeUp(), work, range(20))

    def fail(batch: Sequence[int]) -> list[int]:
        raise RuntimeError("no such thing")

    with pytest.raises(WorkerUnfit, match=r"^A worker of tcp://here failed \(RuntimeError"):
        run(MadeUp(), fail, range(20))


@pytest.mark.parametrize(
    ("address", "line"),
    [("tcp://here", "dask worker tcp://here"), ("s.json", "dask worker --scheduler-file s.json")],
)
def test_nobody_comes(monkeypatch: pytest.MonkeyPatch, address: str, line: str) -> None:
    monkeypatch.setattr("catgan.core.cluster.TICK", 0.01)
    monkeypatch.setattr("catgan.core.cluster.NOBODY", -1.0)
    with pytest.raises(NotReached, match=line):
        Cluster(MadeUp(threads=0), address)


def test_futures_that_were_cancelled_mean_that_the_scheduler_is_gone() -> None:
    class Gone(MadeUp):
        def submit(self, work: Work, batch: list[int]) -> "Future[list[int]]":
            future: Future[list[int]] = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(NotReached, match="connection to the scheduler tcp://here was lost"):
        run(Gone(), list, range(20))


def test_a_client_that_has_closed_means_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catgan.core.cluster.TICK", 0.01)

    class Silent(MadeUp):
        def submit(self, work: Work, batch: list[int]) -> "Future[list[int]]":
            self.status = "closed"
            return Future()

    with pytest.raises(NotReached, match="was lost"):
        run(Silent(), list, range(20))


@given(st.integers(0, 10**7), st.integers(1, 5000))
def test_the_size_of_a_task(items: int, threads: int) -> None:
    cluster = Cluster(MadeUp(threads), "tcp://here")
    size = cluster.task_size(items)
    assert 1 <= size <= MOST_TASK
    tasks = -(-items // size)
    if items >= LEAST_TASK * threads:
        assert size >= LEAST_TASK, "setting one up costs seconds"
    else:
        assert tasks >= min(items, threads) // 2, "nobody idles"
