"""The trainer's state: what is in it, and that it fits a run that computes otherwise."""

from typing import Any

import numpy as np
import pytest
import torch

from catgan.core.errors import BadSettings, CheckpointRefused
from catgan.train import trainer as trainer_module
from catgan.train.config import TrainConfig
from catgan.train.device import Computing
from catgan.train.pictures import TrainingPictures
from catgan.train.trainer import Trainer
from tests.train.conftest import draw_blob

CPU = torch.device("cpu")
SMALL: dict[str, Any] = {"size": 16, "ngf": 4, "ndf": 4, "latent_dim": 8, "batch_size": 4}


def make_trainer(recipe: str = "balanced", **changes: Any) -> Trainer:
    rng = np.random.default_rng(0)
    pictures = np.stack([draw_blob(rng, 16) for _ in range(40)])
    config = TrainConfig.of_recipe(recipe, **(SMALL | changes))
    return Trainer(TrainingPictures(pictures, CPU), config, CPU)


@pytest.mark.parametrize("recipe", ["article", "balanced"])
def test_a_state_of_another_layout_is_carried_on(
    recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a run on a graphics card leaves behind, say: the same steps follow, to rounding."""
    whole = make_trainer(recipe)
    for _ in range(3):
        whole.step()
    monkeypatch.setattr(trainer_module, "pick_layout", lambda *_: torch.channels_last)
    carried = make_trainer(recipe)
    weight = carried.generator.get_parameter("main.3.weight")
    assert weight.is_contiguous(memory_format=torch.channels_last)
    carried.load_state(whole.state())
    for _ in range(3):
        whole.step()
        carried.step()
    for name, value in whole.means().items():
        assert abs(value - carried.means()[name]) < 1e-3, name


def test_what_the_processor_cannot_is_refused_before_anything_is_made() -> None:
    with pytest.raises(BadSettings, match="--graphs on needs an NVIDIA GPU"):
        make_trainer(graphs="on")


def test_a_run_in_float16_asks_for_its_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it steps would be scaled as at the start. Only on a card float16 is offered; for this
    test the processor may pass for one."""
    monkeypatch.setattr(
        trainer_module, "pick_computing", lambda *_: Computing(precision="float16", graphs=False)
    )
    half = make_trainer(precision="float16")
    half.step()
    state = half.state()
    assert state["scaler"]["scale"] > 1
    again = make_trainer(precision="float16")
    again.load_state(state)
    assert again.state()["scaler"] == state["scaler"]
    for _ in range(2):
        half.step()
        again.step()
    assert again.means() == half.means()
    del state["scaler"]
    # what was left to the machine may come from one that needed no scale, and finds its own
    make_trainer(precision="auto").load_state(state)
    with pytest.raises(CheckpointRefused, match="does not fit"):
        make_trainer(precision="float16").load_state(state)
