"""A comparison: its rows, what they mean, and whether the runs differ in them."""

import dataclasses
from collections.abc import Callable, Sequence

from catgan import __version__
from catgan.compare.arm import Arm
from catgan.compare.config import CompareConfig
from catgan.compare.source import HELD_OUT, TRAINING
from catgan.core.files import Json
from catgan.measure import MIN_PICTURES, Kid, Rate
from catgan.measure.metrics import Z95, wilson

FORMAT = 1  # of the JSON document
NO_DIFFERENCE = "no difference shown"
OTHER_YARDSTICK = "different yardsticks"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number of one run."""

    text: str
    """What to show: the number and how sure it is, or why there is none."""
    basis: str = ""
    """What it rests on: counts, extractor, seed."""
    value: float | None = None
    """The number itself."""
    low: float | None = None
    """Lower end of its 95% interval, where it has one."""
    high: float | None = None
    """Upper end likewise."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One quantity over all runs."""

    key: str
    """Its name in JSON."""
    label: str
    """Its name for people."""
    meaning: str
    """What it says and which way is good, in a sentence or two."""
    cells: tuple[Cell, ...]
    """One a run, in their order."""
    verdict: str
    """Whether the runs differ in it; "" where that is no question."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Runs measured in the same way."""

    arms: tuple[Arm, ...]
    """The runs, in the order they were named."""
    config: CompareConfig
    """The settings."""
    extractor: str
    """The net that looked at the pictures; every number is by its eyes."""
    n_real: int | None
    """Real pictures that precision and recall rest on in every arm; None without any."""

    def rows(self) -> tuple[Row, ...]:
        """Every number, with its meaning and verdict."""
        return tuple(make(self) for make in ROWS)

    def table(self) -> tuple[list[str], list[list[str]]]:
        """The numbers for a terminal: the headers, and rows of as many cells."""
        several = len(self.arms) > 1
        headers = ["", *(arm.label for arm in self.arms), *(["between them"] if several else [])]
        rows = [
            [row.label, *(cell.text for cell in row.cells), *([row.verdict] if several else [])]
            for row in self.rows()
        ]
        return headers, rows

    def notes(self) -> list[str]:
        """What must be known to read the numbers, in sentences; those on single runs first."""
        several = len(self.arms) > 1
        notes = [
            f"{arm.label}: {note}" if several else note
            for arm in self.arms
            for note in (*arm.source.notes, *_too_few(arm))
        ]
        notes.append(
            f"Every number is by the eyes of {self.extractor}, a net trained on photographs of a "
            "thousand things. Only numbers made with the same net compare, so these are not the "
            "FID or KID of a paper, which are by another net."
        )
        if several and not self.one_yardstick():
            notes.append(
                "The runs were trained on different pictures, and each is measured against "
                "real pictures of its own kind. KID, precision and recall therefore use another "
                "yardstick for each run: a lower KID in one does not make it the better one. How "
                "often samples are recognised as a cat means the same in every run."
            )
        notes.append(
            "Intervals hold for these very runs: they say what other samples and other real "
            "pictures would change. Training again with another seed can change more, and only "
            "several runs would show that. Where intervals overlap, no difference is shown, which "
            "is not to say that there is none."
        )
        return notes

    def sentences(self) -> list[str]:
        """What to say under the table of a terminal: the result, then how to read the numbers."""
        return [self.headline(), *self.notes()]

    def one_yardstick(self) -> bool:
        """Whether all runs were measured against the same real pictures."""
        return len({arm.source.yardstick for arm in self.arms}) == 1

    def headline(self) -> str:
        """The one result that means the same in every run, in a sentence or two."""
        parts = [
            f"{_percent(arm.recognised.share)} of the samples of {arm.label} are recognised as a "
            f"cat ({_percent(arm.recognised_real.share)} of its real pictures)"
            for arm in self.arms
        ]
        sentence = "; ".join(parts) + "."
        if len(self.arms) > 1:
            verdict = _ahead(self.arms, [_rate(arm.recognised) for arm in self.arms], most=True)
            sentence += f" Between them: {verdict}."
        return sentence

    def differing_settings(self) -> list[tuple[str, list[str]]]:
        """Settings that are not the same in all runs: name, and each run's value."""
        return [row for row in self._settings() if len(set(row[1])) > 1]

    def equal_settings(self) -> list[tuple[str, str]]:
        """Settings that all runs share: name and value."""
        return [(name, values[0]) for name, values in self._settings() if len(set(values)) == 1]

    def _settings(self) -> list[tuple[str, list[str]]]:
        facts = [
            {
                "data set": arm.source.data_name,
                "pictures trained on": len(arm.source.train),
                "pictures held out": len(arm.source.held_out),
                **arm.source.settings,
                "catgan": arm.source.catgan,
            }
            for arm in self.arms
        ]
        names = list(dict.fromkeys(name for fact in facts for name in fact))
        return [(name, [_plain(fact.get(name, "not set")) for fact in facts]) for name in names]

    def to_json(self) -> Json:
        """The whole comparison as one JSON object, without the pictures."""
        return {
            "kind": "comparison",
            "format": FORMAT,
            "catgan": __version__,
            "settings": dataclasses.asdict(self.config),
            "extractor": self.extractor,
            "one_yardstick": self.one_yardstick(),
            "arms": [_arm_json(arm) for arm in self.arms],
            "rows": [
                {
                    "key": row.key,
                    "label": row.label,
                    "meaning": row.meaning,
                    "cells": [dataclasses.asdict(cell) for cell in row.cells],
                    "verdict": row.verdict,
                }
                for row in self.rows()
            ],
            "headline": self.headline(),
            "notes": self.notes(),
        }


def _arm_json(arm: Arm) -> Json:
    source = arm.source
    return {
        "name": arm.label,
        "run": str(source.run.folder),
        "finished": source.finished,
        "checkpoint": source.checkpoint.name,
        "epoch": arm.epoch,
        "images_shown": arm.images_shown,
        "data": {
            "name": source.data_name,
            "folder": str(source.data_folder),
            "digest": source.data_digest,
            "train": len(source.train),
            "held_out": len(source.held_out),
        },
        "settings": source.settings,
        "reference": source.reference,
        "n_reference": arm.n_reference,
        "n_train": arm.n_train,
        "kid": dataclasses.asdict(arm.kid) if arm.kid else None,
        "kid_real": dataclasses.asdict(arm.kid_real) if arm.kid_real else None,
        "precision_recall": (
            dataclasses.asdict(arm.precision_recall) if arm.precision_recall else None
        ),
        "recognised": _rate_json(arm.recognised),
        "recognised_real": _rate_json(arm.recognised_real),
        "close": _rate_json(arm.close) if arm.close else None,
        "agreement": arm.agreement,
        "face": dataclasses.asdict(arm.face) if arm.face else None,
    }


def _rate_json(rate: Rate) -> Json:
    return {**dataclasses.asdict(rate), "share": rate.share}


def _too_few(arm: Arm) -> list[str]:
    if arm.n_reference >= MIN_PICTURES:
        return []
    pictures = "picture is" if arm.n_reference == 1 else "pictures are"
    return [
        f"Only {arm.n_reference} {pictures} there to measure against; KID, precision and recall "
        f"need {MIN_PICTURES}, so they are not given. The pictures are shown all the same."
    ]


# One function a row, in the order of the table.


def _measured(comparison: Comparison) -> Row:
    cells = []
    for arm in comparison.arms:
        which = "best" if arm.source.best else "last"
        done = max((int(record["epoch"]) for record in arm.stats), default=arm.epoch)
        total = arm.source.settings.get("epochs")
        basis = f"{done} of {total} epochs done" if total else f"{done} epochs done"
        cells.append(
            Cell(
                text=f"epoch {arm.epoch} ({which})",
                basis=f"{basis}; {arm.images_shown:,} pictures shown by then",
                value=float(arm.epoch),
            )
        )
    return Row(
        key="epoch",
        label="measured at",
        meaning="The epoch whose generator drew the samples: the best one by the training's own "
        "measure where it named one, else the last.",
        cells=tuple(cells),
        verdict="",
    )


def _recognised(comparison: Comparison) -> Row:
    cells = tuple(
        _rate(arm.recognised, f"samples, seed {comparison.config.seed}") for arm in comparison.arms
    )
    return Row(
        key="recognised",
        label="samples recognised as a cat",
        meaning="How many samples a net that knows a thousand things calls a cat of some kind with "
        "more than even odds. More is better, and the row below says how much there is to reach. "
        "It means the same in every run.",
        cells=cells,
        verdict=_ahead(comparison.arms, cells, most=True),
    )


def _recognised_real(comparison: Comparison) -> Row:
    cells = tuple(
        _rate(arm.recognised_real, f"{_reference_name(arm)} pictures") for arm in comparison.arms
    )
    return Row(
        key="recognised_real",
        label="real pictures recognised as a cat",
        meaning="The same for real pictures of the same kind and size: small pictures of a cat are "
        "not always recognised either. It judges the pictures, not the training.",
        cells=cells,
        verdict=_ahead(comparison.arms, cells, most=True),
    )


def _kid(comparison: Comparison) -> Row:
    return _kid_row(
        comparison,
        key="kid",
        label="KID of samples",
        meaning="Kernel inception distance: how far the samples as a crowd are from the real "
        "pictures as a crowd. 0 means that no difference is seen, and a little below 0 happens by "
        "chance; less is better. Behind the plus-minus: 1.96 standard errors.",
        kids=[arm.kid for arm in comparison.arms],
        kind="samples",
    )


def _kid_real(comparison: Comparison) -> Row:
    row = _kid_row(
        comparison,
        key="kid_real",
        label="KID of training pictures",
        meaning="The same for the pictures trained on instead of samples: what a perfect generator "
        "would reach. Well above 0, the pictures held out differ from those trained on.",
        kids=[arm.kid_real for arm in comparison.arms],
        kind="training pictures",
    )
    cells = tuple(
        Cell(text="not asked: they are the reference") if arm.source.reference == TRAINING else cell
        for arm, cell in zip(comparison.arms, row.cells, strict=True)
    )
    return dataclasses.replace(row, cells=cells, verdict="")


def _kid_row(
    comparison: Comparison,
    *,
    key: str,
    label: str,
    meaning: str,
    kids: Sequence[Kid | None],
    kind: str,
) -> Row:
    cells = []
    for arm, kid in zip(comparison.arms, kids, strict=True):
        if kid is None:
            cells.append(_missing(arm))
            continue
        half = Z95 * kid.kid_error
        cells.append(
            Cell(
                text=f"{kid.kid:.3f} ± {half:.3f}",
                basis=f"{kid.n_fake} {kind} against {kid.n_real} {_reference_name(arm)} pictures; "
                f"{kid.subsets} subsets of {kid.subset_size}, seed {kid.seed}; {kid.extractor}",
                value=kid.kid,
                low=kid.kid - half,
                high=kid.kid + half,
            )
        )
    return Row(
        key=key,
        label=label,
        meaning=meaning,
        cells=tuple(cells),
        verdict=_on_one_yardstick(comparison, cells, most=False),
    )


def _precision(comparison: Comparison) -> Row:
    return _share_row(
        comparison,
        key="precision",
        label="precision",
        meaning="How many samples lie among the real pictures, as the net sees them: it falls when "
        "samples do not look real. More is better. One odd real picture can take in many poor "
        "samples, so believe it only together with KID. It depends on the counts, which are the "
        "same for every run here; its interval leaves out what other real pictures would change.",
        of=lambda arm: arm.precision_recall.precision if arm.precision_recall else None,
        fakes=True,
    )


def _recall(comparison: Comparison) -> Row:
    return _share_row(
        comparison,
        key="recall",
        label="recall",
        meaning="How many real pictures lie among the samples: it falls when the generator draws "
        "the same few cats over and over. More is better. Like precision it depends on the counts, "
        "and blurred samples that are far from everything can raise it.",
        of=lambda arm: arm.precision_recall.recall if arm.precision_recall else None,
        fakes=False,
    )


def _share_row(
    comparison: Comparison,
    *,
    key: str,
    label: str,
    meaning: str,
    of: Callable[[Arm], float | None],
    fakes: bool,
) -> Row:
    cells = []
    for arm in comparison.arms:
        share, found = of(arm), arm.precision_recall
        if share is None or found is None:
            cells.append(_missing(arm))
            continue
        total = found.n_fake if fakes else found.n_real
        low, high = wilson(round(share * total), total)
        cells.append(
            Cell(
                text=_interval(share, low, high),
                basis=f"{found.n_fake} samples and {found.n_real} {_reference_name(arm)} pictures; "
                f"{found.neighbours} neighbours, seed {comparison.config.seed}; {found.extractor}",
                value=share,
                low=low,
                high=high,
            )
        )
    return Row(
        key=key,
        label=label,
        meaning=meaning,
        cells=tuple(cells),
        verdict=_on_one_yardstick(comparison, cells, most=True),
    )


def _close(comparison: Comparison) -> Row:
    cells = []
    for arm in comparison.arms:
        if arm.close is None:
            few = "no pictures held out" if arm.source.reference == TRAINING else "too few held out"
            cells.append(Cell(text=few))
            continue
        among = (
            f"samples, seed {comparison.config.seed}, "
            f"among {arm.n_train} of {len(arm.source.train)} training pictures"
        )
        cells.append(_rate(arm.close, among))
    return Row(
        key="close",
        label="samples close to a training picture",
        meaning="How many samples are more like one training picture than all but 5% of the "
        "held-out pictures are. Around 5% is what new photos of the same cat give; far more means "
        "copying. Samples that look like nothing are close to nothing, so 0% is no praise.",
        cells=tuple(cells),
        verdict="",
    )


def _agreement(comparison: Comparison) -> Row:
    return Row(
        key="agreement",
        label="pictures alike in light and dark",
        meaning="How much of the pattern of light and dark is at the same place in every training "
        "picture: 100% if all were the same, 0% if they had nothing in common. The less, the more "
        "different poses and places there are to learn, and the blanker the mean picture.",
        cells=tuple(
            Cell(text="not known")
            if arm.agreement is None
            else Cell(
                text=_percent(arm.agreement),
                basis=f"{arm.n_train} training pictures",
                value=arm.agreement,
            )
            for arm in comparison.arms
        ),
        verdict="",
    )


def _face(comparison: Comparison) -> Row:
    return Row(
        key="face",
        label="width of a face in the pictures",
        meaning="How many pixels the face has from ear to ear, in the median of the pictures in "
        "which one was found: all that the training has to learn a face from.",
        cells=tuple(
            Cell(text="not known", basis="these pictures were not curated here")
            if arm.face is None
            else Cell(
                text=f"{arm.face.width:.0f} of {arm.source.size} pixels",
                basis=f"{arm.face.pictures} pictures with a face found",
                value=arm.face.width,
            )
            for arm in comparison.arms
        ),
        verdict="",
    )


ROWS: tuple[Callable[[Comparison], Row], ...] = (
    _measured,
    _recognised,
    _recognised_real,
    _kid,
    _kid_real,
    _precision,
    _recall,
    _close,
    _agreement,
    _face,
)


def _reference_name(arm: Arm) -> str:
    return "held-out" if arm.source.reference == HELD_OUT else "training"


def _missing(arm: Arm) -> Cell:
    return Cell(text=f"too few pictures: {arm.n_reference}, needs {MIN_PICTURES}")


def _rate(rate: Rate, kind: str = "pictures") -> Cell:
    return Cell(
        text=_interval(rate.share, rate.low, rate.high),
        basis=f"{rate.hits} of {rate.total} {kind}; {rate.extractor}",
        value=rate.share,
        low=rate.low,
        high=rate.high,
    )


def _interval(share: float, low: float, high: float) -> str:
    return f"{_percent(share)} ({_percent(low)} to {_percent(high)})"


def _percent(share: float) -> str:
    """A share as people read it: a tenth near the ends, where rounding would say none or all."""
    percent = share * 100
    near_end = 0.05 <= percent < 1 or 99 < percent <= 99.95
    return f"{percent:.1f}%" if near_end else f"{percent:.0f}%"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _on_one_yardstick(comparison: Comparison, cells: Sequence[Cell], *, most: bool) -> str:
    if len(comparison.arms) > 1 and not comparison.one_yardstick():
        return OTHER_YARDSTICK
    return _ahead(comparison.arms, cells, most=most)


def _ahead(arms: Sequence[Arm], cells: Sequence[Cell], *, most: bool) -> str:
    """Which runs are ahead: those whose interval reaches into that of the best.

    Args:
        arms: The runs.
        cells: Their values and intervals.
        most: Whether more is better.
    """
    known = [
        (cell.value if most else -cell.value, cell.low, cell.high, arm.label)
        for arm, cell in zip(arms, cells, strict=True)
        if cell.value is not None and cell.low is not None and cell.high is not None
    ]
    if len(arms) < 2:
        return ""
    if len(known) < 2:
        return "not known"
    _, low, high, _ = max(known, key=lambda entry: entry[0])
    level = [name for _, lower, upper, name in known if lower <= high and upper >= low]
    if len(level) == len(known):
        return NO_DIFFERENCE
    way = "more" if most else "less"
    if len(level) == 1:
        return f"{way} in {level[0]}"
    return f"{way} in {', '.join(level[:-1])} and {level[-1]}; {NO_DIFFERENCE} between those"
