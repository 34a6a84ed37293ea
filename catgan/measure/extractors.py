"""Extractors by the names that people type."""

from pathlib import Path

from catgan.core.errors import BadUsage
from catgan.measure.cache import CachedExtractor
from catgan.measure.features import EfficientNetLite0, Extractor
from catgan.measure.paired import Paired
from catgan.measure.published import DinoV2, InceptionV3

EFFICIENTNET = "efficientnet"
PUBLISHED: dict[str, type[InceptionV3] | type[DinoV2]] = {
    "inception": InceptionV3,
    "dinov2": DinoV2,
}
EXTRACTORS = (EFFICIENTNET, *PUBLISHED)


def open_extractor(
    features: str = EFFICIENTNET,
    *,
    weights: Path | None = None,
    device: str = "cpu",
    batch_size: int = 50,
    cache: Path | None = None,
) -> Extractor:
    """An extractor that sees features and judges cats, whichever features are asked for.

    Args:
        features: `efficientnet`, which comes with catgan; `inception` or `dinov2`, which are
            downloaded, and beside which `efficientnet` still says what is a cat.
        weights: A file of weights for one of those two, instead of the download.
        device: Where the nets compute, as PyTorch names it.
        batch_size: Pictures at a time.
        cache: Folder to keep features in; None keeps none.

    Raises:
        BadUsage: There are no such features, or `weights` is no such file.
        MissingPackage: A net cannot be loaded.
    """

    def keep(extractor: Extractor) -> Extractor:
        return extractor if cache is None else CachedExtractor(extractor, cache)

    if features == EFFICIENTNET:
        if weights is not None:
            raise BadUsage(f"{EFFICIENTNET} brings its own weights: leave {weights} out.")
        return keep(EfficientNetLite0(device=device, batch_size=batch_size))
    if features not in PUBLISHED:
        raise BadUsage(f"There are no features {features}; there are {', '.join(EXTRACTORS)}.")
    # the one that may be missing comes first
    sees = PUBLISHED[features](weights=weights, device=device, batch_size=batch_size)
    judges = EfficientNetLite0(device=device, batch_size=batch_size)
    return Paired(keep(sees), keep(judges))
