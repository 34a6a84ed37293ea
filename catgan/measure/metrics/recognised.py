"""How many images an ImageNet classifier recognises as a cat."""

import numpy as np

from catgan.core.errors import BadUsage
from catgan.measure.extractors.base import Features
from catgan.measure.statistics.rate import Rate, rate

LITTLE = 0.02
"""Share of samples recognised, below which a run has come to nothing yet."""

# Training images to a first few recognised samples, and to about half of them, at width 64 and 64 x
# 64 pixels, on photos of many cats; docs/training.md has the curves. Half the width needs twice as
# many, and narrower networks were not measured.
NEEDED = {"balanced": (25_000, 80_000), "projected": (10_000, 25_000)}
MOST_NARROW = 2.0


def images_needed(recipe: str, ngf: int) -> tuple[int, int] | None:
    """Training images that a run from scratch takes; None for a recipe that hardly gets there.

    Args:
        recipe: Of the run.
        ngf: Width of its generator.

    Returns:
        Those until the first samples are recognised as cats, and those until half of them are.
    """
    if recipe not in NEEDED:
        return None
    scale = max(1.0, min(MOST_NARROW, 64 / ngf))
    first, half = (1000 * round(images * scale / 1000) for images in NEEDED[recipe])
    return first, half


def recognised_rate(features: Features, *, extractor: str = "") -> Rate:
    """How many images are more likely a cat than not: probability above one half.

    Args:
        features: Of N images, N from 1, by a network that says what is a cat.
        extractor: Which network that is, for the record.

    Raises:
        TooFewPictures: There is none.
        BadUsage: The network does not say: its probabilities are NaN.
    """
    if np.isnan(features.cat).any():
        raise BadUsage(
            f"{extractor or 'This network'} sees features but does not say what is a cat; "
            "pair it with one that does (catgan.measure.extractors.paired)."
        )
    return rate(features.cat > 0.5, extractor=extractor)
