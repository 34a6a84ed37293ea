"""Steps recorded on a GPU once and then repeated as a whole (CUDA graphs).

A step is some five hundred operations. At small batches each takes a GPU less time than Python
takes to start it, so the GPU mostly waits; recorded steps, several in one recording, are started as
one. https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch

WARM_UP = 3
"""Steps of a kind before one is recorded: libraries choose and allocate in the first ones."""
MOST = 64
"""Recordings at most; they take memory, and a run of usual settings has sixteen kinds."""

StepKind = tuple[int, float]
"""Images of a step, and its weight of R1: what tells one recording from another."""


class StepGraphs:
    """Takes several steps at a time; those that recur together are recorded and repeated.

    The steps must ask nothing of the GPU (no `.item()`), their optimisers must be `capturable`, and
    all that they read and change must stay where it is.
    """

    def __init__(self, take: Callable[[int, StepKind], None], *, forgiving: bool = False) -> None:
        """Nothing is recorded yet.

        Args:
            take: Takes one step: its place among those taken at a time, from 0, and its kind.
            forgiving: Where a recording fails, steps are taken one by one from there on: slower,
                and the same. Otherwise the failure is raised.
        """
        self._take = take
        self._forgiving = forgiving
        self.failure: str | None = None
        """Why nothing is recorded any more, in PyTorch's words; None where that has not been."""
        self._seen: Counter[StepKind] = Counter()
        self._met: set[tuple[StepKind, ...]] = set()
        self._recordings: dict[tuple[StepKind, ...], torch.cuda.CUDAGraph] = {}
        # One stream for the steps before a recording and for the recording: what libraries keep for
        # each stream is there by then.
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        # One heap of memory for all: no recording reads what another one left there.
        self._pool: Any = None

    def __call__(self, kinds: tuple[StepKind, ...]) -> None:
        """Take steps of these kinds, one after the other.

        Steps that have not come together before, or whose kinds are new, are taken one by one.
        """
        if kinds not in self._recordings and not self._record(kinds):
            self._aside(kinds)
            return
        self._recordings[kinds].replay()

    def _aside(self, kinds: tuple[StepKind, ...]) -> None:
        before = torch.cuda.current_stream()
        self._stream.wait_stream(before)
        with torch.cuda.stream(self._stream):
            for place, kind in enumerate(kinds):
                self._take(place, kind)
        before.wait_stream(self._stream)
        self._seen.update(kinds)
        self._met.add(kinds)

    def _record(self, kinds: tuple[StepKind, ...]) -> bool:
        """Record steps, which computes nothing; whether they could be recorded yet."""
        warm = all(self._seen[kind] >= WARM_UP for kind in kinds)
        full = len(self._recordings) >= MOST or self.failure is not None
        if not warm or kinds not in self._met or full:
            return False
        graph = torch.cuda.CUDAGraph()
        before = torch.cuda.current_stream()
        try:
            with torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
                for place, kind in enumerate(kinds):
                    self._take(place, kind)
        except RuntimeError as error:  # a recording computes nothing, so nothing is half done
            if not self._forgiving:
                raise
            torch.cuda.set_stream(before)  # where a failed recording leaves another one
            self.failure = str(error).partition("\n")[0]
            self._recordings.clear()
            return False
        if self._pool is None:
            self._pool = graph.pool()
        self._recordings[kinds] = graph
        return True
