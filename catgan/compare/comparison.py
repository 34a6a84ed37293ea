"""A comparison: its table, what must be said beside it, and its records for other programs."""

import csv
import dataclasses
import io
from pathlib import Path

from catgan import __version__
from catgan.compare import words
from catgan.compare.arm import Arm, one_yardstick
from catgan.compare.config import CompareConfig
from catgan.compare.guesses import Step, face_sentence, pose_sentence, steps
from catgan.compare.measured import Measured
from catgan.compare.quantities import QUANTITIES, RECOGNISED
from catgan.compare.rows import Cell, Row, make_rows
from catgan.core.files import Json, write_bytes
from catgan.measure import MIN_PICTURES, Rate

FORMAT = 2  # of the JSON document
COLUMNS = (
    "measure", "arm", "run", "value", "low", "high", "n_samples", "n_real", "extractor", "seed",
    "verdict",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Arms measured in the same way."""

    arms: tuple[Arm, ...]
    """The arms, in the order they were named."""
    config: CompareConfig
    """The settings."""
    extractor: str
    """The net whose features count."""
    judge: str
    """The net that says what is a cat."""
    n_fake: int
    """Samples of each run, the same in every arm that has as many."""
    n_real: int | None
    """Real pictures, the same in every arm that has as many; None where none has enough."""
    why_no_faces: str
    """Why no faces were looked for; "" where they were."""

    def rows(self) -> tuple[Row, ...]:
        """Every number, with its meaning and verdict."""
        return make_rows(self.arms, self.config, self.why_no_faces)

    def table(self) -> tuple[list[str], list[list[str]]]:
        """The numbers for a terminal: the headers, and rows of as many cells."""
        several = len(self.arms) > 1
        headers = ["", *(arm.label for arm in self.arms), *(["between them"] if several else [])]
        rows = []
        for row in self.rows():
            verdict = row.verdict
            if len(row.apart) == 1:  # of more than two arms the page shows them all
                found, digits = row.apart[0].difference, _digits(row.key)
                verdict += (
                    f", by {words.ahead(found, digits)}"
                    if found.shown
                    else f": {words.apart(found, digits)}"
                )
            cells = [cell.text for cell in row.cells]
            rows.append([row.label, *cells, *([verdict] if several else [])])
        return headers, rows

    def headline(self) -> str:
        """The one result that means the same in every arm, in a sentence or two."""
        parts = []
        for arm in self.arms:
            found = arm.number(RECOGNISED.key)
            assert found is not None
            real = words.percent(arm.real.recognised.share)
            parts.append(
                f"{words.percent(found.value)} of the samples of {arm.label} are recognised as a "
                f"cat ({real} of its real pictures)"
            )
        sentence = "; ".join(parts) + "."
        if len(self.arms) > 1:
            row = next(row for row in self.rows() if row.key == RECOGNISED.key)
            sentence += f" Between them: {row.verdict}."
        return sentence

    def steps(self) -> list[Step]:
        """What the filter and the crop brought, where there are data sets with and without."""
        return steps(self.arms)

    def guesses(self) -> list[str]:
        """The two guesses that the cleaning rests on, in numbers, as far as they are known."""
        found = (face_sentence(self.arms), pose_sentence(self.arms))
        return [sentence for sentence in found if sentence is not None]

    def notes(self) -> list[str]:
        """What must be known to read the numbers, in sentences; those on single arms first."""
        several = len(self.arms) > 1
        notes = [
            f"{arm.label}: {note}" if several else note
            for arm in self.arms
            for note in (*arm.notes, *_too_few(arm))
        ]
        judged = "" if self.judge == self.extractor else f"; what is a cat is said by {self.judge}"
        notes.append(
            f"Every number is by the eyes of {self.extractor}{judged}. Only numbers made with the "
            "same net compare"
            + (
                ", so these are not the FID or KID of a paper, which are by another net."
                if self.config.features == "efficientnet"
                else ", and only at the same size of pictures and the same counts."
            )
        )
        if several and not one_yardstick(self.arms):
            notes.append(
                "Not all of these were trained on the same pictures, and each is measured against "
                "real pictures of its own kind. KID, precision, recall, density and coverage "
                "therefore use another yardstick for each: a lower KID in one does not make it the "
                "better one. How often samples are recognised as a cat, their variety next to "
                "their own real pictures and the share of copies mean the same in all of them."
            )
        notes.append(self._intervals())
        return notes

    def sentences(self) -> list[str]:
        """What to say under the table of a terminal: the result, then how to read the numbers."""
        brought = [step.sentence for step in self.steps()]
        return [self.headline(), *brought, *self.guesses(), *self.notes()]

    def differing_settings(self) -> list[tuple[str, list[str]]]:
        """Settings that are not the same in all arms: name, and each arm's value."""
        return [row for row in self._settings() if len(set(row[1])) > 1]

    def equal_settings(self) -> list[tuple[str, str]]:
        """Settings that all arms share: name and value."""
        return [(name, values[0]) for name, values in self._settings() if len(set(values)) == 1]

    def to_json(self) -> Json:
        """The whole comparison as one JSON object, without the pictures."""
        settings = dataclasses.asdict(self.config)
        weights = self.config.weights
        return {
            "kind": "comparison",
            "format": FORMAT,
            "catgan": __version__,
            "settings": settings | {"weights": None if weights is None else str(weights)},
            "extractor": self.extractor,
            "judge": self.judge,
            "n_samples": self.n_fake,
            "n_real": self.n_real,
            "one_yardstick": one_yardstick(self.arms),
            "arms": [_arm_json(arm) for arm in self.arms],
            "rows": [_row_json(row) for row in self.rows()],
            "brought": [
                {
                    "what": step.what,
                    "before": step.before,
                    "after": step.after,
                    "also_differ": list(step.also),
                    "numbers": {
                        one.quantity.key: dataclasses.asdict(one.difference) for one in step.brought
                    },
                }
                for step in self.steps()
            ],
            "headline": self.headline(),
            "guesses": self.guesses(),
            "notes": self.notes(),
        }

    def to_csv(self) -> str:
        """Every number on a line of its own: of each arm, and of each run where it has several."""
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\n")
        table.writerow(COLUMNS)
        for row in self.rows():
            for arm, cell in zip(self.arms, row.cells, strict=True):
                table.writerow(self._line(row, arm.label, "", cell))
                if len(cell.runs) > 1:
                    for run, value in zip(arm.runs, cell.runs, strict=True):
                        alone = dataclasses.replace(cell, value=value, low=None, high=None)
                        table.writerow(self._line(row, arm.label, run.source.name, alone))
        return out.getvalue()

    def write_csv(self, path: Path) -> None:
        """The same as a file, whole or not at all.

        Raises:
            DiskFull: There is no room for it.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, self.to_csv().encode())

    def _line(self, row: Row, arm: str, run: str, cell: Cell) -> list[str]:
        numbers = (cell.value, cell.low, cell.high, cell.n_fake, cell.n_real)
        known = ["" if number is None else f"{number:.10g}" for number in numbers]
        seed = str(self.config.seed) if cell.extractor else ""
        verdict = "" if run else row.verdict
        return [row.key, arm, run, *known, cell.extractor, seed, verdict]

    def _intervals(self) -> str:
        counts = [len(arm.runs) for arm in self.arms]
        unlike_none = (
            "Where a difference may as well be nothing, no difference is shown, which is not to "
            "say that there is none."
        )
        if max(counts) == 1:
            return (
                "Intervals hold for these very runs: they say what other samples and other real "
                "pictures would change. Training again with another seed can change more, and "
                f"only several runs would show that. {unlike_none}"
            )
        some = "" if min(counts) > 1 else " of the arms that have several runs"
        return (
            f"Intervals{some} allow for training again with other seeds, for other samples and for "
            "other real pictures. From two or three runs little is known of the spread between "
            f"seeds, so they are wide. {unlike_none}"
        )

    def _settings(self) -> list[tuple[str, list[str]]]:
        facts = [_facts(arm) for arm in self.arms]
        names = list(dict.fromkeys(name for fact in facts for name in fact))
        return [(name, [fact.get(name, "not set") for fact in facts]) for name in names]


def _facts(arm: Arm) -> dict[str, str]:
    """What an arm was made with: its pictures, its settings, and all seeds of its runs."""
    reals = arm.real.reals
    facts: dict[str, object] = {
        "data set": reals.name,
        "pictures trained on": len(reals.train),
        "pictures held out": len(reals.held_out),
    }
    if not arm.is_run:
        return {"data set": f"a folder of {len(arm.shown.source.pictures)} pictures"}
    names = dict.fromkeys(name for run in arm.runs for name in run.source.settings)
    for name in names:
        values = dict.fromkeys(
            words.plain(run.source.settings.get(name, "not set")) for run in arm.runs
        )
        facts[name] = ", ".join(values)
    facts["catgan"] = ", ".join(dict.fromkeys(run.source.catgan for run in arm.runs))
    return {name: words.plain(value) for name, value in facts.items()}


def _digits(key: str) -> int | None:
    return next((quantity.digits for quantity in QUANTITIES if quantity.key == key), None)


def _too_few(arm: Arm) -> list[str]:
    if arm.shown.crowd is not None:
        return []
    count = arm.real.n_reference
    what = f"{'picture is' if count == 1 else 'pictures are'} there to measure against"
    if count >= MIN_PICTURES:
        count = min(run.n_fake for run in arm.runs)
        what = f"{'sample is' if count == 1 else 'samples are'} there to measure"
    return [
        f"Only {count} {what}; KID, precision, recall, density and coverage need {MIN_PICTURES}, "
        "so they are not given. The pictures are shown all the same."
    ]


def _row_json(row: Row) -> Json:
    return {
        "key": row.key,
        "label": row.label,
        "meaning": row.meaning,
        "reading": row.reading,
        "cells": [dataclasses.asdict(cell) for cell in row.cells],
        "verdict": row.verdict,
        "differences": [
            {
                "first": apart.first,
                "second": apart.second,
                **dataclasses.asdict(apart.difference),
                "shown": apart.difference.shown,
            }
            for apart in row.apart
        ],
    }


def _arm_json(arm: Arm) -> Json:
    real = arm.real
    return {
        "name": arm.label,
        "runs": [_run_json(run) for run in arm.runs],
        "data": {
            "name": real.reals.name,
            "folder": str(real.reals.folder),
            "digest": real.reals.digest,
            "size": real.reals.size,
            "train": len(real.reals.train),
            "held_out": len(real.reals.held_out),
        },
        "reference": real.reals.reference,
        "n_reference": real.n_reference,
        "n_train": real.n_train,
        "recognised_real": _rate_json(real.recognised),
        "faces_real": _rate_json(real.faces),
        "kid_real": dataclasses.asdict(real.crowd.kid) if real.crowd else None,
        "agreement": real.agreement.share if real.agreement else None,
        "agreement_error": real.agreement.error if real.agreement else None,
        "face": dataclasses.asdict(real.face) if real.face else None,
        "notes": list(arm.notes),
    }


def _run_json(run: Measured) -> Json:
    source, crowd = run.source, run.crowd
    return {
        "name": source.name,
        "folder": str(source.folder),
        "finished": source.finished,
        "checkpoint": source.checkpoint.name if source.checkpoint else None,
        "epoch": run.epoch,
        "images_shown": run.images_shown,
        "settings": source.settings,
        "n_samples": run.n_fake,
        "kid": dataclasses.asdict(crowd.kid) if crowd else None,
        "precision_recall": dataclasses.asdict(crowd.precision_recall) if crowd else None,
        "density_coverage": dataclasses.asdict(crowd.density_coverage) if crowd else None,
        "diversity": dataclasses.asdict(run.diversity) if run.diversity else None,
        "recognised": _rate_json(run.recognised),
        "faces": _rate_json(run.faces),
        "close": _rate_json(run.close),
    }


def _rate_json(rate: Rate | None) -> Json | None:
    return None if rate is None else {**dataclasses.asdict(rate), "share": rate.share}
