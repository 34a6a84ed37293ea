"""What is promised of a run before it begins."""

import pytest

from catgan.train.config import TrainConfig
from catgan.train.outlook import FINE_TUNED, look_ahead, probe_speed


def test_it_counts_what_a_run_shows() -> None:
    config = TrainConfig.of_recipe("balanced", epochs=60)
    outlook = look_ahead(config, 120)
    assert outlook.images == 7200
    assert outlook.is_short
    assert not look_ahead(config, 100_000).is_short


def test_narrower_networks_need_more() -> None:
    wide, narrow = (
        look_ahead(TrainConfig.of_recipe("balanced", ngf=ngf, ndf=ngf), 500) for ngf in (64, 32)
    )
    assert wide.half is not None
    assert narrow.half is not None
    assert 1 < narrow.half / wide.half <= 2


def test_the_plain_recipe_promises_nothing() -> None:
    assert look_ahead(TrainConfig(epochs=10_000), 500).is_short


def test_trained_networks_need_little() -> None:
    config = TrainConfig.of_recipe("balanced", epochs=60)
    assert look_ahead(config, 120, seen_before=400_000).half == FINE_TUNED[1]
    # networks that have hardly begun are like new ones
    assert look_ahead(config, 120, seen_before=500) == look_ahead(config, 120)


@pytest.mark.parametrize("batch", [4, 512])
def test_the_speed_is_that_of_this_machine(batch: int) -> None:
    """Whatever it is, it is more than nothing, and networks of a toy are faster."""
    toy = {"size": 16, "ngf": 2, "ndf": 2, "latent_dim": 4, "device": "cpu"}
    config = TrainConfig.of_recipe("balanced", batch_size=batch, **toy)
    rate = probe_speed(config)
    assert rate > 0
