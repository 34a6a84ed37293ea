"""How many images an ImageNet classifier recognises as a cat."""

import numpy as np

from catgan.core.errors import BadUsage
from catgan.measure.extractors.base import Features
from catgan.measure.statistics.rate import Rate, rate

LITTLE = 0.02
"""Share of samples recognised, below which a run has come to nothing yet."""


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
