"""The nets are the DCGAN of the paper and the tutorial, to the parameter."""

import pytest
import torch

from catgan.model.networks import Discriminator, Generator, init_weights


def test_parameter_counts_at_width_64() -> None:
    for net, count in ((Generator(), 3_576_704), (Discriminator(), 2_765_568)):
        assert sum(parameter.numel() for parameter in net.parameters()) == count


@pytest.mark.parametrize("size", [16, 32, 64, 128])
def test_shapes_and_range(size: int) -> None:
    generator = Generator(latent_dim=7, ngf=4, size=size)
    pictures = generator(torch.randn(3, 7))
    assert pictures.shape == (3, 3, size, size)
    assert pictures.abs().max() <= 1
    assert Discriminator(ndf=4, size=size)(pictures).shape == (3,)


@pytest.mark.parametrize("ndf", [1, 4, 25, 28, 32])
def test_group_norm_fits_any_width(ndf: int) -> None:
    net = Discriminator(ndf=ndf, size=32, norm="group")
    norms = [module for module in net.modules() if isinstance(module, torch.nn.GroupNorm)]
    assert [norm.num_channels for norm in norms] == [2 * ndf, 4 * ndf]
    assert all(norm.num_channels / norm.num_groups >= min(16, ndf) for norm in norms)
    assert net(torch.randn(2, 3, 32, 32)).shape == (2,)


@pytest.mark.parametrize("size", [8, 48, 0])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        Generator(size=size)


def test_weights_start_as_the_paper_says() -> None:
    net = Generator()
    init_weights(net, torch.Generator().manual_seed(0))
    convolutions = torch.cat([p.detach().flatten() for p in net.parameters() if p.dim() == 4])
    # 3.5 million draws: the mean is known to 1e-5 and the deviation to 8e-6 (one sigma)
    assert abs(float(convolutions.mean())) < 1e-4
    assert abs(float(convolutions.std()) - 0.02) < 1e-4
    scales = [m.weight.detach() for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert abs(float(torch.cat(scales).mean()) - 1) < 0.005  # 960 draws: sigma 0.0006
    assert all(
        float(m.bias.detach().abs().max()) == 0
        for m in net.modules()
        if isinstance(m, torch.nn.BatchNorm2d)
    )


def test_the_same_seed_gives_the_same_weights() -> None:
    nets = []
    for _ in range(2):
        net = Discriminator(ndf=4)
        init_weights(net, torch.Generator().manual_seed(5))
        nets.append(net)
    for one, other in zip(*(net.parameters() for net in nets), strict=True):
        assert torch.equal(one, other)
