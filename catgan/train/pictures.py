"""The training pictures: on the device as bytes, shown in a new order each epoch."""

import torch
from torch import Tensor

from catgan.core.images import Pictures


class TrainingPictures:
    """A whole data set on the device, as uint8: five hundred pictures are 6 MB.

    No loader and no worker stands between the pictures and the step, and no batch makes the
    device wait for the host.
    """

    def __init__(self, pictures: Pictures, device: torch.device) -> None:
        """Put the pictures on the device.

        Args:
            pictures: (N, H, W, 3) uint8.
            device: Where they are to lie.
        """
        channels_first = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
        self._pixels = channels_first.to(device)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._pixels)

    def batch(self, indices: Tensor) -> Tensor:
        """Pictures as the nets take them.

        Args:
            indices: (B,) int64, on the CPU.

        Returns:
            (B, 3, H, W) float32 in -1 to 1, on the device.
        """
        chosen = self._pixels[indices.to(self._pixels.device, non_blocking=True)]
        return chosen.float().div_(127.5).sub_(1)
