"""The recipes: what they leave to be chosen, and what follows from the rest."""

import dataclasses
import inspect
from pathlib import Path
from typing import Any

import pytest

from catgan.cli.train import train
from catgan.core.errors import BadSettings
from catgan.core.settings import declared
from catgan.formats.runs import Run
from catgan.model.networks import NetworkFacts
from catgan.train.config import DEFAULT_RECIPE, RECIPES, TrainConfig
from catgan.train.resume import EARLIER, recorded_settings, settle
from catgan.train.start import StartNetworks


@pytest.mark.parametrize(
    ("ndf", "size", "rate"),
    [(16, 64, 1e-3), (32, 64, 1e-3), (64, 64, 5e-4), (128, 64, 2.5e-4), (32, 128, 5e-4)],
)
def test_a_wide_discriminator_without_norms_learns_more_slowly(
    ndf: int, size: int, rate: float
) -> None:
    """At 0.001 and width 64 it ran wild at 25,000 pictures (docs/log.md)."""
    config = TrainConfig.of_recipe("balanced", ndf=ndf, size=size)
    assert config.lr_d == pytest.approx(rate, rel=1e-12)


def test_a_rate_that_is_given_is_taken() -> None:
    assert TrainConfig.of_recipe("balanced", ndf=64, lr_d=3e-4).lr_d == 3e-4


def test_norms_do_without() -> None:
    assert TrainConfig(recipe="article", ndf=64).lr_d == 2e-4
    assert TrainConfig(recipe="balanced", norm="group").lr_d == 1e-3


def test_python_and_the_command_line_mean_the_same_by_default(tmp_path: Path) -> None:
    assert TrainConfig() == TrainConfig.of_recipe(DEFAULT_RECIPE)
    assert TrainConfig() == settle(Run(folder=tmp_path / "new"), {})
    assert TrainConfig() == train.settings  # type: ignore[attr-defined]  # what --help shows
    for recipe in RECIPES:
        named: dict[str, Any] = {"recipe": recipe, "ndf": 128}
        assert TrainConfig(**named) == settle(Run(folder=tmp_path / "new"), named)


class TestFewImages:
    """What nobody named fits how many images there are."""

    def new(self, tmp_path: Path, images: int, **named: Any) -> TrainConfig:
        return settle(Run(folder=tmp_path / "new"), named, images=images)

    def test_fewer_than_a_batch_get_another_recipe(self, tmp_path: Path) -> None:
        assert self.new(tmp_path, 32).recipe == DEFAULT_RECIPE
        assert self.new(tmp_path, 31) == TrainConfig(recipe="balanced")
        assert self.new(tmp_path, 40, held_out=9).recipe == "balanced", (
            "those held out do not count"
        )
        assert self.new(tmp_path, 3, batch_size=8).batch_size == 8, "what is named is not changed"

    def test_a_recipe_that_is_named_stays(self, tmp_path: Path) -> None:
        assert self.new(tmp_path, 31, recipe="projected") == TrainConfig(recipe="projected")

    @pytest.mark.parametrize(("images", "batch"), [(100, 32), (32, 32), (31, 16), (8, 8), (1, 1)])
    def test_a_start_keeps_its_recipe_in_smaller_batches(
        self, tmp_path: Path, images: int, batch: int
    ) -> None:
        def open_networks(_: str) -> StartNetworks:
            facts = NetworkFacts(
                latent_dim=100, ngf=8, ndf=8, size=16, norm="group", upsample="nearest",
                skip=True, discriminator="projected", images_shown=0,
            )  # fmt: skip
            return StartNetworks(source="it", facts=facts, generator={}, discriminator={})

        config = settle(
            Run(folder=tmp_path / "new"), {"start_from": "it"}, open_networks, images=images
        )
        assert (config.recipe, config.batch_size, config.ngf) == ("projected", batch, 8)


def test_what_is_named_wins_over_the_recipe_and_nothing_else_is_lost() -> None:
    config = TrainConfig(recipe="article", batch_size=16)
    assert (config.batch_size, config.norm, config.lr_g) == (16, "batch", 2e-4)
    again = dataclasses.replace(config, epochs=7)
    assert again == TrainConfig(recipe="article", batch_size=16, epochs=7)
    wide = TrainConfig(recipe="balanced", ndf=64)
    assert dataclasses.replace(wide, ndf=128).lr_d == wide.lr_d, "a setting that is there stays"


def test_no_is_said_in_words() -> None:
    with pytest.raises(BadSettings, match="there is projected, balanced and article"):
        TrainConfig(recipe="stylegan")
    with pytest.raises(TypeError, match=r"no setting epoch$"):
        TrainConfig(epoch=3)
    with pytest.raises(BadSettings, match="--ndf is 0"):
        TrainConfig(ndf=0)


def test_an_editor_is_shown_every_setting() -> None:
    shown = inspect.signature(TrainConfig).parameters
    assert list(shown) == [one.name for one in declared(TrainConfig())]


class TestRecordedSettings:
    """What a run has not on record is as it was before there was the setting."""

    def test_every_setting_has_its_value_of_before(self) -> None:
        assert EARLIER.keys() == {field.name for field in dataclasses.fields(TrainConfig)}

    def test_no_recipe_of_today_has_a_say(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for recipe in RECIPES:
            monkeypatch.setitem(RECIPES, recipe, {"batch_size": 32, "flip": True, "r1": 0.5})
        for recorded in ({}, {"recipe": "article"}, {"recipe": "balanced", "lr_d": 1e-3}):
            read = recorded_settings(recorded, "config.json")
            assert dataclasses.asdict(read) == EARLIER | recorded
