"""The real images of an arm, measured as its samples are: the ceiling."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from catgan.compare.config import CompareConfig
from catgan.compare.inputs.real_images import RealImages
from catgan.compare.inputs.split import TRAINING, DataSplit
from catgan.compare.measured.agreement import Agreement, agreement
from catgan.compare.measured.face_size import FaceSize, face_size
from catgan.compare.measured.run import SHOWN
from catgan.compare.quantities.evidence import Evidence, Instruments
from catgan.compare.quantities.quantity import Found, Missing, Quantity, find
from catgan.core.pictures import Picture, Pictures, mean_picture


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredReal:
    """What was found out about the real images of an arm."""

    split: DataSplit
    """Which they are."""
    n_reference: int
    """Images that samples were measured against."""
    n_train: int
    """Training images looked at, among which copies were looked for."""
    found: Mapping[str, Found | Missing]
    """What the quantities that are measured of real images, too, came to, by their keys."""
    agreement: Agreement | None
    """How much of light and dark the training images have in the same place."""
    face: FaceSize | None
    """How large the face is in the training images, where it is known."""
    some: Pictures = dataclasses.field(compare=False, repr=False)
    """(up to 24, size, size, 3) uint8: images trained on."""
    mean: Picture = dataclasses.field(compare=False, repr=False)
    """(size, size, 3) uint8: the average of those looked at."""


def measure_real(
    real: RealImages,
    quantities: Sequence[Quantity[Any]],
    instruments: Instruments,
    config: CompareConfig,
    *,
    n_fake: int,
    say: Callable[[str], None],
) -> MeasuredReal:
    """Measure the real images.

    Args:
        real: They.
        quantities: What is measured of samples; those that say so, of real images, too.
        instruments: What images are measured with.
        config: Settings.
        n_fake: Samples that each run is measured by.
        say: Told what is being done.
    """
    split = real.split
    reference = Evidence(
        name=split.name,
        images=real.reference,
        features=real.reference_features,
        second=real.reference_second,
        by_cascade=real.by_cascade,
        real=real,
        instruments=instruments,
        config=config,
        say=say,
    )
    by_training = [one for one in quantities if one.real and one.real.training]
    by_reference = [one for one in quantities if one.real and not one.real.training]
    itself = Missing(why="n/a (they are the reference)")
    return MeasuredReal(
        split=split,
        n_reference=len(real.reference),
        n_train=len(real.train),
        found={
            **find(by_reference, reference),
            **(
                dict.fromkeys((one.key for one in by_training), itself)
                if split.reference == TRAINING
                else find(by_training, _training(reference, n_fake))
            ),
        },
        agreement=agreement(real.train),
        face=face_size(split.folder, split.size),
        some=real.train[:SHOWN].copy(),
        mean=mean_picture(real.train),
    )


def _training(reference: Evidence, n_fake: int) -> Evidence:
    """Images trained on, as many as the samples, so that the error is as large as theirs."""
    real = reference.real
    images = real.train[:n_fake]
    return dataclasses.replace(
        reference,
        images=images,
        features=real.train_features.first(n_fake),
        by_cascade=None,
        second=reference.instruments.look_again(images, reference.config),
    )
