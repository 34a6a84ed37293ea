"""Two nets as one extractor: features by the one, what is a cat by the other."""

from catgan.core.images import Pictures
from catgan.measure.features import Extractor, Features


class Paired:
    """Looks at every picture twice, since some nets see features but do not judge cats."""

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
        """Who judges what is a cat."""
        return judge_of(self._judges)

    def extract(self, pictures: Pictures) -> Features:
        """The features of pictures.

        Args:
            pictures: (N, H, W, 3) uint8 sRGB, N from 1.
        """
        return Features(
            pooled=self._sees.extract(pictures).pooled, cat=self._judges.extract(pictures).cat
        )


def judge_of(extractor: Extractor) -> str:
    """Whose judgement of what is a cat an extractor gives: what recognised rates are named after.

    Args:
        extractor: Any; one net alone judges by itself.
    """
    return str(getattr(extractor, "judge", extractor.name))
