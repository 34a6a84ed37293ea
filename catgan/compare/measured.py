"""One run, measured: every number that there is of its samples, and how sure it is."""

import dataclasses
from collections.abc import Callable

import numpy as np

from catgan.compare.album import Album, make_album
from catgan.compare.config import CompareConfig
from catgan.compare.gallery import Gallery, read_at_size
from catgan.compare.grids import Still, show, still, tiles_for
from catgan.compare.source import Source
from catgan.core.errors import TooFewPictures
from catgan.core.files import Json
from catgan.core.images import Pictures
from catgan.measure import (
    MIN_PICTURES,
    DensityCoverage,
    Diversity,
    Estimate,
    Extractor,
    Features,
    Kid,
    PrecisionRecall,
    Rate,
    density_coverage,
    density_coverage_estimates,
    diversity,
    diversity_estimate,
    judge_of,
    kid,
    kid_estimate,
    precision_recall,
    precision_recall_estimates,
    rate,
    recognised_rate,
)
from catgan.measure.neighbours import nearest, too_close
from catgan.model.checkpoint import load_generator
from catgan.model.sample import draw_latents, sample_images


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How samples as a crowd stand to real pictures as a crowd."""

    kid: Kid
    """How far they are apart."""
    precision_recall: PrecisionRecall
    """How many samples look real, how much of the real variety they reach."""
    density_coverage: DensityCoverage
    """The same by another rule that odd pictures fool less."""
    estimates: dict[str, Estimate] = dataclasses.field(compare=False)
    """By the key of the row in the table: the number on all pictures, and without each of them."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was found out about one run."""

    source: Source
    """The run, its data and its settings."""
    epoch: int | None
    """Complete epochs of the generator that was measured; None for a folder of pictures."""
    images_shown: int | None
    """Real pictures that training had shown by then; None for a folder of pictures."""
    n_fake: int
    """Samples measured."""
    crowd: Crowd | None
    """The samples against real pictures; None with too few on either side."""
    diversity: Diversity | None
    """How varied the samples are next to real pictures; None with too few, or equal ones."""
    diversity_estimate: Estimate | None = dataclasses.field(compare=False)
    """The same, and without each picture."""
    recognised: Rate
    """Samples that are recognised as a cat."""
    faces: Rate | None
    """Samples in which a face was found; None where none was looked for."""
    close: Rate | None
    """Samples suspiciously like a training picture; None with too few held out."""
    drawn: Still
    """A sheet of the samples that were measured, the first ones: not picked."""
    album: Album | None
    """What else there is to look at; None for all runs of an arm but the first."""

    @property
    def stats(self) -> tuple[Json, ...]:
        """What training wrote down, one record an epoch."""
        return self.source.stats


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """What looks at pictures: the same for every run."""

    extractor: Extractor
    """Sees features and judges cats."""
    faces: Extractor | None
    """A face finder as an extractor; None to look for none."""


def measure_run(
    source: Source,
    gallery: Gallery,
    config: CompareConfig,
    eyes: Eyes,
    *,
    n_fake: int,
    arms: int,
    with_album: bool,
    progress: Callable[[str], None],
) -> Measured:
    """Draw samples from a run's generator and measure them.

    Args:
        source: The run.
        gallery: Its real pictures.
        config: Settings.
        eyes: What looks at the pictures.
        n_fake: Samples to measure, at most as many as there are.
        arms: Arms that share the page's room.
        with_album: Whether its pictures are shown.
        progress: Told what is being done.

    Raises:
        CheckpointRefused: The checkpoint is broken.
        UnreadablePhoto: A picture of a folder is.
    """
    name = source.name
    if source.checkpoint is not None:
        progress(f"{name}: drawing {n_fake} samples and looking at them")
    else:
        progress(f"{name}: looking at {n_fake} of its pictures")
    samples, epoch, images_shown = _samples(source, config, n_fake)
    extractor = eyes.extractor
    fake = extractor.extract(samples)
    real = gallery.reference_features
    neighbours = nearest(fake.pooled, gallery.train_features.pooled)
    faces = None
    if eyes.faces is not None:
        progress(f"{name}: looking for faces in its samples")
        faces = found_faces(samples[: config.faces], eyes.faces)
    progress(f"{name}: measuring")
    varied, varied_estimate = _diversity(fake, real, extractor.name)
    return Measured(
        source=source,
        epoch=epoch,
        images_shown=images_shown,
        n_fake=len(samples),
        crowd=measure_crowd(fake, real, config.seed, extractor.name),
        diversity=varied,
        diversity_estimate=varied_estimate,
        recognised=recognised_rate(fake, extractor=judge_of(extractor)),
        faces=faces,
        close=(
            None
            if gallery.held_out_neighbours is None
            else too_close(neighbours, gallery.held_out_neighbours, extractor=extractor.name)
        ),
        drawn=still(show(samples, most=tiles_for(arms))),
        album=(
            make_album(source, gallery, samples, neighbours, epoch=epoch, arms=arms)
            if with_album
            else None
        ),
    )


def measure_crowd(fake: Features, real: Features, seed: int, extractor: str) -> Crowd | None:
    """Samples against real pictures; None with fewer than 50 on either side.

    Args:
        fake: Of samples.
        real: Of real pictures.
        seed: Draws KID's subsets.
        extractor: Whose features these are.
    """
    x, y = fake.pooled, real.pooled
    if min(len(x), len(y)) < MIN_PICTURES:
        return None
    precision, recall = precision_recall_estimates(x, y)
    density, coverage = density_coverage_estimates(x, y)
    return Crowd(
        kid=kid(x, y, seed, extractor=extractor),
        precision_recall=precision_recall(x, y, extractor=extractor),
        density_coverage=density_coverage(x, y, extractor=extractor),
        estimates={
            "kid": kid_estimate(x, y),
            "precision": precision,
            "recall": recall,
            "density": density,
            "coverage": coverage,
        },
    )


def found_faces(pictures: Pictures, finder: Extractor) -> Rate:
    """How many pictures have a face in them.

    Args:
        pictures: (N, H, W, 3) uint8, N from 1.
        finder: `measure.FoundFaces`.
    """
    return rate(finder.extract(pictures).cat > 0.5, extractor=finder.name)


def _samples(
    source: Source, config: CompareConfig, n_fake: int
) -> tuple[Pictures, int | None, int | None]:
    """Samples of a run, or a folder's pictures; the epoch and the pictures shown of a run."""
    if source.checkpoint is None:
        order = np.random.default_rng(config.seed).permutation(len(source.pictures))[:n_fake]
        paths = [source.folder / source.pictures[index] for index in order]
        return read_at_size(paths, source.reals.size), None, None
    generator, state = load_generator(source.checkpoint)
    latents = draw_latents(n_fake, generator.latent_dim, config.seed)
    samples = sample_images(generator.to(config.device), latents, device=config.device)
    return samples, int(state["epoch"]), int(state["images_shown"])


def _diversity(
    fake: Features, real: Features, extractor: str
) -> tuple[Diversity | None, Estimate | None]:
    try:
        return (
            diversity(fake.pooled, real.pooled, extractor=extractor),
            diversity_estimate(fake.pooled, real.pooled),
        )
    except TooFewPictures:
        return None, None


def samples_of(source: Source, wanted: int) -> int:
    """How many samples there are: as many as wanted from a generator, a folder's pictures.

    Args:
        source: What they come from.
        wanted: At most so many.
    """
    return wanted if source.checkpoint is not None else min(wanted, len(source.pictures))
