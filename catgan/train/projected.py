"""The adversarial step with a discriminator that looks through a pretrained network.

Sauer et al. 2021 (arXiv:2111.01007): hinge losses (Lim & Ye 2017, arXiv:1705.02894), summed over
the small discriminators. The fixed network sees each picture once: what it made of the fake ones
serves D's step and then G's, so both see them through the same random changes.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from catgan.model.networks import Generator
from catgan.model.projected import ProjectedDiscriminator, summed
from catgan.train.augment import Augment
from catgan.train.ranks import SharedBatch
from catgan.train.step import NO_CHANGE, StepTerms, descend, frozen, terms_of


def projected_step(
    *,
    generator: Generator,
    discriminator: ProjectedDiscriminator,
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
    """One step of D and one of G on the same fake pictures, as `train_step`.

    Args:
        generator: In training mode; changed.
        discriminator: Changed, but for what is fixed in it.
        optimizer_g: Of the generator's weights.
        optimizer_d: Of the discriminator's weights.
        real: (B, 3, H, W) float32 in -1 to 1, or float64, as the nets then must be.
        latents: (B, latent_dim), standard normal, of the same type.
        augment: What D sees pictures through, real and fake.
        draws: Its random numbers, (3, B, 7), of which the first two rows are used: for the real
            pictures and the fake ones; not needed without `augment`.
        layout: How the nets' weights lie in memory.
        precision: In which the nets compute; weights, losses and optimisers stay float32.
        penalty: Must be 0: there is no R1 here.
        scaler: For float16, as in `train_step`; changed.
        shared: The batch that these pictures are a part of, as in `train_step`.

    Returns:
        What the step saw; D(x) and D(G(z)) are shares of pictures that D calls real.
    """
    assert penalty == 0

    def mixed() -> torch.autocast:
        # each pass has its own: the cache of cast weights must not outlive a step of theirs
        low = precision != torch.float32
        return torch.autocast(real.device.type, dtype=precision, enabled=low)

    def look(images: Tensor, row: int) -> list[Tensor]:
        if draws is not None and augment:
            images = augment(images, draws[row])
        with mixed():
            return discriminator.look(images)

    with mixed():
        fake = generator(latents)
    fake = fake.to(real.dtype)
    with torch.no_grad():
        on_real = look(real, 0)
    on_fake = look(fake, 1)

    # D: real ones above 1, fake ones below -1.
    discriminator.iterate()
    optimizer_d.zero_grad(set_to_none=True)
    both = [torch.cat(pair) for pair in zip(on_real, (m.detach() for m in on_fake), strict=True)]
    with mixed():
        logits = discriminator.judge(both)
    real_logits, fake_logits = logits.to(real.dtype).chunk(2)
    loss_d = _over_scales(F.relu(1 - real_logits), shared)
    loss_d = loss_d + _over_scales(F.relu(1 + fake_logits), shared)
    descend(loss_d, optimizer_d, scaler, shared)

    # G: as high as may be, by the D just bettered.
    optimizer_g.zero_grad(set_to_none=True)
    with frozen(discriminator):
        with mixed():
            after_logits = discriminator.judge(on_fake)
        after_logits = after_logits.to(real.dtype)
        loss_g = -_over_scales(after_logits, shared)
        descend(loss_g, optimizer_g, scaler, shared)
    if scaler is not None:
        scaler.update()

    means = {
        "loss_d": loss_d.detach(),
        "loss_g": loss_g.detach(),
        "d_real": _called_real(real_logits, shared),
        "d_fake": _called_real(fake_logits, shared),
        "d_fake_after": _called_real(after_logits, shared),
    }
    return terms_of(means, real, fake.detach(), shared)


def _over_scales(values: Tensor, shared: SharedBatch | None) -> Tensor:
    """(B, scales, places) to a scalar: the mean of each scale, summed."""
    if shared is None:
        return values.mean(dim=(0, 2)).sum()
    return shared.mean(values).mean(dim=1).sum()


def _called_real(logits: Tensor, shared: SharedBatch | None) -> Tensor:
    called = (summed(logits.detach()) > 0).to(logits.dtype)
    return called.mean() if shared is None else shared.mean(called)
