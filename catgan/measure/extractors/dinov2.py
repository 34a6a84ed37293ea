"""DINOv2, by which later papers measure; its weights are a download of 346 MB."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_fidelity.interpolate_compat_tensorflow import (
    interpolate_bilinear_2d_like_tensorflow1x,
)

from catgan.core.errors import MissingPackage
from catgan.measure.extractors.published import PublishedExtractor
from catgan.measure.extractors.weights import PublishedWeights

WEIGHTS = PublishedWeights(
    net="DINOv2",
    url="https://dl.fbaipublicfiles.com/dinov2/dinov2_vitb14/dinov2_vitb14_pretrain.pth",
    sha256="0b8b82f8",
)
SIDE, PATCH = 224, 14
OFFSET = 0.1  # what DINOv2 adds to the patches in a row before it stretches their positions
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, of 0 to 1


class DinoV2(PublishedExtractor):
    """What later papers prefer: DINOv2 (Oquab et al. 2023, arXiv:2304.07193), ViT-B/14, 768
    features, the class token; images are brought to 224 x 224.

    The numbers are those of torch-fidelity's extractor of that name but for rounding. That one
    downloads and runs the makers' code, and takes no file of weights; here timm lays the network
    out, and only the weights are fetched.
    """

    net_name = "dinov2-vit-b-14"
    published = WEIGHTS

    def fill(self, tensors: dict[str, Tensor]) -> nn.Module:
        """See `PublishedExtractor`."""
        return fill_vit(vit_layout(), tensors)

    def see(self, images: Tensor) -> Tensor:
        """See `PublishedExtractor`."""
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
