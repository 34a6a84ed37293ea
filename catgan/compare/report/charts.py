"""The curves of training as plotly specifications: plain values, drawn by the page itself.

Every arm has a colour of its own throughout the page; what the lines of one arm are is said by
their dashes, and by words.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from catgan.compare.measured.arm import Arm, one_reference
from catgan.compare.measured.run import MeasuredRun
from catgan.compare.quantities.catalogue import RECOGNISED
from catgan.compare.quantities.quantity import Found
from catgan.core import words
from catgan.core.files import Json
from catgan.core.pictures import spread_evenly
from catgan.formats.stats import HEALTHY, EpochStats
from catgan.measure.statistics.intervals import Z95

T = TypeVar("T")

POINTS = 800  # of a curve, at most: more than there are pixels to tell them apart
# Told apart by people who see colours differently, and legible on white and on near black.
COLOURS = ("#2b7bd0", "#d4660a", "#12937a", "#b257ab", "#86851c", "#d0475a")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
TINT = "rgba(200,90,30,0.13)"
FAINT = 0.32  # of other runs of an arm
LARGE, SMALL = 10, 4  # dots at the epoch that was measured, and elsewhere

# fields of `EpochStats`, and what their lines are called
LOSSES = (
    ("loss_g", "generator"),
    ("loss_d", "discriminator"),
)
PROBABILITIES = (
    ("d_real", "real, D(x)"),
    ("d_fake", "samples before, D(G(z))"),
    ("d_fake_after", "samples after, D(G(z))"),
)
TOLD = ("loss_g", "loss_d", "d_real", "d_fake", "kid", "recognised")  # beside the slider


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart."""

    key: str
    """A name of its own on the page."""
    title: str
    """What stands above it."""
    words: str
    """What it shows, for those who do not see it."""
    caption: str
    """What its marks mean, for those who do; "" where there is nothing to say."""
    spec: Json
    """Plotly's `data` and `layout`."""


def colour_of(index: int) -> str:
    """The colour of an arm on the whole page.

    Args:
        index: Its place among the arms.
    """
    return COLOURS[index % len(COLOURS)]


def arm_charts(arms: Sequence[Arm]) -> list[list[Chart]]:
    """The losses and probabilities of each arm, on the same scale in all of them.

    Returns:
        A list an arm; empty where training wrote nothing down yet.
    """
    losses = [
        value
        for arm in arms
        for run in arm.runs
        for key, _ in LOSSES
        for value in _column(run.stats, key)
        if value is not None
    ]
    top = max(losses, default=1.0) * 1.05
    bottom = min(0.0, min(losses, default=0.0) * 1.05)
    last = last_epoch(arms)
    return [
        [
            _curves(
                arm,
                index,
                key=f"loss-{index}",
                title="losses",
                lines=LOSSES,
                span=(bottom, top or 1.0),
                last=last,
                axis="loss",
            ),
            _curves(
                arm,
                index,
                key=f"probability-{index}",
                title="what the discriminator predicts",
                lines=PROBABILITIES,
                span=(0.0, 1.0),
                last=last,
                axis="judged real, 0 to 1",
                meaning="Before and after: the discriminator's update.",
            ),
        ]
        if arm.shown.stats
        else []
        for index, arm in enumerate(arms)
    ]


def evaluation_charts(arms: Sequence[Arm]) -> list[Chart]:
    """What training measured of itself as it went: recognised rate and KID, all arms in one chart.

    Returns:
        Only those that there are values for.
    """
    charts = []
    if any(_known(run, "recognised") for arm in arms for run in arm.runs):
        charts.append(
            _across(
                arms,
                key="recognised",
                title="Samples recognised as a cat",
                axis="share of samples",
                span=(0.0, 1.0),
                level=_recognised_real,
                meaning="Level lines: the same for real images.",
            )
        )
    if any(_known(run, "kid") for arm in arms for run in arm.runs):
        warning = "" if one_reference(arms) else " (each arm's own)"
        charts.append(
            _across(
                arms,
                key="kid",
                title=f"KID: distance from real images{warning}",
                axis="KID",
                span=None,
                error="kid_error",
            )
        )
    return charts


def tell(run: MeasuredRun) -> Json:
    """What training wrote down, as the slider tells it: columns, at most 800 epochs of them.

    `balance` is in words, and `lost` says whether it is anything but healthy; both are null where
    training said nothing.
    """
    stats = _thinned(run.stats)
    columns: Json = {"epoch": [record.epoch for record in stats]}
    for key in TOLD:
        columns[key] = _column(stats, key)
    columns["balance"] = [_words(record) or None for record in stats]
    columns["lost"] = [
        None if record.balance is None else record.balance != HEALTHY for record in stats
    ]
    return columns


def lost_since(run: MeasuredRun) -> int | None:
    """The epoch since which training called itself out of balance for good; None if it did not."""
    stretches = _stretches(run)
    if not stretches or stretches[-1][1] is not None:
        return None
    return stretches[-1][0]


def last_epoch(arms: Sequence[Arm]) -> int:
    """The last epoch of any run."""
    return max((run.stats[-1].epoch for arm in arms for run in arm.runs if run.stats), default=1)


def _recognised_real(arm: Arm) -> float | None:
    found = arm.real.found[RECOGNISED.key]
    return found.number.number if isinstance(found, Found) else None


def _curves(
    arm: Arm,
    index: int,
    *,
    key: str,
    title: str,
    lines: Sequence[tuple[str, str]],
    span: tuple[float, float],
    last: int,
    axis: str,
    meaning: str = "",
) -> Chart:
    data: list[Json] = []
    parts = []
    for run in arm.runs:
        # every k-th point and the last one; a curve of this length has no single spikes to lose
        stats = _thinned(run.stats)
        for (name, label), dash in zip(lines, DASHES, strict=False):
            known = [value for value in _column(run.stats, name) if value is not None]
            if not known:
                continue
            x, y = [record.epoch for record in stats], _column(stats, name)
            line = _line(x, y, label, colour_of(index), dash, faint=run is not arm.shown)
            if run is arm.shown:
                data.append(line)
                parts.append(f"{label} from {known[0]:.2f} to {known[-1]:.2f}")
            else:
                data.insert(0, line)  # below the run that is shown
    shapes, annotations = _marks(arm.shown, last)
    notes = [meaning] if meaning else []
    if arm.shown.epoch is not None:
        notes.append(f"Dotted line: epoch {arm.shown.epoch}, the one measured.")
    if any(shape["type"] == "rect" for shape in shapes):
        notes.append("Tinted: out of balance.")
    told = [said for record in arm.shown.stats if (said := _words(record))]
    if told:
        notes.append(f"Balance at the end of training: {told[-1]}.")
    if len(arm.runs) > 1:
        notes.append("Faint: its other runs.")
    return _chart(
        key,
        f"{arm.label}: {title}",
        parts,
        notes,
        {"data": data, "layout": _layout(axis, last, span, shapes, annotations)},
    )


def _across(
    arms: Sequence[Arm],
    *,
    key: str,
    title: str,
    axis: str,
    span: tuple[float, float] | None,
    error: str | None = None,
    level: Callable[[Arm], float | None] | None = None,
    meaning: str = "",
) -> Chart:
    data: list[Json] = []
    parts = []
    shapes: list[Json] = []
    for index, arm in enumerate(arms):
        drawn = False
        for run in arm.runs:
            points = _known(run, key)
            if not points:
                continue
            x, values = [record.epoch for record in points], _column(points, key)
            dash = DASHES[index % len(DASHES)]
            line = _line(x, values, arm.label, colour_of(index), dash, faint=drawn)
            line["mode"] = "lines+markers"
            line["cliponaxis"] = False  # a dot at 0 is as round as any other
            line["marker"] = {"size": [LARGE if epoch == run.epoch else SMALL for epoch in x]}
            errors = [one for one in _column(points, error or key) if one is not None]
            if error and not drawn and len(errors) == len(points):
                line["error_y"] = {
                    "type": "data",
                    "array": [_round(Z95 * one) for one in errors],
                    "thickness": 1,
                    "width": 4,  # ends that show beside the upright line of the slider
                }
            data.append(line)
            known = [value for value in values if value is not None]
            parts.append(
                f"{run.candidate.name}: between {min(known):.3g} and {max(known):.3g}, "
                f"{known[-1]:.3g} at epoch {x[-1]}"
            )
            drawn = True
        ceiling = level(arm) if level is not None and drawn else None
        if ceiling is not None:
            shapes.append(_level(ceiling, colour_of(index)))
    notes = [meaning] if meaning else []
    if any("error_y" in line for line in data):
        notes.append("Bars: 95% confidence intervals.")
    if any(LARGE in line["marker"]["size"] for line in data):
        notes.append("Large dots: the epochs that were measured.")
    if any(line.get("showlegend") is False for line in data):
        notes.append("Faint: other runs of an arm.")
    layout = _layout(axis, last_epoch(arms), span, shapes, [])
    return _chart(key, title, parts, notes, {"data": data, "layout": layout})


def _chart(key: str, title: str, parts: list[str], notes: list[str], spec: Json) -> Chart:
    caption = " ".join(notes)
    told = f"{'; '.join(parts)}. {caption}".strip()
    return Chart(key=key, title=title, words=told, caption=caption, spec=spec)


def _line(
    x: list[int], y: list[float | None], name: str, colour: str, dash: str, *, faint: bool
) -> Json:
    line: Json = {
        "type": "scatter",
        "mode": "lines+markers" if len(x) == 1 else "lines",
        "name": name,
        "x": x,
        "y": y,
        "line": {"color": colour, "dash": dash, "width": 1.2 if faint else 2},
    }
    if faint:
        line |= {"opacity": FAINT, "showlegend": False, "hoverinfo": "skip"}
    return line


def _layout(
    axis: str,
    last: int,
    span: tuple[float, float] | None,
    shapes: list[Json],
    annotations: list[Json],
) -> Json:
    vertical: Json = {"title": {"text": axis}, "automargin": True}
    if span is not None:
        vertical["range"] = [_round(span[0]), _round(span[1])]
    return {
        "height": 300,
        "margin": {"l": 50, "r": 10, "t": 12, "b": 42},
        "xaxis": {"title": {"text": "epoch"}, "range": [0, max(1, last) * 1.02]},
        "yaxis": vertical,
        # above the chart: a long name never squeezes it on a phone, nor covers the axis
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "hovermode": "x unified",
        "dragmode": False,
        "showlegend": True,
        "shapes": shapes,
        "annotations": annotations,
    }


def _marks(run: MeasuredRun, last: int) -> tuple[list[Json], list[Json]]:
    """The epoch that was measured, and the stretches out of balance: shapes, and words on them."""
    upright: Json = {"yref": "paper", "y0": 0, "y1": 1}
    shapes: list[Json] = []
    annotations: list[Json] = []
    if run.epoch is not None:
        dotted = {"color": "#8a8a8a", "width": 1.2, "dash": "dot"}
        shapes.append({"type": "line", "x0": run.epoch, "x1": run.epoch, **upright, "line": dotted})
        annotations.append(_annotation(run.epoch, run.candidate.which, last, top=True))
    for start, end in _stretches(run):
        until = run.stats[-1].epoch if end is None else end
        shapes.append(
            {
                "type": "rect",
                "x0": start,
                "x1": max(until, start + 0.5),
                **upright,
                "fillcolor": TINT,
                "line": {"width": 0},
                "layer": "below",
            }
        )
    lost = lost_since(run)
    if lost is not None:
        annotations.append(_annotation(lost, "out of balance", last, top=False))
    return shapes, annotations


def _annotation(epoch: int, text: str, last: int, *, top: bool) -> Json:
    late = epoch > 0.7 * last  # no room to its right
    return {
        "x": epoch,
        "y": 1 if top else 0,
        "yref": "paper",
        "xanchor": "right" if late else "left",
        "yanchor": "top" if top else "bottom",
        "text": text,
        "showarrow": False,
        "font": {"size": 11},
        "xshift": -2 if late else 2,
    }


def _level(value: float, colour: str) -> Json:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": _round(value),
        "y1": _round(value),
        "line": {"color": colour, "width": 1, "dash": "dot"},
        "layer": "below",
    }


def _stretches(run: MeasuredRun) -> list[tuple[int, int | None]]:
    """The stretches of epochs that training itself called out of balance; the last may not end."""
    stretches: list[tuple[int, int | None]] = []
    started: int | None = None
    for record in run.stats:
        if record.balance is None:
            continue  # not evaluated in this epoch: as before
        if record.balance == HEALTHY:
            if started is not None:
                stretches.append((started, record.epoch))
            started = None
        elif started is None:
            started = record.epoch
    if started is not None:
        stretches.append((started, None))
    return stretches


def _words(record: EpochStats) -> str:
    return words.balance(record.balance, record.since)


def _known(run: MeasuredRun, key: str) -> list[EpochStats]:
    return [record for record in run.stats if _number(getattr(record, key)) is not None]


def _column(stats: Sequence[EpochStats], key: str) -> list[float | None]:
    return [_number(getattr(record, key)) for record in stats]


def _number(value: Any) -> float | None:
    """A finite number, or None: JSON has no others, and a loss may have run off."""
    return None if value is None or not math.isfinite(value) else _round(float(value))


def _thinned(items: Sequence[T]) -> list[T]:
    return [items[place] for place in spread_evenly(len(items), POINTS)] if items else []


def _round(value: float) -> float:
    return float(f"{value:.5g}")
