"""On an NVIDIA card: the same numbers as on the processor, and no waiting inside a step.

Skipped where there is none. All nets are tiny: what is tested is agreement, not speed.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from catgan.model.checkpoint import State
from catgan.train.config import TrainConfig
from catgan.train.device import own_device
from catgan.train.launch import joined
from catgan.train.pictures import TrainingPictures
from catgan.train.ranks import ALONE, Ranks
from catgan.train.trainer import Trainer
from tests.train.conftest import draw_blob, tiny_eyes
from tests.train.test_launch import told

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA card"),
]

PICTURES, BATCH = 22, 4  # the last step of an epoch has two pictures
SMALL: dict[str, Any] = {
    "size": 16, "ngf": 8, "ndf": 8, "latent_dim": 8, "batch_size": BATCH, "r1_every": 3,
    "precision": "float32", "graphs": "off",
}  # fmt: skip
RECIPES = ("article", "balanced", "projected")


@pytest.fixture(autouse=True)
def settings_of_pytorch() -> Iterator[None]:
    """The trainer decides on TF32 for the whole process; leave it as it was."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def make_trainer(
    device: str = "cuda", recipe: str = "balanced", ranks: Ranks = ALONE, **changes: Any
) -> Trainer:
    rng = np.random.default_rng(0)
    pictures = np.stack([draw_blob(rng, 16) for _ in range(PICTURES)])
    where = torch.device(device)
    config = TrainConfig.of_recipe(recipe, **(SMALL | changes))
    return Trainer(TrainingPictures(pictures, where), config, where, eyes=tiny_eyes, ranks=ranks)


def train(trainer: Trainer, steps: int) -> list[dict[str, float]]:
    """The means of every epoch, and of the one under way."""
    means = []
    while steps:
        before = trainer.step_of_epoch
        trainer.step(steps)
        steps -= trainer.step_of_epoch - before
        if trainer.epoch_is_over:
            means.append(trainer.end_epoch())
    return [*means, trainer.means()]


def weights(trainer: Trainer) -> torch.Tensor:
    nets = (trainer.generator, trainer.discriminator)
    return torch.cat([w.detach().cpu().flatten() for net in nets for w in net.parameters()])


def apart(ours: Trainer, theirs: Trainer) -> float:
    """How far the weights of two runs lie apart, in parts of the way that training moved them.

    Measured on a processor: 3e-7 for another layout in float32, 0.05 for bfloat16 instead, 1.3 for
    another seed, that is for runs that have nothing in common.
    """
    start = weights(make_trainer("cpu", ours.config.recipe))
    moved = (weights(theirs) - start).abs().mean()
    return float((weights(ours) - weights(theirs)).abs().mean() / moved)


ROUNDING = 0.02  # cards add in another order and another one each time; Adam passes on signs only
LOW = 0.3  # of bfloat16 and float16, whose rounding is that much coarser


def assert_near(
    ours: dict[str, float], theirs: dict[str, float], tolerance: float, recipe: str
) -> None:
    """The means of an epoch agree; shares, which hinge losses come with, to two pictures."""
    for name, value in ours.items():
        share = recipe == "projected" and name.startswith("d_")
        assert value == pytest.approx(theirs[name], abs=2 / PICTURES if share else tolerance), name


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
    """Two epochs: the means of what was seen, and the weights."""
    ours, theirs = make_trainer("cuda", recipe), make_trainer("cpu", recipe)
    for one, other in zip(train(ours, 2 * 6), train(theirs, 2 * 6), strict=True):
        assert_near(one, other, 1e-3, recipe)
    assert apart(ours, theirs) < ROUNDING


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_recorded_steps_are_the_steps(recipe: str, precision: str) -> None:
    """Over six epochs, so that short batches and steps with the penalty are repeated too."""
    ours = make_trainer(recipe=recipe, precision=precision, graphs="on")
    theirs = make_trainer(recipe=recipe, precision=precision, graphs="off")
    tolerance = 2e-3 if precision == "float32" else 2e-2
    for one, other in zip(train(ours, 6 * 6), train(theirs, 6 * 6), strict=True):
        assert_near(one, other, tolerance, recipe)
    assert apart(ours, theirs) < (ROUNDING if precision == "float32" else LOW)


@pytest.mark.parametrize("graphs", ["off", "on"])
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_nothing_waits_inside_a_step(graphs: str, precision: str) -> None:
    trainer = make_trainer(graphs=graphs, precision=precision)
    train(trainer, 5 * 6)  # everything is chosen, allocated and recorded by then
    torch.cuda.set_sync_debug_mode("error")
    try:
        while not trainer.epoch_is_over:
            trainer.step()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("graphs", ["off", "on"])
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_run_goes_on_from_its_checkpoint(graphs: str, precision: str) -> None:
    whole = make_trainer(graphs=graphs, precision=precision)
    train(whole, 20)
    carried = make_trainer(graphs=graphs, precision=precision)
    carried.load_state(on_the_processor(whole.state()))
    assert torch.equal(weights(carried), weights(whole))
    for trainer in (carried, whole):
        train(trainer, 9)
    assert carried.state()["order"].equal(whole.state()["order"])
    assert apart(carried, whole) < (ROUNDING if precision == "float32" else LOW)


def test_a_run_goes_on_somewhere_else() -> None:
    """From card to processor and back, from recorded steps to others and back."""
    here = make_trainer("cuda", graphs="on")
    train(here, 9)
    there = make_trainer("cpu")
    there.load_state(on_the_processor(here.state()))
    for trainer in (here, there):
        train(trainer, 6)
    assert apart(there, here) < ROUNDING
    back = make_trainer("cuda", graphs="on")
    back.load_state(on_the_processor(there.state()))
    for trainer in (back, there):
        train(trainer, 6)
    assert apart(back, there) < ROUNDING


@pytest.mark.parametrize("graphs", ["off", "on"])
def test_numbers_are_sent_for_several_steps_at_once(graphs: str) -> None:
    """In one copy, and what is drawn is what single steps draw."""
    ours, single = make_trainer(graphs=graphs, r1_every=8), make_trainer(graphs=graphs, r1_every=8)
    while not ours.epoch_is_over:
        ours.step()
    assert ours._ahead.sent == 1
    for _ in range(ours.steps_an_epoch):
        single.step(1)
    assert ours.state()["random"].equal(single.state()["random"])
    assert apart(ours, single) < ROUNDING


def test_pictures_that_do_not_fit_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are sent from memory, recorded steps or not."""
    there = make_trainer(graphs="on")
    monkeypatch.setattr("catgan.train.pictures.free_device_memory", lambda _: 0)
    here = make_trainer(graphs="on")
    assert here._pictures.place == "memory"
    for trainer in (here, there):
        train(trainer, 6 * 6)
    assert apart(here, there) < ROUNDING


def test_a_card_left_to_itself_computes_low() -> None:
    trainer = make_trainer(precision="auto", graphs="auto")
    assert trainer.computing.graphs
    assert trainer.computing.precision in ("bfloat16", "float16", "float32")
    train(trainer, 6 * 6)
    assert trainer.is_sound()


def test_a_run_left_to_the_machine_goes_on_elsewhere() -> None:
    there = make_trainer(precision="auto", graphs="auto")
    train(there, 9)
    here = make_trainer("cpu", precision="auto", graphs="auto")
    here.load_state(on_the_processor(there.state()))
    train(here, 9)
    back = make_trainer(precision="auto", graphs="auto")
    back.load_state(on_the_processor(here.state()))
    train(back, 9)
    assert back.is_sound()


@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_lower_precisions_stay_near(precision: str) -> None:
    ours, theirs = make_trainer(precision=precision), make_trainer()
    for trainer in (ours, theirs):
        train(trainer, 12)
    assert apart(ours, theirs) < LOW
    if precision != "tf32":  # which older cards do not have
        assert apart(ours, theirs) > 0


def test_samples_are_drawn_alike() -> None:
    """Pictures of one checkpoint, here and there: one level of 256 apart at most."""
    here = make_trainer("cuda")
    train(here, 6)
    there = make_trainer("cpu")
    there.load_state(on_the_processor(here.state()))
    ours, theirs = here.sample_grid().astype(int), there.sample_grid().astype(int)
    assert np.abs(ours - theirs).max() <= 1


@pytest.mark.parametrize("recipe", RECIPES)
def test_one_rank_by_way_of_nccl(recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What several cards do, on one: batch norm, gradients and terms go through NCCL."""
    theirs = make_trainer(recipe=recipe)
    means = train(theirs, 2 * 6)
    with told(monkeypatch), joined(1) as ranks:
        there = own_device(torch.device("cuda"), ranks)
        assert there.index == 0
        ours = make_trainer(str(there), recipe, ranks=ranks)
        for one, other in zip(train(ours, 2 * 6), means, strict=True):
            assert_near(one, other, 2e-3, recipe)
        ours.check_alike()
        assert apart(ours, theirs) < ROUNDING
        state = ranks.from_first(ours.state())
        carried = make_trainer(str(there), recipe, ranks=ranks)
        carried.load_state(on_the_processor(state))
        assert torch.equal(weights(carried), weights(ours))
        half = make_trainer(str(there), recipe, ranks=ranks, precision="float16")
        train(half, 2 * 6)
        assert half.is_sound()
