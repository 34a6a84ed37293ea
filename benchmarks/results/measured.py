"""What the judges say of a study's arms, and how it is told."""

import dataclasses
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.results.runs import CLEANED, PEERS, RECIPES, arms_of, marks_of
from catgan.compare.config import CompareConfig
from catgan.compare.pipeline import compare_runs
from catgan.compare.quantities.catalogue import (
    CASCADES,
    CLOSE,
    DIVERSITY,
    KID,
    RECOGNISED,
    SECOND_KID,
    SECOND_RECOGNISED,
)
from catgan.compare.quantities.quantity import Quantity
from catgan.compare.report.records import to_json
from catgan.core.files import Json
from catgan.curate.finder import CascadeFinder
from catgan.formats.datasets import FACE_CROP
from catgan.formats.runs import Run

JUDGES = (RECOGNISED, SECOND_RECOGNISED, CASCADES)
TOLD = (*JUDGES, DIVERSITY, CLOSE, KID, SECOND_KID)
CONFIG = CompareConfig(samples=500, second_judge=500, faces=500, device="cpu")


def measure(study: Path, config: CompareConfig = CONFIG, **judges: Any) -> None:
    """Let the judges see every arm that has a run, and keep what they say in STUDY/measured.

    Args:
        study: As `benchmarks/study.py` describes it.
        config: How many samples, and on what.
        **judges: `extractor`, `second` and `cascades` of `compare_runs`, where not the usual ones.
    """
    judges.setdefault("cascades", CascadeFinder())
    arms = arms_of(study)
    finished = _linked(study, arms)
    groups: dict[str, list[Path | str]] = {}
    for recipe in RECIPES:
        groups[recipe] = [f"{recipe}-{data}" for data in CLEANED if f"{recipe}-{data}" in arms]
    groups["recipes"] = [f"{name}-{FACE_CROP}" for name in RECIPES if f"{name}-{FACE_CROP}" in arms]
    for peer in PEERS:
        groups[peer] = [folder for _, folder, _ in marks_of(study, peer)]
    against = next((run for run in arms.get(f"projected-{FACE_CROP}", ())), None)
    for name, members in groups.items():
        if not members or (name in PEERS and against is None):
            continue
        yardstick = str(against.folder) if name in PEERS and against else None
        compared = compare_runs(
            members,
            dataclasses.replace(config, against=yardstick),
            runs=finished,
            cache=study / "features",
            progress=print,
            **judges,
        )
        place = study / "measured" / f"{name}.json"
        place.write_text(json.dumps(to_json(compared), indent=1), encoding="utf-8")
        print(name, compared.headline, flush=True)


def _linked(study: Path, arms: Mapping[str, Sequence[Run]]) -> Path:
    """A folder with links to the finished runs: an arm's name stands for all that lie beside."""
    folder = study / "measured" / "runs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for run in (run for runs in arms.values() for run in runs):
        (folder / run.name).symlink_to(run.folder.resolve())
    return folder


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What `catgan compare` said of some arms."""

    document: Json
    """As its `--json` has it."""

    @classmethod
    def read(cls, study: Path, name: str) -> "Measured | None":
        """None where nothing of that name was measured."""
        path = study / "measured" / f"{name}.json"
        if not path.is_file():
            return None
        return cls(document=json.loads(path.read_text(encoding="utf-8")))

    @property
    def arms(self) -> list[str]:
        """Their names."""
        return [arm["name"] for arm in self.document["arms"]]

    def row(self, key: str) -> Json:
        """A row of its table."""
        found: Json = next(row for row in self.document["rows"] if row["key"] == key)
        return found

    def place(self, data: str) -> int | None:
        """Which arm is the one of a data set."""
        names = [re.sub(r"-s\d+$", "", arm) for arm in self.arms]
        found = [index for index, name in enumerate(names) if name.partition("-")[2] == data]
        return found[0] if found else None

    def cell(self, quantity: Quantity[Any], data: str, *, real: bool = False) -> Json | None:
        """A number of a data set's arm, or of its real images; None without such an arm."""
        place = self.place(data)
        if place is None:
            return None
        found: Json = self.row(f"{quantity.key}_real" if real else quantity.key)["cells"][place]
        return found

    def differences(self, quantity: Quantity[Any], before: str, after: str) -> Iterator[Json]:
        """By how much the arm of one data set lies above that of another, where both are."""
        places = self.place(before), self.place(after)
        if None in places:
            return
        first, second = (self.arms[place] for place in places if place is not None)
        for one in self.row(quantity.key)["differences"]:
            if (one["first"], one["second"]) == (second, first):
                yield one
            elif (one["first"], one["second"]) == (first, second):
                yield one | {
                    "value": -one["value"], "low": -one["high"], "high": -one["low"]
                }  # fmt: skip

    def runs(self, arm: str) -> int:
        """How many runs an arm has."""
        return next(len(one["runs"]) for one in self.document["arms"] if one["name"] == arm)

    def table(self) -> str:
        """A row for each number, a column for each arm; real images beside, and the verdict."""
        lines = [
            f"| | {' | '.join(self.headings())} | between them |",
            f"| --- |{' --- |' * (len(self.arms) + 1)}",
        ]
        keys = {row["key"] for row in self.document["rows"]}
        for one in TOLD:
            row = self.row(one.key)
            cells = [cell["text"] for cell in row["cells"]]
            if f"{one.key}_real" in keys:
                real = self.row(f"{one.key}_real")["cells"]
                cells = [
                    f"{cell}; real {other['number'] or other['text']}"
                    for cell, other in zip(cells, real, strict=True)
                ]
            lines.append(f"| {row['label']} | {' | '.join(cells)} | {row['verdict']} |")
        return "\n".join(lines)

    def headings(self) -> list[str]:
        """The arms, and how many seeds each has."""
        names = []
        for arm in self.arms:
            seeds = self.runs(arm)
            names.append(f"`{arm.removesuffix('-s0')}`, {seeds} seed{'s' * (seeds != 1)}")
        return names

    def brought(self) -> str:
        """What filter and crop brought, a row for each step."""
        rows = [
            f"| {step['what']} (`{step['before']}` to `{step['after']}`) "
            f"| {_difference(step['numbers'].get(RECOGNISED.key), RECOGNISED.key)} "
            f"| {_difference(step['numbers'].get(DIVERSITY.key), DIVERSITY.key)} |"
            for step in self.document["brought"]
        ]
        if not rows:
            return "Not run: there is one data set only."
        head = ["| | recognised as a cat | diversity |", "| --- | --- | --- |"]
        return "\n".join([*head, *rows])


def _difference(found: Json | None, key: str) -> str:
    if found is None:
        return "not measured"
    value, low, high = (found[name] for name in ("value", "low", "high"))
    if key == DIVERSITY.key:
        return f"{value:+.2f} ({low:+.2f} to {high:+.2f})"
    return f"{100 * value:+.0f} points ({100 * low:+.0f} to {100 * high:+.0f})"
