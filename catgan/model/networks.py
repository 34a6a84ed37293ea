"""The DCGAN of Radford et al. 2015 (arXiv:1511.06434), as the PyTorch tutorial lays it out."""

import dataclasses

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from catgan.model.choices import NORMS, UPSAMPLES

CHANNELS = 3
GROUP = 16  # channels that group norm takes together
GATES = 2  # of a generator with skips: from 4 x 4 to 16 x 16, and from 8 x 8 to 32 x 32
TOGETHER = 64  # pictures up to which a processor gains by taking batches together


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """What a trained pair of networks is."""

    ngf: int
    """Feature maps of the generator's last hidden layer: its width."""
    ndf: int
    """Feature maps of the discriminator's first layer: its width."""
    latent_dim: int
    """Length of the latent vector."""
    size: int
    """Side of the images, pixels."""
    norm: str
    """What stands behind the discriminator's hidden layers."""
    images_shown: int
    """Real images seen in training."""
    upsample: str = "transposed"
    """How the generator doubles the side of its maps."""
    skip: bool = False
    """Whether its coarse maps gate the fine ones."""
    discriminator: str = "pixels"
    """What the discriminator looks at."""


def check_size(size: int) -> int:
    """The number of times that a side is halved on the way from `size` to 4.

    Raises:
        ValueError: `size` is no power of two, or below 16.
    """
    if size < 16 or size & (size - 1):
        raise ValueError(f"the side of a picture must be a power of two from 16 up, not {size}")
    return size.bit_length() - 3


class _First(nn.ConvTranspose2d):
    """One number a channel to squares of 4 x 4: a transposed convolution that is a plain product.

    Written as one, it takes a third of the time at small batches. The weight is the same.
    """

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """(N, in, 1, 1) to (N, out, 4, 4), in the weight's layout."""
        numbers, weight = input.flatten(1), self.weight
        if _is_channels_last(weight):
            product = numbers @ weight.permute(0, 2, 3, 1).flatten(1)
            return product.view(len(input), 4, 4, self.out_channels).permute(0, 3, 1, 2)
        return (numbers @ weight.flatten(1)).view(len(input), self.out_channels, 4, 4)


class _Last(nn.Conv2d):
    """Squares of 4 x 4 to one number: a convolution that is a plain product, as `_First` is."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, in, 4, 4) to (N, out, 1, 1)."""
        if _is_channels_last(self.weight):
            numbers, weight = input.permute(0, 2, 3, 1), self.weight.permute(0, 2, 3, 1)
        else:
            numbers, weight = input, self.weight
        return F.linear(numbers.flatten(1), weight.flatten(1), self.bias)[:, :, None, None]


def _is_channels_last(weight: Tensor) -> bool:
    return weight.is_contiguous(memory_format=torch.channels_last)


class _Doubled(nn.Conv2d):
    """Each pixel made four, and a 3 x 3 convolution of the result.

    It is computed as the transposed convolution of 4 x 4 that it equals, in which the taps that
    fall on the same pixel are added up beforehand: four products a value instead of nine.
    """

    def __init__(self, into: int, out: int) -> None:
        super().__init__(into, out, 3, padding=1, bias=False)
        taps = torch.tensor([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], dtype=torch.float32)
        self.register_buffer("_taps", torch.kron(taps, taps), persistent=False)  # (16, 9)

    def forward(self, input: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, 2 H, 2 W)."""
        nine = self.weight.transpose(0, 1).flatten(2)
        weight = nine @ self.get_buffer("_taps").T
        return F.conv_transpose2d(input, weight.view(*weight.shape[:2], 4, 4), stride=2, padding=1)


class _SkipGate(nn.Module):
    """Skip-layer excitation: a coarse map says which channels of a finer one count.

    Liu et al. 2021 (arXiv:2101.04775), section 3.1, with the activation of its code.
    """

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.AdaptiveAvgPool2d(4),
            nn.Conv2d(coarse, fine, 4, bias=False),
            nn.SiLU(inplace=True),
            nn.Conv2d(fine, fine, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """The finer map, each channel weighed by 0 to 1."""
        return fine * self.main(coarse)  # type: ignore[no-any-return]


class Generator(nn.Module):
    """Latent vectors to pictures.

    At size 64 and width 64 it has 3,576,704 parameters:

        (N, latent_dim)  -> (N, 8 ngf,  4,  4) -> (N, 4 ngf, 8, 8) -> (N, 2 ngf, 16, 16)
                         -> (N,   ngf, 32, 32) -> (N, 3, 64, 64)
    """

    def __init__(
        self,
        *,
        latent_dim: int = 100,
        ngf: int = 64,
        size: int = 64,
        upsample: str = "transposed",
        skip: bool = False,
    ) -> None:
        """Lay out the net; the weights are PyTorch's own until `init_weights`.

        Args:
            latent_dim: Length of the latent vector.
            ngf: Feature maps of the last hidden layer.
            size: Side of the pictures, pixels.
            upsample: How sides are doubled: `transposed` (DCGAN's transposed convolutions of
                4 x 4), or `nearest` (pixels repeated, and convolutions of 3 x 3).
            skip: Whether maps of 4 x 4 gate those of 16 x 16, and 8 x 8 those of 32 x 32, where
                there are such (skip-layer excitation).

        Raises:
            ValueError: There is no such way to double, or `size` does not fit.
        """
        super().__init__()
        if upsample not in UPSAMPLES:
            raise ValueError(f"the generator's upsample is one of {UPSAMPLES}, not {upsample}")
        self.latent_dim = latent_dim

        def doubling(into: int, out: int) -> nn.Module:
            if upsample == "nearest":
                return _Doubled(into, out)
            return nn.ConvTranspose2d(into, out, 4, stride=2, padding=1, bias=False)

        width = ngf * 2 ** (check_size(size) - 1)
        layers: list[nn.Module] = [
            _First(latent_dim, width, 4, stride=1, padding=0, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        ]
        while width > ngf:
            layers += [
                doubling(width, width // 2),
                nn.BatchNorm2d(width // 2),
                nn.ReLU(inplace=True),
            ]
            width //= 2
        layers += [
            doubling(width, CHANNELS),
            nn.Tanh(),
        ]
        self.main = nn.Sequential(*layers)
        widths = [ngf * 2**halvings for halvings in reversed(range(check_size(size)))]
        self.gates = nn.ModuleDict()
        if skip:
            # maps double at every third layer: 4 x 4 behind the third, 8 x 8 behind the sixth
            for coarse in range(min(GATES, len(widths) - 2)):
                self.gates[f"{4 << coarse}"] = _SkipGate(widths[coarse], widths[coarse + 2])

    def forward(self, latents: Tensor) -> Tensor:
        """Pictures of latents.

        Args:
            latents: (N, latent_dim) float32, standard normal.

        Returns:
            (N, 3, size, size) float32 in -1 to 1.
        """
        if not self.gates:
            return self.main(latents[:, :, None, None])  # type: ignore[no-any-return]
        maps: dict[int, Tensor] = {}
        result = latents[:, :, None, None]
        for layer in self.main:
            result = layer(result)
            if isinstance(layer, nn.ReLU):
                side = result.shape[-1]
                if f"{side // 4}" in self.gates:
                    result = self.gates[f"{side // 4}"](maps[side // 4], result)
                maps[side] = result
        return result


class Discriminator(nn.Module):
    """Pictures to logits: above 0 it says "real".

    At size 64 and width 64 it has 2,765,568 parameters:

        (N, 3, 64, 64)   -> (N,   ndf, 32, 32) -> (N, 2 ndf, 16, 16) -> (N, 4 ndf, 8, 8)
                         -> (N, 8 ndf,  4,  4) -> (N,)
    """

    def __init__(self, *, ndf: int = 64, size: int = 64, norm: str = "batch") -> None:
        """Lay out the net; the weights are PyTorch's own until `init_weights`.

        Args:
            ndf: Feature maps of the first layer.
            size: Side of the pictures, pixels.
            norm: What stands behind the hidden layers: `batch` (DCGAN's), `group` (Wu & He 2018,
                arXiv:1803.08494, groups of 16 feature maps, more where the width wants it), which
                judges each picture by itself, or `none`, where the layers have biases instead.

        Raises:
            ValueError: There is no such norm, or `size` does not fit.
        """
        super().__init__()
        if norm not in NORMS:
            raise ValueError(f"the discriminator's norm is one of {NORMS}, not {norm}")
        bias = norm == "none"
        layers: list[nn.Module] = [
            nn.Conv2d(CHANNELS, ndf, 4, stride=2, padding=1, bias=bias),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        width = ndf
        for _ in range(check_size(size) - 1):
            layers += [
                nn.Conv2d(width, width * 2, 4, stride=2, padding=1, bias=bias),
                *_norm(norm, width * 2),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            width *= 2
        layers += [_Last(width, 1, 4, stride=1, padding=0, bias=bias)]
        self.main = nn.Sequential(*layers)
        self.together = TOGETHER
        """Pictures up to which a processor takes batches together."""

    def forward(self, images: Tensor, *, batches: int = 1) -> Tensor:
        """Logits of pictures; the sigmoid of one is D(x).

        Args:
            images: (N, 3, size, size) float32 in -1 to 1.
            batches: Of how many batches of one size they are, one after the other. Batch norm
                takes each by itself: the logits, gradients and running statistics are those of as
                many calls, to rounding, but small batches go through the convolutions faster
                together.

        Returns:
            (N,) float32.
        """
        if batches > 1 and images.device.type == "cpu" and len(images) > self.together:
            return torch.cat([self(batch) for batch in images.chunk(batches)])
        for layer in self.main:
            if batches > 1 and isinstance(layer, nn.BatchNorm2d):
                images = torch.cat([layer(batch) for batch in images.chunk(batches)])
            else:
                images = layer(images)
        return images.flatten()


def _norm(name: str, width: int) -> list[nn.Module]:
    if name == "batch":
        return [nn.BatchNorm2d(width)]
    return [group_norm(width)] if name == "group" else []


def group_norm(width: int) -> nn.GroupNorm:
    """Group norm of 16 channels a group: of a width that is no multiple, as little more as fits."""
    groups = next(count for count in range(max(1, width // GROUP), 0, -1) if width % count == 0)
    return nn.GroupNorm(groups, width)


def init_weights(net: nn.Module, generator: torch.Generator, *, start: str = "dcgan") -> None:
    """DCGAN's start: convolutions N(0, 0.02), batch norm scales N(1, 0.02) and shifts 0.

    Radford et al. 2015, section 4; the batch norm part is the PyTorch tutorial's. Group norm starts
    at scales 1 and shifts 0, biases at 0.

    Args:
        net: Whose weights to draw.
        generator: Where the randomness comes from.
        start: `dcgan`; or `he`, for a net without norms, in which a signal would die away from
            layer to layer (He et al. 2015, arXiv:1502.01852, equation 15, for leaky units of
            slope 0.2).
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            if start == "he":
                nn.init.kaiming_normal_(module.weight, a=0.2, generator=generator)
            else:
                nn.init.normal_(module.weight, 0.0, 0.02, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02, generator=generator)
            nn.init.zeros_(module.bias)
