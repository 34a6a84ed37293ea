"""Pictures out of a generator."""

import numpy as np
import torch
from torch import Tensor

from catgan.core.pictures import Pictures
from catgan.model.networks import Generator


def draw_latents(count: int, latent_dim: int, seed: int) -> Tensor:
    """Standard normal latents: (count, latent_dim) float32, the same on every machine."""
    return torch.randn(count, latent_dim, generator=torch.Generator().manual_seed(seed))


def to_pictures(images: Tensor) -> Pictures:
    """What a generator draws, as pictures.

    Args:
        images: (N, 3, H, W) float, -1 to 1 (beyond is clipped, NaN is grey), on any device.

    Returns:
        (N, H, W, 3) uint8, 0 to 255.
    """
    # a generator that has run off gives no numbers; what such pixels cast to differs by machine
    scaled = (images.float().nan_to_num(nan=0.0) + 1) * 127.5
    pixels = scaled.round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(pixels.permute(0, 2, 3, 1).cpu().numpy())


@torch.inference_mode()
def sample_images(
    generator: Generator, latents: Tensor, *, batch_size: int = 100, device: str = "cpu"
) -> Pictures:
    """Pictures of latents, with the generator as it stands, which is left as it is.

    They are drawn in evaluation mode: in training mode batch norm would mix the pictures of a
    batch, so that the result depended on how they are batched, and would remember them.

    Args:
        generator: In either mode, on `device`.
        latents: (N, latent_dim) float32.
        batch_size: Pictures at a time; does not change the result beyond rounding.
        device: Where the generator is.

    Returns:
        (N, size, size, 3) uint8.
    """
    trained = generator.training
    generator.eval()
    try:
        return np.concatenate(
            [to_pictures(generator(chunk.to(device))) for chunk in torch.split(latents, batch_size)]
        )
    finally:
        generator.train(trained)
