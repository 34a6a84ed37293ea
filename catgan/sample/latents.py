"""Latents: for the pictures of a seed, and for a walk between them."""

import torch
from torch import Tensor

from catgan.model.sample import draw_latents

BLOCK = 16  # PyTorch makes normal numbers in blocks of so many


def fixed_latents(count: int, latent_dim: int, seed: int) -> Tensor:
    """The first latents of a seed; fewer of them are the beginning of more.

    PyTorch draws the end of a length that is no multiple of its block differently, so whole
    blocks are drawn.

    Returns:
        (count, latent_dim) float32, standard normal.
    """
    whole = -(-count // BLOCK) * BLOCK
    return draw_latents(whole, latent_dim, seed)[:count]


def slerp(start: Tensor, end: Tensor, share: float) -> Tensor:
    """Points on the arcs from some latents to others.

    A standard normal latent of 100 numbers lies near a sphere of radius 10; the middle of a
    straight line between two lies at 7, where the generator was never trained. White 2016
    (arXiv:1609.04468), section 2.1: spherical linear interpolation, after Shoemake 1985.

    Args:
        start: (N, latent_dim) float.
        end: (N, latent_dim) float.
        share: Of the way, 0 to 1.

    Returns:
        (N, latent_dim) float. Where two lie on one line through the origin, which names no arc,
        the straight line between them.
    """
    kind = start.dtype
    start, end = start.double(), end.double()  # near 1 an arccosine loses half of the digits
    cosine = torch.nn.functional.cosine_similarity(start, end, dim=1)
    angle = torch.arccos(cosine.clamp(-1, 1))[:, None]
    sine = torch.sin(angle)
    # the weights first: they are exactly 1 and 0 at the ends
    arc = torch.sin((1 - share) * angle) / sine * start + torch.sin(share * angle) / sine * end
    line = (1 - share) * start + share * end
    return torch.where(sine < 1e-6, line, arc).to(kind)


def walk_latents(tiles: int, latent_dim: int, seed: int, *, frames: int, stops: int) -> Tensor:
    """A walk that begins at the first pictures of a seed and comes back to them.

    The frame after the last is the first, so that the walk can go round for ever.

    Args:
        tiles: Walks side by side.
        latent_dim: Numbers of a latent.
        seed: As of `fixed_latents`.
        frames: Points of each walk, at equal shares of the way.
        stops: Latents that each walk passes through, the one it begins at among them.

    Returns:
        (frames, tiles, latent_dim) float32.
    """
    corners = fixed_latents(stops * tiles, latent_dim, seed).view(stops, tiles, latent_dim)
    points = []
    for frame in range(frames):
        # in whole numbers, so that a frame meant to be at a stop is exactly there
        leg, rest = divmod(frame * stops, frames)
        points.append(slerp(corners[leg], corners[(leg + 1) % stops], rest / frames))
    return torch.stack(points)
