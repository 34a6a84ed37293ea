"""The nets are the DCGAN of the paper and the tutorial, to the parameter."""

import pytest
import torch
from torch.nn import functional as F

from catgan.model.choices import UPSAMPLES
from catgan.model.networks import Discriminator, Generator, init_weights


def test_parameter_counts_at_width_64() -> None:
    counts = (
        (Generator(), 3_576_704),
        (Generator(upsample="nearest"), 2_371_136),
        (Generator(upsample="nearest", skip=True), 3_702_336),
        (Discriminator(), 2_765_568),
    )
    for net, count in counts:
        assert sum(parameter.numel() for parameter in net.parameters()) == count


@pytest.mark.parametrize("size", [16, 32, 64, 128])
def test_shapes_and_range(size: int) -> None:
    generator = Generator(latent_dim=7, ngf=4, size=size)
    pictures = generator(torch.randn(3, 7))
    assert pictures.shape == (3, 3, size, size)
    assert pictures.abs().max() <= 1
    assert Discriminator(ndf=4, size=size)(pictures).shape == (3,)


def test_repeated_pixels_and_a_convolution_are_computed_as_one() -> None:
    """In float64, so that nothing but the order of sums differs."""
    generator = Generator(latent_dim=3, ngf=4, size=16, upsample="nearest").double()
    layer, weight = generator.main[3], generator.get_parameter("main.3.weight")
    maps = torch.randn(2, 8, 5, 5, dtype=torch.float64)
    written_out = F.conv2d(F.interpolate(maps, scale_factor=2.0), weight, padding=1)
    torch.testing.assert_close(layer(maps), written_out, rtol=1e-12, atol=1e-12)


def test_coarse_maps_gate_fine_ones() -> None:
    """With skips, from 4 x 4 to 16 x 16 and from 8 x 8 to 32 x 32: written out layer by layer."""
    generator = Generator(latent_dim=3, ngf=4, size=64, skip=True).double().eval()
    latents = torch.randn(2, 3, dtype=torch.float64)
    result, maps = latents[:, :, None, None], dict[int, torch.Tensor]()
    for layer in generator.main:
        result = layer(result)
        if isinstance(layer, torch.nn.ReLU):
            side = result.shape[-1]
            if side in (16, 32):
                first, second = (
                    generator.get_parameter(f"gates.{side // 4}.main.{layer}.weight")
                    for layer in (1, 3)
                )
                pooled = F.adaptive_avg_pool2d(maps[side // 4], 4)
                hidden = F.silu(torch.einsum("nchw,ochw->no", pooled, first))
                gate = torch.sigmoid(hidden @ second[:, :, 0, 0].T)
                result = result * gate[:, :, None, None]
            maps[side] = result
    torch.testing.assert_close(generator(latents), result, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("size", "gates"), [(16, 0), (32, 1), (64, 2), (128, 2)])
@pytest.mark.parametrize("upsample", UPSAMPLES)
def test_every_kind_of_generator_fits_every_size(size: int, gates: int, upsample: str) -> None:
    generator = Generator(latent_dim=3, ngf=2, size=size, upsample=upsample, skip=True)
    assert len(generator.gates) == gates
    assert generator(torch.randn(2, 3)).shape == (2, 3, size, size)


def test_what_a_generator_was_called_before_it_is_called_still() -> None:
    """Or checkpoints of before would draw no more."""
    names = [f"main.{layer}.weight" for layer in (0, 3, 6, 9, 12)]
    for norm in (1, 4, 7, 10):
        kept = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        names += [f"main.{norm}.{name}" for name in kept]
    assert sorted(Generator().state_dict()) == sorted(names)
    assert sorted(Generator(upsample="nearest").state_dict()) == sorted(names)


def test_another_way_to_double_is_refused() -> None:
    with pytest.raises(ValueError, match="upsample is one of"):
        Generator(upsample="bicubic")


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
