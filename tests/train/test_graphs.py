"""Recorded steps: each step is done exactly once, on the numbers that were given for it.

A real recording needs a graphics card (see test_cuda.py). Here a toy card stands in for it, with
the rule that matters: while it records, what it is told is kept and not done.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from catgan.core.errors import BadSettings
from catgan.train.config import TrainConfig
from catgan.train.device import check_device
from catgan.train.graphs import WARM_UP, StepGraphs
from catgan.train.step import StepTerms


class ToyGraph:
    """What was recorded."""

    def __init__(self) -> None:
        self.work: list[Callable[[], None]] = []

    def replay(self) -> None:
        for piece in self.work:
            piece()


class ToyCard:
    """Does what it is told, or keeps it."""

    recording: ToyGraph | None = None
    recorded = 0

    def tell(self, work: Callable[[], None]) -> None:
        if self.recording is None:
            work()
        else:
            self.recording.work.append(work)


class ToyStream:
    def wait_stream(self, stream: Any) -> None: ...


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> ToyCard:
    toy = ToyCard()

    @contextmanager
    def graph(recorded: ToyGraph, stream: Any) -> Iterator[None]:
        toy.recording = recorded
        toy.recorded += 1
        yield
        toy.recording = None

    @contextmanager
    def on(stream: Any) -> Iterator[None]:
        yield

    monkeypatch.setattr(torch.cuda, "CUDAGraph", ToyGraph)
    monkeypatch.setattr(torch.cuda, "graph", graph)
    monkeypatch.setattr(torch.cuda, "Stream", ToyStream)
    monkeypatch.setattr(torch.cuda, "current_stream", ToyStream)
    monkeypatch.setattr(torch.cuda, "stream", on)
    monkeypatch.setattr(Tensor, "record_stream", lambda tensor, stream: None)
    return toy


def make_step(card: ToyCard, done: list[tuple[float, ...]]) -> Callable[..., StepTerms]:
    """A step whose only effect is to note down what it was done on."""

    def step(real: Tensor, latents: Tensor, draws: Tensor | None, penalty: float) -> StepTerms:
        terms = StepTerms(**{name: torch.zeros(()) for name in StepTerms.__dataclass_fields__})

        def work() -> None:
            drawn = -1.0 if draws is None else float(draws.sum())
            done.append((len(real), float(real.sum()), float(latents.sum()), drawn, penalty))
            terms.loss_d.copy_(real.sum() + penalty)

        card.tell(work)
        return terms

    return step


@pytest.mark.parametrize("with_draws", [False, True])
def test_every_step_is_done_once_on_its_own_numbers(card: ToyCard, with_draws: bool) -> None:
    done: list[tuple[float, ...]] = []
    graphs = StepGraphs(make_step(card, done))
    expected = []
    for number in range(60):
        # two sizes of batches, as at the end of an epoch, and a penalty every third step
        count, penalty = (2 if number % 5 == 4 else 4), (0.5 if number % 3 == 0 else 0.0)
        real = torch.full((count, 1), float(number))
        latents = torch.full((count, 1), -float(number))
        draws = torch.full((3, count, 1), 0.5 * number) if with_draws else None
        terms = graphs(real, latents, draws, penalty)
        drawn = 1.5 * count * number if with_draws else -1.0
        expected.append((count, count * number, -count * number, drawn, penalty))
        assert float(terms.loss_d) == count * number + penalty
    assert done == expected
    assert card.recorded == 4  # kinds of steps


def test_the_first_steps_of_a_kind_are_not_recorded(card: ToyCard) -> None:
    done: list[tuple[float, ...]] = []
    graphs = StepGraphs(make_step(card, done))
    for number in range(WARM_UP + 2):
        graphs(torch.zeros(2, 1), torch.zeros(2, 1), None, 0.0)
        assert card.recorded == (number >= WARM_UP)
    assert len(done) == WARM_UP + 2


@pytest.mark.parametrize("device", ["cpu", "mps"])
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"graphs": True}, "--graphs needs an NVIDIA GPU, .* leave it out"),
        ({"precision": "float16"}, "--precision float16 needs an NVIDIA GPU.* use float32 or"),
        ({"precision": "tf32"}, "--precision tf32 needs an NVIDIA GPU"),
    ],
)
def test_what_only_a_card_can_is_refused_elsewhere(
    device: str, changes: dict[str, Any], sentence: str
) -> None:
    config = TrainConfig(**changes)
    with pytest.raises(BadSettings, match=sentence):
        check_device(torch.device(device), precision=config.precision, graphs=config.graphs)
    check_device(torch.device("cuda"), precision=config.precision, graphs=config.graphs)
