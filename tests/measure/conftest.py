"""The net is loaded once; pictures to look at are drawn."""

import numpy as np
import pytest

from catgan.core.pictures import Pictures
from catgan.measure.extractors.efficientnet import EfficientNetLite0
from tests.drawing import Head, draw_photo


@pytest.fixture(scope="session")
def net() -> EfficientNetLite0:
    """The extractor that comes with catgan, on the CPU."""
    return EfficientNetLite0(batch_size=8)


@pytest.fixture(scope="session")
def heads() -> Pictures:
    """(12, 64, 64, 3) uint8: drawn heads on different grounds."""
    return np.stack(
        [draw_photo(64, 64, Head(cx=32, cy=30 + i % 5, w=30 + i), seed=i) for i in range(12)]
    )
