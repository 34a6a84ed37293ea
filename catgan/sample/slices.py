"""Maps of latent space: two-dimensional slices of it, as grids of latents."""

import dataclasses

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from catgan.core.words import listed
from catgan.model.networks import Generator
from catgan.model.sample import sample_images
from catgan.sample.latents import fixed_latents, slerp

CORNERS = 4
BETWEEN = 3  # slices between four cats each
LOOKED_AT = 512  # samples that the directions of most change are found from
COARSE = 16  # pixels a side that these are compared at
REACH = 5.0  # how far a slice of most change goes each way, in standard deviations of a latent


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slice:
    """A map: neighbouring points are latents that lie close together."""

    name: str
    """A few words, to choose it by."""
    about: str
    """A sentence on what lies where."""
    latents: Tensor
    """(side, side, latent_dim) float32, row by row."""


def make_slices(generator: Generator, seed: int, *, side: int, truncate: float) -> list[Slice]:
    """The maps of a generator: three between four cats each, and one of most change.

    The corners are the first cats of the same seed's grid.

    Args:
        generator: In evaluation mode, on the CPU.
        seed: As of `fixed_latents`.
        side: Points of a map on each side, from 2.
        truncate: What the latents are multiplied by.
    """
    cats = fixed_latents(CORNERS * BETWEEN, generator.latent_dim, seed)
    slices = []
    for first in range(0, len(cats), CORNERS):
        numbers = [str(first + number) for number in range(1, CORNERS + 1)]
        slices.append(
            Slice(
                name=f"Cats {numbers[0]} to {numbers[-1]}",
                about=f"The corners are cats {listed(numbers)} of the grid that "
                f"catgan sample --seed {seed} draws; everything else lies between them.",
                latents=truncate * between_four(cats[first : first + CORNERS], side),
            )
        )
    across, down = directions_of_change(generator, seed)
    slices.append(
        Slice(
            name="What differs most",
            about="Cat 1 is in the middle. Left to right and top to bottom are the two directions "
            "in which the samples of this network differ most from each other.",
            latents=truncate * around_one(cats[0], across, down, side),
        )
    )
    return slices


def between_four(corners: Tensor, side: int) -> Tensor:
    """A map with a latent in each corner, on arcs between them.

    Args:
        corners: (4, latent_dim): top left, top right, bottom left, bottom right.
        side: Points on each side, from 2.

    Returns:
        (side, side, latent_dim), float32.
    """
    rows = []
    shares = np.linspace(0, 1, side)
    tops = [slerp(corners[:1], corners[1:2], float(x)) for x in shares]
    bottoms = [slerp(corners[2:3], corners[3:], float(x)) for x in shares]
    for y in shares:
        rows.append(slerp(torch.cat(tops), torch.cat(bottoms), float(y)))
    return torch.stack(rows)


def around_one(middle: Tensor, across: Tensor, down: Tensor, side: int) -> Tensor:
    """A map around a latent, as far from the origin everywhere as that one is.

    Args:
        middle: (latent_dim,).
        across: (latent_dim,) of length 1: where to the right leads.
        down: (latent_dim,) of length 1, at a right angle to `across`.
        side: Points on each side, from 2.

    Returns:
        (side, side, latent_dim), float32.
    """
    steps = torch.linspace(-REACH, REACH, side)
    plane = middle + steps[None, :, None] * across + steps[:, None, None] * down
    around: Tensor = F.normalize(plane, dim=-1) * middle.norm()
    return around


def directions_of_change(generator: Generator, seed: int) -> tuple[Tensor, Tensor]:
    """The two directions in latent space along which samples change most.

    The principal components of samples, 16 pixels a side, and of each the direction that it grows
    in: for standard normal latents that is the mean of latents weighted by it (least squares).
    Härkönen et al. 2020 (arXiv:2004.02546), section 3.2, on pixels in place of activations.

    Args:
        generator: In evaluation mode, on the CPU.
        seed: Of the samples looked at.

    Returns:
        Two of (latent_dim,) float32, each of length 1, at a right angle.
    """
    latents = fixed_latents(LOOKED_AT, generator.latent_dim, seed)
    pictures = torch.from_numpy(sample_images(generator, latents)).permute(0, 3, 1, 2).float()
    seen = F.adaptive_avg_pool2d(pictures, COARSE).flatten(1).double()
    _, _, components = torch.linalg.svd(seen - seen.mean(dim=0), full_matrices=False)
    scores = (seen - seen.mean(dim=0)) @ components[:2].T
    first, second = (latents.double().T @ scores).T
    across = _unit(first)
    return across.float(), _unit(second - (second @ across) * across).float()


def _unit(direction: Tensor) -> Tensor:
    """A direction of length 1, pointing the same way on every machine."""
    unit = F.normalize(direction, dim=0)
    return unit * torch.sign(unit[unit.abs().argmax()])
