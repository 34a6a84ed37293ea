"""The adversarial step, after the PyTorch DCGAN tutorial: one step of D, then one of G.

Goodfellow et al. 2014 (arXiv:1406.2661), algorithm 1, with the generator's loss of section 3 that
does not saturate. The step knows nothing of data, logs or averages.
"""

import dataclasses

import torch
from torch import Tensor
from torch.nn import functional as F

from catgan.model.networks import Discriminator, Generator


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


def train_step(
    *,
    generator: Generator,
    discriminator: Discriminator,
    optimizer_g: torch.optim.Optimizer,
    optimizer_d: torch.optim.Optimizer,
    real: Tensor,
    latents: Tensor,
) -> StepTerms:
    """One step of D and one of G on the same fake pictures.

    Args:
        generator: In training mode; changed.
        discriminator: In training mode; changed.
        optimizer_g: Of the generator's weights.
        optimizer_d: Of the discriminator's weights.
        real: (B, 3, H, W) float32 in -1 to 1.
        latents: (B, latent_dim) float32, standard normal.
    """
    fake = generator(latents)

    # D: real ones are to be called real, fake ones fake. Two passes, since batch norm would let
    # D tell a mixed batch by its statistics.
    optimizer_d.zero_grad(set_to_none=True)
    real_logits = discriminator(real)
    fake_logits = discriminator(fake.detach())
    loss_d = _bce(real_logits, real=True) + _bce(fake_logits, real=False)
    loss_d.backward()  # type: ignore[no-untyped-call]
    optimizer_d.step()

    # G: its pictures are to be called real by the D just bettered. D's own gradients would be
    # thrown away, so they are not computed.
    optimizer_g.zero_grad(set_to_none=True)
    discriminator.requires_grad_(False)
    after_logits = discriminator(fake)
    loss_g = _bce(after_logits, real=True)
    loss_g.backward()  # type: ignore[no-untyped-call]
    optimizer_g.step()
    discriminator.requires_grad_(True)

    return StepTerms(
        loss_d=loss_d.detach(),
        loss_g=loss_g.detach(),
        d_real=real_logits.detach().sigmoid().mean(),
        d_fake=fake_logits.detach().sigmoid().mean(),
        d_fake_after=after_logits.detach().sigmoid().mean(),
    )


def _bce(logits: Tensor, *, real: bool) -> Tensor:
    """Binary cross entropy of logits against one answer for all of them."""
    target = torch.ones_like(logits) if real else torch.zeros_like(logits)
    return F.binary_cross_entropy_with_logits(logits, target)
