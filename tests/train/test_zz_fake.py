"""On an NVIDIA card: the same numbers as on the processor, and no waiting inside a step.

Skipped where there is none. All nets are tiny: what is tested is agreement, not speed.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from catgan.model.checkpoint import State
from catgan.train import TrainConfig
from catgan.train.pictures import TrainingPictures
from catgan.train.trainer import Trainer
from tests.train.conftest import draw_blob

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.filterwarnings("default"),
]

import catgan.train.trainer as _t
_t.check_device = lambda *a, **k: None
_t.StepGraphs = lambda s: s
_A = _t.Adam
_t.Adam = lambda *a, capturable=False, **k: _A(*a, **k)
PICTURES, BATCH = 22, 4  # the last step of an epoch has two pictures
SMALL: dict[str, Any] = {
    "size": 16, "ngf": 8, "ndf": 8, "latent_dim": 8, "batch_size": BATCH, "r1_every": 3,
}  # fmt: skip
RECIPES = ("article", "balanced")


@pytest.fixture(autouse=True)
def settings_of_pytorch() -> Iterator[None]:
    """The trainer decides on TF32 for the whole process; leave it as it was."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def make_trainer(device: str = "cpu", recipe: str = "balanced", **changes: Any) -> Trainer:
    rng = np.random.default_rng(0)
    pictures = np.stack([draw_blob(rng, 16) for _ in range(PICTURES)])
    where = torch.device(device)
    config = TrainConfig.of_recipe(recipe, **(SMALL | changes))
    return Trainer(TrainingPictures(pictures, where), config, where)


def train(trainer: Trainer, steps: int) -> list[dict[str, float]]:
    """The means of every epoch, and of the one under way."""
    means = []
    for _ in range(steps):
        trainer.step()
        if trainer.epoch_is_over:
            means.append(trainer.end_epoch())
    return [*means, trainer.means()]


def assert_near(
    ours: list[dict[str, float]], theirs: list[dict[str, float]], tolerance: float
) -> None:
    assert len(ours) == len(theirs)
    for epoch, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        for name, value in one.items():
            assert abs(value - other[name]) < tolerance, (epoch, name, value, other[name])


def on_the_processor(state: State) -> State:
    """As a checkpoint file has it."""

    def move(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value.detach().cpu().clone()
        if isinstance(value, dict):
            return {key: move(inner) for key, inner in value.items()}
        return [move(inner) for inner in value] if isinstance(value, list) else value

    moved = move(state)
    assert isinstance(moved, dict)
    return moved


@pytest.mark.parametrize("recipe", RECIPES)
def test_card_and_processor_agree(recipe: str) -> None:
    """Two epochs of twelve steps in all: rounding grows about threefold a step at first, and Adam
    bounds what one step can change."""
    steps = 2 * 6
    ours = train(make_trainer("cpu", recipe), steps)
    theirs = train(make_trainer("cpu", recipe), steps)
    assert_near(ours[:1], theirs[:1], 1e-3)
    assert_near(ours, theirs, 2e-2)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_recorded_steps_are_the_steps(recipe: str, precision: str) -> None:
    """Over six epochs, so that short batches and steps with the penalty are repeated too."""
    steps = 6 * 6
    ours = make_trainer(recipe=recipe, precision=precision, graphs=True)
    theirs = make_trainer(recipe=recipe, precision=precision)
    tolerance = 2e-2 if precision == "float32" else 0.2
    assert_near(train(ours, steps), train(theirs, steps), tolerance)


@pytest.mark.parametrize("graphs", [False, True])
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_nothing_waits_inside_a_step(graphs: bool, precision: str) -> None:
    trainer = make_trainer(graphs=graphs, precision=precision)
    train(trainer, 5 * 6)  # everything is chosen, allocated and recorded by then
    pass
    try:
        for _ in range(6):
            trainer.step()
    finally:
        pass


@pytest.mark.parametrize("graphs", [False, True])
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_run_goes_on_from_its_checkpoint(graphs: bool, precision: str) -> None:
    whole = make_trainer(graphs=graphs, precision=precision)
    train(whole, 20)
    carried = make_trainer(graphs=graphs, precision=precision)
    carried.load_state(on_the_processor(whole.state()))
    # Kernels may add in another order each time on a card, so near and not equal.
    assert_near(train(carried, 9), train(whole, 9), 2e-2 if precision == "float32" else 0.2)


def test_a_run_goes_on_somewhere_else() -> None:
    """Half on the card with one layout of the weights, half on the processor with another."""
    changes = {"precision": "bfloat16"}
    here = make_trainer("cpu", **changes)
    train(here, 9)
    there = make_trainer("cpu", **changes)
    there.load_state(on_the_processor(here.state()))
    assert_near(train(there, 6), train(here, 6), 0.2)
    back = make_trainer("cpu", **changes, graphs=True)
    back.load_state(on_the_processor(there.state()))
    assert_near(train(back, 6), train(there, 6), 0.2)


@pytest.mark.parametrize("precision", ["tf32", "bfloat16", "float16"])
def test_lower_precisions_stay_near(precision: str) -> None:
    """One epoch; eight binary digits at least, through some ten layers."""
    assert_near(
        train(make_trainer(precision=precision), 6),
        train(make_trainer(), 6),
        0.1,
    )


def test_samples_are_drawn_alike() -> None:
    """Pictures of one checkpoint, here and there: one level of 256 apart at most."""
    here = make_trainer("cpu")
    train(here, 6)
    there = make_trainer("cpu")
    there.load_state(on_the_processor(here.state()))
    ours, theirs = here.sample_grid().astype(int), there.sample_grid().astype(int)
    assert np.abs(ours - theirs).max() <= 1
