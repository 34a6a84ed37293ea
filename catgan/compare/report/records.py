"""A comparison for other programs: one JSON object, or a table with a line for each number."""

import csv
import dataclasses
import io
from pathlib import Path
from typing import Any

from catgan.compare.comparison import Comparison
from catgan.compare.differences.rows import Cell, Row
from catgan.compare.measured.arm import Arm, one_reference
from catgan.compare.measured.run import MeasuredRun
from catgan.compare.quantities.quantity import Found, Missing, Quantity
from catgan.core.files import Json, write_text
from catgan.core.settings import to_json as settings_json
from catgan.core.version import __version__

FORMAT = 2  # of the JSON document
COLUMNS = (
    "measure", "arm", "run", "value", "low", "high", "n_samples", "n_real", "extractor", "seed",
    "verdict",
)  # fmt: skip


def to_json(comparison: Comparison) -> Json:
    """The whole comparison as one JSON object, without the images."""
    config, quantities = comparison.config, comparison.quantities
    paths = {
        name: None if (path := getattr(config, name)) is None else str(path)
        for name in ("weights", "data")
    }
    return {
        "kind": "comparison",
        "format": FORMAT,
        "catgan": __version__,
        "settings": settings_json(config) | paths,
        "extractor": comparison.extractor,
        "judge": comparison.judge,
        "n_samples": comparison.n_fake,
        "n_real": comparison.n_real,
        "one_yardstick": one_reference(comparison.arms),
        "arms": [_arm(arm, quantities) for arm in comparison.arms],
        "rows": [_row(row) for row in comparison.rows],
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
            for step in comparison.steps
        ],
        "headline": comparison.headline,
        "guesses": list(comparison.guesses),
        "notes": list(comparison.notes),
    }


def to_csv(comparison: Comparison) -> str:
    """Every number on a line of its own: of each arm, and of each run where it has several."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(COLUMNS)
    for row in comparison.rows:
        for arm, cell in zip(comparison.arms, row.cells, strict=True):
            seed = comparison.config.seed
            lines.writerow(_line(row.key, arm.label, "", cell, seed, row.verdict))
            if len(cell.runs) > 1:
                for run, value in zip(arm.runs, cell.runs, strict=True):
                    alone = dataclasses.replace(cell, value=value, low=None, high=None)
                    lines.writerow(_line(row.key, arm.label, run.candidate.name, alone, seed, ""))
    return out.getvalue()


def write_csv(comparison: Comparison, path: Path) -> None:
    """The same as a file, whole or not at all.

    Raises:
        DiskFull: There is no room for it.
    """
    write_text(path, to_csv(comparison))


def _line(key: str, arm: str, run: str, cell: Cell, seed: int, verdict: str) -> list[str]:
    numbers = (cell.value, cell.low, cell.high, cell.n_fake, cell.n_real)
    known = ["" if number is None else f"{number:.10g}" for number in numbers]
    return [key, arm, run, *known, cell.extractor, str(seed) if cell.extractor else "", verdict]


def _row(row: Row) -> Json:
    return {
        "key": row.key,
        "label": row.label,
        "meaning": row.meaning,
        "reading": row.reading,
        "cells": [{**dataclasses.asdict(cell), "share": cell.share} for cell in row.cells],
        "better": row.better,
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


def _arm(arm: Arm, quantities: tuple[Quantity[Any], ...]) -> Json:
    real = arm.real
    return {
        "name": arm.label,
        "runs": [_run(run, quantities) for run in arm.runs],
        "data": {
            "name": real.split.name,
            "folder": str(real.split.folder),
            "digest": real.split.digest,
            "size": real.split.size,
            "train": len(real.split.train),
            "held_out": len(real.split.held_out),
        },
        "reference": real.split.reference,
        "n_reference": real.n_reference,
        "n_train": real.n_train,
        **{f"{key}_real": _record(found) for key, found in real.found.items()},
        "agreement": real.agreement.share if real.agreement else None,
        "agreement_error": real.agreement.error if real.agreement else None,
        "face": dataclasses.asdict(real.face) if real.face else None,
        "notes": list(arm.notes),
    }


def _run(run: MeasuredRun, quantities: tuple[Quantity[Any], ...]) -> Json:
    candidate = run.candidate
    return {
        "name": candidate.name,
        "folder": str(candidate.folder),
        "finished": candidate.finished,
        "checkpoint": candidate.checkpoint.name if candidate.checkpoint else None,
        "epoch": run.epoch,
        "images_shown": run.images_shown,
        "settings": candidate.settings,
        "n_samples": run.n_fake,
        **{one.measured_as: _record(run.found[one.key]) for one in quantities},
    }


def _record(found: Found | Missing) -> Json | None:
    return None if isinstance(found, Missing) else found.record
