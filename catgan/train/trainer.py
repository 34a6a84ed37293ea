"""The trainer: nets, optimisers, randomness and position; everything that a checkpoint holds."""

import dataclasses
import math
from collections import deque
from collections.abc import Callable

import torch
from torch import Tensor

from catgan.core.errors import CheckpointRefused
from catgan.core.pictures import Pictures
from catgan.model.checkpoint import State
from catgan.model.networks import Discriminator, Generator
from catgan.model.projected import ProjectedDiscriminator
from catgan.model.sample import draw_latents, sample_images
from catgan.train.adam import Adam
from catgan.train.ahead import Ahead, StepNumbers
from catgan.train.augment import Augment, flip
from catgan.train.average import AveragedGenerator
from catgan.train.config import FITTING, LOW_PRECISIONS, TrainConfig
from catgan.train.device import allow_tf32, pick_computing
from catgan.train.eyes import OpenEyes, open_eyes
from catgan.train.graphs import StepGraphs, StepKind
from catgan.train.nets import new_nets
from catgan.train.norms import share_norms
from catgan.train.pictures import TrainingPictures, as_images
from catgan.train.projected import projected_step
from catgan.train.ranks import ALONE, Ranks, SharedBatch
from catgan.train.start import StartNetworks, check_start
from catgan.train.step import StepTerms, train_step

TERMS = tuple(field.name for field in dataclasses.fields(StepTerms))
GRID = 64  # fixed latents that every sample grid shows
STEPS_AT_ONCE = 8
"""Steps that a GPU is given at a time: enough that Python is far ahead of it all the while."""
MOST_AHEAD = 4
"""Groups of steps that Python may be ahead of a GPU."""
GRID_SEED = 1_000_003  # added to the run's, so that the grid's latents are no training latents


class Trainer:
    """Trains step by step; what it does next depends on `state()` and the pictures alone.

    Several ranks train one run by each taking its own images of every batch. Their networks,
    optimisers, averages, random numbers and positions are the same all along, so any of them can
    give the state, and it says nothing of how many there were.
    """

    def __init__(
        self,
        pictures: TrainingPictures,
        config: TrainConfig,
        device: torch.device,
        start: StartNetworks | None = None,
        eyes: OpenEyes = open_eyes,
        ranks: Ranks = ALONE,
    ) -> None:
        """Lay out fresh nets, drawn from the seed on the CPU: the same on every device.

        Args:
            pictures: What to train on.
            config: Settings.
            device: What to compute on.
            start: The networks to begin with instead; the seed decides the rest.
            eyes: Loads the network that a discriminator on features looks through.
            ranks: Who trains the run together; all begin with `load_state` of what one of them has.

        Raises:
            BadSettings: The device cannot compute as the settings say, or `start` has other shapes.
        """
        self.config = config
        self.computing = pick_computing(config, device, ranks)
        """How it computes."""
        self.device = device
        self._pictures = pictures
        self._ranks = ranks
        # One stream for everything random, so that one state restores it all.
        self._random = torch.Generator().manual_seed(config.seed)
        generator, discriminator = new_nets(config, self._random, eyes)
        if start is not None:
            check_start(start, config)
            generator.load_state_dict(start.generator)
            discriminator.load_state_dict(start.discriminator)
        if ranks.joined:
            share_norms(generator, ranks)
            share_norms(discriminator, ranks)
            if isinstance(discriminator, Discriminator):
                # always together: ranks whose last batches differ must exchange in one order
                discriminator.together = 2 * config.batch_size
        own = ranks.part(config.batch_size)
        self._layout = pick_layout(self.computing.precision, own, device)
        self.generator = generator.to(device).to(memory_format=self._layout)
        self.discriminator = discriminator.to(device).to(memory_format=self._layout)
        self._average = None
        if config.average_kimg:
            self._average = AveragedGenerator(self.generator, half_life=config.average_kimg * 1000)
        self._augment = Augment(config.augmentations)
        precision, graphs = self.computing.precision, self.computing.graphs
        self._precision = getattr(torch, precision.replace("tf32", "float32"))
        if isinstance(
            self.discriminator, ProjectedDiscriminator
        ):  # rounded once, not in every step
            self.discriminator.eyes.to(self._precision)
        self._scaler = torch.amp.GradScaler(device.type) if precision == "float16" else None
        betas = (config.beta1, config.beta2)
        self._optimizer_g = Adam(self.generator, rate=config.lr_g, betas=betas, capturable=graphs)
        self._optimizer_d = Adam(
            self.discriminator, rate=config.lr_d, betas=betas, capturable=graphs
        )
        self._at_once = steps_at_once(device)
        self._ahead = Ahead(
            steps=self._at_once,
            batch_size=config.batch_size,
            latent_dim=config.latent_dim,
            flip=config.flip,
            augment=self._augment,
            device=device,
            fixed=self._at_once > 1,
            ranks=ranks,
        )
        self._sent: Tensor | None = None  # images that are not on the GPU, for the steps under way
        self._reached: deque[torch.cuda.Event] = deque()  # after each of the last few groups
        self._take_all = self._taker()
        self._grid_latents = draw_latents(GRID, config.latent_dim, config.seed + GRID_SEED)
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
        self._pictures.expect(self._ranks.own(self._order))

    @property
    def sampler(self) -> Generator:
        """The generator whose samples count: the average, where there is one."""
        return self.generator if self._average is None else self._average.generator

    def step(self, most: int | None = None) -> None:
        """The next step of both nets; on a GPU the next few, all of one epoch.

        Args:
            most: At most so many steps.
        """
        orders = self._next_orders(most)
        shown, weights, kinds = self.images_shown, [], []
        for place, order in enumerate(orders):
            shown += len(order)
            average = self._average
            weights.append(
                0.0 if average is None else average.weight(shown=shown, batch_size=len(order))
            )
            kinds.append((len(order), self._penalty(place)))
        self._ahead.draw(orders, weights, self._random)
        if self._at_once > 1 and self._pictures.place != "device":
            self._send([self._ranks.own(order) for order in orders])
        self._take_all(tuple(kinds))
        self._keep_pace()
        self._position += sum(len(order) for order in orders)
        self.images_shown = shown

    def _keep_pace(self) -> None:
        """Wait where a GPU is too far behind: what is sent to it takes memory until it is used."""
        if self.device.type != "cuda":
            return
        reached = torch.cuda.Event()  # type: ignore[no-untyped-call]
        reached.record()
        self._reached.append(reached)
        if len(self._reached) > MOST_AHEAD:
            self._reached.popleft().synchronize()

    def _next_orders(self, most: int | None) -> list[Tensor]:
        """The images of the steps that are taken at once.

        They end where R1 falls due next, so that the same few sequences of steps come again and
        again: each is a recording of its own.
        """
        number = self._number() if self.config.r1 else self.step_of_epoch
        steps = self._at_once - number % self._at_once
        if most is not None:
            steps = min(steps, most)
        size = self.config.batch_size
        coming = self._order[self._position : self._position + steps * size]
        return list(torch.split(coming, size))

    def _send(self, orders: list[Tensor]) -> None:
        """Send images that are not on the GPU to a fixed place there, in one copy."""
        images = self._pictures.bytes_of(torch.cat(orders))
        if self._sent is None:
            most = self._at_once * self.config.batch_size
            self._sent = torch.zeros(
                (most, *images.shape[1:]), dtype=torch.uint8, device=self.device
            )
        if self.device.type == "cuda":  # from pinned memory it is fetched while Python goes on
            images = images.pin_memory()
        self._sent[: len(images)].copy_(images, non_blocking=True)

    def _taker(self) -> Callable[[tuple[StepKind, ...]], None]:
        if self.computing.graphs:
            return StepGraphs(self._take, forgiving=self.config.graphs == FITTING)

        def take_all(kinds: tuple[StepKind, ...]) -> None:
            for place, kind in enumerate(kinds):
                self._take(place, kind)

        return take_all

    def _take(self, place: int, kind: StepKind) -> None:
        """One step and all that belongs to it, with the numbers drawn for it; may be recorded.

        Args:
            place: Among the steps taken at once.
            kind: Its images, all ranks' together, and its weight of R1.
        """
        count, penalty = kind
        numbers = self._ahead[place]
        own = self._ranks.part(count)
        if self._sent is None:
            real = self._pictures.batch(numbers.order)
        else:
            first = place * self._ranks.part(self.config.batch_size)
            real = as_images(self._sent[first : first + own])
        if numbers.flips is not None:
            real = flip(real, numbers.flips)
        shared = SharedBatch(ranks=self._ranks, images=count) if self._ranks.joined else None
        terms = self._train_step(real, numbers, penalty, shared)
        self._sums += torch.stack([getattr(terms, name) for name in TERMS]).to(self._sums.dtype)
        if self._average is not None:
            self._average.update(self.generator, numbers.weight)

    def _train_step(
        self, real: Tensor, numbers: StepNumbers, penalty: float, shared: SharedBatch | None
    ) -> StepTerms:
        if self.device.type == "cuda":
            allow_tf32(self.computing.precision == "tf32")
        projected = isinstance(self.discriminator, ProjectedDiscriminator)
        step: Callable[..., StepTerms] = projected_step if projected else train_step
        return step(
            generator=self.generator,
            discriminator=self.discriminator,
            optimizer_g=self._optimizer_g,
            optimizer_d=self._optimizer_d,
            real=real,
            latents=numbers.latents,
            augment=self._augment,
            draws=numbers.draws,
            precision=self._precision,
            layout=self._layout,
            penalty=penalty,
            scaler=self._scaler,
            shared=shared,
        )

    def _number(self) -> int:
        """Steps done so far, over all epochs."""
        return self.epoch * self.steps_an_epoch + self.step_of_epoch

    def _penalty(self, place: int) -> float:
        """R1 in every so many steps, and so many times as much: the same on average, at less cost.

        Karras et al. 2020 (arXiv:1912.04958), section 3.1, "lazy regularization".

        Args:
            place: Of the step, among the coming ones.
        """
        every = self.config.r1_every
        return self.config.r1 * every if (self._number() + place) % every == 0 else 0.0

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

    def is_sound(self) -> bool:
        """Whether every weight and average is still a number; waits for the device."""
        nets = (self.generator, self.sampler, self.discriminator)
        values = [value for net in nets for value in net.state_dict().values()]
        return bool(torch.stack([value.isfinite().all() for value in values]).all())

    def check_alike(self) -> None:
        """That all ranks have the same networks; waits for the device.

        Raises:
            RankLost: They do not, or one does not answer.
        """
        self._ranks.check_alike((self.generator, self.sampler, self.discriminator))

    def sample_grid(self) -> Pictures:
        """Pictures of the fixed latents, (64, size, size, 3) uint8; training is left as it was."""
        return sample_images(self.sampler, self._grid_latents, device=str(self.device))

    def state(self) -> State:
        """Everything that the next step depends on, as a checkpoint keeps it."""
        average = {}
        if self._average is not None:
            average = {"average": self._average.generator.state_dict()}
        scaler = {} if self._scaler is None else {"scaler": self._scaler.state_dict()}
        return {
            "epoch": self.epoch,
            "images_shown": self.images_shown,
            "generator": self.generator.state_dict(),
            **average,
            **scaler,
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
            if self._average is not None:
                self._average.generator.load_state_dict(state["average"])
            self.discriminator.load_state_dict(state["discriminator"])
            self._optimizer_g.load_state_dict(state["optimizer_g"])
            self._optimizer_d.load_state_dict(state["optimizer_d"])
            # a run that was left to the machine may come from one that needed no scale
            if self._scaler is not None and not (
                self.config.precision == FITTING and "scaler" not in state
            ):
                self._scaler.load_state_dict(state["scaler"])
            self._take_all = self._taker()  # what was recorded changes the old averages
            self._random.set_state(state["random"])
            self._sums.copy_(state["sums"])
            order = state["order"]
            if order.shape != (len(self._pictures),):
                raise ValueError(f"it counts {len(order)} images, not {len(self._pictures)}")
            if not torch.equal(order.sort().values, torch.arange(len(order))):
                raise ValueError("its order shows some images twice")
            if not 0 <= int(state["position"]) <= len(order):
                raise ValueError(f"its position is {state['position']} of {len(order)}")
            self._order = order
            self._position = int(state["position"])
            self._pictures.expect(self._ranks.own(order[self._position :]))
            self.epoch = int(state["epoch"])
            self.images_shown = int(state["images_shown"])
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise CheckpointRefused(
                f"The checkpoint does not fit this run ({type(error).__name__}: "
                f"{str(error).splitlines()[0] if str(error) else 'no detail'}); "
                "use another --name, or remove the run's folder."
            ) from error


def steps_at_once(device: torch.device) -> int:
    """How many steps a device is given at a time."""
    return STEPS_AT_ONCE if device.type == "cuda" else 1


CHANNELS_LAST_FROM = 16
"""Batch size from which the processor is faster with the channels of a pixel side by side."""


def pick_layout(precision: str, batch_size: int, device: torch.device) -> torch.memory_format:
    """How the nets' numbers lie in memory: what is faster, the same to rounding."""
    low = precision in LOW_PRECISIONS
    many = device.type == "cpu" and batch_size >= CHANNELS_LAST_FROM
    if device.type in ("cpu", "cuda") and (low or many):
        return torch.channels_last
    return torch.contiguous_format
