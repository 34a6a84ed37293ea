"""The published nets: torch-fidelity's numbers, safe loading, and what to do where there is no net.

No weights are downloaded: the nets are filled with drawn ones, which see something all the same.
"""

import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_fidelity import feature_extractor_inceptionv3
from torch_fidelity.feature_extractor_dinov2 import FeatureExtractorDinoV2
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

from catgan.core.errors import BadUsage, MissingPackage
from catgan.core.pictures import Pictures
from catgan.measure.choices import EXTRACTORS
from catgan.measure.extractors import dinov2
from catgan.measure.extractors.base import Extractor, judge_of
from catgan.measure.extractors.dinov2 import WEIGHTS as DINOV2_WEIGHTS
from catgan.measure.extractors.dinov2 import DinoV2, fill_vit, stretched, vit_layout
from catgan.measure.extractors.efficientnet import EfficientNetLite0
from catgan.measure.extractors.inception import WEIGHTS as INCEPTION_WEIGHTS
from catgan.measure.extractors.inception import InceptionV3
from catgan.measure.extractors.opening import open_extractor
from catgan.measure.extractors.weights import PublishedWeights
from catgan.measure.metrics.recognised import recognised_rate

# Batches of other sizes take other routes through the same sums.
ROUNDING = 1e-5

WIDTH, DEPTH, HEADS = 32, 2, 4  # of the small stand-in for DINOv2's net
TRAINED_SIDE = 37  # patches in a row of the pictures that DINOv2 has learnt positions on


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of downloads, and no network."""

    def offline(url: str, *_: object, **__: object) -> None:
        raise URLError("no network here")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    return tmp_path / "torch" / "hub" / "checkpoints"


@pytest.fixture(scope="module")
def inception_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights for InceptionV3 as it is initialised."""
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            feature_extractor_inceptionv3, "load_state_dict_from_url", lambda *_, **__: {}
        )
        patch.setattr(nn.Module, "load_state_dict", lambda *_, **__: None)
        torch.manual_seed(0)
        net = FEATURE_EXTRACTORS_REGISTRY["inception-v3-compat"]("inception-v3-compat", ["2048"])
    torch.save(net.state_dict(), path)
    return path


class SmallDino(nn.Module):
    """DINOv2's net as its makers publish it, small: written from the paper and the names there."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        self.tensors = tensors

    def norm(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]
        return F.layer_norm(x, (WIDTH,), weight, bias, eps=1e-6)

    def linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"])

    def forward(self, images: Tensor) -> Tensor:
        t = self.tensors
        maps = F.conv2d(images, t["patch_embed.proj.weight"], t["patch_embed.proj.bias"], stride=14)
        x = torch.cat([t["cls_token"].expand(len(images), -1, -1), maps.flatten(2).mT], dim=1)
        grid = t["pos_embed"][:, 1:].reshape(1, TRAINED_SIDE, TRAINED_SIDE, WIDTH)
        factor = (maps.shape[-1] + 0.1) / TRAINED_SIDE
        places = F.interpolate(
            grid.permute(0, 3, 1, 2), scale_factor=(factor, factor), mode="bicubic"
        )
        x = x + torch.cat([t["pos_embed"][:, :1], places.flatten(2).mT], dim=1)
        for i in range(DEPTH):
            block = f"blocks.{i}"
            qkv = self.linear(self.norm(x, f"{block}.norm1"), f"{block}.attn.qkv")
            split = qkv.reshape(*qkv.shape[:2], 3, HEADS, WIDTH // HEADS)
            q, k, v = split.permute(2, 0, 3, 1, 4)
            weights = (q @ k.mT / (WIDTH / HEADS) ** 0.5).softmax(dim=-1)
            mixed = self.linear((weights @ v).transpose(1, 2).flatten(2), f"{block}.attn.proj")
            x = x + t[f"{block}.ls1.gamma"] * mixed
            hidden = F.gelu(self.linear(self.norm(x, f"{block}.norm2"), f"{block}.mlp.fc1"))
            x = x + t[f"{block}.ls2.gamma"] * self.linear(hidden, f"{block}.mlp.fc2")
        return self.norm(x, "norm")[:, 0]


def small_layout() -> nn.Module:
    with torch.device("meta"):
        net: nn.Module = timm.models.VisionTransformer(
            img_size=224,
            patch_size=14,
            embed_dim=WIDTH,
            depth=DEPTH,
            num_heads=HEADS,
            init_values=1e-5,
            num_classes=0,
        )
    return net


def small_tensors() -> dict[str, Tensor]:
    """Drawn weights in the layout of the makers' file: positions of 37 x 37, and a mask token."""
    random = torch.Generator().manual_seed(0)
    layout = small_layout().state_dict()
    shapes = {name: tensor.shape for name, tensor in layout.items()}
    shapes["pos_embed"] = torch.Size([1, 1 + TRAINED_SIDE**2, WIDTH])
    shapes["mask_token"] = torch.Size([1, WIDTH])
    return {name: torch.randn(shape, generator=random) * 0.3 for name, shape in shapes.items()}


@pytest.fixture
def small_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small DINOv2's weights, with the layout to match."""
    monkeypatch.setattr(dinov2, "vit_layout", small_layout)
    path = tmp_path / "dino.pth"
    torch.save(small_tensors(), path)
    return path


@pytest.fixture(scope="module")
def inception(inception_file: Path) -> InceptionV3:
    """InceptionV3, two pictures at a time; loading it takes a second."""
    return InceptionV3(weights=inception_file, batch_size=2)


@pytest.fixture(params=["inception", "dinov2"])
def opened(
    request: pytest.FixtureRequest, inception: InceptionV3, small_file: Path
) -> InceptionV3 | DinoV2:
    """Each of the nets, two pictures at a time."""
    return inception if request.param == "inception" else DinoV2(weights=small_file, batch_size=2)


def test_a_picture_is_seen_by_itself(opened: InceptionV3 | DinoV2, heads: Pictures) -> None:
    whole = opened.extract(heads[:3])
    assert whole.pooled.shape[0] == 3
    assert whole.pooled.dtype == whole.cat.dtype == np.float32
    assert np.isfinite(whole.pooled).all()
    scale = float(np.abs(whole.pooled).max())
    back = opened.extract(heads[:3][::-1])
    np.testing.assert_allclose(back.pooled[::-1], whole.pooled, atol=ROUNDING * scale)
    assert not np.allclose(whole.pooled[0], whole.pooled[1], atol=10 * ROUNDING * scale)


def test_what_they_do_not_judge_is_not_passed_off_as_no_cat(
    opened: InceptionV3 | DinoV2, heads: Pictures
) -> None:
    seen = opened.extract(heads[:2])
    assert np.isnan(seen.cat).all()
    with pytest.raises(BadUsage, match="does not say what is a cat"):
        recognised_rate(seen, extractor=opened.name)


def test_inception_sees_what_torch_fidelity_sees(
    inception: InceptionV3, inception_file: Path, heads: Pictures
) -> None:
    theirs = FEATURE_EXTRACTORS_REGISTRY["inception-v3-compat"](
        "inception-v3-compat", ["2048"], feature_extractor_weights_path=str(inception_file)
    )
    with torch.inference_mode():
        (expected,) = theirs(torch.from_numpy(heads[:2]).permute(0, 3, 1, 2).contiguous())
    found = inception.extract(heads[:2])
    assert found.pooled.shape == (2, 2048)
    scale = float(expected.abs().max())
    np.testing.assert_allclose(found.pooled, expected.numpy(), atol=ROUNDING * scale)


def test_dinov2_sees_what_torch_fidelity_sees_with_the_makers_net(
    small_file: Path, heads: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "load", lambda *_: SmallDino(small_tensors()))
    theirs = FeatureExtractorDinoV2("dinov2-vit-b-14", ["dinov2"])
    with torch.inference_mode():
        (expected,) = theirs(torch.from_numpy(heads[:3]).permute(0, 3, 1, 2).contiguous())
    found = DinoV2(weights=small_file).extract(heads[:3])
    assert found.pooled.shape == (3, WIDTH)
    scale = float(expected.abs().max())
    np.testing.assert_allclose(found.pooled, expected.numpy(), atol=ROUNDING * scale)
    positions = small_tensors()["pos_embed"]
    plain = F.interpolate(
        positions[:, 1:].reshape(1, 37, 37, WIDTH).permute(0, 3, 1, 2), size=16, mode="bicubic"
    )
    away = stretched(positions, 16)[0, 1:] - plain[0].flatten(1).T
    assert away.abs().max() > 100 * ROUNDING, "the makers' offset is no detail"


def test_the_layout_has_the_names_and_shapes_of_the_published_weights() -> None:
    """As the makers' repository lays ViT-B/14 out, less the mask token; 86 million numbers."""
    expected = {"cls_token", "pos_embed", "norm.weight", "norm.bias"}
    expected |= {"patch_embed.proj.weight", "patch_embed.proj.bias"}
    for i in range(12):
        for layer in ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2"):
            expected |= {f"blocks.{i}.{layer}.weight", f"blocks.{i}.{layer}.bias"}
        expected |= {f"blocks.{i}.ls1.gamma", f"blocks.{i}.ls2.gamma"}
    layout = vit_layout().state_dict()
    assert set(layout) == expected
    assert layout["pos_embed"].shape == (1, 1 + 16 * 16, 768)
    assert layout["patch_embed.proj.weight"].shape == (768, 3, 14, 14)
    assert sum(tensor.numel() for tensor in layout.values()) == pytest.approx(85.7e6, rel=0.01)


def test_numbers_are_named_after_the_weights(
    inception: InceptionV3, inception_file: Path, small_file: Path, tmp_path: Path
) -> None:
    digest = hashlib.sha256(inception_file.read_bytes()).hexdigest()
    assert inception.name == f"inception-v3-compat-{digest[:8]}"
    other = tmp_path / "other.pth"
    tensors = small_tensors()
    tensors["cls_token"][0, 0, 0] += 1
    torch.save(tensors, other)
    names = {DinoV2(weights=path).name for path in (small_file, other)}
    assert len(names) == 2
    assert all(name.startswith("dinov2-vit-b-14-") for name in names)


def test_offline_the_sentence_says_which_file_goes_where(hub: Path) -> None:
    for net, file in (
        (InceptionV3, "weights-inception-2015-12-05-6726825d.pth"),
        (DinoV2, "dinov2_vitb14_pretrain.pth"),
    ):
        with pytest.raises(MissingPackage) as raised:
            net()
        words = str(raised.value)
        assert "no network here" in words
        assert "fetch https://" in words
        assert str(hub / file) in words


def test_a_file_put_there_is_enough_and_a_download_goes_there(
    hub: Path, small_file: Path, heads: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = []

    def download(url: str, path: str, *, hash_prefix: str, progress: bool) -> None:
        fetched.append((url, hash_prefix))
        Path(path).write_bytes(small_file.read_bytes())

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    first = DinoV2()
    assert (hub / "dinov2_vitb14_pretrain.pth").is_file()
    assert DinoV2().name == first.name == DinoV2(weights=small_file).name
    assert fetched == [(DINOV2_WEIGHTS.url, "0b8b82f8")]


def test_a_download_must_be_what_its_makers_publish() -> None:
    # the prefix that PyTorch checks a download by is in the name of the one file ...
    assert INCEPTION_WEIGHTS.url.endswith(f"-{INCEPTION_WEIGHTS.sha256}.pth")
    # ... and every address is the makers' own
    assert "toshas/torch-fidelity" in INCEPTION_WEIGHTS.url
    assert DINOV2_WEIGHTS.url.endswith("/dinov2_vitb14/dinov2_vitb14_pretrain.pth")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match=r"nowhere\.pth"):
        InceptionV3(weights=tmp_path / "nowhere.pth")


def write_text(path: Path) -> None:
    path.write_text("no weights")


def write_list(path: Path) -> None:
    torch.save([1, 2, 3], path)


def write_other(path: Path) -> None:
    torch.save({"layer": torch.zeros(3)}, path)


def write_flat(path: Path) -> None:
    torch.save({**small_tensors(), "pos_embed": torch.zeros(7)}, path)


def write_fewer(path: Path) -> None:
    tensors = small_tensors()
    del tensors["blocks.1.mlp.fc2.weight"]
    torch.save(tensors, path)


@pytest.mark.parametrize("write", [write_text, write_list, write_other, write_flat, write_fewer])
def test_other_files_are_refused_by_name(
    write: Callable[[Path], None], tmp_path: Path, hub: Path, small_file: Path
) -> None:
    path = tmp_path / "given.pth"
    write(path)
    for net in (InceptionV3, DinoV2):
        with pytest.raises(BadUsage, match=r"given\.pth does not hold"):
            net(weights=path)
    hub.mkdir(parents=True)
    write(hub / "dinov2_vitb14_pretrain.pth")
    with pytest.raises(MissingPackage, match=r"delete .*dinov2_vitb14_pretrain"):
        DinoV2()


def test_no_code_in_a_file_is_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    path = tmp_path / "bomb.pth"
    path.write_bytes(pickle.dumps(Bomb(), protocol=2))
    for net in (InceptionV3, DinoV2):
        with pytest.raises(BadUsage):
            net(weights=path)
    torch.save(Bomb(), path)
    for net in (InceptionV3, DinoV2):
        with pytest.raises(BadUsage):
            net(weights=path)
    assert not (tmp_path / "exploded").exists()


def test_filled_nets_are_frozen_and_evaluating(opened: InceptionV3 | DinoV2) -> None:
    assert not opened.net.training
    assert not any(parameter.requires_grad for parameter in opened.net.parameters())


def test_half_precision_weights_are_taken_as_they_are(heads: Pictures) -> None:
    half = {name: tensor.half() for name, tensor in small_tensors().items()}
    net = fill_vit(small_layout(), half)
    assert {parameter.dtype for parameter in net.parameters()} == {torch.float32}


def test_every_name_opens_an_extractor_that_judges_cats(
    small_file: Path, net: EfficientNetLite0, heads: Pictures, tmp_path: Path
) -> None:
    extractor: Extractor = open_extractor("dinov2", weights=small_file, cache=tmp_path / "cache")
    assert extractor.name == DinoV2(weights=small_file).name
    assert judge_of(extractor) == net.name
    seen = extractor.extract(heads[:3])
    np.testing.assert_array_equal(seen.pooled, DinoV2(weights=small_file).extract(heads[:3]).pooled)
    np.testing.assert_allclose(seen.cat, net.extract(heads[:3]).cat, atol=2e-5)
    assert recognised_rate(seen, extractor=judge_of(extractor)).total == 3
    assert len(list((tmp_path / "cache").iterdir())) == 2, "each net's features by themselves"


def test_the_default_is_the_net_that_comes_with_catgan(net: EfficientNetLite0) -> None:
    extractor = open_extractor()
    assert extractor.name == judge_of(extractor) == net.name
    assert isinstance(extractor, EfficientNetLite0)
    assert extractor.batch_size == 10, "what is fast on a CPU"
    assert EXTRACTORS[0] == "efficientnet"


def test_names_and_weights_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match="efficientnet, inception, dinov2"):
        open_extractor("resnet")
    with pytest.raises(BadUsage, match="leave"):
        open_extractor("efficientnet", weights=tmp_path)


def test_where_downloads_lie_follows_pytorch(hub: Path) -> None:
    weights = PublishedWeights(net="any", url="https://example.org/some/file.pth", sha256="00")
    assert weights.place == hub / "file.pth"
