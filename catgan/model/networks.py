"""The DCGAN of Radford et al. 2015 (arXiv:1511.06434), as the PyTorch tutorial lays it out."""

import torch
from torch import Tensor, nn

CHANNELS = 3


def check_size(size: int) -> int:
    """The number of times that a side is halved on the way from `size` to 4.

    Raises:
        ValueError: `size` is no power of two, or below 16.
    """
    if size < 16 or size & (size - 1):
        raise ValueError(f"the side of a picture must be a power of two from 16 up, not {size}")
    return size.bit_length() - 3


class Generator(nn.Module):
    """Latent vectors to pictures.

    At size 64 and width 64 it has 3,576,704 parameters:

        (N, latent_dim)  -> (N, 8 ngf,  4,  4) -> (N, 4 ngf, 8, 8) -> (N, 2 ngf, 16, 16)
                         -> (N,   ngf, 32, 32) -> (N, 3, 64, 64)
    """

    def __init__(self, *, latent_dim: int = 100, ngf: int = 64, size: int = 64) -> None:
        """Lay out the net; the weights are PyTorch's own until `init_weights`."""
        super().__init__()
        self.latent_dim = latent_dim
        width = ngf * 2 ** (check_size(size) - 1)
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(latent_dim, width, 4, stride=1, padding=0, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        ]
        while width > ngf:
            layers += [
                nn.ConvTranspose2d(width, width // 2, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(width // 2),
                nn.ReLU(inplace=True),
            ]
            width //= 2
        layers += [
            nn.ConvTranspose2d(width, CHANNELS, 4, stride=2, padding=1, bias=False),
            nn.Tanh(),
        ]
        self.main = nn.Sequential(*layers)

    def forward(self, latents: Tensor) -> Tensor:
        """Pictures of latents.

        Args:
            latents: (N, latent_dim) float32, standard normal.

        Returns:
            (N, 3, size, size) float32 in -1 to 1.
        """
        return self.main(latents[:, :, None, None])  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """Pictures to logits: above 0 it says "real".

    At size 64 and width 64 it has 2,765,568 parameters:

        (N, 3, 64, 64)   -> (N,   ndf, 32, 32) -> (N, 2 ndf, 16, 16) -> (N, 4 ndf, 8, 8)
                         -> (N, 8 ndf,  4,  4) -> (N,)
    """

    def __init__(self, *, ndf: int = 64, size: int = 64) -> None:
        """Lay out the net; the weights are PyTorch's own until `init_weights`."""
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(CHANNELS, ndf, 4, stride=2, padding=1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        width = ndf
        for _ in range(check_size(size) - 1):
            layers += [
                nn.Conv2d(width, width * 2, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(width * 2),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            width *= 2
        layers += [nn.Conv2d(width, 1, 4, stride=1, padding=0, bias=False)]
        self.main = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of pictures; the sigmoid of one is D(x).

        Args:
            images: (N, 3, size, size) float32 in -1 to 1.

        Returns:
            (N,) float32.
        """
        return self.main(images).flatten()  # type: ignore[no-any-return]


def init_weights(net: nn.Module, generator: torch.Generator) -> None:
    """DCGAN's start: convolutions N(0, 0.02), batch norm scales N(1, 0.02) and shifts 0.

    Radford et al. 2015, section 4; the batch norm part is the PyTorch tutorial's.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02, generator=generator)
            nn.init.zeros_(module.bias)


def count_parameters(net: nn.Module) -> int:
    """The number of trained values in a net."""
    return sum(parameter.numel() for parameter in net.parameters())
