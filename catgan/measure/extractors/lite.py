"""The layers of EfficientNet-Lite (Tan & Le 2019, arXiv:1905.11946, without squeeze and swish).

The stem and the last layers keep their width in all variants, the first and the last stage their
depth: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CLASSES = 1000  # of ImageNet
FEATURES = 1280
STEM = 32
EPSILON = 1e-3  # of batch norm, as in training
STAGES = (  # blocks, side of the kernel, stride, expansion, channels
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
)  # fmt: skip
SCALES = ((1.0, 1.0), (1.0, 1.1), (1.1, 1.2))
"""Of Lite0, Lite1 and Lite2: of the channels, and of the number of blocks."""


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
    """Channels widened (not in the first stage), a filter for each of them, and narrowed again."""

    def __init__(self, into: int, out: int, side: int, stride: int, expansion: int) -> None:
        """Lay it out; each norm is named right behind its convolution."""
        super().__init__()
        wide = into * expansion
        layers: list[nn.Module] = [Same(into, wide, 1), Norm(wide)] if expansion > 1 else []
        layers += [Same(wide, wide, side, stride, groups=wide), Norm(wide)]
        layers += [Same(wide, out, 1), Norm(out, acts=False)]
        self.layers = nn.Sequential(*layers)
        self.adds = stride == 1 and into == out

    def forward(self, input: Tensor) -> Tensor:
        """(N, into, H, W) to (N, out, H / stride, W / stride)."""
        output: Tensor = self.layers(input)
        return output + input if self.adds else output


class Lite(nn.Module):
    """The network; its weights are PyTorch's own until they are loaded."""

    def __init__(self, number: int) -> None:
        """Lay out Lite0, Lite1 or Lite2."""
        super().__init__()
        wider, deeper = SCALES[number]
        self.conv_stem = Same(3, STEM, 3, 2)
        self.bn1 = Norm(STEM)
        stages, channels = [], STEM
        for place, (blocks, side, stride, expansion, width) in enumerate(STAGES):
            out = _round(width * wider)
            ends = place in (0, len(STAGES) - 1)
            stage = []
            for block in range(blocks if ends else math.ceil(blocks * deeper)):
                stage.append(Block(channels, out, side, 1 if block else stride, expansion))
                channels = out
            stages.append(nn.Sequential(*stage))
        self.blocks = nn.Sequential(*stages)
        self.conv_head = Same(channels, FEATURES, 1)
        self.bn2 = Norm(FEATURES)
        self.classifier = nn.Linear(FEATURES, CLASSES)

    def pooled(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) float, -1 to 1, to (N, 1280): the last map, averaged over its places."""
        last = self.bn2(self.conv_head(self.blocks(self.bn1(self.conv_stem(images)))))
        return torch.flatten(F.adaptive_avg_pool2d(last, 1), 1)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) float, -1 to 1, to the logits of ImageNet's classes, (N, 1000)."""
        return self.classifier(self.pooled(images))  # type: ignore[no-any-return]


def _round(channels: float) -> int:
    """To a multiple of eight, never down by more than a tenth."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
