"""The rows of the table: every number of every arm, what it rests on, and whether arms differ."""

import dataclasses
from collections.abc import Callable, Sequence

from catgan.compare import quantities, words
from catgan.compare.arm import RATES, Arm, difference, one_yardstick, rate_of
from catgan.compare.config import CompareConfig
from catgan.compare.quantities import OWN, SAME, Quantity
from catgan.compare.real import Real
from catgan.compare.reals import TRAINING
from catgan.measure import MIN_PICTURES, NO_DIFFERENCE, Difference, OverRuns, Rate, level_with_best
from catgan.measure.metrics import Z95

OTHER_YARDSTICK = "different yardsticks"
NOT_KNOWN = "not known"

# The parts of the table.
OUTCOME = "The samples, by measures that mean the same in every run"
YARDSTICK = "The samples, against real pictures of their own kind"
PICTURES = "The real pictures"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number of one arm."""

    text: str
    """What to show: the number and how sure it is, or why there is none."""
    basis: str = ""
    """What it rests on: counts, extractor, seed, and the runs where there are several."""
    value: float | None = None
    """The number itself, over all runs of the arm."""
    low: float | None = None
    """Lower end of its 95% interval, where it has one."""
    high: float | None = None
    """Upper end likewise."""
    runs: tuple[float, ...] = ()
    """The number of each run, in their order."""
    n_fake: int | None = None
    """Samples of each run that it rests on."""
    n_real: int | None = None
    """Real pictures that it rests on."""
    extractor: str = ""
    """By whose eyes."""
    share: bool = False
    """Whether it is a share, 0 to 1."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """By how much one arm lies above another."""

    first: str
    """The one."""
    second: str
    """The other."""
    difference: Difference
    """First less second."""
    text: str
    """The same in words."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One quantity over all arms."""

    key: str
    """Its name in JSON and CSV."""
    label: str
    """Its name for people."""
    part: str
    """Which part of the table it stands in."""
    meaning: str
    """What it says, in one plain sentence."""
    reading: str
    """Which way is good, and what to beware of; "" where there is nothing to."""
    cells: tuple[Cell, ...]
    """One an arm, in their order."""
    verdict: str = ""
    """Whether the arms differ in it; "" where that is no question."""
    apart: tuple[Apart, ...] = ()
    """The difference of every two arms that may be compared."""


def make_rows(arms: Sequence[Arm], config: CompareConfig, why_no_faces: str) -> tuple[Row, ...]:
    """All rows, in the order of the table.

    Args:
        arms: What was measured.
        config: Settings.
        why_no_faces: Why no faces were looked for, where none were.
    """

    def samples(quantity: Quantity) -> Row:
        return _samples(arms, config, quantity, why_no_faces)

    return (
        _measured(arms),
        samples(quantities.RECOGNISED),
        _real_rate(
            arms,
            key="recognised_real",
            label="real pictures recognised",
            meaning="The same for real pictures of the same kind and size: what there is to reach.",
            reading="Small pictures of a cat are not always recognised either. This judges the "
            "pictures, not the training.",
            of=lambda real: real.recognised,
            config=config,
            missing="",
        ),
        samples(quantities.DIVERSITY),
        samples(quantities.CLOSE),
        samples(quantities.FACES),
        _real_rate(
            arms,
            key="faces_real",
            label="real pictures with a face found",
            meaning="The same for real pictures of the same kind and size: what there is to reach.",
            reading="It is high in face-crop by the way these pictures were chosen.",
            of=lambda real: real.faces,
            config=config,
            missing=why_no_faces,
        ),
        samples(quantities.KID),
        _kid_real(arms),
        samples(quantities.PRECISION),
        samples(quantities.RECALL),
        samples(quantities.DENSITY),
        samples(quantities.COVERAGE),
        _face(arms),
        _agreement(arms),
    )


def _samples(
    arms: Sequence[Arm], config: CompareConfig, quantity: Quantity, why_no_faces: str
) -> Row:
    cells = tuple(_cell(arm, config, quantity, why_no_faces) for arm in arms)
    verdict, pairs = _verdict(arms, quantity)
    return Row(
        key=quantity.key,
        label=quantity.label,
        part=YARDSTICK if quantity.ranked == OWN else OUTCOME,
        meaning=quantity.meaning,
        reading=quantity.reading,
        cells=cells,
        verdict=verdict,
        apart=pairs,
    )


def _cell(arm: Arm, config: CompareConfig, quantity: Quantity, why_no_faces: str) -> Cell:
    found = arm.number(quantity.key)
    if found is None:
        return Cell(text=_missing(arm, quantity, why_no_faces))
    n_fake, n_real, extractor, parts = _basis(arm, config, quantity)
    values = arm.values(quantity.key)
    if len(values) > 1:
        shown = ", ".join(_plain(value, quantity) for value in values)
        parts.insert(0, f"mean of {len(values)} runs: {shown}")
    return Cell(
        text=_interval(found, quantity),
        basis="; ".join([*parts, f"seed {config.seed}", extractor]),
        value=found.value,
        low=found.low,
        high=found.high,
        runs=tuple(values),
        n_fake=n_fake,
        n_real=n_real,
        extractor=extractor,
        share=quantity.digits is None,
    )


def _basis(
    arm: Arm, config: CompareConfig, quantity: Quantity
) -> tuple[int, int | None, str, list[str]]:
    """Samples of a run, real pictures, extractor, and what there is to say of them."""
    run = arm.shown
    each = " each" if len(arm.runs) > 1 else ""
    reference = f"{arm.real.reals.reference} pictures"
    if quantity.key in RATES:
        rate = rate_of(run, quantity.key)
        assert rate is not None
        if quantity.key == "close":
            among = f"among {arm.real.n_train} of {len(arm.real.reals.train)} training pictures"
            parts = [f"{rate.total} samples{each} {among}"]
            return rate.total, arm.real.n_train, rate.extractor, parts
        counted = f"{rate.hits} of {rate.total}" if len(arm.runs) == 1 else f"{rate.total}"
        return rate.total, None, rate.extractor, [f"{counted} samples{each}"]
    n_real = arm.real.n_reference
    parts = [f"{run.n_fake} samples{each} and {n_real} {reference}"]
    if quantity.key == "diversity":
        assert run.diversity is not None
        return run.n_fake, n_real, run.diversity.extractor, parts
    assert run.crowd is not None
    if quantity.key == "kid":
        parts.append(f"{run.crowd.kid.subsets} subsets of {run.crowd.kid.subset_size}")
    elif quantity.key in ("precision", "recall"):
        parts.append(f"{run.crowd.precision_recall.neighbours} neighbours")
    else:
        parts.append(f"{run.crowd.density_coverage.neighbours} neighbours")
    if quantity.key == "coverage":
        equals = words.percent(run.crowd.density_coverage.coverage_of_equals)
        parts.insert(0, f"new real pictures would reach {equals}")
    return run.n_fake, n_real, run.crowd.kid.extractor, parts


def _missing(arm: Arm, quantity: Quantity, why_no_faces: str) -> str:
    if quantity.key == "faces":
        return f"not looked for: {why_no_faces}"
    if quantity.key == "close":
        if arm.real.reals.reference == TRAINING:
            return "no pictures held out"
        return "too few held out"
    if quantity.key == "diversity":
        return "too few pictures, or all alike"
    return too_few(arm)


def too_few(arm: Arm) -> str:
    """Which pictures there are too few of to measure crowds by."""
    if arm.real.n_reference < MIN_PICTURES:
        return f"too few pictures: {arm.real.n_reference}, needs {MIN_PICTURES}"
    return f"too few samples: {min(run.n_fake for run in arm.runs)}, needs {MIN_PICTURES}"


def _verdict(arms: Sequence[Arm], quantity: Quantity) -> tuple[str, tuple[Apart, ...]]:
    if len(arms) < 2:
        return "", ()
    if quantity.ranked != SAME and not one_yardstick(arms):
        return (OTHER_YARDSTICK if quantity.ranked == OWN else quantity.ranked), ()
    known = [(arm, found) for arm in arms if (found := arm.number(quantity.key)) is not None]
    if len(known) < 2:
        return NOT_KNOWN, ()

    def differ(first: int, second: int) -> Difference:
        found = difference(known[first][0], known[second][0], quantity.key)
        assert found is not None
        return found

    values = [found.value for _, found in known]
    level = level_with_best(values, differ, most=quantity.most)
    pairs = tuple(
        _apart(known[second][0], known[first][0], differ(second, first), quantity.digits)
        for first in range(len(known))
        for second in range(first + 1, len(known))
    )
    if len(level) == len(known):
        return NO_DIFFERENCE, pairs
    names = [known[index][0].label for index in sorted(level)]
    way = "more" if quantity.most else "less"
    verdict = f"{way} in {words.listed(names)}"
    if len(level) > 1:
        verdict += f"; {NO_DIFFERENCE} between those"
    return verdict, pairs


def _apart(first: Arm, second: Arm, found: Difference, digits: int | None) -> Apart:
    text = f"{first.label} less {second.label}: {words.apart(found, digits)}"
    if not found.shown:
        text += f", {NO_DIFFERENCE}"
    return Apart(first=first.label, second=second.label, difference=found, text=text)


def _interval(found: OverRuns, quantity: Quantity) -> str:
    if quantity.digits is None:
        return words.share_interval(found.value, found.low, found.high)
    half = (found.high - found.low) / 2
    return f"{words.signed(found.value, quantity.digits)} ± {half:.{quantity.digits}f}"


def _plain(value: float, quantity: Quantity) -> str:
    if quantity.digits is None:
        return words.percent(value)
    return words.signed(value, quantity.digits)


# The rows that are not about samples alone.


def _measured(arms: Sequence[Arm]) -> Row:
    cells = []
    for arm in arms:
        if not arm.is_run:
            n_fake = arm.shown.n_fake
            cells.append(Cell(text=f"{n_fake} pictures of a folder", basis="not a run"))
            continue
        cells.append(_epochs(arm))
    return Row(
        key="epoch",
        label="measured at",
        part=OUTCOME,
        meaning="The epoch whose generator drew the samples.",
        reading="The best one by the training's own measure where it named one, else the last.",
        cells=tuple(cells),
    )


def _epochs(arm: Arm) -> Cell:
    shown = [f"{run.epoch} ({'best' if run.source.best else 'last'})" for run in arm.runs]
    parts = []
    for run in arm.runs:
        done = max((int(record["epoch"]) for record in run.stats), default=run.epoch or 0)
        total = run.source.settings.get("epochs")
        parts.append(f"{done} of {total} epochs done" if total else f"{done} epochs done")
    images = [run.images_shown or 0 for run in arm.runs]
    parts = list(dict.fromkeys(parts))
    parts.append(f"{', '.join(f'{count:,}' for count in images)} pictures shown by then")
    epochs = tuple(float(run.epoch or 0) for run in arm.runs)
    return Cell(
        text=f"epoch{'s' if len(shown) > 1 else ''} {', '.join(shown)}",
        basis="; ".join(parts),
        value=sum(epochs) / len(epochs),
        runs=epochs,
    )


def _real_rate(
    arms: Sequence[Arm],
    *,
    key: str,
    label: str,
    meaning: str,
    reading: str,
    of: Callable[[Real], Rate | None],
    config: CompareConfig,
    missing: str,
) -> Row:
    cells = []
    for arm in arms:
        rate = of(arm.real)
        if rate is None:
            cells.append(Cell(text=f"not looked for: {missing}"))
            continue
        kind = arm.real.reals.reference
        cells.append(
            Cell(
                text=words.share_interval(rate.share, rate.low, rate.high),
                basis=f"{rate.hits} of {rate.total} {kind} pictures; seed {config.seed}; "
                f"{rate.extractor}",
                value=rate.share,
                low=rate.low,
                high=rate.high,
                n_real=rate.total,
                extractor=rate.extractor,
                share=True,
            )
        )
    return Row(
        key=key, label=label, part=OUTCOME, meaning=meaning, reading=reading, cells=tuple(cells)
    )


def _kid_real(arms: Sequence[Arm]) -> Row:
    cells = []
    for arm in arms:
        if arm.real.reals.reference == TRAINING:
            cells.append(Cell(text="not asked: they are the reference"))
            continue
        if arm.real.crowd is None:
            cells.append(Cell(text=too_few(arm)))
            continue
        kid = arm.real.crowd.kid
        low, high = kid.interval
        cells.append(
            Cell(
                text=f"{words.signed(kid.kid, 3)} ± {high - kid.kid:.3f}",
                basis=f"{kid.n_fake} training pictures and {kid.n_real} held-out pictures; "
                f"{kid.subsets} subsets of {kid.subset_size}; seed {kid.seed}; {kid.extractor}",
                value=kid.kid,
                low=low,
                high=high,
                n_fake=kid.n_fake,
                n_real=kid.n_real,
                extractor=kid.extractor,
            )
        )
    return Row(
        key="kid_real",
        label="KID of training pictures",
        part=YARDSTICK,
        meaning="The same for the pictures trained on: what a perfect generator would reach.",
        reading="Well above 0, the pictures held out are unlike those trained on.",
        cells=tuple(cells),
    )


def _face(arms: Sequence[Arm]) -> Row:
    cells = []
    for arm in arms:
        face, size = arm.real.face, arm.real.reals.size
        if face is None:
            cells.append(Cell(text="not known", basis="these pictures were not curated here"))
            continue
        cells.append(
            Cell(
                text=f"{face.width:.0f} of {size} pixels wide",
                basis=f"about {face.pixels:,.0f} of {size * size:,} pixels "
                f"({words.percent(face.pixels / size**2)}); "
                f"median of {face.pictures} pictures with a face found",
                value=face.width,
                n_real=face.pictures,
            )
        )
    return Row(
        key="face",
        label="a face in the pictures",
        part=PICTURES,
        meaning="How many pixels a face has from ear to ear: all there is to learn a face from.",
        reading="",
        cells=tuple(cells),
    )


def _agreement(arms: Sequence[Arm]) -> Row:
    cells = []
    for arm in arms:
        found = arm.real.agreement
        if found is None:
            cells.append(Cell(text="not known"))
            continue
        low, high = (max(0.0, found.share + side * Z95 * found.error) for side in (-1, 1))
        cells.append(
            Cell(
                text=words.share_interval(max(0.0, found.share), low, high),
                basis=f"{arm.real.n_train} training pictures",
                value=found.share,
                low=low,
                high=high,
                n_real=arm.real.n_train,
            )
        )
    return Row(
        key="agreement",
        label="what the mean picture keeps",
        part=PICTURES,
        meaning="How much of a picture's light and dark lies in the same place in all the others.",
        reading="100% if all pictures were the same, 0% if they had nothing in common. What it "
        "does not keep is lost to poses and places, and must be learnt picture by picture.",
        cells=tuple(cells),
    )
