"""A walk through latent space: cats that turn into other cats, and back into the first."""

import itertools

import numpy as np
from torch import Tensor

from catgan.model.networks import Generator
from catgan.sample.config import SampleConfig
from catgan.sample.draw import draw_pictures
from catgan.sample.gif import Movie, hundredths
from catgan.sample.latents import walk_latents
from catgan.sample.layout import arrange

FPS, FRAMES = 12, 72  # of a GIF
VIDEO_FPS, VIDEO_FRAMES = 24, 144  # of a video, which has room for twice as many


def walk_fps(config: SampleConfig, *, video: bool) -> int:
    """Frames a second of a walk."""
    return config.fps or (VIDEO_FPS if video else FPS)


def walk_frames(config: SampleConfig, *, video: bool) -> int:
    """Frames of a walk; enough for its stops."""
    return config.frames or max(VIDEO_FRAMES if video else FRAMES, config.stops)


def make_walk(generator: Generator, config: SampleConfig, scale: int, *, video: bool) -> Movie:
    """Draw a walk; it begins at the first pictures of the same seed's grid.

    Args:
        generator: In evaluation mode, on the CPU.
        config: Settings: `tiles`, `frames`, `stops`, `fps`, `seed`, `truncate`.
        scale: Times that each side is enlarged.
        video: Whether it is for a video, not a GIF.
    """
    latents = walk_latents(
        config.tiles,
        generator.latent_dim,
        config.seed,
        frames=walk_frames(config, video=video),
        stops=config.stops,
    )
    return film_of(generator, latents * config.truncate, walk_fps(config, video=video), scale)


def film_of(generator: Generator, latents: Tensor, fps: int, scale: int) -> Movie:
    """Pictures of latents as a film.

    Args:
        generator: In evaluation mode, on the CPU.
        latents: (frames, tiles, latent_dim) float32.
        fps: Frames a second.
        scale: Times that each side is enlarged.
    """
    count, tiles = latents.shape[:2]
    pictures = draw_pictures(generator, latents.flatten(0, 1))
    frames = [
        arrange(np.stack(list(itertools.islice(pictures, tiles))), scale) for _ in range(count)
    ]
    return Movie(frames=frames, durations=[hundredths(fps)] * count)
