"""Random numbers drawn for several steps at once, so that a GPU need not wait for the next ones.

They are drawn on the CPU, in the order in which single steps would draw them: a run has the same
numbers on every device, however many steps it takes at a time and wherever it was stopped.
"""

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor

from catgan.train.augment import NUMBERS, Augment
from catgan.train.ranks import ALONE, Ranks


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StepNumbers:
    """What one step of B images needs besides the images and the networks; on the device.

    Where several ranks share a batch, B images of it are this rank's.
    """

    order: Tensor
    """(B,) int64: which images."""
    latents: Tensor
    """(B, latent_dim) float32, standard normal."""
    flips: Tensor | None
    """(B,) float32, 0 to 1: see `augment.flip`; None where nothing is mirrored."""
    draws: Tensor | None
    """(3, B, 7) float32, 0 to 1: see `step.train_step`; None without augmentation."""
    weight: float | Tensor
    """Of this step in the averaged generator; at a fixed place a scalar tensor."""


class Ahead:
    """Draws the numbers of the next steps, and sends them to where they are wanted."""

    def __init__(
        self,
        *,
        steps: int,
        batch_size: int,
        latent_dim: int,
        flip: bool,
        augment: Augment,
        device: torch.device,
        fixed: bool,
        ranks: Ranks = ALONE,
    ) -> None:
        """Nothing is drawn yet.

        Args:
            steps: At most so many at a time.
            batch_size: At most so many images a step.
            latent_dim: Length of a latent.
            flip: Whether images are mirrored at random.
            augment: What images are seen through.
            device: Where the numbers are wanted.
            fixed: Whether they are sent in one copy, to places that stay the same, as recorded
                steps need it; each `draw` overwrites those of the one before.
            ranks: Who shares the batches. Each of them draws the numbers of all images, and keeps
                those of its own: so they are the same on however many ranks.
        """
        self._latent_dim, self._flip, self._augment = latent_dim, flip, augment
        self._device = device
        self._ranks = ranks
        # A row holds a step's numbers one after the other. Indices of images are twice as wide as
        # floats, so they and the weight take two places each.
        self._sizes = [
            2 * batch_size,
            2,
            batch_size * latent_dim,
            batch_size,
            3 * batch_size * NUMBERS,
        ]
        width = sum(self._sizes)
        self._shape = (steps, width + width % 2)
        self._there: Tensor | None = None
        if fixed:
            self._there = torch.zeros(self._shape, device=device)
        self._drawn: list[StepNumbers] = []
        self.sent = 0
        """Copies to fixed places so far."""

    def draw(
        self, orders: Sequence[Tensor], weights: Sequence[float], random: torch.Generator
    ) -> None:
        """Draw the numbers of the next steps.

        Args:
            orders: The images of each step, (B,) int64 on the CPU; all ranks' of a shared one.
            weights: Of each step in the average.
            random: Where the randomness comes from; moves on as single steps would move it.
        """
        drawn = [
            self._draw(order, weight, random) for order, weight in zip(orders, weights, strict=True)
        ]
        if self._there is None:
            self._drawn = [self._on_device(numbers) for numbers in drawn]
            return
        # pinned memory, anew each time: the copy out of the last one may be under way still
        host = torch.empty(self._shape, pin_memory=self._device.type == "cuda")
        for row, numbers in zip(host, drawn, strict=False):
            _fill(self._parts(row, len(numbers.order)), numbers)
        self._there.copy_(host, non_blocking=True)
        self.sent += 1
        self._drawn = [
            self._parts(row, len(numbers.order))
            for row, numbers in zip(self._there, drawn, strict=False)
        ]

    def __getitem__(self, step: int) -> StepNumbers:
        """The numbers of one of the steps drawn last, from 0."""
        return self._drawn[step]

    def _draw(self, order: Tensor, weight: float, random: torch.Generator) -> StepNumbers:
        count = len(order)
        latents = torch.randn(count, self._latent_dim, generator=random)
        flips = torch.rand(count, generator=random) if self._flip else None
        draws = None
        if self._augment:
            draws = self._augment.draw(3 * count, random).view(3, count, NUMBERS)
        if self._ranks.joined:
            own = self._ranks.own
            order, latents = own(order), own(latents)
            flips = None if flips is None else own(flips)
            draws = None if draws is None else own(draws.transpose(0, 1)).transpose(0, 1)
        return StepNumbers(order=order, latents=latents, flips=flips, draws=draws, weight=weight)

    def _on_device(self, numbers: StepNumbers) -> StepNumbers:
        if self._device.type == "cpu":
            return numbers
        there = {
            name: value.to(self._device)
            for name in ("latents", "flips", "draws")
            if (value := getattr(numbers, name)) is not None
        }
        return dataclasses.replace(numbers, **there)

    def _parts(self, row: Tensor, count: int) -> StepNumbers:
        """A row as the numbers of a step of so many images; they share its memory."""
        order, weight, latents, flips, draws = torch.split(row[: sum(self._sizes)], self._sizes)
        return StepNumbers(
            order=order[: 2 * count].view(torch.int64),
            latents=latents[: count * self._latent_dim].view(count, self._latent_dim),
            flips=flips[:count] if self._flip else None,
            draws=draws[: 3 * count * NUMBERS].view(3, count, NUMBERS) if self._augment else None,
            weight=weight[0],
        )


def _fill(places: StepNumbers, numbers: StepNumbers) -> None:
    for name in ("order", "latents", "flips", "draws"):
        place, value = getattr(places, name), getattr(numbers, name)
        if value is not None:
            place.copy_(value)
    assert isinstance(places.weight, Tensor)
    places.weight.fill_(numbers.weight)
