"""The adversarial step against the same thing written out as the PyTorch tutorial has it."""

import copy
import dataclasses
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from catgan.model.choices import NORMS
from catgan.model.networks import TOGETHER, Discriminator, Generator, init_weights
from catgan.train.adam import Adam
from catgan.train.augment import Augment
from catgan.train.step import StepTerms, r1_penalty, train_step

SIZE, LATENT, BATCH = 16, 10, 6


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Nets this small are faster on one core than on several, above all on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def make_nets(norm: str = "batch") -> tuple[Generator, Discriminator]:
    stream = torch.Generator().manual_seed(3)
    generator = Generator(latent_dim=LATENT, ngf=8, size=SIZE)
    discriminator = Discriminator(ndf=8, size=SIZE, norm=norm)
    init_weights(generator, stream)
    init_weights(discriminator, stream, start="he" if norm == "none" else "dcgan")
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
    ones, zeros = real.new_ones(len(real)), real.new_zeros(len(real))
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


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_steps_agree_with_the_tutorials(kind: torch.dtype) -> None:
    ours = make_nets()
    for net in ours:
        net.to(kind)
    theirs = copy.deepcopy(ours)
    our_optimizers = [Adam(net, rate=2e-4, betas=(0.5, 0.999)) for net in ours]
    their_optimizers = [adam(net) for net in theirs]
    stream = torch.Generator().manual_seed(0)
    for step in range(8):
        real = (torch.rand(BATCH, 3, SIZE, SIZE, generator=stream) * 2 - 1).to(kind)
        latents = torch.randn(BATCH, LATENT, generator=stream).to(kind)
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
            # Sums in another order differ in the last digits (7 of float32, 16 of float64), and
            # Adam, which divides by the gradient's own size, lets that grow with every step.
            tolerance = (1e-5 if kind == torch.float32 else 1e-13) * 3**step
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


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("count", [BATCH, TOGETHER])
def test_batches_together_are_judged_as_each_by_itself(norm: str, count: int) -> None:
    """Logits, gradients, and what batch norm keeps."""
    together = make_nets(norm)[1]
    apart = copy.deepcopy(together)
    stream = torch.Generator().manual_seed(0)
    real, fake = torch.rand(2, count, 3, SIZE, SIZE, generator=stream) * 2 - 1
    fake = fake * 0.3 + 0.4  # another mean and spread, which batch norm must not see together
    ours = together(torch.cat([real, fake]), batches=2)
    theirs = torch.cat([apart(real), apart(fake)])
    # float32 sums in another order
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    if norm == "batch":
        mixed = copy.deepcopy(apart)(torch.cat([real, fake]))
        assert not torch.allclose(mixed, theirs, rtol=1e-2, atol=1e-3)
    (ours.square().sum() + theirs.square().sum()).backward()
    for one, other in zip(together.parameters(), apart.parameters(), strict=True):
        assert one.grad is not None
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-4)
    for name, kept in together.named_buffers():
        torch.testing.assert_close(kept, apart.get_buffer(name), rtol=1e-4, atol=1e-5)


def run_steps(
    *,
    norm: str = "batch",
    layout: torch.memory_format = torch.contiguous_format,
    precision: torch.dtype = torch.float32,
    scaler: torch.amp.GradScaler | None = None,
    penalty: float = 0.0,
    steps: int = 4,
) -> list[StepTerms]:
    """A few steps with augmentation, the same pictures and latents each time."""
    generator, discriminator = make_nets(norm)
    generator.to(memory_format=layout)
    discriminator.to(memory_format=layout)
    optimizers = [Adam(net, rate=2e-4, betas=(0.5, 0.999)) for net in (generator, discriminator)]
    augment = Augment(("colour", "translation"))
    stream = torch.Generator().manual_seed(0)
    terms = []
    for _ in range(steps):
        real = torch.rand(BATCH, 3, SIZE, SIZE, generator=stream) * 2 - 1
        terms.append(
            train_step(
                generator=generator,
                discriminator=discriminator,
                optimizer_g=optimizers[0],
                optimizer_d=optimizers[1],
                real=real,
                latents=torch.randn(BATCH, LATENT, generator=stream),
                augment=augment,
                draws=augment.draw(3 * BATCH, stream).view(3, BATCH, -1),
                precision=precision,
                layout=layout,
                penalty=penalty,
                scaler=scaler,
            )
        )
    return terms


def assert_near(ours: list[StepTerms], theirs: list[StepTerms], tolerance: float) -> None:
    for step, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        for name in (field.name for field in dataclasses.fields(StepTerms)):
            difference = abs(float(getattr(one, name)) - float(getattr(other, name)))
            assert difference < tolerance, (step, name, difference)


@pytest.mark.parametrize("norm", NORMS)
def test_the_layout_changes_rounding_only(norm: str) -> None:
    penalty = 0.01 if norm == "none" else 0.0
    plain = run_steps(norm=norm, penalty=penalty)
    # as in the test against the tutorial: 1e-5, three times as much after every step
    assert_near(
        run_steps(norm=norm, penalty=penalty, layout=torch.channels_last), plain, 1e-5 * 3**3
    )


def test_lower_precisions_stay_near() -> None:
    """bfloat16 keeps 8 binary digits, float16 11: terms of about 1 after some ten layers."""
    exact = run_steps(norm="none", penalty=0.01)
    low = run_steps(norm="none", penalty=0.01, precision=torch.bfloat16)
    assert_near(low, exact, 10 * 2**-8)
    with pytest.raises(AssertionError):
        assert_near(low, exact, 1e-6)  # and that it is used at all
    half = run_steps(
        norm="none",
        penalty=0.01,
        precision=torch.float16,
        scaler=torch.amp.GradScaler("cpu", init_scale=2**10),
    )
    assert_near(half, exact, 10 * 2**-8)


def test_a_step_that_overflows_is_skipped() -> None:
    generator, discriminator = make_nets()
    before = copy.deepcopy([net.state_dict() for net in (generator, discriminator)])
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**40)  # far above what float16 holds
    train_step(
        generator=generator,
        discriminator=discriminator,
        optimizer_g=Adam(generator, rate=2e-4, betas=(0.5, 0.999)),
        optimizer_d=Adam(discriminator, rate=2e-4, betas=(0.5, 0.999)),
        real=torch.zeros(BATCH, 3, SIZE, SIZE),
        latents=torch.randn(BATCH, LATENT, generator=torch.Generator().manual_seed(0)),
        precision=torch.float16,
        scaler=scaler,
    )
    for net, state in zip((generator, discriminator), before, strict=True):
        for name, parameter in net.named_parameters():
            assert torch.equal(parameter, state[name]), name
    assert scaler.get_scale() == 2.0**39  # and the next one is tried with half of it


def test_the_penalty_is_the_squared_slope() -> None:
    """Of a D that is a plane, w . x, it is half of |w| squared, wherever the pictures are."""

    stream = torch.Generator().manual_seed(0)
    slope = torch.randn(3 * SIZE * SIZE, generator=stream)

    class Plane(Discriminator):
        def forward(self, images: torch.Tensor, *, batches: int = 1) -> torch.Tensor:
            return images.flatten(1) @ slope

    real = torch.rand(BATCH, 3, SIZE, SIZE, generator=stream)
    found = r1_penalty(Plane(ndf=8, size=SIZE), real)
    torch.testing.assert_close(found, slope.square().sum() / 2)
