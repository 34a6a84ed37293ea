"""Pictures of latents, equal to the bit however many are drawn together."""

from collections.abc import Iterator

import torch
from torch import Tensor

from catgan.core.pictures import Picture
from catgan.model.networks import Generator
from catgan.model.sample import sample_images

BATCH = 16


def draw_pictures(generator: Generator, latents: Tensor) -> Iterator[Picture]:
    """The pictures of latents, one after the other.

    How a convolution rounds may depend on the size of the batch. So every batch has the same
    size, the last one filled up, and a picture depends on its latent and its place alone.

    Args:
        generator: In evaluation mode, on the CPU.
        latents: (N, latent_dim) float32.

    Yields:
        (size, size, 3) uint8.
    """
    for chunk in torch.split(latents, BATCH):
        full = torch.zeros(BATCH, latents.shape[1])
        full[: len(chunk)] = chunk
        yield from sample_images(generator, full, batch_size=BATCH)[: len(chunk)]
