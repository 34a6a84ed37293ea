"""What a run is worth at one moment, measured on images held out of training if there are enough.

Nothing here changes the run or draws from its random numbers: a run that is measured often ends
with the same weights as one that is never measured.
"""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from catgan.core.errors import Interrupted, TooFewPictures
from catgan.core.pictures import Pictures, spread_evenly
from catgan.measure.choices import MIN_PICTURES
from catgan.measure.extractors.base import Extractor, Features, joined
from catgan.measure.extractors.efficientnet import EfficientNetLite0
from catgan.measure.metrics.diversity import diversity
from catgan.measure.metrics.kid import kid_estimate
from catgan.measure.metrics.neighbours import Nearest, by_chance, nearest, too_close, usual
from catgan.measure.metrics.recognised import recognised_rate
from catgan.model.networks import Generator
from catgan.model.sample import draw_latents, sample_images
from catgan.train.augment import Augment
from catgan.train.config import TrainConfig
from catgan.train.nets import AnyDiscriminator

COMPARED = 2000  # training pictures at most that samples are compared with, for speed
PART = 100  # images between two looks at whether to stop; whole batches of every device's
JUDGED = 256  # pictures of each kind that D is asked about
SAMPLE_SEED = 2_000_003  # added to the run's: the same latents at every evaluation, none of them
# a training latent or one of the grid's
JUDGE_SEED = 3_000_017


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was measured; None where the run has too few pictures to say."""

    kid: float | None
    """KID of samples against held-out pictures, on all of both; see `metrics.kid`."""
    kid_error: float | None
    """Its standard error."""
    kid_train: float | None
    """Where too few are held out for that: KID against the training pictures. Copies of these are
    at less than 0, so it is worth nothing without `copying`."""
    kid_train_error: float | None
    """Its standard error."""
    recognised: float
    """Share of samples that a net trained on photographs takes for a cat, 0 to 1."""
    diversity: float | None
    """Variance of the samples' features over that of real pictures' (held out, else trained on);
    None where these are fewer than three or all the same."""
    copies: float | None
    """Share of samples nearer to a training picture than 95% of real pictures are that were not
    trained on, 0 to 1; see `neighbours.usual` and `too_close`."""
    copying: bool
    """Whether that share is larger than chance allows."""
    gap: float | None
    """How far D tells training pictures from held-out ones: 0 not at all, 1 as far as from fakes.

    (D(training) - D(held out)) / (D(training) - D(fake)), in mean logits. D that knows the
    training pictures by heart teaches G nothing but these.
    """

    def figures(self) -> dict[str, Any]:
        """As `EpochStats` has them, rounded; what was not measured is left out."""
        return {
            name: round(value, 5) if isinstance(value, float) else value
            for name, value in dataclasses.asdict(self).items()
            if value is not None
        }


class Evaluator:
    """Measures one run, again and again, against the same images; reads none before it is due."""

    def __init__(
        self,
        *,
        train: Pictures,
        held_out: Pictures,
        config: TrainConfig,
        device: torch.device,
        extractor: Extractor | None = None,
    ) -> None:
        """Remember what to measure against.

        Args:
            train: (N, size, size, 3) uint8, the training images, or a view of them on disk.
            held_out: (M, size, size, 3) uint8, M from 0.
            config: The run's settings.
            device: Where the networks are.
            extractor: What tells images apart; catgan's own where None, once it is needed.
        """
        self._train = train
        self._held_out = held_out
        self._config = config
        self._device = device
        self._extractor = extractor
        self._seen: _Seen | None = None
        self._should_stop: Callable[[], bool] | None = None

    def is_due(self, epoch: int) -> bool:
        """Whether the run is to be measured after an epoch."""
        return self._config.evaluates_after(epoch, pictures=len(self._train))

    def evaluate(
        self,
        *,
        generator: Generator,
        sampler: Generator,
        discriminator: AnyDiscriminator,
        epoch: int,
        should_stop: Callable[[], bool] | None = None,
    ) -> Evaluation:
        """Measure the run as it stands.

        Args:
            generator: The one in training, in training mode; left as it is.
            sampler: The one whose samples count: the average, where there is one, else
                `generator`; left as it is.
            discriminator: In training mode; left as it is.
            epoch: Complete epochs; draws D's random changes.
            should_stop: Asked after every so many images.

        Raises:
            Interrupted: `should_stop` said so; nothing is kept of what was measured.
        """
        self._should_stop = should_stop
        seen = self._look()
        config = self._config
        latents = draw_latents(
            config.evaluate_samples, config.latent_dim, config.seed + SAMPLE_SEED
        )
        fake = self._look_at_samples(sampler, latents)
        fair = len(self._held_out) >= MIN_PICTURES
        real = seen.real if fair else seen.train
        found = kid_estimate(fake.pooled, real.pooled, between=self._ask)
        rate = too_close(nearest(fake.pooled, seen.train.pooled), seen.usual)
        return Evaluation(
            kid=found.value if fair else None,
            kid_error=found.error if fair else None,
            kid_train=None if fair else found.value,
            kid_train_error=None if fair else found.error,
            recognised=recognised_rate(fake).share,
            diversity=_diversity(fake, seen.real),
            copies=None if rate is None else rate.share,
            copying=rate is not None and rate.low > by_chance(seen.usual),
            gap=self._gap(generator, discriminator, epoch),
        )

    def _extract(self, pictures: Pictures) -> Features:
        if self._extractor is None:  # its network takes some seconds to load
            self._extractor = EfficientNetLite0(device=str(self._device))
        parts = []
        for start in range(0, len(pictures), PART):
            self._ask()
            parts.append(self._extractor.extract(pictures[start : start + PART]))
        return joined(parts)

    def _look_at_samples(self, sampler: Generator, latents: Tensor) -> Features:
        parts = []
        for part in torch.split(latents, PART):
            self._ask()
            parts.append(self._extract(sample_images(sampler, part, device=str(self._device))))
        return joined(parts)

    def _ask(self) -> None:
        if self._should_stop is not None and self._should_stop():
            raise Interrupted("Interrupted while measuring; rerun the same command.")

    def _look(self) -> "_Seen":
        if self._seen is None:
            train = self._extract(_some_of(self._train, COMPARED))
            real = self._extract(self._held_out) if len(self._held_out) else train
            out = real.pooled if len(self._held_out) else real.pooled[:0]
            self._seen = _Seen(train=train, real=real, usual=usual(out, train.pooled))
        return self._seen

    @torch.no_grad()
    def _gap(
        self, generator: Generator, discriminator: AnyDiscriminator, epoch: int
    ) -> float | None:
        config = self._config
        batch = config.batch_size
        if min(len(self._held_out), JUDGED) < max(batch, 8) or batch < 2:
            return None
        # Copies in training mode: batch norm judges by the batch there, and would keep what it saw.
        judge = copy.deepcopy(discriminator).train()
        drawer = copy.deepcopy(generator).train()
        random = torch.Generator().manual_seed(config.seed + JUDGE_SEED + epoch)
        augment = Augment(config.augmentations)
        latents = torch.randn(JUDGED, config.latent_dim, generator=random).to(self._device)
        fakes = torch.cat([drawer(chunk) for chunk in whole_batches(latents, batch)])
        means = []
        train, held_out = (
            _images(_some_of(pictures, JUDGED), self._device)
            for pictures in (self._train, self._held_out)
        )
        for images in (train, held_out, fakes):
            logits = [
                judge(augment(chunk, augment.draw(len(chunk), random).to(self._device)))
                for chunk in whole_batches(images, batch)
            ]
            means.append(float(torch.cat(logits).mean()))
        on_train, on_held_out, on_fake = means
        range_ = on_train - on_fake
        # a D that tells nothing apart has no gap, whatever the rounding of its logits
        return (on_train - on_held_out) / range_ if range_ > 0.05 else 0.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the extractor sees in the real pictures."""

    train: Features
    real: Features
    """Held-out pictures; those trained on where none are held out."""
    usual: Nearest
    """How near pictures that were not trained on lie to those that were."""


def whole_batches(images: Tensor, size: int) -> tuple[Tensor, ...]:
    """Batches of exactly `size`, what is left over dropped: batch norm judges by the batch."""
    size = min(size, len(images))
    return torch.split(images[: len(images) // size * size], size)


def _some_of(pictures: Pictures, most: int) -> Pictures:
    # evenly through the list: the file names may be in order of time
    return pictures[spread_evenly(len(pictures), most)]


def _images(pictures: Pictures, device: torch.device) -> Tensor:
    pixels = torch.from_numpy(np.ascontiguousarray(pictures)).to(device)
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


def _diversity(fake: Features, real: Features) -> float | None:
    try:
        return diversity(fake.pooled, real.pooled).value
    except TooFewPictures:
        return None
