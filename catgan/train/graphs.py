"""Steps recorded on a graphics card once and then repeated as a whole (CUDA graphs).

A step is some five hundred operations. At small batches each takes a card less time than Python
takes to start it, so the card mostly waits; a recorded step is started as one.
https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

import dataclasses
from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor

from catgan.train.step import StepTerms

WARM_UP = (
    3  # steps of a kind before it is recorded: libraries choose and allocate in the first ones
)

Step = Callable[[Tensor, Tensor, Tensor | None, float], StepTerms]
"""One step on real pictures, latents, random numbers for augmentation, and a weight of R1."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Recording:
    """A recorded step, with the memory that it reads and writes each time."""

    graph: torch.cuda.CUDAGraph
    inputs: tuple[Tensor | None, ...]
    terms: StepTerms

    def repeat(self, inputs: tuple[Tensor | None, ...]) -> StepTerms:
        for ours, given in zip(self.inputs, inputs, strict=True):
            if ours is not None and given is not None:
                ours.copy_(given, non_blocking=True)
        self.graph.replay()
        return self.terms


class StepGraphs:
    """Does what a step does; every kind of step, by shape and penalty, is recorded when it recurs.

    The step must ask nothing of the card (no `.item()`), its optimisers must be `capturable`, and
    the tensors that it changes must stay where they are.
    """

    def __init__(self, step: Step) -> None:
        """Nothing is recorded yet.

        Args:
            step: What to do and to record; called again with the same shapes.
        """
        self._step = step
        self._seen: Counter[tuple[int, float]] = Counter()
        self._recordings: dict[tuple[int, float], _Recording] = {}
        # One stream for the steps before a recording and for the recording: what libraries keep for
        # each stream is there by then.
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]

    def __call__(
        self, real: Tensor, latents: Tensor, draws: Tensor | None, penalty: float
    ) -> StepTerms:
        """One step, the first few of a kind as ever and later ones by repetition.

        The terms are overwritten by the next step of the kind, so use them before.
        """
        inputs = (real, latents, draws)
        kind = (len(real), penalty)
        if kind not in self._recordings:
            self._seen[kind] += 1
            if self._seen[kind] <= WARM_UP:
                return self._aside(inputs, penalty)
            self._recordings[kind] = self._record(inputs, penalty)
        return self._recordings[kind].repeat(inputs)

    def _aside(self, inputs: tuple[Tensor, Tensor, Tensor | None], penalty: float) -> StepTerms:
        before = torch.cuda.current_stream()
        self._stream.wait_stream(before)
        with torch.cuda.stream(self._stream):
            terms = self._step(*inputs, penalty)
        before.wait_stream(self._stream)
        for tensor in inputs:
            if tensor is not None:  # its memory is in use over there until the step is done
                tensor.record_stream(self._stream)
        return terms

    def _record(self, inputs: tuple[Tensor, Tensor, Tensor | None], penalty: float) -> _Recording:
        real, latents, draws = inputs
        ours = (real.clone(), latents.clone(), None if draws is None else draws.clone())
        graph = torch.cuda.CUDAGraph()
        # Nothing is computed here; the first repetition is this step.
        with torch.cuda.graph(graph, stream=self._stream):
            terms = self._step(*ours, penalty)
        return _Recording(graph=graph, inputs=ours, terms=terms)
