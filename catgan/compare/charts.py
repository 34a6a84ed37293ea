"""The curves of training as plotly specifications: plain values, drawn by the page itself."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from catgan.compare.arm import Arm
from catgan.core.files import Json

POINTS = 800  # of a curve, at most: more than there are pixels to tell them apart
# Told apart by people who see colours differently, and legible on white and on near black; dashes
# say the same once more.
COLOURS = ("#2f80d0", "#d9730d", "#159a78", "#b65fb0", "#8a8f1e", "#d1495b")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
TINT = "rgba(217,115,13,0.16)"
HEALTHY = "healthy"  # how the training's word for a good balance begins


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart."""

    key: str
    """A name of its own on the page."""
    title: str
    """What stands above it."""
    words: str
    """What it shows, for those who do not see it and those who wonder."""
    spec: Json
    """Plotly's `data` and `layout`."""


LOSSES = (
    ("loss_g", "generator"),
    ("loss_d", "discriminator"),
)
PROBABILITIES = (
    ("d_real", "real, D(x)"),
    ("d_fake", "samples before, D(G(z))"),
    ("d_fake_after", "samples after, D(G(z))"),
)


def arm_charts(arms: Sequence[Arm]) -> list[list[Chart]]:
    """The losses and probabilities of each run, on the same scale in all of them.

    Returns:
        A list a run; empty where training wrote nothing down yet.
    """
    losses = [value for arm in arms for key, _ in LOSSES for value in _column(arm, key)]
    finite = [value for value in losses if value is not None]
    top = max(finite, default=1.0) * 1.05
    bottom = min(0.0, min(finite, default=0.0) * 1.05)
    last = max((record["epoch"] for arm in arms for record in arm.stats), default=1)
    charts: list[list[Chart]] = []
    for index, arm in enumerate(arms):
        if not arm.stats:
            charts.append([])
            continue
        charts.append(
            [
                _curves(
                    arm,
                    key=f"loss-{index}",
                    title=f"{arm.label}: losses",
                    lines=LOSSES,
                    span=(bottom, top or 1.0),
                    last=last,
                    axis="loss",
                ),
                _curves(
                    arm,
                    key=f"probability-{index}",
                    title=f"{arm.label}: what the discriminator believes",
                    lines=PROBABILITIES,
                    span=(0.0, 1.0),
                    last=last,
                    axis="probability of being real",
                    meaning="Before and after: the generator's step.",
                ),
            ]
        )
    return charts


def evaluation_charts(arms: Sequence[Arm], *, one_yardstick: bool) -> list[Chart]:
    """What training measured of itself as it went: recognised rate and KID, all runs in one chart.

    Returns:
        Only those that there are values for.
    """
    charts = []
    if any(_known(arm, "recognised") for arm in arms):
        charts.append(
            _across(
                arms,
                key="recognised",
                title="Samples recognised as a cat, as training went on",
                axis="share of samples",
                span=(0.0, 1.0),
            )
        )
    if any(_known(arm, "kid") for arm in arms):
        warning = "" if one_yardstick else " (each run by a yardstick of its own)"
        charts.append(
            _across(
                arms,
                key="kid",
                title=f"KID as training went on{warning}",
                axis="KID",
                span=None,
                error="kid_std",
            )
        )
    return charts


def _curves(
    arm: Arm,
    *,
    key: str,
    title: str,
    lines: Sequence[tuple[str, str]],
    span: tuple[float, float],
    last: int,
    axis: str,
    meaning: str | None = None,
) -> Chart:
    epochs = [record["epoch"] for record in arm.stats]
    data: list[Json] = []
    parts = []
    for index, (name, label) in enumerate(lines):
        values = _column(arm, name)
        if all(value is None for value in values):
            continue
        x, y = _thin(epochs, values)
        data.append(_line(x, y, label, index))
        known = [value for value in values if value is not None]
        parts.append(f"{label} from {known[0]:.2f} to {known[-1]:.2f}")
    shapes = [_upright(arm.epoch), *_unbalanced(arm)]
    meaning = "" if meaning is None else f" {meaning}"
    words = f"{'; '.join(parts)}.{meaning} The upright line: epoch {arm.epoch}, which was measured."
    if len(shapes) > 1:
        words += f" Tinted: out of balance. {_last_word(arm)}"
    elif said := _last_word(arm):
        words += f" {said}"
    return Chart(
        key=key,
        title=title,
        words=words,
        spec={"data": data, "layout": _layout(axis, last, span, shapes)},
    )


def _across(
    arms: Sequence[Arm],
    *,
    key: str,
    title: str,
    axis: str,
    span: tuple[float, float] | None,
    error: str | None = None,
) -> Chart:
    data: list[Json] = []
    parts = []
    last = max((record["epoch"] for arm in arms for record in arm.stats), default=1)
    for index, arm in enumerate(arms):
        points = _known(arm, key)
        if not points:
            continue
        line = _line(
            [record["epoch"] for record in points],
            [_round(float(record[key])) for record in points],
            arm.label,
            index,
        )
        line["mode"] = "lines+markers"
        if error and all(_number(record.get(error)) is not None for record in points):
            line["error_y"] = {
                "type": "data",
                "array": [_round(float(record[error])) for record in points],
                "thickness": 1,
                "width": 2,
            }
        data.append(line)
        values = [float(record[key]) for record in points]
        parts.append(
            f"{arm.label}: between {min(values):.3g} and {max(values):.3g}, "
            f"{values[-1]:.3g} at epoch {points[-1]['epoch']}"
        )
    words = "; ".join(parts) + "."
    if any("error_y" in line for line in data):
        words += " The bars: how much it varied between subsets, not an interval."
    return Chart(
        key=key,
        title=title,
        words=words,
        spec={"data": data, "layout": _layout(axis, last, span, [])},
    )


def _line(x: list[int], y: list[float | None], name: str, index: int) -> Json:
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(x) == 1 else "lines",
        "name": name,
        "x": x,
        "y": y,
        "line": {
            "color": COLOURS[index % len(COLOURS)],
            "dash": DASHES[index % len(DASHES)],
            "width": 1.8,
        },
    }


def _layout(axis: str, last: int, span: tuple[float, float] | None, shapes: list[Json]) -> Json:
    vertical: Json = {"title": {"text": axis}, "automargin": True}
    if span is not None:
        vertical["range"] = [_round(span[0]), _round(span[1])]
    return {
        "height": 330,
        "margin": {"l": 50, "r": 12, "t": 12, "b": 44},
        "xaxis": {"title": {"text": "epoch"}, "range": [0, max(1, last) * 1.02]},
        "yaxis": vertical,
        # above the chart: a long name never squeezes it on a phone, nor covers the axis
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "hovermode": "x unified",
        "dragmode": False,
        "showlegend": True,
        "shapes": shapes,
    }


def _upright(epoch: int) -> Json:
    return {
        "type": "line",
        "x0": epoch,
        "x1": epoch,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"color": "#8a8a8a", "width": 1.2, "dash": "dot"},
    }


def _unbalanced(arm: Arm) -> list[Json]:
    """A tint over each stretch of epochs that training itself called out of balance."""
    stretches: list[tuple[int, int]] = []
    started: int | None = None
    for record in arm.stats:
        word = record.get("balance")
        if not isinstance(word, str) or not word:
            continue  # not evaluated in this epoch: as before
        if word.lower().startswith(HEALTHY):
            if started is not None:
                stretches.append((started, record["epoch"]))
            started = None
        elif started is None:
            started = record["epoch"]
    if started is not None:
        stretches.append((started, arm.stats[-1]["epoch"]))
    return [
        {
            "type": "rect",
            "x0": start,
            "x1": max(end, start + 0.5),
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "fillcolor": TINT,
            "line": {"width": 0},
            "layer": "below",
        }
        for start, end in stretches
    ]


def _last_word(arm: Arm) -> str:
    words = [record["balance"] for record in arm.stats if isinstance(record.get("balance"), str)]
    return f"Training's last word on the balance: {words[-1].rstrip('.')}." if words else ""


def _known(arm: Arm, key: str) -> list[Json]:
    return [record for record in arm.stats if _number(record.get(key)) is not None]


def _column(arm: Arm, key: str) -> list[float | None]:
    return [_number(record.get(key)) for record in arm.stats]


def _number(value: Any) -> float | None:
    """A finite number, or None: JSON has no others, and a loss may have run off."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return _round(float(value))


def _thin(x: list[int], y: list[float | None]) -> tuple[list[int], list[float | None]]:
    """Every k-th point and the last one; a curve of this length has no single spikes to lose."""
    step = max(1, math.ceil(len(x) / POINTS))
    kept = sorted({*range(0, len(x), step), len(x) - 1})
    return [x[index] for index in kept], [y[index] for index in kept]


def _round(value: float) -> float:
    return float(f"{value:.5g}")
