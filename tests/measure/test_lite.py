"""Our layers of EfficientNet-Lite are those that the weights were made in."""

import subprocess
import sys
from typing import Any

import pytest
import timm
import torch

from catgan.measure.extractors.efficientnet import (
    fold_norms,
    load_net,
)
from catgan.measure.extractors.variants import LITE0, LITE1, LITE2, Variant


def pooled_of(net: Any, images: torch.Tensor) -> torch.Tensor:
    pooled: torch.Tensor = net.forward_head(net.forward_features(images), pre_logits=True)
    return pooled


@pytest.mark.parametrize("variant", [LITE0, LITE1, LITE2], ids=lambda one: f"lite{one.number}")
def test_it_sees_what_theirs_sees(variant: Variant) -> None:
    """To the last bit, on sides that strides divide and on others, where padding is uneven."""
    theirs = timm.create_model(f"tf_efficientnet_lite{variant.number}", pretrained=False).eval()
    weights = torch.load(variant.file(), map_location="cpu", weights_only=True)
    theirs.load_state_dict(dict(zip(theirs.state_dict(), weights.values(), strict=True)))
    ours = load_net(variant)
    random = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        for side in (variant.side, 145, 64):
            images = torch.randn(2, 3, side, side, generator=random)
            assert torch.equal(ours(images), theirs(images))
            assert torch.equal(ours.pooled(images), pooled_of(theirs, images))


def test_folded_it_sees_the_same_to_rounding() -> None:
    images = torch.randn(2, 3, 160, 160, generator=torch.Generator().manual_seed(0))
    plain, folded = load_net(), fold_norms(load_net())
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    with torch.inference_mode():
        # features reach 5; forty layers round each
        torch.testing.assert_close(folded.pooled(images), plain.pooled(images), atol=1e-4, rtol=0)


def test_it_needs_nothing_that_takes_seconds_to_import() -> None:
    line = (
        "import sys; from catgan.measure.extractors.efficientnet import load_net; load_net();"
        "print({'timm', 'torchvision', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
