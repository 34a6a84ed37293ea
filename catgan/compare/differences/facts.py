"""The rows of the table that are no quantities of samples: what is known of runs and images."""

from collections.abc import Sequence

from catgan.compare.differences.rows import NOT_KNOWN, Cell, Row
from catgan.compare.measured.arm import Arm
from catgan.compare.quantities.quantity import OUTCOME, REAL
from catgan.core.words import count, percent, share_interval
from catgan.measure.statistics.intervals import Z95


def epoch_row(arms: Sequence[Arm]) -> Row:
    """Which generators were measured."""
    return Row(
        key="epoch",
        label="measured at",
        part=OUTCOME,
        meaning="The epoch whose generator made the samples.",
        reading="The best epoch where training found one, else the last.",
        cells=tuple(_epoch(arm) for arm in arms),
    )


def image_rows(arms: Sequence[Arm]) -> list[Row]:
    """What is known of the real images."""
    return [
        Row(
            key="face",
            label="a face in the images",
            part=REAL,
            meaning="How many pixels a face has from ear to ear: all there is to learn a face "
            "from.",
            reading="",
            cells=tuple(_face(arm) for arm in arms),
        ),
        Row(
            key="agreement",
            label="what the average image keeps",
            part=REAL,
            meaning="How much of an image's light and dark lies in the same place in all others.",
            reading="100% if all images were the same, 0% if they had nothing in common. What it "
            "does not keep is lost to poses and places, and must be learnt image by image.",
            cells=tuple(_agreement(arm) for arm in arms),
        ),
    ]


def _epoch(arm: Arm) -> Cell:
    if not arm.is_run:
        return Cell(text=f"{count(arm.shown.n_fake, 'image')} of a folder", basis="not a run")
    shown = ", ".join(f"{run.epoch} ({run.candidate.which})" for run in arm.runs)
    parts = []
    for run in arm.runs:
        stats = run.candidate.stats
        done = stats[-1].epoch if stats else run.epoch or 0
        total = run.candidate.settings.get("epochs")
        of = f"{done} of {count(total, 'epoch')}" if isinstance(total, int) else None
        parts.append(f"{of or count(done, 'epoch')} done")
    images = ", ".join(f"{run.images_shown or 0:,}" for run in arm.runs)
    epochs = tuple(float(run.epoch or 0) for run in arm.runs)
    return Cell(
        text=f"epoch{'s' if len(epochs) > 1 else ''} {shown}",
        number=shown,
        basis="; ".join([*dict.fromkeys(parts), f"{images} images seen by then"]),
        value=sum(epochs) / len(epochs),
        unit="epoch",
        digits=0,
        runs=epochs,
    )


def _face(arm: Arm) -> Cell:
    face, size = arm.real.face, arm.real.split.size
    if face is None:
        return Cell(text=NOT_KNOWN, basis="these images were not curated here")
    return Cell(
        text=f"{face.width:.0f} of {size} pixels wide",
        number=f"{face.width:.0f}",
        basis=f"about {face.pixels:,.0f} of {size * size:,} pixels "
        f"({percent(face.pixels / size**2)}); "
        f"median of {count(face.pictures, 'image')} with a face found",
        value=face.width,
        unit="pixels",
        digits=0,
        n_real=face.pictures,
    )


def _agreement(arm: Arm) -> Cell:
    found = arm.real.agreement
    if found is None:
        return Cell(text=NOT_KNOWN)
    low, high = (max(0.0, found.share + side * Z95 * found.error) for side in (-1, 1))
    kept = max(0.0, found.share)
    return Cell(
        text=share_interval(kept, low, high),
        number=percent(kept),
        basis=count(arm.real.n_train, "training image"),
        value=found.share,  # below 0 by chance, so it has not the unit of shares
        low=low,
        high=high,
        n_real=arm.real.n_train,
    )
