"""What the networks have in common that papers measure with: weights to be downloaded.

They do not say what is a cat, so another network has to beside them (`paired.Paired`).
"""

import abc
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from catgan.core.pictures import Pictures
from catgan.measure.extractors.base import Features, batches, usual_batch
from catgan.measure.extractors.weights import PublishedWeights


class PublishedExtractor(abc.ABC):
    """An extractor whose numbers others can be held against."""

    net_name: ClassVar[str]
    """torch-fidelity's name of the network."""
    published: ClassVar[PublishedWeights]
    """Its weights."""

    def __init__(
        self,
        *,
        weights: Path | None = None,
        device: torch.device | str = "cpu",
        batch_size: int | None = None,
    ) -> None:
        """Load the network, downloading its weights if they are not there.

        Args:
            weights: The makers' file of weights; None for the one in PyTorch's folder of downloads.
            device: Where it computes.
            batch_size: Images at a time; changes memory and speed, the result only by rounding.
                By default what is fast.

        Raises:
            MissingPackage: The weights are not there and cannot be downloaded, or are broken, or
                a package is missing.
            BadUsage: `weights` is no such file.
        """
        loaded = self.published.load(weights)
        try:
            net = self.fill(loaded.tensors)
        except (RuntimeError, KeyError, IndexError) as error:
            raise self.published.refused(weights) from error
        self.device = device
        self.batch_size = batch_size or usual_batch(device)
        self.net = net.to(device)
        self._name = f"{self.net_name}-{loaded.digest}"

    @property
    def name(self) -> str:
        """torch-fidelity's name of the network, and how the SHA-256 of its weights begins."""
        return self._name

    @torch.inference_mode()
    def extract(self, pictures: Pictures) -> Features:
        """The features of images.

        Args:
            pictures: (N, H, W, 3) uint8 sRGB, N from 1.

        Returns:
            `pooled` is (N, D); `cat` is not a number for any of them.
        """
        seen = [
            self.see(images).float().cpu()
            for images in batches(pictures, self.batch_size, self.device)
        ]
        pooled = torch.cat(seen).numpy()
        return Features(pooled=pooled, cat=np.full(len(pooled), np.nan, dtype=np.float32))

    @abc.abstractmethod
    def fill(self, tensors: dict[str, Tensor]) -> nn.Module:
        """The network with its weights, evaluating and frozen.

        Raises:
            RuntimeError: A tensor is missing, left over or of another shape; likewise KeyError and
                IndexError.
        """

    @abc.abstractmethod
    def see(self, images: Tensor) -> Tensor:
        """The features (n, D) of (n, 3, H, W) uint8."""
