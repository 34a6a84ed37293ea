"""One run, measured."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from catgan.compare.album import Album, make_album
from catgan.compare.config import CompareConfig
from catgan.compare.faces import FaceSize, face_size
from catgan.compare.gallery import Gallery, agreement, first
from catgan.compare.source import HELD_OUT, Source
from catgan.core.files import Json
from catgan.measure import (
    MIN_PICTURES,
    Extractor,
    Features,
    Kid,
    PrecisionRecall,
    Rate,
    kid,
    precision_recall,
    recognised_rate,
)
from catgan.measure.neighbours import nearest, too_close
from catgan.model.checkpoint import load_generator
from catgan.model.sample import draw_latents, sample_images


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What was found out about one run."""

    source: Source
    """The run, its data and its settings."""
    epoch: int
    """Complete epochs of the generator that was measured."""
    images_shown: int
    """Real pictures that training had shown by then."""
    stats: tuple[Json, ...]
    """What training wrote down, one record an epoch."""
    n_reference: int
    """Real pictures that the samples were measured against."""
    n_train: int
    """Training pictures looked at, among which copies were looked for."""
    kid: Kid | None
    """Of samples from the reference; None with too few pictures."""
    kid_real: Kid | None
    """Of training pictures from the reference; None with too few, or where they are one."""
    precision_recall: PrecisionRecall | None
    """Of as many real pictures as in every other arm; None with too few."""
    recognised: Rate
    """Samples that are recognised as a cat."""
    recognised_real: Rate
    """Reference pictures that are."""
    close: Rate | None
    """Samples suspiciously like a training picture; None with too few held out."""
    agreement: float | None
    """How much of light and dark the training pictures have in the same place; see `gallery`."""
    face: FaceSize | None
    """How large the face is in the training pictures, where it is known."""
    album: Album
    """What there is to look at."""

    @property
    def label(self) -> str:
        """What the run is called."""
        return self.source.label


def measure_arm(
    source: Source,
    gallery: Gallery,
    config: CompareConfig,
    extractor: Extractor,
    *,
    n_real: int | None,
    arms: int,
    progress: Callable[[str], None],
) -> Arm:
    """Draw samples from a run's generator and measure them.

    Args:
        source: The run.
        gallery: Its real pictures.
        config: Settings.
        extractor: Looks at the pictures.
        n_real: Real pictures for precision and recall, the same in every arm that has as many.
        arms: Runs compared.
        progress: Told what is being done.

    Raises:
        CheckpointRefused: The checkpoint is broken.
    """
    generator, state = load_generator(source.checkpoint)
    progress(f"{source.label}: drawing {config.samples} samples and looking at them")
    latents = draw_latents(config.samples, generator.latent_dim, config.seed)
    samples = sample_images(generator.to(config.device), latents, device=config.device)
    fake = extractor.extract(samples)
    progress(f"{source.label}: measuring")
    name, real = extractor.name, gallery.reference
    neighbours = nearest(fake.pooled, gallery.train_features.pooled)
    prc = None
    if n_real is not None and len(real.cat) >= n_real:
        prc = precision_recall(fake.pooled, real.pooled[:n_real], extractor=name)
    kid_real = close = None
    if source.reference == HELD_OUT:
        # as many as the samples, so that its error is as large as theirs
        kid_real = _kid(first(gallery.train_features, config.samples), real, config.seed, name)
        held_out = nearest(real.pooled, gallery.train_features.pooled)
        close = too_close(neighbours, held_out, extractor=name)
    return Arm(
        source=source,
        epoch=int(state["epoch"]),
        images_shown=int(state["images_shown"]),
        stats=tuple(_well_formed(source.run.read_stats())),
        n_reference=len(real.cat),
        n_train=len(gallery.train),
        kid=_kid(fake, real, config.seed, name),
        kid_real=kid_real,
        precision_recall=prc,
        recognised=recognised_rate(fake, extractor=name),
        recognised_real=recognised_rate(real, extractor=name),
        close=close,
        agreement=agreement(gallery.train),
        face=face_size(source.data_folder, source.size),
        album=make_album(
            source, gallery, samples, neighbours, epoch=int(state["epoch"]), arms=arms
        ),
    )


def equal_reference(counts: list[int]) -> int | None:
    """How many real pictures to take for precision and recall, which depend on the count.

    Args:
        counts: Reference pictures of every arm.

    Returns:
        The smallest count that is large enough to measure on; None where there is none.
    """
    return min((count for count in counts if count >= MIN_PICTURES), default=None)


def _kid(fake: Features, real: Features, seed: int, extractor: str) -> Kid | None:
    if min(len(fake.cat), len(real.cat)) < MIN_PICTURES:
        return None
    return kid(fake.pooled, real.pooled, seed, extractor=extractor)


def _well_formed(stats: list[dict[str, Any]]) -> Iterator[Json]:
    """Records of an epoch, each once: a resumed run may have written the newest one twice."""
    by_epoch = {record["epoch"]: record for record in stats if isinstance(record.get("epoch"), int)}
    yield from (by_epoch[epoch] for epoch in sorted(by_epoch))
