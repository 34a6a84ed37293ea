"""The real pictures of an arm, measured as its samples are: what there is to reach."""

import dataclasses
from collections.abc import Callable

from catgan.compare.config import CompareConfig
from catgan.compare.faces import FaceSize, face_size
from catgan.compare.gallery import Agreement, Gallery, agreement, first, mean_picture
from catgan.compare.grids import Still, show, still, tiles_for
from catgan.compare.measured import Crowd, Eyes, found_faces, measure_crowd
from catgan.compare.reals import HELD_OUT, Reals
from catgan.measure import Rate, judge_of, recognised_rate


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Real:
    """What was found out about the real pictures of an arm."""

    reals: Reals
    """Which they are."""
    n_reference: int
    """Pictures that samples were measured against."""
    n_train: int
    """Training pictures looked at, among which copies were looked for."""
    crowd: Crowd | None
    """Training pictures measured as if they were samples; None with too few, or where they are
    what samples are measured against."""
    recognised: Rate
    """Reference pictures that are recognised as a cat."""
    faces: Rate | None
    """Reference pictures in which a face was found; None where none was looked for."""
    agreement: Agreement | None
    """How much of light and dark the training pictures have in the same place."""
    face: FaceSize | None
    """How large the face is in the training pictures, where it is known."""
    sheet: Still
    """A sheet of pictures trained on."""
    mean: Still
    """Their average."""


def measure_real(
    gallery: Gallery,
    config: CompareConfig,
    eyes: Eyes,
    *,
    n_fake: int,
    arms: int,
    progress: Callable[[str], None],
) -> Real:
    """Measure the real pictures.

    Args:
        gallery: They.
        config: Settings.
        eyes: What looks at them.
        n_fake: Samples that each run is measured by.
        arms: Arms that share the page's room.
        progress: Told what is being done.
    """
    reals = gallery.reals
    extractor, reference = eyes.extractor, gallery.reference_features
    faces = None
    if eyes.faces is not None:
        progress(f"{reals.name}: looking for faces in its real pictures")
        faces = found_faces(gallery.reference[: config.faces], eyes.faces)
    crowd = None
    if reals.reference == HELD_OUT:
        # as many as the samples, so that its error is as large as theirs
        as_samples = first(gallery.train_features, n_fake)
        crowd = measure_crowd(as_samples, reference, config.seed, extractor.name)
    return Real(
        reals=reals,
        n_reference=len(gallery.reference),
        n_train=len(gallery.train),
        crowd=crowd,
        recognised=recognised_rate(reference, extractor=judge_of(extractor)),
        faces=faces,
        agreement=agreement(gallery.train),
        face=face_size(reals.folder, reals.size),
        sheet=still(show(gallery.train, most=tiles_for(arms))),
        mean=still(mean_picture(gallery.train), quality=92),
    )
