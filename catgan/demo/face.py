"""The cat of an album: faces from the neighbourhood of a few latents of the base model.

Which latents is decided when the album is drawn, by the net that `measure` judges pictures with:
numbers written down here would be worth nothing with the next base model.
"""

import dataclasses
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catgan.core.errors import MissingPackage
from catgan.core.pictures import Pictures
from catgan.demo.head import Coat, coat_of
from catgan.measure.extractors.base import Extractor
from catgan.measure.metrics.neighbours import nearest
from catgan.model.base import BaseSeen
from catgan.model.networks import Generator
from catgan.model.sample import draw_latents, sample_images

CANDIDATES = 192  # latents that the cat is chosen among
ANCHORS = 3  # latents whose neighbourhood it is
SPREAD = 0.35  # of the neighbourhood: how much of each latent is its own, 0 to 1
SPARE = 2.0  # faces drawn for each that is wanted; the best are taken
MOST = 16  # the same at most, where the base model has seen too many of them
ALIKE = 4.0  # what a face is worth less for colours that differ from the first's by 1
LUMA = (0.33, 0.70)  # of a face, 0 to 1: lighter and darker coats show little on a photo


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """Faces of one cat."""

    pictures: Pictures
    """(N, S, S, 3) uint8, as the generator draws them."""
    numbers: tuple[int, ...]
    """The number of each one's latent in `latents_of`."""
    anchors: tuple[int, ...]
    """Which of the seed's latents were chosen, the best first."""
    refused: int
    """How many more were drawn and not taken, being too like a picture that the model has seen."""


def draw_faces(
    generator: Generator,
    judge: Extractor,
    *,
    count: int,
    seed: int,
    seen: BaseSeen | None = None,
) -> Faces:
    """Choose a cat and draw it again and again.

    Args:
        generator: The base model, in evaluation mode.
        judge: Says how much a face is a cat's.
        count: How many faces.
        seed: Decides which cat, and which faces of it.
        seen: What the model was trained on; faces too like that are not taken. None: unknown.

    Raises:
        MissingPackage: Nearly all of the faces are like what the model was trained on.
    """
    anchors = choose_anchors(generator, judge, seed=seed, seen=seen)
    drawn = math.ceil(SPARE * count)
    while True:
        latents = latents_of(generator.latent_dim, anchors, count=drawn, seed=seed)
        pictures = sample_images(generator, latents)
        worth, own = _worth(pictures, judge, seen)
        if own.sum() >= count:
            break
        if drawn >= MOST * count:
            raise MissingPackage(
                f"The base model draws copies: of {drawn} faces {drawn - own.sum()} are too like "
                "what it was trained on; reinstall catgan, or try another --seed."
            )
        drawn *= 2
    first = sample_images(generator, _candidates(generator.latent_dim, seed)[[anchors[0]]])
    wanted = coat_of(first[0])
    strange = np.array([_apart(coat_of(picture), wanted) for picture in pictures])
    best = np.argsort(-np.where(own, worth - ALIKE * strange, -np.inf), kind="stable")[:count]
    chosen = np.sort(best)
    return Faces(
        pictures=pictures[chosen],
        numbers=tuple(int(n) for n in chosen),
        anchors=anchors,
        refused=int((~own).sum()),
    )


def choose_anchors(
    generator: Generator, judge: Extractor, *, seed: int, seen: BaseSeen | None = None
) -> tuple[int, ...]:
    """The latents of a seed whose faces are the best of one coat.

    The first is the best face of all, the others those of the better quarter that wear its colours.

    Args:
        generator, judge, seed, seen: See `draw_faces`.

    Returns:
        Numbers among the seed's first `CANDIDATES` latents.
    """
    pictures = sample_images(generator, _candidates(generator.latent_dim, seed))
    worth, own = _worth(pictures, judge, seen)
    order = np.argsort(-np.where(own, worth, -np.inf), kind="stable")
    coats = [coat_of(picture) for picture in pictures]
    good = order[: CANDIDATES // 4]
    alike = sorted(good[1:], key=lambda number: _apart(coats[number], coats[good[0]]))
    return (int(good[0]), *(int(number) for number in alike[: ANCHORS - 1]))


def latents_of(latent_dim: int, anchors: tuple[int, ...], *, count: int, seed: int) -> Tensor:
    """The latents of an album: each between two of the anchors, and partly its own.

    Latents are standard normal, so nearly all lie at one distance from the origin
    (White 2016, arXiv:1609.04468); these are brought back to it.

    Returns:
        (count, latent_dim) float32; number n is the same whatever the count.
    """
    centres = _candidates(latent_dim, seed)[list(anchors)]
    latents = torch.empty(count, latent_dim)
    for number in range(count):
        dice = torch.Generator().manual_seed(seed * 1_000_003 + number)
        first, second = torch.randperm(len(anchors), generator=dice)[:2]
        share = torch.rand((), generator=dice)
        middle = torch.sqrt(share) * centres[first] + torch.sqrt(1 - share) * centres[second]
        own = torch.randn(latent_dim, generator=dice)
        mixed = math.sqrt(1 - SPREAD**2) * middle / middle.norm() + SPREAD * own / own.norm()
        latents[number] = mixed / mixed.norm() * math.sqrt(latent_dim)
    return latents


def _candidates(latent_dim: int, seed: int) -> Tensor:
    return draw_latents(CANDIDATES, latent_dim, seed)


def _worth(
    pictures: Pictures, judge: Extractor, seen: BaseSeen | None
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """How good faces are: cats, seen from the front, neither nearly black nor nearly white.

    Returns:
        That, (N,); and whether each is the generator's own, (N,): not too like what it has seen.
    """
    features = judge.extract(pictures)
    own = np.ones(len(pictures), dtype=np.bool_)
    if seen is not None and seen.extractor == judge.name:
        distance = nearest(seen.along_axes(features.pooled), seen.pictures).distance
        own = distance >= seen.limit
    cat = features.cat.astype(np.float64)
    grey = pictures.mean(axis=3) / 255
    size = grey.shape[1]
    face = grey[:, size // 4 : -size // 6, size // 5 : -size // 5]
    # beside how much there is to see: a face without eyes or stripes is even on both sides
    lopsided = abs(face - face[:, :, ::-1]).mean(axis=(1, 2)) / (face.std(axis=(1, 2)) + 0.02)
    luma = face.mean(axis=(1, 2))
    outside = np.maximum(LUMA[0] - luma, 0) + np.maximum(luma - LUMA[1], 0)
    return np.asarray(cat - 0.5 * lopsided - 6.0 * outside), own


def _apart(one: Coat, other: Coat) -> float:
    """How different two coats are: mean difference of their colours, 0 to 1."""
    return float(
        np.mean(
            [abs(one.back - other.back), abs(one.dark - other.dark), abs(one.light - other.light)]
        )
    )
