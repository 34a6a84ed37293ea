"""Work spread over processes: little in flight, results in order, nothing lost, nothing hanging."""

import faulthandler
import functools
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from catgan.core.errors import CatganError
from catgan.core.systems import MOST_PROCESSES

if TYPE_CHECKING:
    from catgan.core.cluster import Cluster

Item = TypeVar("Item")
Result = TypeVar("Result")

DEATHS = 2  # of a process alone with an item, until the item is held to be what ends it
STARTS = 3  # tries to start a process, since somebody may be ending processes from outside
IN_FLIGHT = 3  # chunks per process: one being worked on, two waiting, so that none ever idles


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """Hold Ctrl-C back while processes are started: they begin so, until `_start` ignores it.

    It reaches every process of the terminal, and a new one imports for a second before anything of
    ours is run in it. This process gets it when the block ends.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows: processes inherit nothing
        yield
        return
    resource_tracker.ensure_running()  # when first started it lets Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(initializer: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent alone decides what it means
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    initializer(*arguments)
    # What libtiff and its like write about broken files, past Python, would land in the progress
    # bar; what matters comes back as a result or an exception.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _end_with_parent() -> None:
    """Leave no process behind when the parent is killed: it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _timed(
    work: Callable[[Sequence[Item]], list[Result]], seconds: float, items: Sequence[Item]
) -> list[Result]:
    """Work item by item, and end this process on one that takes longer.

    A decoder in the middle of a picture hears of nothing that Python could do to it: the thread of
    `faulthandler` needs no Python.
    """
    results: list[Result] = []
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 (a device)
        for item in items:
            faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
            try:
                results += work([item])
            finally:
                faulthandler.cancel_dump_traceback_later()
    return results


def _ready() -> None:
    """Nothing; that it returns says that a process has started."""


class Site(Protocol):
    """What has to be true on another machine for work to be done there; picklable."""

    def check(self, items: Sequence[Any]) -> None:
        """Raise a `CatganError` where these items cannot be worked on here."""

    def check_wanted(self) -> None:
        """Raise a `CatganError` where whoever asked for the work no longer waits for it."""


def _if_wanted(
    work: Callable[[Sequence[Item]], list[Result]], site: Site, items: Sequence[Item]
) -> list[Result]:
    site.check_wanted()
    return work(items)


def _elsewhere(mapped: "ChunkMap[Item, Result]", site: Site, items: Sequence[Item]) -> list[Result]:
    """What a worker of a cluster does: the same as this machine would, in one process beside it.

    So a limit of time and an item that ends its process mean the same there as here, and whatever
    else the worker does at the time is left alone.
    """
    site.check(items)
    # dask's nanny starts its workers as daemons, and `multiprocessing` lets these have no children
    multiprocessing.current_process().daemon = False
    results: list[Result] = []
    for chunk in mapped.run(items):
        results += chunk
    return results


class ChunkMap(Generic[Item, Result]):
    """Maps chunks of items over processes.

    A process that dies (a decoder that crashes, the system that runs out of memory) takes its
    pool with it. The chunks in flight are then worked item by item in a process of their own, and
    an item that ends it twice gets the result of `lost`; the rest goes on as before. Where an item
    may take only so long, the process is ended, and the item gets the result of `slow`.

    With a cluster, tasks of many items go to its workers, each of which maps them over a process of
    its own in the same way.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], list[Result]],
        *,
        lost: Callable[[Item], Result],
        initializer: Callable[..., None],
        arguments: tuple[Any, ...] = (),
        workers: int = 0,
        chunk: int = 8,
        seconds: float = 0,
        slow: Callable[[Item], Result] | None = None,
        apart: bool = False,
        cluster: "Cluster | None" = None,
        site: Site | None = None,
        task: int = 1,
    ) -> None:
        """Say what is to be done; no process starts yet.

        Args:
            work: A module-level function: items to as many results, in order.
            lost: The result for an item that kills the process working on it.
            initializer: A module-level function run once in each process, whose standard error is
                silent from then on.
            arguments: Its arguments.
            workers: Processes; 0 takes one a processor, 1 works in this process (and an item that
                kills it ends everything), unless there is a limit of time.
            chunk: Items handed over at a time.
            seconds: That an item may take; 0 for no limit.
            slow: The result for an item that takes longer; None for that of `lost`.
            apart: Whether one worker, too, is a process of its own.
            cluster: Whose workers do it instead of processes here; the work, the items and all that
                is given here must be picklable then, and the number of workers is the cluster's.
            site: With a cluster, what is checked on each worker.
            task: Items that a worker of the cluster is handed at a time.
        """
        self._how: dict[str, Any] = {
            "lost": lost,
            "initializer": initializer,
            "arguments": arguments,
            "chunk": chunk,
            "seconds": seconds,
            "slow": slow,
        }
        self._plain = work
        self._cluster, self._site, self._task = cluster, site, task
        self._work = functools.partial(_timed, work, seconds) if seconds else work
        self._seconds = seconds
        self._lost = lost
        self._slow = slow or lost
        self._initializer = initializer
        self._arguments = arguments
        self._here = workers == 1 and not seconds and not apart
        self._workers = min(workers or processors(), MOST_PROCESSES)
        self._chunk = chunk

    def run(self, items: Iterable[Item]) -> Iterator[list[Result]]:
        """The results of chunk after chunk, in the order of the items; from a cluster as they come.

        Raises:
            CatganError: Processes cannot be started, or the cluster is lost.
            Exception: Whatever the work raised.
        """
        if self._cluster is not None:
            assert self._site is not None, "what is elsewhere has to be checked"
            mapped: ChunkMap[Item, Result] = ChunkMap(
                functools.partial(_if_wanted, self._plain, self._site),
                workers=1,
                apart=True,
                **self._how,
            )
            work = functools.partial(_elsewhere, mapped, self._site)
            yield from self._cluster.run(work, items, task=self._task, lost=self._lost)
            return
        chunks = iter(in_chunks(items, self._chunk))
        if self._here:
            self._initializer(*self._arguments)
            for chunk in chunks:
                yield self._work(chunk)
            return
        pending: deque[tuple[Sequence[Item], Future[list[Result]]]] = deque()
        pool = self._pool(self._workers)
        try:
            while True:
                for chunk in islice(chunks, IN_FLIGHT * self._workers - len(pending)):
                    pending.append((chunk, self._submit(pool, chunk)))
                if not pending:
                    return
                try:
                    done = pending[0][1].result()
                except BrokenProcessPool:
                    pool.shutdown(wait=True, cancel_futures=True)
                    # Taken out first: whoever stops reading here must not see them twice.
                    suspects = list(pending)
                    pending.clear()
                    for suspect, future in suspects:
                        over = future.done() and not future.cancelled()
                        whole = over and future.exception() is None
                        yield future.result() if whole else self._one_by_one(suspect)
                    pool = self._pool(self._workers)
                    continue
                pending.popleft()
                yield done
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _one_by_one(self, chunk: Sequence[Item]) -> list[Result]:
        results: list[Result] = []
        pool = self._started()
        try:
            for item in chunk:
                for death in range(1, DEATHS + 1):
                    started = time.monotonic()
                    try:
                        results += self._submit(pool, [item]).result()
                        break
                    except BrokenProcessPool:
                        took = time.monotonic() - started
                        pool.shutdown(wait=True)
                        pool = self._started()
                        if self._seconds and took >= self._seconds:
                            results.append(self._slow(item))
                            break
                        if death == DEATHS:
                            results.append(self._lost(item))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        return results

    def _submit(self, pool: ProcessPoolExecutor, chunk: Sequence[Item]) -> "Future[list[Result]]":
        try:
            with _ctrl_c_waits():
                return pool.submit(self._work, chunk)
        except BrokenProcessPool as error:  # it broke since the last result was taken
            future: Future[list[Result]] = Future()
            future.set_exception(error)
            return future

    def _started(self) -> ProcessPoolExecutor:
        """A process of its own that is known to have started: what ends it now is the item."""
        for attempt in range(1, STARTS + 1):
            pool = self._pool(1)
            try:
                with _ctrl_c_waits():
                    ready = pool.submit(_ready)
                ready.result()
                break
            except BrokenProcessPool as error:
                pool.shutdown(wait=True)
                if attempt == STARTS:
                    raise CatganError(
                        "Worker processes end as soon as they start; see what they said above, or "
                        "work in one process: --workers 1. (A script of your own that calls "
                        "catgan needs `if __name__ == '__main__':` around the call.)"
                    ) from error
        return pool

    def _pool(self, workers: int) -> ProcessPoolExecutor:
        # spawn: a fork would copy the locks of whatever threads OpenCV or the caller have started
        return ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(self._initializer, self._arguments),
        )


def in_chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Items, so many at a time; fewer at the end."""
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk
