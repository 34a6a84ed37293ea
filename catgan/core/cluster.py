"""The workers of a dask scheduler: many machines, as one thing to map over.

`distributed` is known here alone. It restarts tasks whose worker died, on others; what it gives up
on comes back in halves.
"""

import logging
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from catgan.core.errors import CatganError, MissingPackage, NotReached, WorkerUnfit
from catgan.core.executors import IN_FLIGHT, in_chunks

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Sequence[Item]], list[Result]]

CONNECT = 20.0  # seconds for the scheduler to answer at first
TICK = 1.0  # seconds between two looks at whether it still does
ASKED = 5.0  # seconds between two questions about how many workers there are
ANSWER = 10.0  # seconds that an answer may take
SILENCE = 60.0  # seconds without an answer, until the scheduler is held to be gone
NOBODY = 300.0  # seconds without any worker, until that is said
RETRIES = 2  # of a task that raised: a disk may be full on one machine alone
MOST_NAMED = 3  # workers in a sentence
LEAST_TASK, MOST_TASK = 200, 500  # items, where there are enough: a task costs seconds to set up
LOGGERS = ("distributed", "distributed.client", "distributed.core", "tornado.application")


class Cluster:
    """The workers of one scheduler."""

    def __init__(self, client: Any, address: str) -> None:
        """Take over a client; see `connected`."""
        self._client = client
        self._address = address
        self._threads = 0
        self._asked = self._answered = self._manned = time.monotonic()
        self._ask()

    @property
    def threads(self) -> int:
        """How many tasks its workers do at a time, as of a few seconds ago."""
        return self._threads

    def task_size(self, items: int) -> int:
        """How many items a task is to have: 200 to 500, and fewer where workers would idle."""
        threads = max(1, self._threads)
        shared = -(-items // (IN_FLIGHT * threads))
        return max(1, min(MOST_TASK, max(LEAST_TASK, shared), -(-items // threads)))

    def check_all(self, check: Callable[[], None]) -> None:
        """Have every worker that is there check something.

        Args:
            check: Picklable; raises a `CatganError` where something is wrong.

        Raises:
            WorkerUnfit: Some raised, or could not even do that; names them.
            NotReached: The scheduler is gone.
        """
        try:
            answers = self._client.run(check, on_error="return")
        except Exception as error:
            raise self._lost() from error
        wrong = {name: answer for name, answer in answers.items() if answer is not None}
        if not wrong:
            return
        told = [_words(f"The worker {name}", answer) for name, answer in wrong.items()]
        told = list(dict.fromkeys(told))
        more = f" (and {len(told) - MOST_NAMED:,} more like this)" if len(told) > MOST_NAMED else ""
        raise WorkerUnfit(" ".join(told[:MOST_NAMED]) + more)

    def run(
        self,
        work: Work[Item, Result],
        items: Iterable[Item],
        *,
        task: int,
        lost: Callable[[Item], Result],
    ) -> Iterator[list[Result]]:
        """The results of task after task, as they come.

        A few tasks for each thread of the workers are under way, workers that come later included.
        A task that dask gives up on, since every worker that had it died, comes back in halves once
        the others are done: one of its items may be to blame, or another task beside it. An item
        left alone is tried with nothing else under way, and gets the result of `lost` if its
        workers die even so.

        Args:
            work: Items to as many results; picklable.
            items: The items.
            task: How many a task has.
            lost: The result for an item that kills its workers.

        Raises:
            NotReached: The scheduler is gone, or has had no worker for minutes.
            WorkerUnfit: A worker cannot do it.
            CatganError: Whatever the work raised.
        """
        executor = self._client.get_executor(pure=False, retries=RETRIES)
        halves: deque[list[Item]] = deque()
        batches: Iterator[list[Item]] = chain(in_chunks(items, task), _taken_from(halves))
        alone: list[Item] = []
        pending: dict[Future[list[Result]], list[Item]] = {}
        try:
            while True:
                self._ask()  # here too: tasks may come back so often that nobody waits for one
                while len(pending) < IN_FLIGHT * max(1, self._threads):
                    batch = next(batches, None)
                    if batch is None:
                        batches = _taken_from(halves)
                        break
                    pending[executor.submit(work, batch)] = batch
                if not pending:
                    break
                for future in self._done(pending):
                    batch = pending.pop(future)
                    results = self._outcome(future)
                    if results is not None:
                        yield results
                    elif len(batch) == 1:
                        alone += batch
                    else:
                        middle = len(batch) // 2
                        halves += [batch[:middle], batch[middle:]]
            for item in alone:
                pending = {executor.submit(work, [item]): [item]}
                (future,) = self._done(pending)
                results = self._outcome(future)
                pending = {}
                yield [lost(item)] if results is None else results
        finally:
            for future in pending:
                future.cancel()

    def _done(self, pending: Iterable["Future[list[Result]]"]) -> "set[Future[list[Result]]]":
        """Wait for one future or more; in the meantime look after the scheduler."""
        while True:
            done, _ = wait(list(pending), timeout=TICK, return_when=FIRST_COMPLETED)
            if done:
                return done
            self._ask()

    def _outcome(self, future: "Future[list[Result]]") -> "list[Result] | None":
        """What a task gave; None where its workers died."""
        from distributed import KilledWorker

        try:
            return future.result()
        except KilledWorker:
            return None
        except CancelledError as error:  # how a client's futures end that lost its scheduler
            raise self._lost() from error
        except CatganError:
            raise
        except Exception as error:
            raise WorkerUnfit(_words(f"A worker of {self._address}", error)) from error

    def _ask(self) -> None:
        """How many threads there are; raise where the scheduler or all workers are gone."""
        now = time.monotonic()
        if self._client.status not in ("running", "connecting"):
            raise self._lost()
        if now - self._asked < ASKED and self._threads:
            return
        self._asked = now
        try:
            there = self._client.sync(self._client.scheduler.ncores, callback_timeout=ANSWER)
        except Exception as error:
            if time.monotonic() - self._answered > SILENCE:
                raise self._lost() from error
            return
        self._answered = time.monotonic()
        self._threads = sum(there.values())
        if self._threads:
            self._manned = self._answered
        elif self._answered - self._manned > NOBODY:
            where = self._address if "://" in self._address else f"--scheduler-file {self._address}"
            raise NotReached(
                f"The scheduler {self._address} has had no worker for {NOBODY / 60:.0f} minutes; "
                f"start some (dask worker {where}), and rerun the same command."
            )

    def _lost(self) -> NotReached:
        return NotReached(
            f"The connection to the scheduler {self._address} was lost. What was finished is "
            "saved; restart the scheduler, and rerun the same command to resume."
        )


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """The cluster of a scheduler while the block runs.

    Args:
        address: `tcp://host:8786`, `tls://...`, or the file that `dask scheduler --scheduler-file`
            writes.

    Raises:
        MissingPackage: dask's `distributed` is not installed.
        NotReached: The scheduler does not answer.
    """
    try:
        import distributed
    except ImportError as error:
        raise MissingPackage(
            "--scheduler needs one more package, here and on every worker: pip install distributed"
        ) from error
    make: Any = distributed.Client
    file = Path(address) if "://" not in address and Path(address).is_file() else None
    place = {"address": address} if file is None else {"scheduler_file": str(file)}
    with _silent(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of versions that differ: these are checked and told
        try:
            client: Any = make(**place, timeout=CONNECT, set_as_default=False, name="catgan")
        except Exception as error:  # an address that is none, TLS that is missing, nobody there
            raise NotReached(
                f"The scheduler {address} cannot be reached ({_first_line(error)}). Start it with "
                "dask scheduler, or correct --scheduler, and rerun the same command."
            ) from error
        try:
            yield Cluster(client, address)
        finally:
            with suppress(Exception):  # whoever is gone by now needs no farewell
                client.close(timeout=ANSWER)


@contextmanager
def _silent() -> Iterator[None]:
    """dask tells its log on standard error what is said here in a sentence."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _taken_from(batches: deque[list[Item]]) -> Iterator[list[Item]]:
    while batches:
        yield batches.popleft()


def _words(who: str, error: object) -> str:
    if isinstance(error, CatganError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        return (
            f"{who} lacks {error.name}; install the same catgan there, "
            "or stop that worker, and rerun the same command."
        )
    what = _first_line(error) if isinstance(error, BaseException) else str(error)
    return f"{who} failed ({what}); fix or stop it, and rerun the same command."


def _first_line(error: BaseException) -> str:
    words = str(error).strip().splitlines()
    return f"{type(error).__name__}: {words[0][:200]}" if words else type(error).__name__
