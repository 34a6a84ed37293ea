"""EfficientNet-Lite, ImageNet classifiers: 1,280 features of an image, and whether it is a cat.

Lite0 sees for catgan: it measures, chooses and finds faces. A larger one that did none of that is
the second judge. Their weights come inside packages, so nothing is downloaded at run time.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from catgan.core.pictures import Pictures
from catgan.measure.extractors.base import Features, batches, usual_batch
from catgan.measure.extractors.lite import Lite
from catgan.measure.extractors.variants import CATS, LITE0, MEAN, STD, Variant


class EfficientNetLite:
    """An extractor.

    Loading it takes a second or two, so make one and keep it.
    """

    def __init__(
        self,
        variant: Variant = LITE0,
        *,
        side: int | None = None,
        device: torch.device | str = "cpu",
        batch_size: int | None = None,
    ) -> None:
        """Load the network.

        Args:
            variant: Which one.
            side: What images are brought to, pixels; None for the variant's own.
            device: Where it computes.
            batch_size: Images at a time; changes memory and speed, the result only by rounding.
                By default what is fast.

        Raises:
            MissingPackage: The package with the weights is missing or broken.
        """
        self.variant = variant
        self.side = side or variant.side
        self.device = device
        self.batch_size = batch_size or usual_batch(device)
        self.net = fold_norms(load_net(variant)).to(device)

    @property
    def name(self) -> str:
        """The network and the side that images are brought to."""
        return f"efficientnet-lite{self.variant.number}-{self.side}"

    @torch.inference_mode()
    def extract(self, pictures: Pictures) -> Features:
        """The features of images.

        Args:
            pictures: (N, H, W, 3) uint8 sRGB, N from 1; brought to `side` x `side`.

        Returns:
            `pooled` is (N, 1280), `cat` the summed probability of ImageNet's five cat classes.
        """
        pooled: list[Tensor] = []
        cat: list[Tensor] = []
        for images in batches(pictures, self.batch_size, self.device):
            seen, logits = pooled_and_logits(self.net, images, side=self.side)
            pooled.append(seen.cpu())
            cat.append(logits.softmax(dim=1)[:, CATS].sum(dim=1).cpu())
        return Features(pooled=torch.cat(pooled).numpy(), cat=torch.cat(cat).numpy())


class EfficientNetLite0(EfficientNetLite):
    """The extractor that numbers are made with unless told otherwise: Lite0 at 160 pixels."""

    def __init__(
        self, *, device: torch.device | str = "cpu", batch_size: int | None = None
    ) -> None:
        """Load the network; see `EfficientNetLite`."""
        super().__init__(LITE0, device=device, batch_size=batch_size)


def pooled_and_logits(
    net: Lite, images: Tensor, *, side: int = LITE0.side
) -> tuple[Tensor, Tensor]:
    """One batch through the net.

    Args:
        net: What `load_net` gave.
        images: (N, 3, H, W) uint8 sRGB, where the net is; stretched to a square.
        side: Of that square, pixels.

    Returns:
        The pooled features (N, 1280) and the logits of ImageNet's classes (N, 1000), float32.
    """
    resized = F.interpolate(
        images.float(), size=(side, side), mode="bicubic", align_corners=False, antialias=True
    )
    # bicubic overshoots at edges; no photograph that the net has learnt from did
    scaled = (resized.clamp(0, 255) / 255 - MEAN) / STD
    pooled = net.pooled(scaled)
    return pooled, net.classifier(pooled)


def load_net(variant: Variant = LITE0) -> Lite:
    """A network with its ImageNet weights, on the CPU and in evaluation mode.

    The weights' names are another implementation's; the order of the tensors is the same.

    Args:
        variant: Which one.

    Raises:
        MissingPackage: The package with the weights is missing or broken.
    """
    path = variant.file()
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler raises whatever it stumbles over
        raise variant.refused(f"broken ({path}: {type(error).__name__})") from error
    net = Lite(variant)
    layout = net.state_dict()
    if not isinstance(weights, dict) or len(weights) != len(layout):
        raise variant.refused(f"broken ({path} holds other weights)")
    for (name, expected), found in zip(layout.items(), weights.values(), strict=True):
        if not isinstance(found, Tensor) or found.shape != expected.shape:
            raise variant.refused(f"broken ({path} does not fit at {name})")
    net.load_state_dict(dict(zip(layout, weights.values(), strict=True)))
    return net.requires_grad_(False).eval()


def fold_norms(net: Lite) -> Lite:
    """Each batch norm taken into the convolution before it: the same function in a third less time.

    In evaluation a batch norm only scales and shifts every channel, which the convolution's own
    weights can do. What the net gives changes by rounding, some 1e-5 of features that reach 5.

    Args:
        net: In evaluation mode; changed.
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
