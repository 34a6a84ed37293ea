"""The nets that papers measure with, for numbers that others can be held against.

Their weights are downloads: 96 MB for InceptionV3, 346 MB for DINOv2. Neither says what is a cat,
so another net has to beside them (`paired.Paired`).
"""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_fidelity.feature_extractor_inceptionv3 import (
    URL_INCEPTION_V3,
    FeatureExtractorInceptionV3,
)
from torch_fidelity.interpolate_compat_tensorflow import (
    interpolate_bilinear_2d_like_tensorflow1x,
)

from catgan.core.errors import MissingPackage
from catgan.core.images import Pictures
from catgan.measure.features import Features
from catgan.measure.weights import PublishedWeights

INCEPTION = "inception-v3-compat"  # torch-fidelity's name, and below its name of the last layer
INCEPTION_LAYER = "2048"
INCEPTION_WEIGHTS = PublishedWeights(
    net="InceptionV3",
    url=URL_INCEPTION_V3,
    sha256="6726825d",  # as the file's name has it
)

DINOV2 = "dinov2-vit-b-14"  # torch-fidelity's name too
DINOV2_WEIGHTS = PublishedWeights(
    net="DINOv2",
    url="https://dl.fbaipublicfiles.com/dinov2/dinov2_vitb14/dinov2_vitb14_pretrain.pth",
    sha256="0b8b82f8",
)
SIDE, PATCH = 224, 14
OFFSET = 0.1  # what DINOv2 adds to the patches in a row before it stretches their positions
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, of 0 to 1


class InceptionV3:
    """What FID and KID are by in most papers: torch-fidelity's InceptionV3, 2,048 features."""

    def __init__(
        self, *, weights: Path | None = None, device: str = "cpu", batch_size: int = 50
    ) -> None:
        """Load the net, downloading its weights if they are not there.

        Args:
            weights: torch-fidelity's file of weights; None for the one in PyTorch's folder of
                downloads.
            device: Where it computes, as PyTorch names it.
            batch_size: Pictures at a time; changes memory and speed, the result only by rounding.

        Raises:
            MissingPackage: The weights are not there and cannot be downloaded, or are broken.
            BadUsage: `weights` is no such file.
        """
        loaded = INCEPTION_WEIGHTS.load(weights)
        # torch-fidelity unpickles whatever its file says: it is handed what was loaded safely
        safe = io.BytesIO()
        torch.save(loaded.tensors, safe)
        safe.seek(0)
        try:
            net = FeatureExtractorInceptionV3(
                INCEPTION, [INCEPTION_LAYER], feature_extractor_weights_path=safe
            )
        except RuntimeError as error:  # a tensor is missing, left over or of another shape
            raise INCEPTION_WEIGHTS.refused(weights) from error
        self.device = device
        self.batch_size = batch_size
        self.net: nn.Module = net.to(device)
        self._name = f"{INCEPTION}-{loaded.digest}"

    @property
    def name(self) -> str:
        """torch-fidelity's name of the net, and how the SHA-256 of its weights begins."""
        return self._name

    @torch.inference_mode()
    def extract(self, pictures: Pictures) -> Features:
        """The features of pictures.

        Args:
            pictures: (N, H, W, 3) uint8 sRGB, N from 1; brought to 299 x 299 as in TensorFlow.

        Returns:
            `pooled` is (N, 2048); `cat` is not a number for any of them.
        """
        return _look(lambda images: self.net(images)[0], pictures, self.device, self.batch_size)


class DinoV2:
    """What later papers prefer: DINOv2 (Oquab et al. 2023, arXiv:2304.07193), ViT-B/14.

    The numbers are those of torch-fidelity's extractor of that name but for rounding. That one
    downloads and runs the makers' code, and takes no file of weights; here timm lays the net out,
    and only the weights are fetched.
    """

    def __init__(
        self, *, weights: Path | None = None, device: str = "cpu", batch_size: int = 50
    ) -> None:
        """Load the net, downloading its weights if they are not there.

        Args:
            weights: The makers' file of weights; None for the one in PyTorch's folder of downloads.
            device: Where it computes, as PyTorch names it.
            batch_size: Pictures at a time; changes memory and speed, the result only by rounding.

        Raises:
            MissingPackage: The weights are not there and cannot be downloaded, or are broken, or
                timm is missing.
            BadUsage: `weights` is no such file.
        """
        layout = vit_layout()
        loaded = DINOV2_WEIGHTS.load(weights)
        try:
            net = fill_vit(layout, loaded.tensors)
        except (RuntimeError, KeyError, IndexError) as error:
            raise DINOV2_WEIGHTS.refused(weights) from error
        self.device = device
        self.batch_size = batch_size
        self.net = net.to(device)
        self._name = f"{DINOV2}-{loaded.digest}"

    @property
    def name(self) -> str:
        """torch-fidelity's name of the net, and how the SHA-256 of its weights begins."""
        return self._name

    @torch.inference_mode()
    def extract(self, pictures: Pictures) -> Features:
        """The features of pictures.

        Args:
            pictures: (N, H, W, 3) uint8 sRGB, N from 1; brought to 224 x 224.

        Returns:
            `pooled` is (N, 768), the class token; `cat` is not a number for any of them.
        """
        return _look(self._see, pictures, self.device, self.batch_size)

    def _see(self, images: Tensor) -> Tensor:
        resized = interpolate_bilinear_2d_like_tensorflow1x(
            images.float(), size=(SIDE, SIDE), align_corners=False
        )
        mean, std = (resized.new_tensor(three)[:, None, None] * 255 for three in (MEAN, STD))
        seen: Tensor = self.net.forward_features((resized - mean) / std)  # type: ignore[operator]
        return seen[:, 0]


def vit_layout() -> nn.Module:
    """DINOv2's ViT-B/14 for pictures of 224 x 224, without weights.

    Raises:
        MissingPackage: timm is missing or broken.
    """
    try:
        import timm
    except (ImportError, OSError) as error:  # OSError: a shared library of its does not load
        raise MissingPackage(
            f"DINOv2 needs a package that is missing ({error}); to get it: pip install timm"
        ) from error
    with torch.device("meta"):  # no memory and no time for numbers that are overwritten
        net: nn.Module = timm.create_model(
            "vit_base_patch14_dinov2", pretrained=False, img_size=SIDE, num_classes=0
        )
    return net


def fill_vit(net: nn.Module, tensors: dict[str, Tensor]) -> nn.Module:
    """A vision transformer with DINOv2's weights, evaluating and frozen.

    Args:
        net: Laid out for pictures of 224 x 224.
        tensors: DINOv2's, whose positions are those of larger pictures.

    Raises:
        RuntimeError: A tensor is missing, left over or of another shape.
        KeyError: There are no positions.
        IndexError: They have too few dimensions.
    """
    weights = {name: tensor.float() for name, tensor in tensors.items() if name != "mask_token"}
    weights["pos_embed"] = stretched(weights["pos_embed"], SIDE // PATCH)
    net.load_state_dict(weights, assign=True)
    return net.requires_grad_(False).eval()


def stretched(positions: Tensor, side: int) -> Tensor:
    """Positions of patches for another size of picture, as DINOv2's own code makes them.

    Args:
        positions: (1, 1 + n * n, D), the class token's first.
        side: Patches in a row that are wanted.

    Returns:
        (1, 1 + side * side, D).

    Raises:
        RuntimeError: They are not those of a square.
        IndexError: They have too few dimensions.
    """
    token, patches = positions[:, :1], positions[:, 1:]
    old = round(patches.shape[1] ** 0.5)
    square = patches.reshape(1, old, old, -1).permute(0, 3, 1, 2)
    factor = (side + OFFSET) / max(old, 1)
    resized = F.interpolate(square, scale_factor=(factor, factor), mode="bicubic")
    return torch.cat([token, resized.permute(0, 2, 3, 1).reshape(1, side * side, -1)], dim=1)


def _look(
    see: Callable[[Tensor], Tensor], pictures: Pictures, device: str, batch_size: int
) -> Features:
    """The features that a net without a judgement sees, so many pictures at a time."""
    # PyTorch takes only memory that may be written to; Pillow's pictures may not
    images = torch.from_numpy(np.require(pictures, requirements=["C", "W"]))
    seen = [
        see(chunk.permute(0, 3, 1, 2).to(device)).float().cpu()
        for chunk in torch.split(images, batch_size)
    ]
    pooled = torch.cat(seen).numpy()
    return Features(pooled=pooled, cat=np.full(len(pooled), np.nan, dtype=np.float32))
