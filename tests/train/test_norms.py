"""Batch norm over ranks is batch norm over the whole batch."""

import copy

import pytest
import torch
from torch import nn

from catgan.train.norms import SharedBatchNorm2d, share_norms
from catgan.train.ranks import Ranks
from tests.train.together import together

CHANNELS = 5


def near(ours: torch.Tensor, theirs: torch.Tensor, *, atol: float = 1e-12) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=atol)


def seeded_norm() -> nn.BatchNorm2d:
    random = torch.Generator().manual_seed(1)
    norm = nn.BatchNorm2d(CHANNELS)
    with torch.no_grad():
        for values in (norm.weight, norm.bias):
            values.copy_(torch.randn(CHANNELS, generator=random))
    return norm


@pytest.mark.parametrize(("images", "count"), [(8, 2), (7, 2), (7, 3), (1, 2), (2, 4)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_it_is_that_of_the_whole_batch(
    images: int, count: int, layout: torch.memory_format
) -> None:
    """Values, gradients and running statistics, in float64: to 1e-12 of values of about one, a few
    thousand roundings of 1e-16. Uneven shares, too, and ranks without any image."""
    random = torch.Generator().manual_seed(2)
    batch = torch.randn(images, CHANNELS, 4, 3, generator=random, dtype=torch.float64) * 3 + 2
    slopes = torch.randn(batch.shape, generator=random, dtype=torch.float64)
    whole = seeded_norm().double()
    ours = batch.clone().requires_grad_(True)
    result = whole(ours)
    result.backward(slopes)

    def work(ranks: Ranks) -> tuple[torch.Tensor, torch.Tensor, SharedBatchNorm2d]:
        norm = SharedBatchNorm2d(seeded_norm(), ranks).double()
        part = ranks.own(batch).contiguous(memory_format=layout).requires_grad_(True)
        values = norm(part)
        values.backward(ranks.own(slopes))
        assert part.grad is not None
        return values.detach(), part.grad, norm

    done = together(count, work)
    for rank, (values, slope, norm) in enumerate(done):
        near(values, result.detach()[rank::count])
        assert ours.grad is not None
        near(slope, ours.grad[rank::count])
        for name, value in whole.state_dict().items():
            near(norm.state_dict()[name], value)
            assert torch.equal(norm.state_dict()[name], done[0][2].state_dict()[name])
    for name in ("weight", "bias"):  # parts, which are added up with all other gradients
        parts = [norm.get_parameter(name).grad for _, _, norm in done]
        wanted = whole.get_parameter(name).grad
        assert wanted is not None
        near(torch.stack([one for one in parts if one is not None]).sum(0), wanted)


def test_small_spread_beside_a_large_mean_is_kept() -> None:
    """In float32 a sum of squares would have lost it: 1000 squared has no digits left for 0.01."""
    random = torch.Generator().manual_seed(3)
    batch = 1000 + 0.01 * torch.randn(8, CHANNELS, 8, 8, generator=random)
    norm = nn.BatchNorm2d(CHANNELS)
    wanted = norm.double()(batch.double())

    def work(ranks: Ranks) -> torch.Tensor:
        values: torch.Tensor = SharedBatchNorm2d(nn.BatchNorm2d(CHANNELS), ranks)(ranks.own(batch))
        return values.detach()

    for rank, values in enumerate(together(2, work)):
        # a value of 1000 is known to 6e-5 in float32, which is 0.006 of the spread
        near(values.double(), wanted[rank::2].detach(), atol=0.02)


@pytest.mark.parametrize("low", [torch.bfloat16])
def test_low_precision_goes_in_and_comes_out(low: torch.dtype) -> None:
    random = torch.Generator().manual_seed(4)
    batch = torch.randn(8, CHANNELS, 4, 4, generator=random).to(low)
    wanted = seeded_norm()(batch.float())

    def work(ranks: Ranks) -> torch.Tensor:
        part = ranks.own(batch).requires_grad_(True)
        values: torch.Tensor = SharedBatchNorm2d(seeded_norm(), ranks)(part)
        values.sum().backward()  # type: ignore[no-untyped-call]
        assert part.grad is not None and part.grad.dtype == low
        return values.detach()

    for rank, values in enumerate(together(2, work)):
        assert values.dtype == low
        # eight binary digits of values up to four
        near(values.float(), wanted[rank::2].detach(), atol=0.03)


def test_a_copy_is_nobody_elses() -> None:
    """What one rank measures or averages must not wait for others; nor does evaluation mode."""
    norm = SharedBatchNorm2d(seeded_norm(), Ranks())  # without a link every exchange would fail
    copied = copy.deepcopy(norm)
    assert type(copied) is nn.BatchNorm2d
    assert list(copied.state_dict()) == list(norm.state_dict())
    batch = torch.randn(4, CHANNELS, 2, 2, generator=torch.Generator().manual_seed(5))
    plain = seeded_norm()
    assert torch.equal(copied(batch), plain(batch))
    assert torch.equal(norm.eval()(batch), seeded_norm().eval()(batch))
    assert not copy.deepcopy(norm).training


def test_all_norms_of_a_network_are_shared_and_its_state_is_the_same() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Sequential(nn.BatchNorm2d(4)))
    before = net.state_dict()
    share_norms(net, Ranks())
    assert [type(one) for one in net.modules()].count(SharedBatchNorm2d) == 2
    assert net.state_dict().keys() == before.keys()
