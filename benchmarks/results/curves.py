"""How KID falls, by images shown and by time; what is lost again."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.plots import Line, write_lines
from benchmarks.results.measured import JUDGES, Measured
from benchmarks.results.runs import PEERS, RECIPES, arms_of, marks_of
from catgan.compare.quantities.catalogue import KID
from catgan.formats.datasets import FACE_CROP
from catgan.train.best import best_of

LEAST_KID = 0.005  # drawn instead of less: an unbiased estimate may be negative


def curves(study: Path, picture: Path) -> None:
    """KID over images shown, every run a line."""
    lines = [
        Line(
            label=arm.replace("-", " ", 1),
            points=[
                (one.images_shown / 1000, max(one.kid, LEAST_KID))
                for one in run.read_stats()
                if one.kid is not None
            ],
        )
        for arm, runs in arms_of(study).items()
        for run in runs
    ]
    write_lines(
        picture,
        [line for line in lines if line.points],
        x="thousands of images shown",
        y="KID to held-out images of its own kind",
        log_y=True,
    )


def against_time(study: Path, picture: Path) -> str:
    """KID against processor minutes, ours and others; returns the table."""
    taken = _seconds(study)
    lines: list[Line] = []
    rows = ["| | minutes | images shown | KID | recognised (Lite0) | Lite2 | cascades |"]
    rows.append("| --- | --- | --- | --- | --- | --- | --- |")
    for recipe in RECIPES:
        for run in arms_of(study).get(f"{recipe}-{FACE_CROP}", ()):
            if run.name not in taken:
                continue
            stats = run.read_stats()
            per_image = taken[run.name]
            points = [
                (one.images_shown * per_image / 60, max(one.kid, LEAST_KID))
                for one in stats
                if one.kid is not None
            ]
            lines.append(Line(label=f"catgan, {recipe}", points=points))
    for peer, what in PEERS.items():
        measured = Measured.read(study, peer)
        if measured is None:
            continue
        marks = list(marks_of(study, peer))
        kids = [cell["value"] for cell in measured.row(KID.key)["cells"]]
        label = what.partition(" (")[0].partition(",")[0]
        points = [(mark[0], max(kid, LEAST_KID)) for mark, kid in zip(marks, kids, strict=True)]
        lines.append(Line(label=label, points=points))
        cells = [[c["text"] for c in measured.row(one.key)["cells"]] for one in (KID, *JUDGES)]
        for index, (minutes, _, shown) in enumerate(marks):
            told = " | ".join(column[index] for column in cells)
            rows.append(f"| {what} | {minutes:g} | {shown:,} | {told} |")
    if len(rows) == 2:
        return ""
    write_lines(
        picture, lines, x="minutes of processor time", y="KID to held-out face crops", log_y=True
    )
    return "\n".join(rows)


def _seconds(study: Path) -> dict[str, float]:
    """Processor time that an image took in each run, measuring included."""
    path = study / "processor-time.jsonl"
    if not path.is_file():
        return {}
    seconds: Counter[str] = Counter()
    images: Counter[str] = Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        part = json.loads(line)  # of a run that may have been interrupted
        seconds[part["run"]] += part["seconds"]
        images[part["run"]] += part["images"]
    return {run: seconds[run] / images[run] for run in seconds if images[run]}


def loss_table(study: Path) -> str:
    """Where each run was best, and what it had lost of that at its end."""
    lines = [
        "| | best KID, by seed | at thousand images | KID at the end | recognised at the best | at "
        "the end | copies at the end |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for arm, runs in arms_of(study).items():
        stats = [[one for one in run.read_stats() if one.kid is not None] for run in runs]
        stats = [one for one in stats if one]
        if not stats:
            continue
        best = [best_of(one) or one[0] for one in stats]
        ends = [one[-1] for one in stats]
        cells = [
            _each([f"{one.kid:.3f}" for one in best]),
            _each([f"{one.images_shown / 1000:g}" for one in best]),
            _each([f"{one.kid:.3f}" for one in ends]),
            _each([_percent(one.recognised) for one in best]),
            _each([_percent(one.recognised) for one in ends]),
            _each([_percent(one.copies) for one in ends]),
        ]
        lines.append(f"| `{arm}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _each(values: Sequence[str]) -> str:
    return ", ".join(values)


def _percent(share: float | None) -> str:
    return "not known" if share is None else f"{100 * share:.0f}%"
