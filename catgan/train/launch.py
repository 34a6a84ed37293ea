"""Joining the other processes that torchrun has started for one training."""

import atexit
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from catgan.core import words
from catgan.core.errors import (
    BadSettings,
    CatganError,
    Interrupted,
    RankLost,
    SaidElsewhere,
)
from catgan.train.ranks import ALONE, Ranks

TOLD = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
"""What torchrun tells a process by its environment."""
ROLL_CALL = 3.0
"""Seconds in which ranks that are there answer, once one is missed."""
HEAD_START = 0.5
"""Seconds that the other ranks give the first one to say what is wrong."""
LONGER = 3
"""Times as long as processes wait for each other may GPUs: NCCL ends a process in words of its own,
and is not to be the first to notice."""


def launched() -> bool:
    """Whether torchrun, or what does as it does, has started this process."""
    return all(name in os.environ for name in TOLD)


@contextmanager
def joined(minutes: float) -> Iterator[Ranks]:
    """The ranks of one training while the block runs, if torchrun has started this process.

    Where one rank fails, all do. The first of them to fail says why, and the others end without a
    word.

    Args:
        minutes: How long a rank that does not answer is waited for.

    Raises:
        RankLost: The others cannot be reached, or one of them has ended or does not answer.
        SaidElsewhere: Another rank has said, or will say, why all end.
        BadSettings: What the environment says of ranks cannot be.
        Interrupted: As raised in the block; without words, where another rank has said it.
    """
    if not launched():
        yield ALONE
        return
    group = _Group(minutes)
    try:
        yield group.ranks()
        group.leave()
    except (CatganError, OSError, MemoryError) as error:
        code: int = getattr(error, "exit_code", 1)
        end_at_once(code)
        if group.speaks():
            raise
        raise SaidElsewhere(code) from error
    except Interrupted as error:
        end_at_once(Interrupted.exit_code)
        raise Interrupted(str(error) if group.speaks() else "") from error


def end_at_once(code: int) -> None:
    """Let this process end with that status as soon as Python has nothing left to do.

    The threads by which it reached other ranks would keep it for ten seconds, waiting for those
    that are gone, and what is left on a GPU for ever; taken down in C++, they may abort it.
    """
    atexit.register(_end, code)


def _end(code: int) -> None:
    """End this process, of which everything is said and written."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


class _Group:
    """A link by way of torch.distributed: gloo between processes, and NCCL between GPUs."""

    def __init__(self, minutes: float) -> None:
        """Meet the others.

        Raises:
            RankLost: They cannot be reached.
            BadSettings: What the environment says of ranks cannot be.
        """
        self._minutes = minutes
        self._timeout = timedelta(minutes=minutes)
        try:
            self._rank, self._count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
            self._local = int(os.environ["LOCAL_RANK"])
            self._local_count = int(os.environ.get("LOCAL_WORLD_SIZE", self._count))
        except ValueError as error:
            raise BadSettings(
                "RANK, WORLD_SIZE and LOCAL_RANK are set, but not to numbers; start with torchrun, "
                "or unset them to train in one process."
            ) from error
        try:
            self._store, _, _ = next(rendezvous("env://", timeout=self._timeout))
            dist.init_process_group(
                "gloo",
                store=self._store,
                rank=self._rank,
                world_size=self._count,
                timeout=self._timeout,
            )
        except (RuntimeError, ValueError) as error:
            raise RankLost(
                f"Rank {self._rank} cannot reach the other "
                f"{words.count(self._count - 1, 'rank')} of this training "
                f"({str(error).splitlines()[0]}); check that torchrun was started on every "
                "machine with the same addresses and ports, and rerun the same command."
            ) from error
        self._gpus: dist.ProcessGroup | None = None

    def ranks(self) -> Ranks:
        """What this process is among the others."""
        return Ranks(
            rank=self._rank,
            count=self._count,
            local=self._local,
            local_count=self._local_count,
            link=self,
        )

    def add(self, values: Tensor) -> None:
        """See `Link`."""
        with self._answered():
            dist.all_reduce(values, group=self._group_of(values))

    def gather(self, values: Tensor) -> list[Tensor]:
        """See `Link`."""
        found = [torch.empty_like(values) for _ in range(self._count)]
        with self._answered():
            dist.all_gather(found, values, group=self._group_of(values))
        return found

    def first(self, data: bytes | None) -> bytes:
        """See `Link`."""
        size = torch.tensor([len(data or b"")])
        with self._answered():
            dist.broadcast(size, src=0)
            held = torch.empty(int(size), dtype=torch.uint8)
            if data:
                held = torch.frombuffer(bytearray(data), dtype=torch.uint8)
            dist.broadcast(held, src=0)
        return held.numpy().tobytes()

    def speaks(self) -> bool:
        """Whether this rank is the first one that has something to say of how all end."""
        if self._rank:  # what all of them find wrong is said where a person looks
            time.sleep(HEAD_START)
        try:
            return bool(self._store.add("catgan-said", 1) == 1)
        except (RuntimeError, ValueError):  # nobody is left who could have said it
            return True

    def leave(self) -> None:
        """Part from the others, once all are done."""
        with self._answered():
            dist.barrier()
        # where one has gone already, so be it: nothing is left to be done
        with suppress(RuntimeError, ValueError):
            dist.destroy_process_group()

    def _group_of(self, values: Tensor) -> dist.ProcessGroup | None:
        if values.device.type != "cuda":
            return None  # the one of all processes
        if self._gpus is None:
            group = dist.new_group(backend="nccl", timeout=self._timeout * LONGER)
            assert isinstance(group, dist.ProcessGroup)
            self._gpus = group
        return self._gpus

    @contextmanager
    def _answered(self) -> Iterator[None]:
        """What goes wrong in an exchange as one sentence that says which rank it was."""
        try:
            yield
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            late = "timed out" in str(error).lower() or "timeout" in str(error).lower()
            missing = self._missing()
            who = "Another rank"
            if missing:
                names = words.listed([str(rank) for rank in missing])
                who = f"Rank{'s' if len(missing) > 1 else ''} {names}"
            why = "ended"
            if late:
                why = f"did not answer for {words.duration(60 * self._minutes)}"
            raise RankLost(
                f"{who} of this training {why}, so all {words.count(self._count, 'rank')} stop. "
                "The last checkpoint is kept; rerun the same command to resume."
            ) from error

    def _missing(self) -> list[int]:
        """The ranks that do not answer, as far as can be told."""
        with suppress(RuntimeError, ValueError):
            # those that still wait for others learn of it at once
            dist.destroy_process_group(dist.group.WORLD)
        try:
            self._store.set(f"catgan-here-{self._rank}", "1")
            others = [rank for rank in range(self._count) if rank != self._rank]
            until = time.monotonic() + ROLL_CALL
            while others and time.monotonic() < until:
                others = [one for one in others if not self._store.check([f"catgan-here-{one}"])]
                time.sleep(0.05)
        except (RuntimeError, ValueError):
            return []
        return others
