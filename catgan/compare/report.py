"""The comparison as one HTML file that opens from disk, with nothing to load from anywhere."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from catgan import __version__
from catgan.compare.arm import Arm, one_yardstick
from catgan.compare.charts import (
    Chart,
    arm_charts,
    colour_of,
    evaluation_charts,
    last_epoch,
    lost_since,
    tell,
)
from catgan.compare.comparison import Comparison
from catgan.compare.grids import Moment, Still
from catgan.compare.guesses import kinds
from catgan.compare.rows import OUTCOME, PICTURES, YARDSTICK
from catgan.core.files import write_bytes
from catgan.core.pages import data_uri, page_environment


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


def write_report(comparison: Comparison, path: Path) -> None:
    """Write the report, whole or not at all.

    Raises:
        DiskFull: There is no room for it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, render(comparison).encode())


def render(comparison: Comparison) -> str:
    """The report as HTML: style, script, pictures and charts inside it."""
    # imported here: who only wants the numbers does not need it
    from plotly.offline import get_plotlyjs

    environment = page_environment("catgan.compare")
    environment.filters["data_uri"] = still_uri
    environment.filters["script_json"] = script_json
    environment.filters["colour"] = colour_of
    arms = comparison.arms
    by_arm = arm_charts(arms)
    across = evaluation_charts(arms, one_yardstick=one_yardstick(arms))
    drawn = [chart for charts in by_arm for chart in charts] + across
    rows = comparison.rows()
    return environment.get_template("report.html.j2").render(
        version=__version__,
        comparison=comparison,
        arms=arms,
        title=" · ".join(arm.label for arm in arms),
        rows={row.key: row for row in rows},
        parts=[
            (part, [row for row in rows if row.part == part])
            for part in (OUTCOME, YARDSTICK, PICTURES)
        ],
        moments=_moments(arms),
        epochs=_epochs(arms),
        marks=_marks(arms),
        frames=[_frames(arm) for arm in arms],
        told=[tell(arm.shown) for arm in arms],
        charts=_by_kind(arms, by_arm),
        across=across,
        specs={chart.key: chart.spec for chart in drawn},
        plotly=get_plotlyjs().replace("</script", r"<\/script") if drawn else "",
        steps=comparison.steps(),
        guesses=comparison.guesses(),
        kinds=kinds(arms),
        notes=comparison.notes(),
        differing=comparison.differing_settings(),
        equal=comparison.equal_settings(),
    )


def _moments(arms: tuple[Arm, ...]) -> list[dict[str, Any]]:
    """Early, best and last, each with the grid of every arm (None where there is none)."""
    trained = [(index, arm, arm.shown.album) for index, arm in enumerate(arms) if arm.is_run]
    if not trained:
        return []
    best = [arm.shown.source.best for _, arm, _ in trained]
    rows: list[tuple[str, list[Moment | None]]] = [
        ("early", [album.early if album else None for _, _, album in trained])
    ]
    if any(best):
        name = "best" if all(best) else "measured"
        rows.append((name, [album.measured if album else None for _, _, album in trained]))
    latest = [album.latest if album else None for _, _, album in trained]
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


def _epochs(arms: tuple[Arm, ...]) -> list[int]:
    """Every epoch that the slider stops at: those told of, and those of the sample grids."""
    told = {epoch for arm in arms for epoch in tell(arm.shown)["epoch"]}
    shown = {moment.epoch for arm in arms for moment in _through_time(arm)}
    return sorted(told | shown)


def _marks(arms: tuple[Arm, ...]) -> list[Mark]:
    """The epoch of each arm that was measured, and that at which it lost its balance."""
    last = last_epoch(arms)
    marks = []
    for index, arm in enumerate(arms):
        run = arm.shown
        if run.epoch is not None and (run.source.best or run.epoch < last):
            which = "best" if run.source.best else "last"
            marks.append(Mark(arm=index, words=f"{arm.label}: {which}", epoch=run.epoch))
        lost = lost_since(run)
        if lost is not None:
            marks.append(Mark(arm=index, words=f"{arm.label}: balance lost", epoch=lost))
    return marks


def _by_kind(arms: tuple[Arm, ...], charts: list[list[Chart]]) -> list[Any]:
    """The same chart of all arms side by side; None for an arm without."""
    kinds = max((len(own) for own in charts), default=0)
    return [
        [
            (arm, own[kind] if own else None)
            for arm, own in zip(arms, charts, strict=True)
            if arm.is_run
        ]
        for kind in range(kinds)
    ]


def _through_time(arm: Arm) -> tuple[Moment, ...]:
    return arm.shown.album.through_time if arm.shown.album is not None else ()


def _frames(arm: Arm) -> list[Frame]:
    return [Frame(epoch=moment.epoch, src=still_uri(moment.still)) for moment in _through_time(arm)]


def still_uri(still: Still) -> str:
    """A picture inside the page."""
    return data_uri("jpeg", still.jpeg)


def script_json(value: Any) -> str:
    """JSON that may stand inside a script element: no text in it can end the element."""

    def plain(item: Any) -> Any:
        return dataclasses.asdict(item)

    text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=plain)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
