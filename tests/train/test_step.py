"""The adversarial step against the same thing written out as the PyTorch tutorial has it."""

import copy

import torch
from torch import nn

from catgan.model.networks import Discriminator, Generator, init_weights
from catgan.train.step import train_step

SIZE, LATENT, BATCH = 16, 10, 6


def make_nets() -> tuple[Generator, Discriminator]:
    stream = torch.Generator().manual_seed(3)
    generator = Generator(latent_dim=LATENT, ngf=8, size=SIZE)
    discriminator = Discriminator(ndf=8, size=SIZE)
    init_weights(generator, stream)
    init_weights(discriminator, stream)
    return generator, discriminator


def adam(net: nn.Module) -> torch.optim.Adam:
    return torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999))


def tutorial_step(
    nets: tuple[nn.Module, nn.Module],
    optimizers: list[torch.optim.Adam],
    real: torch.Tensor,
    noise: torch.Tensor,
) -> dict[str, float]:
    """Two backward passes for D, sigmoid and BCELoss, D's gradients computed in G's step too."""
    (netg, netd), (optg, optd) = nets, optimizers
    criterion = nn.BCELoss()
    ones, zeros = torch.ones(len(real)), torch.zeros(len(real))
    netd.zero_grad()
    out_real = torch.sigmoid(netd(real))
    loss_real = criterion(out_real, ones)
    loss_real.backward()
    fake = netg(noise)
    out_fake = torch.sigmoid(netd(fake.detach()))
    loss_fake = criterion(out_fake, zeros)
    loss_fake.backward()
    optd.step()
    netg.zero_grad()
    out_after = torch.sigmoid(netd(fake))
    loss_g = criterion(out_after, ones)
    loss_g.backward()
    optg.step()
    return {
        "loss_d": float((loss_real + loss_fake).detach()),
        "loss_g": float(loss_g.detach()),
        "d_real": float(out_real.detach().mean()),
        "d_fake": float(out_fake.detach().mean()),
        "d_fake_after": float(out_after.detach().mean()),
    }


def test_steps_agree_with_the_tutorials() -> None:
    ours = make_nets()
    theirs = copy.deepcopy(ours)
    our_optimizers = [adam(net) for net in ours]
    their_optimizers = [adam(net) for net in theirs]
    stream = torch.Generator().manual_seed(0)
    for step in range(8):
        real = torch.rand(BATCH, 3, SIZE, SIZE, generator=stream) * 2 - 1
        latents = torch.randn(BATCH, LATENT, generator=stream)
        terms = train_step(
            generator=ours[0],
            discriminator=ours[1],
            optimizer_g=our_optimizers[0],
            optimizer_d=our_optimizers[1],
            real=real,
            latents=latents,
        )
        expected = tutorial_step(theirs, their_optimizers, real, latents)
        for name, value in expected.items():
            # Sums in another order differ in the last digits of float32, and Adam, which divides
            # by the gradient's own size, lets that grow a little with every step.
            tolerance = 1e-5 * 3**step
            assert abs(float(getattr(terms, name)) - value) < tolerance, (step, name)


def test_each_net_is_moved_by_its_own_loss_only() -> None:
    generator, discriminator = make_nets()
    before_g = copy.deepcopy(generator.state_dict())
    frozen = torch.optim.SGD(generator.parameters(), lr=0.0)
    train_step(
        generator=generator,
        discriminator=discriminator,
        optimizer_g=frozen,
        optimizer_d=adam(discriminator),
        real=torch.zeros(BATCH, 3, SIZE, SIZE),
        latents=torch.randn(BATCH, LATENT, generator=torch.Generator().manual_seed(0)),
    )
    for name, parameter in generator.named_parameters():
        assert torch.equal(parameter, before_g[name]), name
    # G's step leaves no gradient behind in D beyond D's own, and D can be trained again
    assert all(parameter.requires_grad for parameter in discriminator.parameters())


def test_the_discriminator_learns_what_is_real() -> None:
    generator, discriminator = make_nets()
    frozen = torch.optim.SGD(generator.parameters(), lr=0.0)
    optimizer = adam(discriminator)
    stream = torch.Generator().manual_seed(0)
    real = torch.rand(BATCH, 3, SIZE, SIZE, generator=stream) * 2 - 1
    for _ in range(150):
        terms = train_step(
            generator=generator,
            discriminator=discriminator,
            optimizer_g=frozen,
            optimizer_d=optimizer,
            real=real,
            latents=torch.randn(BATCH, LATENT, generator=stream),
        )
    assert float(terms.d_real) > 0.8
    assert float(terms.d_fake) < 0.2
