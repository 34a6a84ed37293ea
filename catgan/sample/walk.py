"""A walk through latent space: cats that turn into other cats, and back into the first."""

import itertools

import numpy as np

from catgan.model.networks import Generator
from catgan.sample.config import SampleConfig
from catgan.sample.draw import draw_pictures
from catgan.sample.gif import Movie, hundredths
from catgan.sample.latents import walk_latents
from catgan.sample.layout import arrange

FPS = 12


def make_walk(generator: Generator, config: SampleConfig, scale: int) -> Movie:
    """Draw a walk; it begins at the first pictures of the same seed's grid.

    Args:
        generator: In evaluation mode, on the CPU.
        config: Settings: `tiles`, `frames`, `stops`, `fps`, `seed`.
        scale: Times that each side is enlarged.
    """
    latents = walk_latents(
        config.tiles,
        generator.latent_dim,
        config.seed,
        frames=config.frames,
        stops=config.stops,
    )
    pictures = draw_pictures(generator, latents.flatten(0, 1))
    frames = [
        arrange(np.stack(list(itertools.islice(pictures, config.tiles))), scale)
        for _ in range(config.frames)
    ]
    return Movie(frames=frames, durations=[hundredths(config.fps or FPS)] * config.frames)
