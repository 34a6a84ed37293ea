"""Two networks as one extractor: features by the one, what is a cat by the other."""

from catgan.core.pictures import Pictures
from catgan.measure.extractors.base import Extractor, Features, judge_of


class Paired:
    """Shows every image to two networks, since some see features but do not say what is a cat."""

    def __init__(self, sees: Extractor, judges: Extractor) -> None:
        """Put them together.

        Args:
            sees: Its features count, and its name.
            judges: Its probabilities of a cat count.
        """
        self._sees = sees
        self._judges = judges

    @property
    def name(self) -> str:
        """Whose the features are."""
        return self._sees.name

    @property
    def judge(self) -> str:
        """Who says what is a cat."""
        return judge_of(self._judges)

    def extract(self, pictures: Pictures) -> Features:
        """The features of images.

        Args:
            pictures: (N, H, W, 3) uint8 sRGB, N from 1.
        """
        return Features(
            pooled=self._sees.extract(pictures).pooled, cat=self._judges.extract(pictures).cat
        )
