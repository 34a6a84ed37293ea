"""The extractor under the name that torch-fidelity knows it by."""

from typing import Any

from torch import Tensor
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY, register_feature_extractor

from catgan.measure.extractors import efficientnet

NAME = "efficientnet-lite0-160"
POOLED = "1280"
LOGITS = "logits"


class FidelityExtractor(FeatureExtractorBase):  # type: ignore[misc]  # untyped there
    """`EfficientNetLite0` as torch-fidelity calls one: (N, 3, H, W) uint8 in, a tuple out."""

    def __init__(self, name: str, features_list: list[str], **_: Any) -> None:
        """Load the net; torch-fidelity passes all of its own settings along.

        Raises:
            MissingPackage: See `load_net`.
        """
        super().__init__(name, features_list)
        self.net = efficientnet.load_net()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The features asked for, in that order, each (N, D) float32.

        Args:
            images: (N, 3, H, W) uint8 sRGB.
        """
        pooled, logits = efficientnet.pooled_and_logits(self.net, images)
        found = {POOLED: pooled, LOGITS: logits}
        return tuple(found[name] for name in self.features_list)

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        """The features that there are."""
        return POOLED, LOGITS

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        """Classes for the inception score, pooled features for everything else."""
        return LOGITS if metric == "isc" else POOLED

    @staticmethod
    def can_be_compiled() -> bool:
        """No: compiling takes longer than the few hundred pictures it would speed up."""
        return False


def register_extractor() -> str:
    """Make the extractor known to torch-fidelity, once however often called.

    Returns:
        The name for `torch_fidelity.calculate_metrics(feature_extractor=NAME, cuda=False, ...)`.
    """
    if NAME not in FEATURE_EXTRACTORS_REGISTRY:
        register_feature_extractor(NAME, FidelityExtractor)
    return NAME
