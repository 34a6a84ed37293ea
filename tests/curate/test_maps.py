"""The face finder's networks in ONNX Runtime see what the same networks in PyTorch see."""

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from benchmarks import heads as fitted
from catgan.core.errors import MissingPackage
from catgan.core.pictures import Picture
from catgan.curate.heads import PROPOSAL, VERIFIER
from catgan.curate.maps import Maps, NetMaps, maps_file
from catgan.curate.onnx import Graph, Network
from catgan.measure.extractors.efficientnet import fold_norms, load_net
from catgan.measure.extractors.stored import read_weights
from catgan.measure.extractors.variants import CATS, LITE0, LITE1

# Forty layers round, each in another order of sums: 1e-4 of maps that reach 60.
ROUNDING = 5e-4


@pytest.fixture(scope="module")
def maps() -> NetMaps:
    return NetMaps()


def pictures_of(*shape: int) -> Picture:
    """Noise that has large and small parts, as photos do."""
    rng = np.random.default_rng(0)
    count, height, width = shape
    coarse = rng.integers(0, 256, (count, height // 16, width // 16, 3))
    blocks = coarse.repeat(16, axis=1).repeat(16, axis=2)
    return np.clip(blocks + rng.normal(0, 20, blocks.shape), 0, 255).astype(np.uint8)


@torch.inference_mode()
def by_pytorch(pictures: Picture) -> Maps:
    net = fold_norms(load_net())
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    x = net.bn1(net.conv_stem(x))
    seen = []
    for stage in net.blocks:
        x = stage(x)
        seen.append(x.permute(0, 2, 3, 1).numpy())
    last = net.bn2(net.conv_head(x)).mean(dim=(2, 3))
    cat = net.classifier(last).softmax(dim=1)[:, CATS].sum(dim=1)
    return Maps(seen[4], seen[6], last.numpy(), cat.numpy())


@pytest.mark.parametrize("shape", [(1, 288, 384), (1, 384, 32), (3, 112, 112)])
def test_maps_are_those_of_pytorch(maps: NetMaps, shape: tuple[int, int, int]) -> None:
    """Of a photo, of a long one, and of crops, whose coarser map is padded unevenly."""
    pictures = pictures_of(*shape)
    ours, theirs = maps.look(pictures), by_pytorch(pictures)
    for name in ("fine", "coarse", "pooled"):
        found, expected = getattr(ours, name), getattr(theirs, name)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=ROUNDING, rtol=0)
        assert np.abs(expected).max() > 0.5  # there is something to be seen
    np.testing.assert_allclose(ours.cat, theirs.cat, rtol=1e-3)


def test_a_picture_is_seen_alike_alone_and_among_others(maps: NetMaps) -> None:
    pictures = pictures_of(4, 112, 112)
    together = maps.look(pictures)
    for index in range(4):
        alone = maps.look(pictures[index : index + 1])
        np.testing.assert_allclose(alone.fine[0], together.fine[index], atol=ROUNDING, rtol=0)
        np.testing.assert_allclose(alone.pooled[0], together.pooled[index], atol=ROUNDING, rtol=0)


def test_places_are_interpolated_as_pytorch_does() -> None:
    rng = np.random.default_rng(0)
    fine = rng.standard_normal((2, 18, 24, 112)).astype(np.float32)
    coarse = rng.standard_normal((2, 9, 12, 320)).astype(np.float32)
    pooled, cat = np.zeros((2, 1280), np.float32), np.zeros(2, np.float32)
    places = Maps(fine, coarse, pooled, cat).places()
    enlarged = F.interpolate(
        torch.from_numpy(coarse).permute(0, 3, 1, 2),
        size=(18, 24),
        mode="bilinear",
        align_corners=False,
    )
    assert np.array_equal(places[..., :112], fine)
    np.testing.assert_allclose(places[..., 112:], enlarged.permute(0, 2, 3, 1), atol=1e-6, rtol=0)


def drawn(head: torch.nn.Module) -> None:
    """Weights as large as fitted ones; scales that divide are positive."""
    torch.manual_seed(0)
    for name, value in head.state_dict().items():
        if name == "std" or name.endswith("_scale"):
            value.copy_(0.5 + torch.rand(value.shape))
        else:
            value.copy_(torch.randn(value.shape) / value.shape[-1] ** 0.5)


class TestHeads:
    """What is fitted in PyTorch and what runs are the same functions."""

    @torch.inference_mode()
    def test_proposals(self) -> None:
        head = fitted.ProposalHead().eval()
        drawn(head)
        places = np.random.default_rng(1).standard_normal((2, 9, 12, 432)).astype(np.float32)
        expected = head(torch.from_numpy(places)).numpy()
        np.testing.assert_allclose(head.running()(places), expected, atol=1e-5, rtol=0)

    @torch.inference_mode()
    def test_the_verifier(self) -> None:
        head = fitted.VerifierHead().eval()
        drawn(head)
        rng = np.random.default_rng(1)
        shapes = ((3, 7, 7, 112), (3, 4, 4, 320), (3, 1280))
        seen = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
        expected = head(*map(torch.from_numpy, seen)).numpy()
        np.testing.assert_allclose(head.running()(*seen), expected, atol=1e-5, rtol=0)

    @pytest.mark.parametrize(
        ("head", "shapes"),
        [(fitted.ProposalHead(), PROPOSAL), (fitted.VerifierHead(), VERIFIER)],
    )
    def test_weights_have_the_same_names(
        self, head: torch.nn.Module, shapes: dict[str, tuple[int, ...]]
    ) -> None:
        assert {name: tuple(value.shape) for name, value in head.state_dict().items()} == shapes


def test_the_weights_are_those_that_pytorch_reads() -> None:
    theirs = torch.load(LITE0.file(), map_location="cpu", weights_only=True)
    ours = read_weights(LITE0)
    assert len(ours) == len(theirs)
    for found, expected in zip(ours, theirs.values(), strict=True):
        np.testing.assert_array_equal(found, expected.numpy())


class TestGraph:
    def test_onnx_finds_nothing_wrong_with_the_file(self) -> None:
        model = onnx.load_model_from_string(maps_file(read_weights(LITE0)))
        onnx.checker.check_model(model, full_check=True)
        assert [one.name for one in model.graph.input] == ["pictures"]
        assert len(model.graph.output) == 4

    def test_numbers_of_every_length(self) -> None:
        """What is longer than 127 takes several bytes to say so, as do the lengths of names."""
        graph = Graph()
        x = graph.input("x" * 200, ("N", 300))
        values: NDArray[np.float32] = np.arange(300, dtype=np.float32)
        y = graph.node("Add", x, graph.constant(values))
        network = Network(graph.to_bytes({y: ("N", 300)}))
        (found,) = network(np.ones((2, 300), np.float32))
        assert np.array_equal(found, np.stack([values + 1] * 2))


def test_other_weights_are_refused() -> None:
    with pytest.raises(MissingPackage, match="holds other weights"):
        maps_file(read_weights(LITE1)[6:])
    with pytest.raises(MissingPackage, match="holds other weights"):
        maps_file(read_weights(LITE0)[:-1])
