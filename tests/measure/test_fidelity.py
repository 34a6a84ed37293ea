"""torch-fidelity, given our extractor by name, says what `catgan.measure` says."""

import numpy as np
import pytest
import torch
import torch_fidelity
from torch import Tensor
from torch.utils.data import Dataset
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

from catgan.core.pictures import Pictures
from catgan.measure.extractors.efficientnet import EfficientNetLite0
from catgan.measure.metrics.kid import kid
from catgan.measure.metrics.precision_recall import precision_recall
from tests.drawing import Head, draw_photo
from tests.measure.fidelity import LOGITS, POOLED, FidelityExtractor, register_extractor

# The same net and the same sums; batches of other sizes round differently.
AGREEMENT = 1e-6


class Folder(Dataset[Tensor]):
    """Pictures as torch-fidelity takes them: (3, H, W) uint8, one at a time."""

    def __init__(self, pictures: Pictures) -> None:
        self.images = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.images[index]


@pytest.fixture(scope="module")
def sides() -> tuple[Pictures, Pictures]:
    """60 "samples" and 55 "real pictures"."""
    real = [draw_photo(64, 64, Head(cx=32, cy=32, w=36 + i % 9), seed=i) for i in range(55)]
    fake = [draw_photo(64, 64, Head(cx=30, cy=36, w=20 + i % 9), seed=200 + i) for i in range(60)]
    return np.stack(fake), np.stack(real)


def test_calculate_metrics_agrees(net: EfficientNetLite0, sides: tuple[Pictures, Pictures]) -> None:
    fake, real = sides
    theirs = torch_fidelity.calculate_metrics(
        input1=Folder(fake),
        input2=Folder(real),
        feature_extractor=register_extractor(),
        cuda=False,
        kid=True,
        prc=True,
        kid_subsets=100,
        kid_subset_size=55,
        rng_seed=7,
        batch_size=16,
        save_cpu_ram=True,  # no loader processes for a hundred pictures
        cache=False,
        verbose=False,
    )
    fakes, reals = net.extract(fake).pooled, net.extract(real).pooled
    ours = kid(fakes, reals, 7)
    assert ours.subset_size == 55
    assert ours.kid == pytest.approx(theirs["kernel_inception_distance_mean"], abs=AGREEMENT)
    assert ours.kid_std == pytest.approx(theirs["kernel_inception_distance_std"], abs=AGREEMENT)
    assert ours.kid > 10 * AGREEMENT, "drawn to differ"
    prc = precision_recall(fakes, reals)
    assert prc.precision.number == pytest.approx(theirs["precision"], abs=AGREEMENT)
    assert prc.recall.number == pytest.approx(theirs["recall"], abs=AGREEMENT)


def test_registering_twice_is_registering_once() -> None:
    name = register_extractor()
    before = FEATURE_EXTRACTORS_REGISTRY[name]
    assert register_extractor() == name
    assert FEATURE_EXTRACTORS_REGISTRY[name] is before is FidelityExtractor


def test_features_come_in_the_order_asked_for(
    net: EfficientNetLite0, sides: tuple[Pictures, Pictures]
) -> None:
    fake, _ = sides
    images = torch.from_numpy(fake[:3]).permute(0, 3, 1, 2)
    extractor = FidelityExtractor("any", [LOGITS, POOLED])
    with torch.inference_mode():
        logits, pooled = extractor(images)
    assert logits.shape == (3, 1000)
    np.testing.assert_allclose(pooled.numpy(), net.extract(fake[:3]).pooled, atol=2e-5)


def test_each_metric_gets_the_features_it_means() -> None:
    layer = FidelityExtractor.get_default_feature_layer_for_metric
    assert layer("isc") == LOGITS
    assert {layer(metric) for metric in ("kid", "fid", "prc")} == {POOLED}
    assert set(FidelityExtractor.get_provided_features_list()) == {LOGITS, POOLED}
