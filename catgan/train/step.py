"""The adversarial step, after the PyTorch DCGAN tutorial: one step of D, then one of G.

Goodfellow et al. 2014 (arXiv:1406.2661), algorithm 1, with the generator's loss of section 3 that
does not saturate. The step knows nothing of data, logs or averages.
"""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from catgan.model.networks import Discriminator, Generator
from catgan.train.augment import Augment
from catgan.train.ranks import SharedBatch

NO_CHANGE = Augment()
COARSE = 8  # side of the squares that a picture's spread is measured on, pixels


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StepTerms:
    """What one step saw; scalars on the device, so that reading them can wait."""

    loss_d: Tensor
    """Loss of D: binary cross entropy on the real half plus on the fake half."""
    loss_g: Tensor
    """Loss of G: binary cross entropy of calling its pictures real, after D's step."""
    d_real: Tensor
    """D(x): mean probability that D gives real pictures of being real."""
    d_fake: Tensor
    """D(G(z)) before D's step."""
    d_fake_after: Tensor
    """D(G(z)) after D's step, before G's."""
    spread_real: Tensor
    """Variance between the real pictures, mean over squares of 8 x 8 pixels and channels."""
    spread_fake: Tensor
    """The same between the fake ones; far below `spread_real` where all samples are alike."""


def train_step(
    *,
    generator: Generator,
    discriminator: Discriminator,
    optimizer_g: torch.optim.Optimizer,
    optimizer_d: torch.optim.Optimizer,
    real: Tensor,
    latents: Tensor,
    augment: Augment = NO_CHANGE,
    draws: Tensor | None = None,
    precision: torch.dtype = torch.float32,
    layout: torch.memory_format = torch.contiguous_format,
    penalty: float = 0.0,
    scaler: torch.amp.GradScaler | None = None,
    shared: SharedBatch | None = None,
) -> StepTerms:
    """One step of D and one of G on the same fake pictures.

    Args:
        generator: In training mode; changed.
        discriminator: In training mode; changed.
        optimizer_g: Of the generator's weights.
        optimizer_d: Of the discriminator's weights.
        real: (B, 3, H, W) float32 in -1 to 1, or float64, as the nets then must be.
        latents: (B, latent_dim), standard normal, of the same type.
        augment: What D sees pictures through, real and fake, in both steps.
        draws: Its random numbers, (3, B, 7): for the real pictures, the fake ones, and the fake
            ones in G's step; not needed without `augment`.
        layout: How the nets' weights lie in memory; pictures are brought to the same.
        precision: In which the nets compute; weights, losses and optimisers stay float32.
        penalty: Weight of R1, `r1_penalty`, in this step of D; it is no part of `loss_d`.
        scaler: For float16: makes the losses large before they go back through the nets, so that
            small gradients survive, and skips a net's step where that was too large; changed.
        shared: The batch that these pictures are a part of, where several ranks share it; the step
            is that of the whole batch, on all of them. Batch norms have to be `norms`' own.
    """
    mean = torch.mean if shared is None else shared.mean

    def mixed(*, low: bool = precision != torch.float32) -> torch.autocast:
        # each pass has its own: the cache of cast weights must not outlive a step of theirs
        return torch.autocast(real.device.type, dtype=precision, enabled=low)

    def seen(images: Tensor, uses: slice) -> Tensor:
        if draws is not None and augment:
            images = augment(images, draws[uses].flatten(0, 1))
        return images.contiguous(memory_format=layout)

    with mixed():
        fake = generator(latents)
    fake = fake.to(real.dtype)

    # D: real ones are to be called real, fake ones fake. One pass for both, but batch norm takes
    # each half by itself: D could tell a mixed batch by its statistics.
    optimizer_d.zero_grad(set_to_none=True)
    shown = seen(torch.cat([real, fake.detach()]), slice(0, 2))
    with mixed():
        logits = discriminator(shown, batches=2)
    real_logits, fake_logits = logits.to(real.dtype).chunk(2)
    loss_d = _bce(real_logits, shared, real=True) + _bce(fake_logits, shared, real=False)
    objective = loss_d
    if penalty:
        with mixed(low=precision == torch.bfloat16):  # slopes are too small for float16
            slope = r1_penalty(discriminator, shown[: len(real)], mean)
        objective = loss_d + penalty * slope.to(real.dtype)
    descend(objective, optimizer_d, scaler, shared)

    # G: its pictures are to be called real by the D just bettered. D's own gradients would be
    # thrown away, so they are not computed.
    optimizer_g.zero_grad(set_to_none=True)
    with frozen(discriminator):
        with mixed():
            after_logits = discriminator(seen(fake, slice(2, 3)))
        after_logits = after_logits.to(real.dtype)
        loss_g = _bce(after_logits, shared, real=True)
        descend(loss_g, optimizer_g, scaler, shared)
    if scaler is not None:
        scaler.update()

    means = {
        "loss_d": loss_d.detach(),
        "loss_g": loss_g.detach(),
        "d_real": mean(real_logits.detach().sigmoid()),
        "d_fake": mean(fake_logits.detach().sigmoid()),
        "d_fake_after": mean(after_logits.detach().sigmoid()),
    }
    return terms_of(means, real, fake.detach(), shared)


def r1_penalty(
    discriminator: Discriminator, real: Tensor, mean: Callable[[Tensor], Tensor] = torch.mean
) -> Tensor:
    """Half the squared slope of D at real pictures, mean over them; a scalar.

    Mescheder et al. 2018 (arXiv:1801.04406), equation 9 with a weight of one: where the real
    pictures are, D is to be flat, so that G can come to rest there.

    Args:
        discriminator: Without batch norm, which would make one picture's slope another's affair.
        real: (B, 3, H, W) float32, as D sees them.
        mean: Over pictures; of a shared batch this rank's part of it.
    """
    real = real.detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(real).sum(), real, create_graph=True)
    return mean(slope.square().sum(dim=(1, 2, 3))) / 2


@contextmanager
def frozen(net: nn.Module) -> Iterator[None]:
    """No gradients for a net's weights, while the block runs."""
    net.requires_grad_(False)
    try:
        yield
    finally:
        net.requires_grad_(True)


def descend(
    loss: Tensor,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler | None,
    shared: SharedBatch | None = None,
) -> None:
    """One step of an optimizer down a loss, which a scaler makes larger on the way back.

    Args:
        loss: A scalar; of a shared batch this rank's part of it.
        optimizer: Of the weights that learn.
        scaler: Where there is one; changed.
        shared: The batch, where several ranks share it.
    """
    (loss if scaler is None else scaler.scale(loss)).backward()  # type: ignore[no-untyped-call]
    if shared is not None:
        shared.add_gradients(optimizer)
    if scaler is None:
        optimizer.step()
    else:
        scaler.step(optimizer)


def spread(images: Tensor) -> Tensor:
    """Variance between pictures (N, 3, H, W), mean over squares of 8 x 8 pixels and channels."""
    coarse = F.avg_pool2d(images, min(COARSE, images.shape[-1]))
    return coarse.var(dim=0, correction=0).mean()


def terms_of(
    means: dict[str, Tensor], real: Tensor, fake: Tensor, shared: SharedBatch | None
) -> StepTerms:
    """What a step saw, all ranks together.

    Args:
        means: All of it but the spreads; of a shared batch this rank's parts of it.
        real: (B, 3, H, W), the real pictures.
        fake: The same of the fake ones.
        shared: The batch, where several ranks share it.
    """
    if shared is None:
        return StepTerms(**means, spread_real=spread(real), spread_fake=spread(fake))
    # double: a spread is a small difference of large sums
    coarse = [F.avg_pool2d(one, min(COARSE, one.shape[-1])).double() for one in (real, fake)]
    moments = torch.stack([torch.stack([one.sum(0), one.square().sum(0)]) for one in coarse])
    parts = torch.stack([one.double() for one in means.values()])
    added = torch.cat([parts, moments.flatten()])
    shared.add(added)
    sums, squares = added[len(means) :].view_as(moments).unbind(dim=1)
    spreads = squares / shared.images - (sums / shared.images).square()
    spread_real, spread_fake = spreads.flatten(1).mean(dim=1).clamp(min=0)
    whole = dict(zip(means, added, strict=False))
    return StepTerms(**whole, spread_real=spread_real, spread_fake=spread_fake)


def _bce(logits: Tensor, shared: SharedBatch | None, *, real: bool) -> Tensor:
    """Binary cross entropy of logits against one answer for all of them."""
    target = torch.ones_like(logits) if real else torch.zeros_like(logits)
    if shared is None:
        return F.binary_cross_entropy_with_logits(logits, target)
    return shared.mean(F.binary_cross_entropy_with_logits(logits, target, reduction="none"))
