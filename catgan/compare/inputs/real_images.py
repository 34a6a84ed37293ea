"""The real images of a run in memory, and what the extractor sees in them."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from catgan.compare.config import CompareConfig
from catgan.compare.inputs.split import TRAINING, DataSplit
from catgan.core.loading import load_pictures
from catgan.core.pictures import Pictures
from catgan.core.words import count
from catgan.formats.datasets import found_by_cascade
from catgan.measure.extractors.base import Extractor, Features
from catgan.measure.metrics.neighbours import Nearest, usual


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RealImages:
    """Real images in memory, in an order that the seed drew: any first few are a fair choice."""

    split: DataSplit
    """What they are of."""
    train: Pictures
    """(N, size, size, 3) uint8 sRGB, N from 1: images trained on."""
    train_features: Features
    """Of `train`."""
    reference: Pictures
    """(M, size, size, 3) uint8 sRGB, M from 1: what samples are measured against."""
    reference_features: Features
    """Of `reference`."""
    reference_second: Features | None
    """What a second network sees in the first of them; None where there is none."""
    by_cascade: NDArray[np.bool_] | None = None
    """(M,): which of `reference` show a face that OpenCV's cascades alone proposed; None for
    none."""
    usual: Nearest
    """How near images that were not trained on lie to those that were."""


def open_real_images(
    split: DataSplit,
    extractor: Extractor,
    config: CompareConfig,
    *,
    n_reference: int,
    say: Callable[[str], None],
    second: Extractor | None = None,
) -> RealImages:
    """Read real images and extract their features.

    Args:
        split: Which they are.
        extractor: Sees features.
        config: Settings.
        n_reference: Images to measure against, at most.
        say: Told what is being done.
        second: A second network that looks at images to measure against; None for none.

    Raises:
        UnreadablePhoto: One cannot be read; names it.
    """
    most, seed = config.max_training, config.seed
    wanted = max(most, n_reference) if split.reference == TRAINING else most
    names = draw(split.train, wanted, seed)
    say(f"{split.name}: looking at {count(len(names), 'image')} trained on")
    train = load_pictures(split.paths(names), split.size)
    train_features = extractor.extract(train)
    if split.reference == TRAINING:
        names = names[:n_reference]
        reference, seen = train[:n_reference], train_features.first(n_reference)
        train, train_features = train[:most], train_features.first(most)
        out = seen.pooled[:0]
    else:
        names = draw(split.held_out, n_reference, seed)
        say(f"{split.name}: looking at {count(len(names), 'image')} held out of training")
        reference = load_pictures(split.paths(names), split.size)
        seen = extractor.extract(reference)
        out = seen.pooled
    cascaded = found_by_cascade(split.folder)
    return RealImages(
        split=split,
        by_cascade=np.array([name in cascaded for name in names]) if cascaded else None,
        train=train,
        train_features=train_features,
        reference=reference,
        reference_features=seen,
        reference_second=None
        if second is None
        else second.extract(reference[: config.second_judge]),
        usual=usual(out, train_features.pooled),
    )


def draw(names: Sequence[str], most: int, seed: int) -> list[str]:
    """Up to `most` of the names in a random order: bursts of one scene lie side by side by name."""
    order = np.random.default_rng(seed).permutation(len(names))[:most]
    return [names[index] for index in order]
