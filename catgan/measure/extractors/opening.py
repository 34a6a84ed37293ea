"""Extractors by the names that people type."""

from pathlib import Path

import torch

from catgan.core.errors import BadUsage
from catgan.measure.choices import DINOV2, EFFICIENTNET, EXTRACTORS, INCEPTION
from catgan.measure.extractors.base import Extractor
from catgan.measure.extractors.cache import CachedExtractor
from catgan.measure.extractors.efficientnet import EfficientNetLite, EfficientNetLite0
from catgan.measure.extractors.paired import Paired
from catgan.measure.extractors.variants import LITE2


def open_extractor(
    features: str = EFFICIENTNET,
    *,
    weights: Path | None = None,
    device: torch.device | str = "cpu",
    cache: Path | None = None,
) -> Extractor:
    """An extractor that sees features and says what is a cat, whichever features are asked for.

    Args:
        features: `efficientnet`, which comes with catgan; `inception` or `dinov2`, which are
            downloaded, and beside which `efficientnet` still says what is a cat.
        weights: A file of weights for one of those two, instead of the download.
        device: Where the networks compute.
        cache: Folder to keep features in; None keeps none.

    Raises:
        BadUsage: There are no such features, or `weights` is no such file.
        MissingPackage: A network cannot be loaded.
    """

    if features == EFFICIENTNET:
        if weights is not None:
            raise BadUsage(f"{EFFICIENTNET} comes with its own weights: leave {weights} out.")
        return _kept(EfficientNetLite0(device=device), cache)
    if features not in EXTRACTORS:
        raise BadUsage(f"There are no features {features}; there are {', '.join(EXTRACTORS)}.")
    # the one that may be missing comes first
    sees = _published(features, weights, device)
    return Paired(_kept(sees, cache), _kept(EfficientNetLite0(device=device), cache))


def open_second(*, device: torch.device | str = "cpu", cache: Path | None = None) -> Extractor:
    """A larger network than the one that catgan finds, chooses and measures with, for a second
    opinion: EfficientNet-Lite2 at 192 pixels.

    Args:
        device: Where it computes.
        cache: Folder to keep features in; None keeps none.

    Raises:
        MissingPackage: It cannot be loaded.
    """
    return _kept(EfficientNetLite(LITE2, device=device), cache)


def _kept(extractor: Extractor, cache: Path | None) -> Extractor:
    return extractor if cache is None else CachedExtractor(extractor, cache)


def _published(features: str, weights: Path | None, device: torch.device | str) -> Extractor:
    # each imported alone: torch-fidelity and torchvision take seconds
    if features == INCEPTION:
        from catgan.measure.extractors.inception import InceptionV3

        return InceptionV3(weights=weights, device=device)
    assert features == DINOV2
    from catgan.measure.extractors.dinov2 import DinoV2

    return DinoV2(weights=weights, device=device)
