"""The generator in PyTorch's plain layers: what others rebuild, and what exporters understand.

`catgan.model.networks` computes some layers in faster ways, which fix the batch in an ONNX file.
"""

import dataclasses
import itertools

import torch
from torch import Tensor, nn

from catgan.model.networks import CHANNELS, Generator


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a plain generator is built from."""

    latent_dim: int
    """Length of the latent vector."""
    widths: tuple[int, ...]
    """Feature maps of each hidden layer, from 4 x 4 on."""
    nearest: bool
    """Whether sides are doubled by repeating pixels, and not by transposed convolutions."""
    gates: int
    """How many of the coarse maps gate finer ones."""

    @property
    def size(self) -> int:
        """Side of the images, pixels."""
        return 4 << len(self.widths)


class PlainGenerator(nn.Module):
    """Latents to images, as `Generator` makes them; the card of an export has its twin.

    A coarse map gates the one four times as wide (skip-layer excitation, as in `Generator`).
    """

    def __init__(self, layout: Layout) -> None:
        """Lay out the layers, with PyTorch's own weights."""
        super().__init__()
        widths = layout.widths
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(layout.latent_dim, widths[0], 4, bias=False),
        ]
        for width, narrower in itertools.pairwise((*widths, CHANNELS)):
            layers += [nn.BatchNorm2d(width), nn.ReLU()]
            if layout.nearest:
                layers += [
                    nn.Upsample(scale_factor=2),
                    nn.Conv2d(width, narrower, 3, padding=1, bias=False),
                ]
            else:
                layers += [nn.ConvTranspose2d(width, narrower, 4, stride=2, padding=1, bias=False)]
        self.main = nn.Sequential(*layers, nn.Tanh())
        self.gates = nn.ModuleList(
            _gate(widths[coarse], widths[coarse + 2]) for coarse in range(layout.gates)
        )

    def forward(self, latents: Tensor) -> Tensor:
        """Images of latents.

        Args:
            latents: (N, latent_dim) float32, standard normal.

        Returns:
            (N, 3, size, size) float32 in -1 to 1.
        """
        maps: list[Tensor] = []
        result = latents[:, :, None, None]
        for layer in self.main:
            result = layer(result)
            if isinstance(layer, nn.ReLU):
                coarse = len(maps) - 2
                if 0 <= coarse < len(self.gates):
                    result = result * self.gates[coarse](maps[coarse])
                maps.append(result)
        return result


def _gate(coarse: int, fine: int) -> nn.Sequential:
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(4),
        nn.Conv2d(coarse, fine, 4, bias=False),
        nn.SiLU(),
        nn.Conv2d(fine, fine, 1, bias=False),
        nn.Sigmoid(),
    )


def layout_of(generator: Generator) -> Layout:
    """What a generator of catgan's is built from."""
    return Layout(
        latent_dim=generator.latent_dim,
        widths=tuple(
            layer.num_features for layer in generator.main if isinstance(layer, nn.BatchNorm2d)
        ),
        nearest=isinstance(generator.main[3], nn.Conv2d),
        gates=len(generator.gates),
    )


def plain(generator: Generator) -> PlainGenerator:
    """The same generator in plain layers, in evaluation mode.

    Args:
        generator: On the CPU; shares its weights with the result's only by value.
    """
    result = PlainGenerator(layout_of(generator))
    names, values = result.state_dict().keys(), generator.state_dict().values()
    result.load_state_dict(
        {
            name: value.clone(memory_format=torch.contiguous_format)
            for name, value in zip(names, values, strict=True)
        }
    )
    return result.eval().requires_grad_(False)
