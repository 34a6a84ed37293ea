"""What the runs of `benchmarks/study.py` show: the judges' numbers, and the page `docs/results.md`.

What is said of two arms is `catgan compare`'s own verdict, so the page claims no more than a user
would be told of the same runs. What was not run stands there as that.
"""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from jinja2 import Template
from PIL import Image, ImageDraw, ImageFont

from benchmarks.plots import Line, write_lines
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
from catgan.compare.report.records import to_json
from catgan.core.files import Json
from catgan.core.pictures import Picture, Pictures, sheet
from catgan.curate.finder import CascadeFinder
from catgan.formats.datasets import FACE_CROP, FULL_BODY, FULL_BODY_KEPT
from catgan.formats.runs import Run, find_runs
from catgan.model.checkpoint import load_generator
from catgan.model.sample import draw_latents, sample_images
from catgan.train.best import best_of

TEMPLATE = Path(__file__).with_name("results.md.jinja")
CLEANED = (FULL_BODY, FULL_BODY_KEPT, FACE_CROP)
RECIPES = ("article", "balanced", "projected")
JUDGES = (RECOGNISED, SECOND_RECOGNISED, CASCADES)
TOLD = (*JUDGES, DIVERSITY, CLOSE, KID, SECOND_KID)
SAMPLES, SECOND = 500, 500
SEED = 4_000_001  # of the samples shown, chosen before any was seen
COLUMNS, ROWS = 6, 4
PEERS = {
    "dcgan-example": "PyTorch's DCGAN example, batch 64",
    "diffusion": "a small diffusion model (denoising-diffusion-pytorch)",
}


def measure(study: Path) -> None:
    """Let the judges see every arm that has a run, and keep what they say in STUDY/measured."""
    arms = arms_of(study)
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
        config = CompareConfig(
            samples=SAMPLES,
            second_judge=SECOND,
            faces=SAMPLES,
            device="cpu",
            against=str(against.folder) if name in PEERS and against else None,
        )
        compared = compare_runs(
            members,
            config,
            runs=study / "runs",
            cascades=CascadeFinder(),
            cache=study / "features",
            progress=print,
        )
        place = study / "measured" / f"{name}.json"
        place.parent.mkdir(exist_ok=True)
        place.write_text(json.dumps(to_json(compared), indent=1), encoding="utf-8")
        print(name, compared.headline, flush=True)


def arms_of(study: Path) -> dict[str, list[Run]]:
    """The finished runs of each arm."""
    arms: dict[str, list[Run]] = {}
    for run in find_runs(study / "runs"):
        config = run.read_config()
        if config is not None and config.finished:
            arms.setdefault(run.name.rpartition("-s")[0], []).append(run)
    return arms


def marks_of(study: Path, peer: str) -> Iterator[tuple[float, Path, int]]:
    """Minutes, samples, and images shown by then, of another program's run."""
    folder = study / "peers" / peer
    if (folder / "marks.jsonl").is_file():
        for line in (folder / "marks.jsonl").read_text(encoding="utf-8").splitlines():
            mark = json.loads(line)
            yield mark["minutes"], folder / f"{mark['minutes']:g}", mark["images_shown"]


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
            names.append(f"`{arm}`, {seeds} seed{'s' * (seeds != 1)}")
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


def curves(study: Path, picture: Path) -> None:
    """KID over images shown, every run a line."""
    lines = [
        Line(
            label=arm.replace("-", " ", 1),
            points=[(one.images_shown / 1000, one.kid) for one in run.read_stats() if one.kid],
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
            per_image = taken[run.name] / stats[-1].images_shown
            points = [(one.images_shown * per_image / 60, one.kid) for one in stats if one.kid]
            lines.append(Line(label=f"catgan, {recipe}", points=points))
    for peer, what in PEERS.items():
        measured = Measured.read(study, peer)
        if measured is None:
            continue
        marks = list(marks_of(study, peer))
        kids = [cell["value"] for cell in measured.row(KID.key)["cells"]]
        label = what.partition(" (")[0].partition(",")[0]
        points = [(mark[0], kid) for mark, kid in zip(marks, kids, strict=True)]
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
    """Processor time that each run took, measuring included."""
    path = study / "processor-time.jsonl"
    if not path.is_file():
        return {}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    taken: dict[str, float] = {}
    for line in lines:
        taken[line["run"]] = taken.get(line["run"], 0.0) + line["seconds"]
    return taken


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


def lead_picture(study: Path, path: Path) -> None:
    """Whole bodies above face crops: `article` at its best and its end, the default at its end."""
    rows = []
    for data, what in ((FULL_BODY, "whole bodies"), (FACE_CROP, "face crops")):
        panels = []
        for recipe, which in (("article", "best"), ("article", "end"), ("projected", "end")):
            run = next(iter(arms_of(study).get(f"{recipe}-{data}", ())), None)
            if run is None:
                continue
            checkpoint = run.best if which == "best" and run.best.is_file() else run.last
            epoch, pictures = samples_of(checkpoint)
            name = "plain DCGAN" if recipe == "article" else "catgan's default"
            at = "its best" if which == "best" else "its end"
            title = f"{what}, {name}, {at} (epoch {epoch})"
            panels.append(titled(sheet(pictures, columns=COLUMNS), title))
        if panels:
            rows.append(_beside(panels))
    width = max(row.shape[1] for row in rows)
    rows = [np.pad(r, ((0, 0), (0, width - r.shape[1]), (0, 0)), constant_values=255) for r in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(rows)).save(path, quality=88, optimize=True)


def samples_of(checkpoint: Path) -> tuple[int, Pictures]:
    """The epoch of a checkpoint, and its samples: always the same latents."""
    generator, state = load_generator(checkpoint)
    generator.eval()
    latents = draw_latents(COLUMNS * ROWS, generator.latent_dim, SEED)
    return int(state["epoch"]), sample_images(generator, latents)


def titled(picture: Picture, title: str) -> Picture:
    """A picture with a line above it, black on white."""
    height, width = picture.shape[:2]
    canvas = Image.new("RGB", (width + 8, height + 30), "white")
    canvas.paste(Image.fromarray(picture), (4, 26))
    font = ImageFont.load_default(14)
    ImageDraw.Draw(canvas).text((4, 5), title, fill="black", font=font)
    return np.asarray(canvas)


def _beside(pictures: Sequence[Picture]) -> Picture:
    return np.concatenate(pictures, axis=1)


def write_page(study: Path, page: Path) -> None:
    """Write the page, and its pictures into the folder `pictures` beside it."""
    pictures = page.parent / "pictures"
    lead_picture(study, pictures / "study.jpg")
    curves(study, pictures / "study-kid.svg")
    measured = {
        name: found for name in RECIPES[::-1] if (found := Measured.read(study, name)) is not None
    }
    recipes = Measured.read(study, "recipes")
    text = Template(TEMPLATE.read_text(encoding="utf-8"), trim_blocks=True).render(
        runs=_runs(study),
        left=_left(study),
        measured=measured,
        recipes=recipes if recipes is not None and len(recipes.arms) > 1 else None,
        losses=loss_table(study),
        peers=against_time(study, pictures / "study-time.svg"),
    )
    page.write_text(text.rstrip() + "\n", encoding="utf-8")


def _runs(study: Path) -> str:
    rows = ["| recipe | data set | seeds | thousand images each |", "| --- | --- | --- | --- |"]
    for arm, runs in arms_of(study).items():
        recipe, _, data = arm.partition("-")
        shown = sorted({run.read_stats()[-1].images_shown / 1000 for run in runs})
        kimg = ", ".join(f"{one:g}" for one in shown)
        rows.append(f"| `{recipe}` | `{data}` | {len(runs)} | {kimg} |")
    return "\n".join(rows)


def _left(study: Path) -> str:
    """What the plan asks for and nobody ran."""
    arms = arms_of(study)
    wanted = [f"{recipe}-{data}" for recipe in reversed(RECIPES) for data in CLEANED]
    left = [
        f"`{arm}` ({3 - len(arms.get(arm, ()))} of 3 seeds)"
        for arm in wanted
        if len(arms.get(arm, ())) < 3
    ]
    left.append("1,000 epochs of `projected` on `face-crop`")
    return f"Not run: {', '.join(left)}."
