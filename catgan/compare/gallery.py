"""The real pictures of a run, and what the extractor sees in them."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catgan.compare.reals import TRAINING, Reals
from catgan.core.errors import UnreadablePhoto
from catgan.core.images import Picture, Pictures, read_photo, resize_shorter_side, to_srgb
from catgan.measure import Extractor, Features
from catgan.measure.estimate import left_out
from catgan.measure.neighbours import Nearest, nearest

FEWEST = 3  # pictures: with one left out, two still make a pair
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """Real pictures in memory, in an order that the seed drew: any first few are a fair choice."""

    reals: Reals
    """What they are of."""
    train: Pictures
    """(N, size, size, 3) uint8 sRGB, N from 1: pictures trained on."""
    train_features: Features
    """Of `train`."""
    reference: Pictures
    """(M, size, size, 3) uint8 sRGB, M from 1: what samples are measured against."""
    reference_features: Features
    """Of `reference`."""
    held_out_neighbours: Nearest | None
    """The nearest training picture of each held-out one; None where none are held out."""


def open_gallery(
    reals: Reals,
    extractor: Extractor,
    *,
    seed: int,
    max_training: int,
    max_reference: int,
    progress: Callable[[str], None],
) -> Gallery:
    """Read and look at real pictures.

    Args:
        reals: Which they are.
        extractor: Looks at them.
        seed: Draws their order.
        max_training: Training pictures, at most.
        max_reference: Pictures to measure against, at most.
        progress: Told what is being done.

    Raises:
        UnreadablePhoto: One cannot be read; names it.
    """
    wanted = max(max_training, max_reference) if reals.reference == TRAINING else max_training
    names = draw(reals.train, wanted, seed)
    progress(f"{reals.name}: looking at {len(names)} pictures trained on")
    train = read_at_size([reals.folder / name for name in names], reals.size)
    train_features = extractor.extract(train)
    if reals.reference == TRAINING:
        reference, seen = train[:max_reference], first(train_features, max_reference)
    else:
        names = draw(reals.held_out, max_reference, seed)
        progress(f"{reals.name}: looking at {len(names)} pictures held out of training")
        reference = read_at_size([reals.folder / name for name in names], reals.size)
        seen = extractor.extract(reference)
    train, train_features = train[:max_training], first(train_features, max_training)
    return Gallery(
        reals=reals,
        train=train,
        train_features=train_features,
        reference=reference,
        reference_features=seen,
        held_out_neighbours=(
            None if reals.reference == TRAINING else nearest(seen.pooled, train_features.pooled)
        ),
    )


def draw(names: Sequence[str], most: int, seed: int) -> list[str]:
    """Up to `most` of the names in a random order: bursts of one scene lie side by side by name."""
    order = np.random.default_rng(seed).permutation(len(names))[:most]
    return [names[index] for index in order]


def first(features: Features, count: int) -> Features:
    """The features of the first `count` pictures."""
    return Features(pooled=features.pooled[:count], cat=features.cat[:count])


def read_at_size(paths: Sequence[Path], size: int) -> Pictures:
    """Pictures as they are trained on: those of another size become squares of `size`.

    Returns:
        (N, size, size, 3) uint8 sRGB.

    Raises:
        UnreadablePhoto: One cannot be read; names it.
    """
    pictures = np.empty((len(paths), size, size, 3), dtype=np.uint8)
    for index, path in enumerate(paths):
        try:
            photo = read_photo(path.read_bytes())
        except (OSError, UnreadablePhoto) as error:
            raise UnreadablePhoto(
                f"{path} cannot be read: {error}. Put it back whole, or leave it out."
            ) from error
        picture = to_srgb(photo.pixels, photo.profile)
        if picture.shape[:2] != (size, size):
            picture = resize_shorter_side(picture, size)
        pictures[index] = picture
    return pictures


def mean_picture(pictures: Pictures) -> Picture:
    """The average of pictures, pixel by pixel.

    Args:
        pictures: (N, H, W, 3) uint8.

    Returns:
        (H, W, 3) uint8.
    """
    # A sum over the first axis of uint8 needs no float copy of all of them.
    total = pictures.sum(axis=0, dtype=np.uint64)
    return np.asarray((total / len(pictures)).round(), dtype=np.uint8)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How much of the light and dark of a picture is at the same place in all of them."""

    share: float
    """At most 1: all pictures are the same; 0, or below by chance, where knowing one says nothing
    of another."""
    error: float
    """Standard error of `share`: what other pictures would change (the jackknife)."""


def agreement(pictures: Pictures) -> Agreement | None:
    """How much of the light and dark of a picture is at the same place in all of them.

    The covariance of two different pictures over their pixels, averaged over all pairs, as a share
    of the variance of one. Overall brightness and contrast between pictures are left out. For N
    pictures x_i with their own mean taken off, their sum s, and |.|^2 the mean over the pixels of
    the square, the average over pairs is (|s|^2 - sum |x_i|^2) / (N (N - 1)), since |s|^2 sums
    every pair and every picture itself.

    Args:
        pictures: (N, H, W, 3) uint8.

    Returns:
        None for fewer than three pictures or blank ones.
    """
    count = len(pictures)
    if count < FEWEST:
        return None
    total: NDArray[np.float64] = np.zeros(pictures.shape[1:3])
    own, with_total = np.empty(count), np.empty(count)
    for index, picture in enumerate(pictures):
        grey = _pattern(picture)
        total += grey
        own[index] = np.square(grey).mean()
    for index, picture in enumerate(pictures):
        with_total[index] = (_pattern(picture) * total).mean()
    all_own, pairs = own.sum(), float(np.square(total).mean()) - own.sum()
    own_without = all_own - own
    if min(own_without) <= 0:
        return None
    # without a picture, the sum over all pairs loses its row and its column
    pairs_without = pairs - 2 * (with_total - own)
    without = pairs_without / ((count - 2) * own_without)
    return Agreement(
        share=float(pairs / ((count - 1) * all_own)), error=math.sqrt(left_out(without))
    )


def _pattern(picture: Picture) -> NDArray[np.float32]:
    """(H, W) float32, the light and dark of a picture about its mean."""
    grey = picture.astype(np.float32) @ LUMA
    return np.asarray(grey - grey.mean())
