"""Ranks of one training as threads of one process: the same exchanges, without processes."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

from catgan.core.errors import RankLost
from catgan.train.ranks import Ranks

T = TypeVar("T")
SECONDS = 60.0  # after which a rank is missed: more than any test takes between two exchanges


class Table:
    """Where threads lay down what they exchange."""

    def __init__(self, count: int) -> None:
        """For so many threads."""
        self.count = count
        self.places: list[Tensor] = [torch.empty(0)] * count
        self.data: bytes | None = None
        self.barrier = threading.Barrier(count, timeout=SECONDS)
        self.exchanges = 0


class ThreadLink:
    """One thread's place at it."""

    def __init__(self, table: Table, rank: int) -> None:
        """The place of a rank."""
        self._table, self._rank = table, rank

    def gather(self, values: Tensor) -> list[Tensor]:
        """See `Link`."""
        self._table.places[self._rank] = values.clone()
        self._meet()
        found = [one.clone() for one in self._table.places]
        assert {(one.shape, one.dtype) for one in found} == {(values.shape, values.dtype)}
        if self._rank == 0:
            self._table.exchanges += 1
        self._meet()
        return found

    def add(self, values: Tensor) -> None:
        """See `Link`."""
        values.copy_(torch.stack(self.gather(values)).sum(dim=0))

    def first(self, data: bytes | None) -> bytes:
        """See `Link`."""
        if data is not None:
            self._table.data = data
        self._meet()
        found = self._table.data
        self._meet()
        assert found is not None
        return found

    def _meet(self) -> None:
        try:
            self._table.barrier.wait()
        except threading.BrokenBarrierError as error:
            raise RankLost("another thread has failed") from error


def together(count: int, work: Callable[[Ranks], T]) -> list[T]:
    """What each of so many ranks comes to, if they all do the same work.

    Raises:
        Exception: Of the rank that failed first.
    """
    table = Table(count)

    def one(rank: int) -> T:
        link = ThreadLink(table, rank)
        try:
            return work(Ranks(rank=rank, count=count, local=rank, local_count=count, link=link))
        except BaseException:
            table.barrier.abort()
            raise

    with ThreadPoolExecutor(count) as threads:
        ends = list(threads.map(lambda rank: _ended(one, rank), range(count)))
    failures = [end for end in ends if isinstance(end, BaseException)]
    for failure in sorted(failures, key=lambda error: isinstance(error, RankLost)):
        raise failure
    return [end for end in ends if not isinstance(end, BaseException)]


def _ended(work: Callable[[int], T], rank: int) -> T | BaseException:
    try:
        return work(rank)
    except BaseException as error:
        return error
