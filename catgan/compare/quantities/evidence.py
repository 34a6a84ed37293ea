"""What a quantity is measured from: samples, or real images in their place, and their features."""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from catgan.compare.config import CompareConfig
from catgan.compare.inputs.real_images import RealImages
from catgan.core.pictures import Pictures
from catgan.measure.extractors.base import Extractor, Features, judge_of
from catgan.measure.metrics.neighbours import Nearest, nearest


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """What images are measured with: the same for every run."""

    extractor: Extractor
    """Sees features and says what is a cat."""
    faces: Extractor | None
    """A face finder as an extractor; None to look for none."""
    why_no_faces: str
    """Why no faces are looked for; "" where they are."""
    second: Extractor | None = None
    """A second network, which chose nothing; None for none."""
    why_no_second: str = ""
    """Why there is none; "" where there is."""
    cascades: Extractor | None = None
    """A face finder that chose nothing, as an extractor; None for none."""
    why_no_cascades: str = ""
    """Why there is none; "" where there is."""

    def look_again(self, images: Pictures, config: CompareConfig) -> Features | None:
        """What the second network sees in the first of some images; None where there is none."""
        return None if self.second is None else self.second.extract(images[: config.second_judge])

    @property
    def judge(self) -> str:
        """Who says what is a cat."""
        return judge_of(self.extractor)


@dataclasses.dataclass(
    frozen=True, kw_only=True
)  # no slots: `nearest` is kept where it is asked for
class Evidence:
    """Images to measure, and what to measure them against."""

    name: str
    """Whose images they are, to tell of progress."""
    images: Pictures
    """(N, size, size, 3) uint8 sRGB: samples of a run, or real images in their place."""
    features: Features
    """Of `images`."""
    second: Features | None
    """What the second network sees in the first of them, as many as it is shown; None where there
    is none."""
    by_cascade: NDArray[np.bool_] | None = None
    """(N,): which of `images` are real ones that OpenCV's cascades alone found; None for none."""
    real: RealImages
    """The real images that the run was trained on and is measured against."""
    instruments: Instruments
    """What images are measured with."""
    config: CompareConfig
    """Settings."""
    say: Callable[[str], None]
    """Told what is being done."""

    @property
    def extractor(self) -> str:
        """Whose features these are."""
        return self.instruments.extractor.name

    @functools.cached_property
    def nearest(self) -> Nearest:
        """The nearest training image of each image."""
        return nearest(self.features.pooled, self.real.train_features.pooled)
