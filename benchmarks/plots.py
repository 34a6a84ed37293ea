"""Lines over two axes as SVG, legible on white and on near black, for the pages of docs/."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

# Told apart by people who see colours differently.
COLOURS = (
    "#2b7bd0", "#d4660a", "#12937a", "#b257ab", "#86851c", "#d0475a", "#7d8fd9", "#a3705a",
)  # fmt: skip
INK = "#808080"
ACROSS, HEIGHT = 506, 380  # of the lines alone; of all
LEFT, TOP, BOTTOM = 64, 16, 48
END = LEFT + ACROSS
LETTER = 7  # width of one, at most in the mean


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line."""

    label: str
    """What stands beside it; lines of one label share it and their colour."""
    points: Sequence[tuple[float, float]]
    """Along it, by x."""
    dashed: bool = False
    """Whether it is drawn with gaps."""


def write_lines(
    path: Path, lines: Sequence[Line], *, x: str, y: str, log_x: bool = False, log_y: bool = False
) -> None:
    """Draw lines into an SVG file.

    Args:
        path: The file.
        lines: From one on, each of one point or more; above 0 along a logarithmic axis.
        x: What lies along the horizontal axis, with its unit.
        y: Along the vertical one.
        log_x: Whether equal ways are equal factors.
        log_y: Likewise.
    """
    points = [point for line in lines for point in line.points]
    across = _Axis.of([point[0] for point in points], log=log_x, start=LEFT, end=END)
    up = _Axis.of([point[1] for point in points], log=log_y, start=HEIGHT - BOTTOM, end=TOP)
    labels = list(dict.fromkeys(line.label for line in lines))
    colours = {label: COLOURS[index % len(COLOURS)] for index, label in enumerate(labels)}
    dashes = {line.label: ' stroke-dasharray="5 3"' if line.dashed else "" for line in lines}
    width = END + 48 + LETTER * max(map(len, labels))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" '
        f'font-family="sans-serif" font-size="13" fill="{INK}">'
    ]
    for value in across.ticks:
        place = across.place(value)
        parts.append(
            f'<text x="{place:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">'
            f"{_written(value)}</text>"
        )
    for value in up.ticks:
        place = up.place(value)
        parts.append(
            f'<path d="M{LEFT} {place:.1f}H{END}" stroke="{INK}" stroke-opacity=".3"/>'
            f'<text x="{LEFT - 8}" y="{place + 4:.1f}" text-anchor="end">'
            f"{_written(value)}</text>"
        )
    middle = (LEFT + END) / 2
    parts.append(
        f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x)}</text>'
        f'<text transform="translate(14 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(y)}</text>"
    )
    for line in lines:
        way = "L".join(f"{across.place(a):.1f} {up.place(b):.1f}" for a, b in line.points)
        colour = colours[line.label]
        parts.append(
            f'<path d="M{way}" fill="none" stroke="{colour}" stroke-width="2" '
            f'stroke-linejoin="round"{dashes[line.label]}/>'
        )
        parts += [
            f'<circle cx="{across.place(a):.1f}" cy="{up.place(b):.1f}" r="2.5" fill="{colour}"/>'
            for a, b in line.points
        ]
    for index, label in enumerate(labels):
        height = TOP + 14 + 20 * index
        parts.append(
            f'<path d="M{END + 14} {height - 4}h20" stroke="{colours[label]}" '
            f'stroke-width="2"{dashes[label]}/>'
            f'<text x="{END + 40}" y="{height}">{escape(label)}</text>'
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")


def _written(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    low: float
    high: float
    log: bool
    start: float
    end: float
    ticks: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float], *, log: bool, start: float, end: float) -> "_Axis":
        least, most = min(values), max(values)
        if log:
            low, high = least / 1.1, most * 1.1
            powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            between = (1,) if high > 100 * low else (1, 2, 5)
            all_ticks = [step * 10.0**power for power in powers for step in between]
        else:
            step = 10.0 ** math.floor(math.log10(max(most, 1e-9)))
            step = next(step * part for part in (0.1, 0.2, 0.5, 1) if most / (step * part) <= 8)
            low, high = min(0.0, least), step * math.ceil(most / step)
            all_ticks = [step * index for index in range(round(high / step) + 1)]
        ticks = tuple(value for value in all_ticks if low <= value <= high * (1 + 1e-9))
        return cls(low=low, high=high, log=log, start=start, end=end, ticks=ticks)

    def place(self, value: float) -> float:
        """Where a value lies, in units of the picture."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.start + (value - low) / (high - low) * (self.end - self.start)
