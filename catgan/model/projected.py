"""A discriminator that looks through a pretrained network (Projected GAN).

Sauer et al. 2021 (arXiv:2111.01007): pictures go through a fixed network, its maps are mixed by
fixed random weights, and a small discriminator learns on each of the four mixed maps. What is fixed
gets no gradients; what is random comes from one constant, so that every run everywhere has the
same.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.grad import conv2d_input

from catgan.model.networks import group_norm, init_weights

WIDTHS = (24, 40, 112, 320)
"""Channels of the maps of EfficientNet-Lite1, which `train.eyes` opens."""

MIXING_SEED = 20_211_101
"""Where the fixed random weights come from: one constant, for every run."""
TOGETHER = 16  # pictures that the fixed network takes at a time on a processor
POWER_STEPS = 15  # of the first estimate of a spectral norm, as in PyTorch
LAST_SIDE = 4  # of the maps that small discriminators come down to
EPSILON = 1e-12


class Eyes(nn.Module):
    """Pictures to maps of features, by a function that never changes.

    Its weights are no parameters: nothing trains them, and no state holds them.
    """

    def __init__(self, stages: Sequence[nn.Module], *, widths: tuple[int, ...], side: int) -> None:
        """Freeze a network.

        Args:
            stages: Its parts, one after the other; each gives a map, half as wide as the one
                before, the last one of 4 x 4. They are changed.
            widths: Channels of each map.
            side: Side of the pictures that the first one takes, pixels.
        """
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.widths = widths
        self.side = side
        for module in self.stages.modules():
            for name, weight in list(module.named_parameters(recurse=False)):
                delattr(module, name)
                module.register_buffer(name, weight.detach(), persistent=False)
            for name, value in list(module.named_buffers(recurse=False)):
                module.register_buffer(name, value, persistent=False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """The maps of pictures, the finest first.

        Args:
            images: (N, 3, side, side) float, -1 to 1; brought to the type of the weights.

        Returns:
            (N, widths[i], 4 * 2 ** (n - 1 - i), the same) for the i-th of n.
        """
        if images.device.type == "cpu" and len(images) > TOGETHER:  # so that maps stay in its cache
            parts = [self(part) for part in torch.split(images, TOGETHER)]
            return [torch.cat(maps) for maps in zip(*parts, strict=True)]
        kind = next((weight.dtype for weight in self.buffers()), images.dtype)
        images, maps = images.to(kind), []
        for stage in self.stages:
            images = stage(images)
            maps.append(images)
        return maps

    def train(self, mode: bool = True) -> "Eyes":
        """They never learn: always in evaluation mode."""
        return super().train(False)


def blind_eyes() -> Eyes:
    """What has the shape of EfficientNet-Lite1 and sees nothing: where shapes alone count."""
    return Eyes([], widths=WIDTHS, side=0)


class SpectralConv2d(nn.Conv2d):
    """A convolution divided by its spectral norm (Miyato et al. 2018, arXiv:1802.05957).

    The norm is that of the weight as a matrix (out, in * k * k), by way of its first singular
    vectors, which `iterate` follows; `forward` changes nothing.
    """

    def __init__(
        self, into: int, out: int, side: int, *, stride: int = 1, padding: int = 0
    ) -> None:
        """A convolution of `side` x `side`, without bias."""
        super().__init__(into, out, side, stride=stride, padding=padding, bias=False)
        self.register_buffer("u", torch.zeros(out))
        self.register_buffer("v", torch.zeros(into * side * side))

    @torch.no_grad()
    def start(self, random: torch.Generator) -> None:
        """Draw a vector and follow it for a while; once the weight is drawn."""
        self.get_buffer("u").copy_(torch.randn(self.out_channels, generator=random))
        for _ in range(POWER_STEPS):
            self.iterate()

    @torch.no_grad()
    def iterate(self) -> None:
        """One step of the power iteration, in place."""
        matrix, u, v = self._matrix(), self.get_buffer("u"), self.get_buffer("v")
        v.copy_(F.normalize(matrix.T @ u, dim=0, eps=EPSILON))
        u.copy_(F.normalize(matrix @ v, dim=0, eps=EPSILON))

    def _matrix(self) -> Tensor:
        # in the order of memory, so that nothing is copied
        return self.weight.permute(0, 2, 3, 1).flatten(1)

    def norm(self) -> Tensor:
        """The spectral norm as far as it is known, a scalar with a gradient."""
        with torch.autocast(self.weight.device.type, enabled=False):
            return self.get_buffer("u") @ (self._matrix() @ self.get_buffer("v"))

    def forward(self, input: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H', W')."""
        weight = self.weight / self.norm()
        small = self.stride == (2, 2) and input.shape[-1] == 2 * LAST_SIDE
        exact = input.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
        if small and exact and _lies_last(weight):
            return _ByProduct.apply(input, weight)  # type: ignore[no-any-return]
        return F.conv2d(input, weight, None, self.stride, self.padding)


class _ByProduct(torch.autograd.Function):
    """A 4 x 4 convolution of stride 2 whose weight's gradient is a plain product.

    Where the result is 4 x 4, that takes a processor half the time of a convolution's own.
    """

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor) -> Tensor:
        """(N, in, 8, 8) and (out, in, 4, 4) to (N, out, 4, 4)."""
        ctx.save_for_backward(images, weight)
        return F.conv2d(images, weight, None, 2, 1)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """What a convolution's would be, to rounding."""
        (slope,), (images, weight) = slopes, ctx.saved_tensors
        to_images = to_weight = None
        if ctx.needs_input_grad[0]:
            to_images = conv2d_input(  # type: ignore[no-untyped-call]
                images.shape, weight, slope, 2, 1
            )
        if ctx.needs_input_grad[1]:
            out, into, side, _ = weight.shape
            padded = F.pad(images.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
            windows = padded.unfold(1, side, 2).unfold(2, side, 2)  # (N, 4, 4, in, side, side)
            rows = windows.permute(0, 1, 2, 4, 5, 3).reshape(-1, side * side * into)
            product = slope.permute(0, 2, 3, 1).reshape(-1, out).T @ rows
            to_weight = product.view(out, side, side, into).permute(0, 3, 1, 2)
        return to_images, to_weight


class ProjectedDiscriminator(nn.Module):
    """Pictures to logits, the sum of four small discriminators: above 0 it says "real".

    Width 64, with the maps of EfficientNet-Lite1 at 128 pixels:

        looked at   (N, 24, 32, 32)  (N,  40, 16, 16)  (N, 112, 8, 8)  (N, 320, 4, 4)
        mixed       (N, 64, 32, 32)  (N, 128, 16, 16)  (N, 256, 8, 8)  (N, 512, 4, 4)

    The mixed maps: each looked-at map through a 1 x 1 convolution, and then from the last to the
    first a 3 x 3 convolution of the mixed one, doubled (bilinear), added to the one before.
    """

    def __init__(self, eyes: Eyes, *, ndf: int = 64, drawn: bool = True) -> None:
        """Lay out the net; the weights that learn are PyTorch's own until `start`.

        Args:
            eyes: What is looked through. A module of theirs moves along, but is in no state.
            ndf: Channels of the finest mixed map; of the others twice as many each.
            drawn: Whether the fixed random weights are drawn; not where only shapes count.
        """
        super().__init__()
        self.eyes = eyes
        widths = [ndf * 2**scale for scale in range(len(eyes.widths))]
        random = torch.Generator().manual_seed(MIXING_SEED) if drawn else None
        for scale, (seen, width) in enumerate(zip(eyes.widths, widths, strict=True)):
            self.register_buffer(f"across_{scale}", _fixed(seen, width, 1, random))
        for scale, width in enumerate(widths[:-1]):
            self.register_buffer(f"down_{scale}", _fixed(2 * width, width, 3, random))
        self.critics = nn.ModuleList(
            _critic(width, halvings, most=widths[-1], hidden=2 * ndf)
            for halvings, width in zip(reversed(range(len(widths))), widths, strict=True)
        )

    def fixed(self) -> dict[str, Tensor]:
        """The fixed random weights, as the state has them."""
        return {name: value for name, value in self.state_dict().items() if is_fixed(name)}

    def start(self, random: torch.Generator) -> None:
        """Draw the weights that learn, N(0, 0.02), and the first estimates of their norms."""
        init_weights(self.critics, random)
        for layer in self._spectral():
            layer.start(random)

    def iterate(self) -> None:
        """Follow the spectral norms by a step; once a step of training, before D's pass."""
        for layer in self._spectral():
            layer.iterate()

    def _spectral(self) -> list[SpectralConv2d]:
        return [layer for layer in self.critics.modules() if isinstance(layer, SpectralConv2d)]

    def look(self, images: Tensor) -> list[Tensor]:
        """The mixed maps of pictures, the finest first; nothing here ever changes.

        Args:
            images: (N, 3, size, size) float, -1 to 1 (colours may leave it), brought to the side
                that the network wants.
        """
        side = self.eyes.side
        layout = torch.channels_last if _lies_last(self.get_buffer("down_0")) else None
        resized = F.interpolate(
            images, size=(side, side), mode="bilinear", antialias=images.shape[-1] > side
        )
        maps = self.eyes(resized.contiguous(memory_format=layout) if layout else resized)
        mixed: list[Tensor] = []
        deeper: Tensor | None = None
        for scale in reversed(range(len(maps))):
            across = self.get_buffer(f"across_{scale}")
            own = maps[scale]
            if not torch.is_autocast_enabled(own.device.type):
                own = own.to(across.dtype)
            result = F.conv2d(own, across)
            if deeper is not None:
                down = F.conv2d(deeper, self.get_buffer(f"down_{scale}"), padding=1)
                result = result + F.interpolate(down, scale_factor=2.0, mode="bilinear")
            mixed.insert(0, result)
            deeper = result
        return mixed

    def judge(self, mixed: Sequence[Tensor]) -> Tensor:
        """What the small discriminators say of each place of mixed maps.

        Args:
            mixed: What `look` gave.

        Returns:
            (N, scales, 16) logits of the 4 x 4 places of each scale.
        """
        logits = [critic(seen).flatten(1) for critic, seen in zip(self.critics, mixed, strict=True)]
        return torch.stack(logits, dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of pictures: of each scale the mean over its places, summed; (N,).

        Args:
            images: As in `look`.
        """
        return summed(self.judge(self.look(images)))


def is_fixed(name: str) -> bool:
    """Whether a tensor of that name in the state is a fixed random weight."""
    return name.startswith(("across_", "down_"))


def summed(logits: Tensor) -> Tensor:
    """One logit a picture, (N,), of those of its places, (N, scales, places)."""
    return logits.mean(dim=2).sum(dim=1)


def _fixed(into: int, out: int, side: int, random: torch.Generator | None) -> Tensor:
    """Random weights of a convolution that keep a map's variance (He et al. 2015, eq. 10)."""
    if random is None:
        return torch.empty(out, into, side, side)
    weight = torch.randn(out, into, side, side, generator=random)
    return weight / math.sqrt(into * side * side)


def _critic(width: int, halvings: int, *, most: int, hidden: int) -> nn.Sequential:
    """A small discriminator on a map: down to 4 x 4, and there a logit a place."""
    layers: list[nn.Module] = []
    for _ in range(halvings):
        wider = min(2 * width, most)
        layers += [
            SpectralConv2d(width, wider, 4, stride=2, padding=1),
            group_norm(wider),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        width = wider
    layers += [
        SpectralConv2d(width, hidden, 3, padding=1),
        nn.LeakyReLU(0.2, inplace=True),
        SpectralConv2d(hidden, 1, 1),
    ]
    return nn.Sequential(*layers)


def _lies_last(weight: Tensor) -> bool:
    return weight.is_contiguous(memory_format=torch.channels_last)
