"""What is suggested once data sets are made."""

from pathlib import Path

import pytest

from catgan.cli.ahead import FEW, training_words
from catgan.model.base import load_base
from catgan.train.config import BASE_SIZE, FINE_TUNING_IMAGES

HERE = Path("curated")


@pytest.mark.parametrize("crops", [3, 40, 117, 499])
def test_few_crops_are_for_fine_tuning(crops: int) -> None:
    quick, both = training_words(HERE, {"full-body": 600, "face-crop": crops}, BASE_SIZE)
    assert "--start-from base" in quick
    assert both.endswith("catgan train curated")
    epochs = int(quick.split("--epochs ")[1])
    # enough images, and at most ten epochs more than that
    assert FINE_TUNING_IMAGES <= epochs * crops < FINE_TUNING_IMAGES + 10 * crops


@pytest.mark.parametrize(("crops", "size"), [(0, 64), (FEW, 64), (117, 128)])
def test_otherwise_there_is_one_way(crops: int, size: int) -> None:
    """No crops, enough of them, or a size that the bundled model does not have."""
    assert list(training_words(HERE, {"full-body": 600, "face-crop": crops}, size)) == [
        "Next: catgan train curated"
    ]


def test_the_size_is_that_of_the_bundled_model() -> None:
    assert load_base().facts.size == BASE_SIZE
