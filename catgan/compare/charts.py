"""The curves of training as plotly specifications: plain values, drawn by the page itself.

Every arm has a colour of its own throughout the page; what the lines of one arm are is said by
their dashes, and by words.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

from catgan.compare.arm import Arm
from catgan.compare.measured import Measured
from catgan.core.files import Json
from catgan.measure.metrics import Z95

POINTS = 800  # of a curve, at most: more than there are pixels to tell them apart
# Told apart by people who see colours differently, and legible on white and on near black.
COLOURS = ("#2b7bd0", "#d4660a", "#12937a", "#b257ab", "#86851c", "#d0475a")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
TINT = "rgba(200,90,30,0.13)"
FAINT = 0.32  # of other runs of an arm
HEALTHY = "healthy"  # how the training's word for a good balance begins


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
    runs = [run for arm in arms for run in arm.runs]
    losses = [value for run in runs for key, _ in LOSSES for value in _column(run, key)]
    finite = [value for value in losses if value is not None]
    top = max(finite, default=1.0) * 1.05
    bottom = min(0.0, min(finite, default=0.0) * 1.05)
    last = last_epoch(arms)
    charts: list[list[Chart]] = []
    for index, arm in enumerate(arms):
        if not arm.shown.stats:
            charts.append([])
            continue
        charts.append(
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
                    title="what the discriminator believes",
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
                level=lambda arm: arm.real.recognised.share,
                meaning="Level lines: the same for real pictures.",
            )
        )
    if any(_known(run, "kid") for arm in arms for run in arm.runs):
        warning = "" if one_yardstick else ", each by a yardstick of its own"
        charts.append(
            _across(
                arms,
                key="kid",
                title=f"KID: distance from real pictures{warning}",
                axis="KID",
                span=None,
                error="kid_error",
            )
        )
    return charts


def tell(run: Measured) -> Json:
    """What training wrote down, as the slider tells it: columns, at most 800 epochs of them."""
    stats = _thinned(list(run.stats))
    columns: Json = {"epoch": [record["epoch"] for record in stats]}
    for key in TOLD:
        columns[key] = [_number(record.get(key)) for record in stats]
    columns["balance"] = [
        word if isinstance(word := record.get("balance"), str) else None for record in stats
    ]
    return columns


def lost_since(run: Measured) -> int | None:
    """The epoch since which training called itself out of balance for good; None if it did not."""
    stretches = _stretches(run)
    if not stretches or stretches[-1][1] is not None:
        return None
    return stretches[-1][0]


def last_epoch(arms: Sequence[Arm]) -> int:
    """The last epoch of any run."""
    return max(
        (record["epoch"] for arm in arms for run in arm.runs for record in run.stats), default=1
    )


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
        epochs = [record["epoch"] for record in run.stats]
        for place, (name, label) in enumerate(lines):
            values = _column(run, name)
            known = [value for value in values if value is not None]
            if not known:
                continue
            x, y = _thin(epochs, values)
            line = _line(x, y, label, colour_of(index), DASHES[place], faint=run is not arm.shown)
            if run is arm.shown:
                data.append(line)
                parts.append(f"{label} from {known[0]:.2f} to {known[-1]:.2f}")
            else:
                data.insert(0, line)  # below the run that is shown
    shapes, annotations = _marks(arm.shown, last)
    notes = [meaning] if meaning else []
    if arm.shown.epoch is not None:
        notes.append(f"Dotted upright: epoch {arm.shown.epoch}, which was measured.")
    if any(shape["type"] == "rect" for shape in shapes):
        notes.append("Tinted: out of balance.")
    notes += _last_word(arm.shown)
    if len(arm.runs) > 1:
        notes.append("Faint: its other runs.")
    caption = " ".join(notes)
    return Chart(
        key=key,
        title=f"{arm.label}: {title}",
        words=f"{'; '.join(parts)}. {caption}".strip(),
        caption=caption,
        spec={"data": data, "layout": _layout(axis, last, span, shapes, annotations)},
    )


def _across(
    arms: Sequence[Arm],
    *,
    key: str,
    title: str,
    axis: str,
    span: tuple[float, float] | None,
    error: str | None = None,
    level: Callable[[Arm], float] | None = None,
    meaning: str = "",
) -> Chart:
    data: list[Json] = []
    parts = []
    shapes: list[Json] = []
    last = last_epoch(arms)
    for index, arm in enumerate(arms):
        drawn = False
        for run in arm.runs:
            points = _known(run, key)
            if not points:
                continue
            line = _line(
                [record["epoch"] for record in points],
                [_round(float(record[key])) for record in points],
                arm.label,
                colour_of(index),
                DASHES[index % len(DASHES)],
                faint=drawn,
            )
            line["mode"] = "lines+markers"
            line["cliponaxis"] = False  # a dot at 0 is as round as any other
            # the epoch that was measured stands out
            sizes = [10 if record["epoch"] == run.epoch else 4 for record in points]
            line["marker"] = {"size": sizes}
            if error and not drawn and all(_number(one.get(error)) is not None for one in points):
                line["error_y"] = {
                    "type": "data",
                    "array": [_round(Z95 * float(record[error])) for record in points],
                    "thickness": 1,
                    "width": 4,  # ends that show beside the upright line of the slider
                }
            data.append(line)
            values = [float(record[key]) for record in points]
            parts.append(
                f"{run.source.name}: between {min(values):.3g} and {max(values):.3g}, "
                f"{values[-1]:.3g} at epoch {points[-1]['epoch']}"
            )
            drawn = True
        if level is not None and drawn:
            shapes.append(_level(level(arm), colour_of(index)))
    notes = [meaning] if meaning else []
    if any("error_y" in line for line in data):
        notes.append("Bars: where it would lie 19 times out of 20 with other pictures.")
    if any(10 in line["marker"]["size"] for line in data):
        notes.append("Large dots: the epochs that were measured.")
    if any(line.get("showlegend") is False for line in data):
        notes.append("Faint: other runs of an arm.")
    caption = " ".join(notes)
    return Chart(
        key=key,
        title=title,
        words=f"{'; '.join(parts)}. {caption}".strip(),
        caption=caption,
        spec={"data": data, "layout": _layout(axis, last, span, shapes, [])},
    )


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


def _marks(run: Measured, last: int) -> tuple[list[Json], list[Json]]:
    """The epoch that was measured, and the stretches out of balance: shapes, and words on them."""
    shapes: list[Json] = []
    annotations: list[Json] = []
    if run.epoch is not None:
        shapes.append(
            {
                "type": "line",
                "x0": run.epoch,
                "x1": run.epoch,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "line": {"color": "#8a8a8a", "width": 1.2, "dash": "dot"},
            }
        )
        which = "best" if run.source.best else "last"
        annotations.append(_annotation(run.epoch, which, last, top=True))
    for start, end in _stretches(run):
        until = run.stats[-1]["epoch"] if end is None else end
        shapes.append(
            {
                "type": "rect",
                "x0": start,
                "x1": max(until, start + 0.5),
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "fillcolor": TINT,
                "line": {"width": 0},
                "layer": "below",
            }
        )
    lost = lost_since(run)
    if lost is not None:
        annotations.append(_annotation(lost, "out of balance", last, top=False))
    return shapes, annotations


def _annotation(epoch: int, words: str, last: int, *, top: bool) -> Json:
    late = epoch > 0.7 * last  # no room to its right
    return {
        "x": epoch,
        "y": 1 if top else 0,
        "yref": "paper",
        "xanchor": "right" if late else "left",
        "yanchor": "top" if top else "bottom",
        "text": words,
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


def _stretches(run: Measured) -> list[tuple[int, int | None]]:
    """The stretches of epochs that training itself called out of balance; the last may not end."""
    stretches: list[tuple[int, int | None]] = []
    started: int | None = None
    for record in run.stats:
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
        stretches.append((started, None))
    return stretches


def _last_word(run: Measured) -> list[str]:
    words = [record["balance"] for record in run.stats if isinstance(record.get("balance"), str)]
    return [f"Training's last word on the balance: {words[-1].rstrip('.')}."] if words else []


def _known(run: Measured, key: str) -> list[Json]:
    return [record for record in run.stats if _number(record.get(key)) is not None]


def _column(run: Measured, key: str) -> list[float | None]:
    return [_number(record.get(key)) for record in run.stats]


def _number(value: Any) -> float | None:
    """A finite number, or None: JSON has no others, and a loss may have run off."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return _round(float(value))


def _thin(x: list[int], y: list[float | None]) -> tuple[list[int], list[float | None]]:
    """Every k-th point and the last one; a curve of this length has no single spikes to lose."""
    pairs = _thinned(list(zip(x, y, strict=True)))
    return [one for one, _ in pairs], [other for _, other in pairs]


def _thinned(items: list[Any]) -> list[Any]:
    step = max(1, math.ceil(len(items) / POINTS))
    return items[:-1:step] + items[-1:] if items else []


def _round(value: float) -> float:
    return float(f"{value:.5g}")
