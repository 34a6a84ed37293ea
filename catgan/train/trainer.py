"""The trainer: nets, optimisers, randomness and position; everything that a checkpoint holds."""

import dataclasses
import math

import torch

from catgan.core.errors import CheckpointRefused
from catgan.core.images import Pictures
from catgan.model.checkpoint import State
from catgan.model.networks import Discriminator, Generator, init_weights
from catgan.model.sample import draw_latents, to_pictures
from catgan.train.config import TrainConfig
from catgan.train.pictures import TrainingPictures
from catgan.train.step import StepTerms, train_step

TERMS = tuple(field.name for field in dataclasses.fields(StepTerms))
GRID = 64  # fixed latents that every sample grid shows
GRID_SEED = 1_000_003  # added to the run's, so that the grid's latents are no training latents


class Trainer:
    """Trains step by step; what it does next depends on `state()` and the pictures alone."""

    def __init__(
        self, pictures: TrainingPictures, config: TrainConfig, device: torch.device
    ) -> None:
        """Lay out fresh nets, drawn from the seed on the CPU: the same on every device."""
        self.config = config
        self.device = device
        self._pictures = pictures
        # One stream for everything random, so that one state restores it all.
        self._random = torch.Generator().manual_seed(config.seed)
        generator = Generator(latent_dim=config.latent_dim, ngf=config.ngf, size=config.size)
        discriminator = Discriminator(ndf=config.ndf, size=config.size)
        init_weights(generator, self._random)
        init_weights(discriminator, self._random)
        self.generator = generator.to(device)
        self.discriminator = discriminator.to(device)
        self._optimizer_g = _adam(self.generator, config.lr_g, config)
        self._optimizer_d = _adam(self.discriminator, config.lr_d, config)
        self._grid_latents = draw_latents(GRID, config.latent_dim, config.seed + GRID_SEED).to(
            device
        )
        self.epoch = 0
        """Complete epochs."""
        self.images_shown = 0
        """Real pictures shown, over all epochs."""
        self._order = torch.empty(0, dtype=torch.int64)
        self._position = 0
        # double: the sum of a long epoch keeps its last digits; MPS has no doubles
        kind = torch.float32 if device.type == "mps" else torch.float64
        self._sums = torch.zeros(len(TERMS), dtype=kind, device=device)
        self._start_epoch()

    @property
    def pictures(self) -> int:
        """Training pictures."""
        return len(self._pictures)

    @property
    def steps_an_epoch(self) -> int:
        """Steps of one epoch."""
        return math.ceil(len(self._pictures) / self.config.batch_size)

    @property
    def step_of_epoch(self) -> int:
        """Steps done of the epoch under way."""
        return math.ceil(self._position / self.config.batch_size)

    @property
    def epoch_is_over(self) -> bool:
        """Whether every picture was shown; `end_epoch` comes next."""
        return self._position >= len(self._order)

    def _start_epoch(self) -> None:
        self._order = torch.randperm(len(self._pictures), generator=self._random)
        self._position = 0
        self._sums.zero_()

    def step(self) -> None:
        """One step of both nets on the next pictures of the epoch."""
        indices = self._order[self._position : self._position + self.config.batch_size]
        latents = torch.randn(len(indices), self.config.latent_dim, generator=self._random)
        terms = train_step(
            generator=self.generator,
            discriminator=self.discriminator,
            optimizer_g=self._optimizer_g,
            optimizer_d=self._optimizer_d,
            real=self._pictures.batch(indices),
            latents=latents.to(self.device, non_blocking=True),
        )
        self._sums += torch.stack([getattr(terms, name) for name in TERMS]).to(self._sums.dtype)
        self._position += len(indices)
        self.images_shown += len(indices)

    def means(self) -> dict[str, float]:
        """Mean of every term over the epoch so far; waits for the device."""
        steps = max(1, self.step_of_epoch)
        return dict(zip(TERMS, (self._sums / steps).tolist(), strict=True))

    def end_epoch(self) -> dict[str, float]:
        """The epoch's means; the next one begins."""
        means = self.means()
        self.epoch += 1
        self._start_epoch()
        return means

    @torch.no_grad()
    def sample_grid(self) -> Pictures:
        """Pictures of the fixed latents, (64, size, size, 3) uint8; training is left as it was."""
        self.generator.eval()
        try:
            return to_pictures(self.generator(self._grid_latents))
        finally:
            self.generator.train()

    def state(self) -> State:
        """Everything that the next step depends on, as a checkpoint keeps it."""
        return {
            "epoch": self.epoch,
            "images_shown": self.images_shown,
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "optimizer_g": self._optimizer_g.state_dict(),
            "optimizer_d": self._optimizer_d.state_dict(),
            "random": self._random.get_state(),
            "order": self._order,
            "position": self._position,
            "sums": self._sums.cpu(),
        }

    def load_state(self, state: State) -> None:
        """Go on from what `state()` gave.

        Raises:
            CheckpointRefused: It lacks something, or its weights have other shapes.
        """
        try:
            self.generator.load_state_dict(state["generator"])
            self.discriminator.load_state_dict(state["discriminator"])
            self._optimizer_g.load_state_dict(state["optimizer_g"])
            self._optimizer_d.load_state_dict(state["optimizer_d"])
            self._random.set_state(state["random"])
            self._sums.copy_(state["sums"])
            order = state["order"]
            if order.shape != (len(self._pictures),):
                raise ValueError(f"it counts {len(order)} pictures, not {len(self._pictures)}")
            self._order = order
            self._position = int(state["position"])
            self.epoch = int(state["epoch"])
            self.images_shown = int(state["images_shown"])
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise CheckpointRefused(
                f"The checkpoint does not fit this run ({type(error).__name__}: "
                f"{str(error).splitlines()[0] if str(error) else 'no detail'}); "
                "train under another --name, or remove the run's folder."
            ) from error


def _adam(net: torch.nn.Module, rate: float, config: TrainConfig) -> torch.optim.Adam:
    # fused: one kernel for all weights; the same formula
    fused = next(net.parameters()).device.type in ("cpu", "cuda")
    return torch.optim.Adam(
        net.parameters(), lr=rate, betas=(config.beta1, config.beta2), fused=fused
    )
