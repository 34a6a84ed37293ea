"""The comparison as one HTML file that opens from disk, with nothing to load from anywhere."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from catgan import __version__
from catgan.compare.arm import Arm
from catgan.compare.charts import Chart, arm_charts, evaluation_charts
from catgan.compare.grids import Moment, Still
from catgan.compare.summary import Comparison
from catgan.core.files import write_bytes
from catgan.core.pages import data_uri, page_environment


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What one run shows at one epoch, for the page's slider."""

    epoch: int
    """Complete epochs."""
    src: str
    """The picture as a data URI."""


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
    arms = comparison.arms
    one_yardstick = comparison.one_yardstick()
    by_arm = arm_charts(arms)
    across = evaluation_charts(arms, one_yardstick=one_yardstick)
    drawn = [chart for charts in by_arm for chart in charts] + across
    rows = {row.key: row for row in comparison.rows()}
    return environment.get_template("report.html.j2").render(
        version=__version__,
        comparison=comparison,
        arms=arms,
        title=" · ".join(arm.label for arm in arms),
        rows=rows,
        moments=_moments(arms),
        epochs=sorted({moment.epoch for arm in arms for moment in arm.album.through_time}),
        frames=[_frames(arm.album.through_time) for arm in arms],
        charts=_by_kind(arms, by_arm),
        across=across,
        specs={chart.key: chart.spec for chart in drawn},
        plotly=get_plotlyjs().replace("</script", r"<\/script") if drawn else "",
        notes=comparison.notes(),
        differing=comparison.differing_settings(),
        equal=comparison.equal_settings(),
    )


def _moments(arms: tuple[Arm, ...]) -> list[dict[str, Any]]:
    """Early, best and last, each with the grid of every run (None where there is none)."""
    rows: list[tuple[str, list[Moment | None]]] = [("early", [arm.album.early for arm in arms])]
    if any(arm.source.best for arm in arms):
        name = "best" if all(arm.source.best for arm in arms) else "measured"
        rows.append((name, [arm.album.measured for arm in arms]))
    rows.append(("last", [arm.album.latest for arm in arms]))
    return [{"name": name, "moments": list(zip(arms, found, strict=True))} for name, found in rows]


def _by_kind(arms: tuple[Arm, ...], charts: list[list[Chart]]) -> list[Any]:
    """The same chart of all runs side by side; None for a run without."""
    kinds = max((len(own) for own in charts), default=0)
    return [
        [(arm, own[kind] if own else None) for arm, own in zip(arms, charts, strict=True)]
        for kind in range(kinds)
    ]


def _frames(moments: tuple[Moment, ...]) -> list[Frame]:
    return [Frame(epoch=moment.epoch, src=still_uri(moment.still)) for moment in moments]


def still_uri(still: Still) -> str:
    """A picture inside the page."""
    return data_uri("jpeg", still.jpeg)


def script_json(value: Any) -> str:
    """JSON that may stand inside a script element: no text in it can end the element."""

    def plain(item: Any) -> Any:
        return dataclasses.asdict(item)

    text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=plain)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
