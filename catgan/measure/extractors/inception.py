"""InceptionV3, by which most papers measure; its weights are a download of 96 MB."""

import io

import torch
from torch import Tensor, nn
from torch_fidelity.feature_extractor_inceptionv3 import (
    URL_INCEPTION_V3,
    FeatureExtractorInceptionV3,
)

from catgan.measure.extractors.published import PublishedExtractor
from catgan.measure.extractors.weights import PublishedWeights

LAYER = "2048"  # torch-fidelity's name of the last one
WEIGHTS = PublishedWeights(
    net="InceptionV3",
    url=URL_INCEPTION_V3,
    sha256="6726825d",  # as the file's name has it
)


class InceptionV3(PublishedExtractor):
    """What FID and KID are by in most papers: torch-fidelity's InceptionV3, 2,048 features.

    Images are brought to 299 x 299 as in TensorFlow.
    """

    net_name = "inception-v3-compat"
    published = WEIGHTS

    def fill(self, tensors: dict[str, Tensor]) -> nn.Module:
        """See `PublishedExtractor`."""
        # torch-fidelity unpickles whatever its file says: it is handed what was loaded safely
        safe = io.BytesIO()
        torch.save(tensors, safe)
        safe.seek(0)
        net: nn.Module = FeatureExtractorInceptionV3(
            self.net_name, [LAYER], feature_extractor_weights_path=safe
        )
        return net

    def see(self, images: Tensor) -> Tensor:
        """See `PublishedExtractor`."""
        seen: Tensor = self.net(images)[0]
        return seen
