"""The recipes: what they leave to be chosen, and what follows from the rest."""

import pytest

from catgan.train.config import RECIPES, TrainConfig


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
    assert TrainConfig.of_recipe("article", ndf=64).lr_d == TrainConfig().lr_d
    grouped = TrainConfig.of_recipe("balanced", ndf=64, norm="group")
    assert grouped.lr_d == RECIPES["balanced"]["lr_d"]
