"""One run, measured: what every quantity comes to of its samples, and a few of them to look at."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catgan.compare.config import CompareConfig
from catgan.compare.inputs.candidate import Candidate
from catgan.compare.inputs.real_images import RealImages
from catgan.compare.quantities.evidence import Evidence, Instruments
from catgan.compare.quantities.quantity import Found, Missing, Quantity, find
from catgan.core.loading import load_pictures
from catgan.core.pictures import Pictures
from catgan.formats.stats import EpochStats
from catgan.model.checkpoint import load_generator
from catgan.model.sample import draw_latents, sample_images

SHOWN = 24  # samples, or real images, kept to be shown
PAIRS = 8  # samples kept with their nearest training images


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Samples, and the training image that each is most like."""

    samples: Pictures
    """(P, size, size, 3) uint8."""
    training: Pictures
    """(P, size, size, 3) uint8."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRun:
    """What was found out about one run."""

    candidate: Candidate
    """The run, its data and its settings."""
    epoch: int | None
    """Complete epochs of the generator that was measured; None for a folder of images."""
    images_shown: int | None
    """Real images that training had shown by then; None for a folder of images."""
    n_fake: int
    """Samples measured."""
    found: Mapping[str, Found | Missing]
    """What each quantity came to, by its key."""
    first: Pictures = dataclasses.field(compare=False, repr=False)
    """(up to 24, size, size, 3) uint8: the first samples that were measured, not picked."""
    first_pairs: Pairs = dataclasses.field(compare=False, repr=False)
    """The first samples, and the training images they are most like."""
    closest_pairs: Pairs = dataclasses.field(compare=False, repr=False)
    """Likewise the samples that are most like a training image: copies, if there are any."""

    @property
    def stats(self) -> tuple[EpochStats, ...]:
        """What training wrote down, one record an epoch."""
        return self.candidate.stats


def measure_run(
    candidate: Candidate,
    real: RealImages,
    quantities: Sequence[Quantity[Any]],
    instruments: Instruments,
    config: CompareConfig,
    *,
    n_fake: int,
    say: Callable[[str], None],
) -> MeasuredRun:
    """Draw samples from a run's generator and measure them.

    Args:
        candidate: The run, or a folder of images.
        real: Its real images.
        quantities: What is measured.
        instruments: What images are measured with.
        config: Settings.
        n_fake: Samples to measure, at most as many as there are.
        say: Told what is being done.

    Raises:
        CheckpointRefused: The checkpoint is broken.
        UnreadablePhoto: An image of a folder is.
    """
    name = candidate.name
    what = "its images" if candidate.checkpoint is None else "samples"
    say(f"{name}: looking at {n_fake} {what}")
    samples, epoch, images_shown = _samples(candidate, config, n_fake)
    features = instruments.extractor.extract(samples)
    say(f"{name}: measuring")
    evidence = Evidence(
        name=name,
        images=samples,
        features=features,
        second=instruments.look_again(samples, config),
        real=real,
        instruments=instruments,
        config=config,
        say=say,
    )
    order = np.argsort(evidence.nearest.distance, kind="stable")
    return MeasuredRun(
        candidate=candidate,
        epoch=epoch,
        images_shown=images_shown,
        n_fake=len(samples),
        found=find(quantities, evidence),
        first=samples[:SHOWN].copy(),  # a view would keep all of them in memory
        first_pairs=_pairs(evidence, np.arange(min(PAIRS, len(samples)))),
        closest_pairs=_pairs(evidence, order[:PAIRS]),
    )


def _pairs(evidence: Evidence, chosen: NDArray[np.intp]) -> Pairs:
    return Pairs(
        samples=evidence.images[chosen],
        training=evidence.real.train[evidence.nearest.index[chosen]],
    )


def _samples(
    candidate: Candidate, config: CompareConfig, n_fake: int
) -> tuple[Pictures, int | None, int | None]:
    """Samples of a run, or a folder's images; the epoch and the images shown of a run."""
    if candidate.checkpoint is None:
        order = np.random.default_rng(config.seed).permutation(len(candidate.images))[:n_fake]
        paths = [candidate.images[index] for index in order]
        return load_pictures(paths, candidate.split.size), None, None
    generator, state = load_generator(candidate.checkpoint)
    latents = draw_latents(n_fake, generator.latent_dim, config.seed)
    samples = sample_images(generator.to(config.device), latents, device=config.device)
    return samples, int(state["epoch"]), int(state["images_shown"])
