"""The real pictures of a run, and what the extractor sees in them."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catgan.compare.reals import TRAINING, Reals
from catgan.core.errors import UnreadablePhoto
from catgan.core.images import Picture, Pictures, read_photo, resize_shorter_side, to_srgb
from catgan.measure import Extractor, Features
from catgan.measure.neighbours import Nearest, nearest


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


def agreement(pictures: Pictures) -> float | None:
    """How much of the light and dark of a picture is at the same place in all of them.

    The covariance of two different pictures over their pixels, averaged over all pairs, as a share
    of the variance of one: 1 where all pictures are the same, 0 where knowing one says nothing of
    another. Overall brightness and contrast between pictures are left out. For pictures x_i with
    their own mean taken off and mean picture m, the average over pairs is
    (N var(m) - mean var(x_i)) / (N - 1), since N^2 var(m) sums every pair and every picture itself.

    Args:
        pictures: (N, H, W, 3) uint8.

    Returns:
        At most 1, and below 0 by chance; None for fewer than two pictures or blank ones.
    """
    count = len(pictures)
    if count < 2:
        return None
    weights = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601 luma
    total: NDArray[np.float64] = np.zeros(pictures.shape[1:3])
    own = 0.0
    for picture in pictures:
        grey = picture.astype(np.float32) @ weights
        grey -= grey.mean()
        total += grey
        own += float(grey.var())
    own /= count
    if own == 0:
        return None
    shared = (count * float((total / count).var()) - own) / (count - 1)
    return shared / own
