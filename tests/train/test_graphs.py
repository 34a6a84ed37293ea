"""Recorded steps: each step is done exactly once, on the numbers that were given for it.

A real recording needs a graphics card (see test_cuda.py). Here a toy card stands in for it, with
the rule that matters: while it records, what it is told is kept and not done.
"""

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from catgan.core.errors import BadSettings, OutOfMemory
from catgan.train import trainer as trainer_module
from catgan.train.config import TrainConfig
from catgan.train.device import Computing, explain_memory, pick_computing
from catgan.train.graphs import MOST, WARM_UP, StepGraphs, StepKind
from catgan.train.pictures import TrainingPictures
from catgan.train.step import frozen
from catgan.train.trainer import Trainer
from tests.train.conftest import draw_blob

CPU = torch.device("cpu")
SMALL: dict[str, Any] = {"size": 16, "ngf": 4, "ndf": 4, "latent_dim": 8, "batch_size": 4}
PICTURES = 39  # ten steps an epoch, the last one short


def make_trainer(recipe: str) -> Trainer:
    rng = np.random.default_rng(0)
    pictures = np.stack([draw_blob(rng, 16) for _ in range(PICTURES)])
    config = TrainConfig.of_recipe(recipe, **SMALL)
    return Trainer(TrainingPictures(pictures, CPU), config, CPU)


def flat(state: Any, name: str = "") -> dict[str, Tensor]:
    """All tensors of a state, by their way to them."""
    if isinstance(state, Tensor):
        return {name: state}
    if not isinstance(state, dict | list | tuple):
        return {}
    found: dict[str, Tensor] = {}
    for key, part in state.items() if isinstance(state, dict) else enumerate(state):
        found |= flat(part, f"{name}.{key}".lstrip("."))
    return found


class ToyGraph:
    """What was recorded."""

    def __init__(self) -> None:
        self.work: list[Callable[[], None]] = []

    def replay(self) -> None:
        for piece in self.work:
            piece()

    def pool(self) -> int:
        return 1


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
    def graph(recorded: ToyGraph, pool: Any, stream: Any) -> Iterator[None]:
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
    monkeypatch.setattr(torch.cuda, "set_stream", lambda _: None)
    return toy


def make_take(card: ToyCard, done: list[Any], places: list[int]) -> Callable[..., None]:
    """A step whose only effect is to note down what it was done on: what lies at its place."""

    def take(place: int, kind: StepKind) -> None:
        card.tell(lambda: done.append((places[place], kind)))

    return take


def test_every_step_is_done_once_on_its_own_numbers(card: ToyCard) -> None:
    done: list[Any] = []
    places = [0, 0, 0, 0]
    graphs = StepGraphs(make_take(card, done, places))
    expected = []
    for number in range(60):
        # an epoch of four, three and a short step, and a penalty in the first of every four
        kinds: list[StepKind] = [(4, 0.5), (4, 0.0), (4, 0.0), (4, 0.0)]
        if number % 3 == 2:
            kinds = [(4, 0.5), (2, 0.0)]
        places[:] = [10 * number + place for place in range(4)]
        graphs(tuple(kinds))
        expected += [(10 * number + place, kind) for place, kind in enumerate(kinds)]
    assert done == expected
    assert card.recorded == 2  # sequences of steps


def test_the_first_steps_of_a_kind_are_not_recorded(card: ToyCard) -> None:
    done: list[Any] = []
    graphs = StepGraphs(make_take(card, done, [0, 1]))
    for number in range(WARM_UP + 2):
        graphs(((2, 0.0),))
        assert card.recorded == (number >= WARM_UP)
    assert len(done) == WARM_UP + 2
    graphs(((2, 0.0), (2, 0.0)))  # of known kinds, but never together before
    assert card.recorded == 1
    graphs(((2, 0.0), (2, 0.0)))
    assert card.recorded == 2
    assert len(done) == WARM_UP + 6


def test_recordings_do_not_grow_without_end(card: ToyCard) -> None:
    done: list[Any] = []
    graphs = StepGraphs(make_take(card, done, [0] * 8))
    for _ in range(2 * WARM_UP):
        for number in range(MOST + 10):
            graphs(((4, 0.0), (4, float(number))))
    assert card.recorded == MOST
    assert len(done) == 2 * 2 * WARM_UP * (MOST + 10)


@pytest.mark.parametrize("recipe", ["article", "balanced"])
def test_a_run_on_the_toy_card_is_the_run(
    card: ToyCard, recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps taken at once and repeated, with their numbers at fixed places, over epochs with a
    short last batch and a penalty that moves through them: what single steps do."""
    plain = make_trainer(recipe)
    monkeypatch.setattr(trainer_module, "steps_at_once", lambda _: 8)
    ours = make_trainer(recipe)
    take = ours._take
    ours._take_all = StepGraphs(lambda place, kind: card.tell(lambda: take(place, kind)))
    for _ in range(20):
        while not plain.epoch_is_over:
            plain.step()
        while not ours.epoch_is_over:
            ours.step()
        assert ours.end_epoch() == plain.end_epoch()
    assert card.recorded >= 2
    assert ours._ahead.sent < 20 * ours.steps_an_epoch / 3
    # the average alone differs: at a fixed place its weight is a float32
    for name, value in flat(plain.state()).items():
        if name.startswith("average"):
            torch.testing.assert_close(flat(ours.state())[name], value, atol=1e-6, rtol=1e-5)
        else:
            assert torch.equal(flat(ours.state())[name], value), name


@pytest.mark.parametrize("recipe", ["balanced", "article"])
def test_where_recording_fails_steps_go_on_one_by_one(
    card: ToyCard, recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a step, as a card does it; the run is the same, and learns on."""
    plain = make_trainer(recipe)
    monkeypatch.setattr(trainer_module, "steps_at_once", lambda _: 8)
    ours = make_trainer(recipe)
    take = ours._train_step

    def fail(*given: Any) -> Any:
        if card.recording is not None:
            card.recording = None
            with frozen(ours.discriminator):
                raise RuntimeError("operation not permitted when stream is capturing\nmore")
        return take(*given)

    monkeypatch.setattr(ours, "_train_step", fail)
    graphs = StepGraphs(ours._take, forgiving=True)
    ours._take_all = graphs
    for _ in range(6):
        for trainer in (plain, ours):
            while not trainer.epoch_is_over:
                trainer.step()
        assert ours.end_epoch() == plain.end_epoch()
    assert graphs.failure == "operation not permitted when stream is capturing"
    assert card.recorded == 1, "it is tried once"
    for name, value in flat(plain.state()).items():
        if not name.startswith("average"):
            assert torch.equal(flat(ours.state())[name], value), name


def test_where_graphs_are_asked_for_a_failure_is_one(card: ToyCard) -> None:
    def take(place: int, kind: StepKind) -> None:
        if card.recording is not None:
            raise RuntimeError("no")

    graphs = StepGraphs(take)
    with pytest.raises(RuntimeError, match="no"):
        for _ in range(WARM_UP + 1):
            graphs(((4, 0.0),))


def test_at_most_so_many_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "steps_at_once", lambda _: 8)
    trainer = make_trainer("balanced")
    trainer.step(3)
    assert trainer.step_of_epoch == 3
    trainer.step()  # up to where R1 falls due
    assert trainer.step_of_epoch == 8
    trainer.step()
    assert trainer.epoch_is_over


def graphics_card(major: int) -> Callable[[Any], tuple[int, int]]:
    return lambda _: (major, 0)


@pytest.mark.parametrize(
    ("major", "precision"), [(9, "bfloat16"), (8, "bfloat16"), (7, "float16"), (6, "float32")]
)
def test_a_card_is_used_as_it_can(
    major: int, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", graphics_card(major))
    there = torch.device("cuda")
    assert pick_computing(TrainConfig(), there) == Computing(precision=precision, graphs=True)
    named = TrainConfig(precision="tf32", graphs="off")
    assert pick_computing(named, there) == Computing(precision="tf32", graphs=False)


@pytest.mark.parametrize(
    ("probes", "machine", "precision"),
    [
        ({}, "x86_64", "float32"),
        ({"_is_amx_tile_supported": True}, "x86_64", "bfloat16"),
        ({"_is_avx512_bf16_supported": True}, "x86_64", "bfloat16"),
        ({"_is_amx_tile_supported": None, "_is_avx512_bf16_supported": None}, "x86_64", "float32"),
    ],
)
def test_a_processor_is_asked_for_its_instructions(
    probes: dict[str, bool | None], machine: str, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where PyTorch has lost such a probe, the answer is no."""
    monkeypatch.setattr(platform, "machine", lambda: machine)
    for probe in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        answer = probes.get(probe, False)
        if answer is None:
            monkeypatch.delattr(torch.cpu, probe, raising=False)
        else:
            monkeypatch.setattr(torch.cpu, probe, lambda answer=answer: answer, raising=False)
    config, device = TrainConfig(), torch.device("cpu")
    assert pick_computing(config, device) == Computing(precision=precision, graphs=False)
    assert pick_computing(config, torch.device("mps")).precision == "float32"
    named = TrainConfig(precision="float32")
    assert pick_computing(named, device).precision == "float32"


def test_too_little_memory_is_said(tmp_path: Path) -> None:
    config = TrainConfig(batch_size=512)
    with (
        pytest.raises(OutOfMemory, match=r"run; lower --batch-size \(now 512\), or --ngf and"),
        explain_memory(tmp_path / "run", config),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


@pytest.mark.parametrize("device", ["cpu", "mps"])
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"graphs": "on"}, "--graphs on needs an NVIDIA GPU, .* use auto"),
        ({"precision": "float16"}, "--precision float16 needs an NVIDIA GPU.* use auto, float32"),
        ({"precision": "tf32"}, "--precision tf32 needs an NVIDIA GPU"),
    ],
)
def test_what_only_a_card_can_is_refused_elsewhere(
    device: str, changes: dict[str, Any], sentence: str
) -> None:
    config = TrainConfig(**changes)
    with pytest.raises(BadSettings, match=sentence):
        pick_computing(config, torch.device(device))
