"""What a net trained on photographs sees, and where: its maps of a picture at three depths.

The network is that of `measure.extractors.efficientnet`, EfficientNet-Lite0 with ImageNet weights.
Its maps tell at each place what kind of thing is there, which is what finding a face needs; the
cascades see light and dark only.
"""

import dataclasses

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from catgan.core.pictures import Picture
from catgan.curate.cut import to_longer_side
from catgan.measure.extractors.efficientnet import MEAN, STD, fold_norms, load_net

STRIDE = 16  # pixels between two places of the finer map
FINE = 112  # channels of the finer map, after block 4
COARSE = 320  # channels of the coarser map, after block 6
POOLED = 1280  # features after the last convolution, averaged over the picture
PLACE = FINE + COARSE  # what is known of one place
GROUND = 128  # grey around a picture that does not fill the net's grid


@dataclasses.dataclass(frozen=True, slots=True)
class Maps:
    """The maps of N pictures."""

    fine: Tensor
    """(N, H/16, W/16, 112) float32."""
    coarse: Tensor
    """(N, H/32, W/32, 320) float32, rounded up."""
    pooled: Tensor
    """(N, 1280) float32."""

    def places(self) -> Tensor:
        """Both maps on the finer grid, (N, H/16, W/16, 432) float32."""
        size = list(self.fine.shape[1:3])
        coarse = F.interpolate(
            self.coarse.permute(0, 3, 1, 2), size=size, mode="bilinear", align_corners=False
        )
        return torch.cat([self.fine, coarse.permute(0, 2, 3, 1)], dim=3)


class NetMaps:
    """The frozen net, giving maps instead of an answer."""

    def __init__(self) -> None:
        """Load the net.

        Raises:
            MissingPackage: The package with the weights is missing or broken.
        """
        # channels last: a third faster on processors, for the same numbers
        self._net = fold_norms(load_net()).to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def look(self, pictures: Picture) -> Maps:
        """The maps of pictures.

        Args:
            pictures: (N, H, W, 3) uint8; sides that 32 divides, or small squares.
        """
        net = self._net
        x = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float()
        x = ((x / 255 - MEAN) / STD).contiguous(memory_format=torch.channels_last)
        x = net.bn1(net.conv_stem(x))
        fine = x
        for index, block in enumerate(net.blocks):
            x = block(x)
            if index == 4:
                fine = x
        coarse = x
        last = net.bn2(net.conv_head(x))
        return Maps(
            fine.permute(0, 2, 3, 1).contiguous(),
            coarse.permute(0, 2, 3, 1).contiguous(),
            last.mean(dim=(2, 3)),
        )


def on_grid(pixels: Picture, side: int) -> tuple[Picture, float]:
    """A photo brought to a longer side, on a canvas that the net's grid divides.

    Args:
        pixels: (H, W, 3) uint8.
        side: Longer side that it is brought to, pixels; 32 must divide it.

    Returns:
        (H', W', 3) uint8 with sides that 32 divides, the photo in its upper left corner; and the
        canvas's pixels for one of the photo.
    """
    small, factor = to_longer_side(pixels, side)
    height, width = small.shape[:2]
    canvas = np.full((-(-height // 32) * 32, -(-width // 32) * 32, 3), GROUND, np.uint8)
    canvas[:height, :width] = small
    return canvas, factor
