"""The layers of EfficientNet-Lite in PyTorch; `variants` has their layout."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from catgan.measure.extractors.variants import (
    CLASSES,
    EPSILON,
    FEATURES,
    STEM,
    BlockLayout,
    Variant,
)


class Same(nn.Conv2d):
    """A convolution padded as TensorFlow does it: an odd pixel goes below and to the right."""

    def __init__(self, into: int, out: int, side: int, stride: int = 1, *, groups: int = 1) -> None:
        """A convolution of `side` x `side`, without bias."""
        super().__init__(into, out, side, stride=stride, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """(N, into, H, W) to (N, out, H / stride, W / stride), rounded up."""
        side, stride = self.kernel_size[0], self.stride[0]
        height, width = (
            max(0, (math.ceil(length / stride) - 1) * stride + side - length)
            for length in input.shape[2:]
        )
        before = (height // 2, width // 2)
        if height % 2 or width % 2:
            after = (height - before[0], width - before[1])
            input = F.pad(input, (before[1], after[1], before[0], after[0]))
            before = (0, 0)
        return F.conv2d(input, self.weight, self.bias, self.stride, before, 1, self.groups)


class Norm(nn.BatchNorm2d):
    """Batch norm, and an activation behind it."""

    def __init__(self, channels: int, *, acts: bool = True) -> None:
        """Norm of so many channels; without `acts` nothing follows it."""
        super().__init__(channels, eps=EPSILON)
        self.act = nn.ReLU6(inplace=True) if acts else nn.Identity()

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        return self.act(super().forward(input))  # type: ignore[no-any-return]


class Block(nn.Module):
    """What `BlockLayout` says; each norm is named right behind its convolution."""

    def __init__(self, layout: BlockLayout) -> None:
        """Lay it out."""
        super().__init__()
        into, wide, out = layout.into, layout.wide, layout.out
        layers: list[nn.Module] = []
        if layout.expansion > 1:
            layers += [Same(into, wide, 1), Norm(wide)]
        layers += [Same(wide, wide, layout.side, layout.stride, groups=wide), Norm(wide)]
        layers += [Same(wide, out, 1), Norm(out, acts=False)]
        self.layers = nn.Sequential(*layers)
        self.adds = layout.adds

    def forward(self, input: Tensor) -> Tensor:
        """(N, into, H, W) to (N, out, H / stride, W / stride)."""
        output: Tensor = self.layers(input)
        return output + input if self.adds else output


class Lite(nn.Module):
    """The network; its weights are PyTorch's own until they are loaded."""

    def __init__(self, variant: Variant) -> None:
        """Lay it out."""
        super().__init__()
        self.conv_stem = Same(3, STEM, 3, 2)
        self.bn1 = Norm(STEM)
        stages = list(variant.stages())
        self.blocks = nn.Sequential(
            *(nn.Sequential(*(Block(block) for block in stage)) for stage in stages)
        )
        self.conv_head = Same(stages[-1][-1].out, FEATURES, 1)
        self.bn2 = Norm(FEATURES)
        self.classifier = nn.Linear(FEATURES, CLASSES)

    def pooled(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) float, -1 to 1, to (N, 1280): the last map, averaged over its places."""
        last = self.bn2(self.conv_head(self.blocks(self.bn1(self.conv_stem(images)))))
        return torch.flatten(F.adaptive_avg_pool2d(last, 1), 1)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) float, -1 to 1, to the logits of ImageNet's classes, (N, 1000)."""
        return self.classifier(self.pooled(images))  # type: ignore[no-any-return]
