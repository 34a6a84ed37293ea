"""What an extractor is: images in, features and what is a cat out."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catgan.core.pictures import Pictures


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What an extractor sees in N images, in their order."""

    pooled: NDArray[np.float32]
    """(N, D) float32, the features that distances between images are measured in."""
    cat: NDArray[np.float32]
    """(N,) float32, 0 to 1: the probability that the image shows a cat; NaN from an extractor
    that does not say."""

    def first(self, count: int) -> "Features":
        """The features of the first `count` images."""
        return Features(pooled=self.pooled[:count], cat=self.cat[:count])


def joined(parts: Sequence[Features]) -> Features:
    """The features of images that were looked at in parts, from one."""
    return Features(
        pooled=np.concatenate([part.pooled for part in parts]),
        cat=np.concatenate([part.cat for part in parts]),
    )


class Extractor(Protocol):
    """Anything that turns images into features; numbers are named after it."""

    @property
    def name(self) -> str:
        """What numbers made with it are labelled with; another network or size, another name."""
        ...

    def extract(self, pictures: Pictures) -> Features:
        """The features of images.

        Args:
            pictures: (N, H, W, 3) uint8 sRGB, N from 1.

        Returns:
            N features, each of its image alone: not of its neighbours, nor of their order.
        """
        ...


def judge_of(extractor: Extractor) -> str:
    """Who says what is a cat for an extractor: what recognised rates are named after.

    Args:
        extractor: Any; a network alone says it itself.
    """
    return str(getattr(extractor, "judge", extractor.name))


def usual_batch(device: torch.device | str) -> int:
    """Images at a time that are fast: few on a CPU, so that they stay in its cache."""
    return 10 if torch.device(device).type == "cpu" else 50


def batches(pictures: Pictures, size: int, device: torch.device | str) -> Iterator[Tensor]:
    """Images as networks take them, a batch at a time.

    Args:
        pictures: (N, H, W, 3) uint8.
        size: Images in a batch; the last one may be smaller.
        device: Where they go.

    Yields:
        (n, 3, H, W) uint8.
    """
    # PyTorch takes only memory that may be written to; Pillow's pictures may not
    images = torch.from_numpy(np.require(pictures, requirements=["C", "W"]))
    for chunk in torch.split(images, size):
        yield chunk.permute(0, 3, 1, 2).to(device)
