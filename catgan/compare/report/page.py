"""The comparison as one HTML file that opens from disk, with nothing to load from anywhere."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from catgan.compare.comparison import Comparison
from catgan.compare.differences.guesses import kinds
from catgan.compare.measured.arm import Arm
from catgan.compare.quantities.quantity import OUTCOME, REAL, REFERENCE
from catgan.compare.report.charts import (
    Chart,
    arm_charts,
    colour_of,
    evaluation_charts,
    last_epoch,
    lost_since,
    tell,
)
from catgan.compare.report.grids import RunGrids, SampleGrid, grids_of
from catgan.compare.report.pictures import Still, pairs_still, sheet_of, still, tiles_for
from catgan.compare.report.settings import differing_settings, equal_settings
from catgan.compare.report.table import beware_of, too_brief
from catgan.core.files import AnyPath, Json, write_text
from catgan.core.pages import page_environment
from catgan.core.words import count

MEAN_QUALITY = 92  # of the average image, which has no detail to hide JPEG's behind


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ArmPictures:
    """All pictures of one arm on the page."""

    drawn: tuple[Still, ...]
    """A sheet a run of the samples that were measured, the first ones; none without photos where
    they are a folder of images."""
    real: Still | None
    """A sheet of images trained on; None without photos, likewise the next three."""
    mean: Still | None
    """Their average."""
    first_pairs: Still | None
    """The first samples, above the training image that each is most like."""
    closest_pairs: Still | None
    """Likewise the samples that are most like a training image."""
    grids: RunGrids
    """The sample grids of the run that is shown."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What one arm shows at one epoch, for the page's slider."""

    epoch: int
    """Complete epochs."""
    src: str
    """The picture as a data URI."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An epoch worth a look, for a button that goes there."""

    arm: int
    """Which arm's it is."""
    words: str
    """What is there to see."""
    epoch: int
    """When."""


def write_report(comparison: Comparison, path: AnyPath, *, photos: bool = True) -> None:
    """Write the report, whole or not at all.

    Args:
        comparison: What it is about.
        path: The file.
        photos: See `render`.

    Raises:
        DiskFull: There is no room for it.
    """
    write_text(Path(path), render(comparison, photos=photos))


def render(comparison: Comparison, *, photos: bool = True) -> str:
    """The report as HTML: style, script, pictures and charts inside it.

    Args:
        comparison: What it is about.
        photos: Whether it may show images that a person's photos can be seen in. Without them it
            has those that a run generated, and figures: no image of a data set, no average of
            them, and nothing of a folder that was named in the place of a run.
    """
    # imported here: who only wants the numbers does not need it
    from plotly.offline import get_plotlyjs

    environment = page_environment("catgan.compare.report", "compare")
    environment.filters["script_json"] = script_json
    environment.filters["colour"] = colour_of
    environment.filters["count"] = count
    arms, rows = comparison.arms, comparison.rows
    pictures = [_pictures(arm, len(arms), photos=photos) for arm in arms]
    grids = [one.grids for one in pictures]
    told = [tell(arm.shown) for arm in arms]
    by_arm, across = arm_charts(arms), evaluation_charts(arms)
    charts = [chart for own in by_arm for chart in own] + across
    return environment.get_template("report.html.j2").render(
        comparison=comparison,
        brief=too_brief(comparison),
        beware=beware_of(comparison),
        photos=photos,
        arms=arms,
        title=" · ".join(arm.label for arm in arms),
        rows={row.key: row for row in rows},
        parts=[
            (part, [row for row in rows if row.part == part]) for part in (OUTCOME, REFERENCE, REAL)
        ],
        pictures=pictures,
        moments=_moments(arms, grids),
        epochs=_epochs(told, grids),
        marks=_marks(arms),
        frames=[_frames(own) for own in grids],
        told=told,
        charts=_by_kind(arms, by_arm),
        across=across,
        specs={chart.key: chart.spec for chart in charts},
        plotly=get_plotlyjs().replace("</script", r"<\/script") if charts else "",
        kinds=kinds(arms),
        differing=differing_settings(arms),
        equal=equal_settings(arms),
    )


def _pictures(arm: Arm, arms: int, *, photos: bool) -> ArmPictures:
    tiles = tiles_for(arms)
    shown = arm.runs if photos or arm.is_run else ()
    return ArmPictures(
        drawn=tuple(still(sheet_of(run.first, most=tiles)) for run in shown),
        real=still(sheet_of(arm.real.some, most=tiles)) if photos else None,
        mean=still(arm.real.mean, quality=MEAN_QUALITY) if photos else None,
        first_pairs=pairs_still(arm.shown.first_pairs) if photos else None,
        closest_pairs=pairs_still(arm.shown.closest_pairs) if photos else None,
        grids=grids_of(arm.shown, arm.real.some, arms=arms),
    )


def _moments(arms: Sequence[Arm], grids: Sequence[RunGrids]) -> list[Json]:
    """Early, best and last, each with the grid of every arm (None where there is none)."""
    trained = [
        (index, arm, own)
        for index, (arm, own) in enumerate(zip(arms, grids, strict=True))
        if arm.is_run
    ]
    if not trained:
        return []
    best = [arm.shown.candidate.which == "best" for _, arm, _ in trained]
    rows: list[tuple[str, list[SampleGrid | None]]] = [
        ("early", [own.early for *_, own in trained])
    ]
    if any(best):
        name = "best" if all(best) else "measured"
        rows.append((name, [own.measured for *_, own in trained]))
    latest = [own.latest for *_, own in trained]
    if rows[-1][1] == latest and len(rows) > 1:  # the same pictures are shown once
        rows[-1] = (f"{rows[-1][0]}, and last", latest)
    else:
        rows.append(("last", latest))
    named = [(index, arm) for index, arm, _ in trained]
    return [
        {
            "name": name,
            "measured": name not in ("early", "last"),
            "moments": list(zip(named, found, strict=True)),
        }
        for name, found in rows
    ]


def _epochs(told: Sequence[Json], grids: Sequence[RunGrids]) -> list[int]:
    """Every epoch that the slider stops at: those told of, and those of the sample grids."""
    shown = {grid.epoch for own in grids for grid in own.through_time}
    return sorted(shown.union(*(columns["epoch"] for columns in told)))


def _marks(arms: Sequence[Arm]) -> list[Mark]:
    """The epoch of each arm that was measured, and that at which it lost its balance."""
    last = last_epoch(arms)
    marks = []
    for index, arm in enumerate(arms):
        run = arm.shown
        which = run.candidate.which
        if run.epoch is not None and (which == "best" or run.epoch < last):
            marks.append(Mark(arm=index, words=f"{arm.label}: {which}", epoch=run.epoch))
        lost = lost_since(run)
        if lost is not None:
            marks.append(Mark(arm=index, words=f"{arm.label}: balance lost", epoch=lost))
    return marks


def _by_kind(arms: Sequence[Arm], charts: list[list[Chart]]) -> list[Any]:
    """The same chart of all arms side by side; None for an arm without."""
    return [
        [
            (arm, own[kind] if own else None)
            for arm, own in zip(arms, charts, strict=True)
            if arm.is_run
        ]
        for kind in range(max((len(own) for own in charts), default=0))
    ]


def _frames(grids: RunGrids) -> list[Frame]:
    return [Frame(epoch=grid.epoch, src=grid.still.uri) for grid in grids.through_time]


def script_json(value: Any) -> str:
    """JSON that may stand inside a script element: no text in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=dataclasses.asdict)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
