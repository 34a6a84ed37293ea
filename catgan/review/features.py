"""The features by which crops are alike: those that `compare` measures with, and its cache."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catgan.core.pictures import Pictures

if TYPE_CHECKING:
    from catgan.measure.extractors.base import Extractor  # loads PyTorch


class CropFeatures:
    """Sees the features of crops, by a network that is loaded when it is first needed."""

    def __init__(self, cache: Path | None) -> None:
        """Nothing is loaded yet.

        Args:
            cache: Folder to keep features in; None keeps none.
        """
        self._cache = cache
        self._extractor: Extractor | None = None

    def __call__(self, pictures: Pictures) -> NDArray[np.float32]:
        """The features of crops, (N, D) float32.

        Args:
            pictures: (N, H, W, 3) uint8 sRGB, N from 1.

        Raises:
            MissingPackage: The network cannot be loaded.
        """
        if self._extractor is None:
            from catgan.measure.extractors.opening import open_extractor

            self._extractor = open_extractor(cache=self._cache)
        return self._extractor.extract(pictures).pooled
