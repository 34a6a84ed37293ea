"""The quantities that there are: what each means, how it is computed, and which way is better."""

import dataclasses
from typing import Any

from catgan.compare.quantities.evidence import Evidence
from catgan.compare.quantities.quantity import (
    REFERENCE,
    Better,
    Missing,
    Quantity,
    RealRow,
    enough,
)
from catgan.core.errors import TooFewPictures
from catgan.core.files import Json
from catgan.core.words import count, percent
from catgan.measure.extractors.base import Features
from catgan.measure.metrics.density_coverage import DensityCoverage, density_coverage
from catgan.measure.metrics.diversity import diversity
from catgan.measure.metrics.faces import face_rate
from catgan.measure.metrics.kid import Kid, kid
from catgan.measure.metrics.neighbours import too_close
from catgan.measure.metrics.precision_recall import PrecisionRecall, precision_recall
from catgan.measure.metrics.recognised import recognised_rate
from catgan.measure.statistics.estimate import Estimate
from catgan.measure.statistics.rate import Rate

OTHER_REFERENCE = "not comparable (different reference images)"
FAVOURS = "favours the crops: not ranked"
CEILING = "The same for real images of the same kind and size: the ceiling."


def _rests_on(found: Estimate) -> Json:
    return {"n_fake": found.n_fake, "n_real": found.n_real, "extractor": found.extractor}


def _recognised(evidence: Evidence) -> Rate:
    return recognised_rate(evidence.features, extractor=evidence.instruments.judge)


RECOGNISED = Quantity(
    key="recognised",
    label="samples recognised as a cat",
    meaning="Share of samples that an ImageNet classifier recognises as a cat.",
    reading="Higher is better; the real-image row is the ceiling. A sample counts when the five "
    "ImageNet cat classes together exceed 50%.",
    better=Better.MORE,
    digits=None,
    measure=_recognised,
    real=RealRow(
        label="real images recognised",
        meaning=CEILING,
        reading="Small images of a cat are not always recognised either. This judges the images, "
        "not the training.",
    ),
)


def _diversity(evidence: Evidence) -> Estimate | Missing:
    fake, real = evidence.features.pooled, evidence.real.reference_features.pooled
    try:
        return diversity(fake, real, extractor=evidence.extractor)
    except TooFewPictures:
        return Missing(why="too few images, or all alike")


DIVERSITY = Quantity(
    key="diversity",
    label="variety of samples",
    meaning="How different the samples are from one another; real images are 1.",
    reading="Near 0, the generator produces one cat over and over. Above 1 is not better: images "
    "of nothing in particular differ more than cats do.",
    better=Better.NEITHER,
    digits=2,
    measure=_diversity,
    to_json=lambda found: {"ratio": found.value, "error": found.error, **_rests_on(found)},
)


def _close(evidence: Evidence) -> Rate | Missing:
    real = evidence.real
    found = too_close(evidence.nearest, real.usual, extractor=evidence.extractor)
    if found is None:
        return Missing(why="too few images")
    return dataclasses.replace(found, n_real=len(real.train))


CLOSE = Quantity(
    key="close",
    label="samples close to a training image",
    meaning="Share of samples that are suspiciously similar to a training image.",
    reading="Lower is better. Close means like one training image and no other, more so than all "
    "but 5% of real images that were never trained on (or, with fewer than 20 held out, of the "
    "training images among themselves). So about 5% is what new photos of the same cat would give, "
    "and far more means copying. Samples that look like nothing are close to nothing, so 0% alone "
    "proves little. With few real images the threshold is known only roughly, which the interval "
    "allows for.",
    better=Better.LESS,
    digits=None,
    measure=_close,
    details=lambda _, evidence: [
        f"among {len(evidence.real.train):,} of "
        f"{count(len(evidence.real.split.train), 'training image')}"
    ],
)


def _faces(evidence: Evidence) -> Rate | Missing:
    finder = evidence.instruments.faces
    if finder is None:
        return Missing(why=f"not measured: {evidence.instruments.why_no_faces}")
    evidence.say(f"{evidence.name}: looking for faces")
    return face_rate(evidence.images[: evidence.config.faces], finder)


FACES = Quantity(
    key="faces",
    label="samples with a face found",
    meaning="Share of samples in which the face finder of curate finds a cat's face.",
    reading="It favours face-crop: the same finder chose its images, and a face that fills the "
    "image is easier to find. Compare it with the same rate of its own real images.",
    better=Better.MORE,
    digits=None,
    not_ranked=FAVOURS,
    measure=_faces,
    real=RealRow(
        label="real images with a face found",
        meaning=CEILING,
        reading="It is high in face-crop by the way these images were chosen.",
    ),
)


def _kid(evidence: Evidence) -> Kid | Missing:
    fake, real = evidence.features.pooled, evidence.real.reference_features.pooled
    return enough(evidence) or kid(fake, real, evidence.config.seed, extractor=evidence.extractor)


KID = Quantity(
    key="kid",
    label="KID of samples",
    meaning="Distance between the distributions of samples and real images; 0 means "
    "indistinguishable.",
    reading="Kernel inception distance. Lower is better; a little below 0 happens by chance.",
    better=Better.LESS,
    digits=3,
    part=REFERENCE,
    not_ranked=OTHER_REFERENCE,
    measure=_kid,
    number=lambda found: found.estimate,
    details=lambda found, _: [f"{found.subsets} subsets of {found.subset_size}"],
    to_json=lambda found: {
        "kid": found.kid,
        "kid_std": found.kid_std,
        "kid_error": found.kid_error,
        "subset_size": found.subset_size,
        "subsets": found.subsets,
        "seed": found.seed,
        **_rests_on(found.estimate),
    },
    real=RealRow(
        label="KID of training images",
        meaning="The same for the images trained on: what a perfect generator would reach.",
        reading="Well above 0, the images held out are unlike those trained on.",
        training=True,
    ),
)


def _precision_recall(evidence: Evidence) -> PrecisionRecall | Missing:
    fake, real = evidence.features.pooled, evidence.real.reference_features.pooled
    return enough(evidence) or precision_recall(fake, real, extractor=evidence.extractor)


PRECISION = Quantity(
    key="precision",
    label="precision",
    meaning="Share of samples that lie near some real image in feature space.",
    reading="Higher is better. One odd real image that lies far from all others counts as near to "
    "many poor samples, so read it only together with density. Its interval leaves out what "
    "other real images would change.",
    better=Better.MORE,
    digits=None,
    part=REFERENCE,
    not_ranked=OTHER_REFERENCE,
    measure=_precision_recall,
    number=lambda found: found.precision,
    details=lambda found, _: [f"{found.neighbours} neighbours"],
    record="precision_recall",
    to_json=lambda found: {
        "precision": found.precision.value,
        "recall": found.recall.value,
        "neighbours": found.neighbours,
        **_rests_on(found.precision),
    },
)
RECALL = dataclasses.replace(
    PRECISION,
    key="recall",
    label="recall",
    meaning="Share of real images that lie near some sample in feature space.",
    reading="Higher is better: it falls when the generator makes the same few cats. Blurred "
    "samples far from everything can raise it, so read it only together with coverage. Its "
    "interval leaves out what other samples would change.",
    number=lambda found: found.recall,
)


def _density_coverage(evidence: Evidence) -> DensityCoverage | Missing:
    fake, real = evidence.features.pooled, evidence.real.reference_features.pooled
    return enough(evidence) or density_coverage(fake, real, extractor=evidence.extractor)


DENSITY = Quantity(
    key="density",
    label="density",
    meaning="How densely the samples lie where real images lie; real images are 1.",
    reading="Like precision, but less sensitive to odd images. Above 1 is not better: "
    "samples then crowd where real images are most alike.",
    better=Better.NEITHER,
    digits=2,
    part=REFERENCE,
    not_ranked=OTHER_REFERENCE,
    measure=_density_coverage,
    number=lambda found: found.density,
    details=lambda found, _: [f"{found.neighbours} neighbours"],
    record="density_coverage",
    to_json=lambda found: {
        "density": found.density.value,
        "density_error": found.density.error,
        "coverage": found.coverage.value,
        "coverage_error": found.coverage.error,
        "coverage_low": found.coverage.interval[0],
        "coverage_high": found.coverage.interval[1],
        "coverage_of_equals": found.coverage_of_equals,
        "neighbours": found.neighbours,
        **_rests_on(found.density),
    },
)
COVERAGE = dataclasses.replace(
    DENSITY,
    key="coverage",
    label="coverage",
    meaning="Share of real images with a similar sample.",
    reading="Like recall, but less sensitive to odd samples. Higher is better; below the "
    "number stands what as many new real images would reach.",
    better=Better.MORE,
    digits=None,
    number=lambda found: found.coverage,
    details=lambda found, _: [
        f"new real images would reach {percent(found.coverage_of_equals)}",
        f"{found.neighbours} neighbours",
    ],
)


def _second(evidence: Evidence) -> Features | Missing:
    seen = evidence.second
    if seen is None:
        return Missing(why=f"not measured: {evidence.instruments.why_no_second}")
    return seen


def _second_name(evidence: Evidence) -> str:
    second = evidence.instruments.second
    return "" if second is None else second.name


def _second_recognised(evidence: Evidence) -> Rate | Missing:
    seen = _second(evidence)
    if isinstance(seen, Missing):
        return seen
    return recognised_rate(seen, extractor=_second_name(evidence))


SECOND_RECOGNISED = Quantity(
    key="second_recognised",
    label="the same by a second network",
    meaning="Share of samples that a second, larger classifier recognises as a cat.",
    reading="It took no part in finding faces or in choosing the best epoch, so nothing was tuned "
    "to please it. Where both networks agree, the result does not depend on one network.",
    better=Better.MORE,
    digits=None,
    opinion=True,
    measure=_second_recognised,
    real=RealRow(
        label="real images by a second network",
        meaning=CEILING,
        reading="",
    ),
)


def _second_kid(evidence: Evidence) -> Kid | Missing:
    seen, real = _second(evidence), evidence.real.reference_second
    if isinstance(seen, Missing):
        return seen
    assert real is not None
    few = enough(evidence, most=evidence.config.second_judge)
    return few or kid(
        seen.pooled, real.pooled, evidence.config.seed, extractor=_second_name(evidence)
    )


assert KID.real is not None
SECOND_KID = dataclasses.replace(
    KID,
    key="second_kid",
    label="KID by a second network",
    meaning="Distance between samples and real images in the features of a second network.",
    reading="Each network has its own scale: compare values within this row only. The "
    "best epoch was chosen by the first network, not by this one.",
    opinion=True,
    measure=_second_kid,
    real=dataclasses.replace(KID.real, label="the same for training images"),
)


def _cascades(evidence: Evidence) -> Rate | Missing:
    finder = evidence.instruments.cascades
    if finder is None:
        return Missing(why=f"not measured: {evidence.instruments.why_no_cascades}")
    evidence.say(f"{evidence.name}: looking for faces with cascades")
    images = evidence.images
    if evidence.by_cascade is not None:  # they would be judged by what chose them
        images = images[~evidence.by_cascade]
        if not len(images):
            return Missing(why="not measured: the cascades found all of them")
    return face_rate(images[: evidence.config.faces], finder)


CASCADES = Quantity(
    key="cascades",
    label="samples with a face for OpenCV",
    meaning="Share of samples in which one of OpenCV's two cat cascades finds a face.",
    reading="Read it only beside the variety of samples: a generator that draws one clear face "
    "over and over scores higher here (96%) than photos do (80%). The cascades took part in "
    "finding faces: real crops that they alone found are left out here.",
    better=Better.NEITHER,
    digits=None,
    not_ranked=FAVOURS,
    opinion=True,
    measure=_cascades,
    real=RealRow(
        label="real images with a face for OpenCV",
        meaning=CEILING,
        reading="Scoring above it is not better.",
    ),
)

QUANTITIES: tuple[Quantity[Any], ...] = (
    RECOGNISED,
    SECOND_RECOGNISED,
    DIVERSITY,
    CASCADES,
    CLOSE,
    FACES,
    KID,
    SECOND_KID,
    PRECISION,
    RECALL,
    DENSITY,
    COVERAGE,
)
