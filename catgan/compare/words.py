"""Numbers as people read them."""

import dataclasses
from collections.abc import Sequence

from catgan.measure import Difference


def percent(share: float) -> str:
    """A share as people read it: a tenth near the ends, where rounding would say none or all."""
    value = share * 100
    near_end = 0.05 <= value < 1 or 99 < value <= 99.95
    return f"{value:.1f}%" if near_end else f"{value:.0f}%"


def share_interval(share: float, low: float, high: float) -> str:
    """A share and the interval it lies in."""
    return f"{percent(share)} ({percent(low)} to {percent(high)})"


def number_interval(value: float, low: float, high: float, digits: int) -> str:
    """A number and the interval it lies in."""
    return f"{value:.{digits}f} ({signed(low, digits)} to {signed(high, digits)})"


def signed(value: float, digits: int) -> str:
    """A number with a true minus sign where it is negative, and none where it rounds to 0."""
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "\N{MINUS SIGN}")


def apart(difference: Difference, digits: int | None) -> str:
    """A difference and its interval.

    Args:
        difference: Of two arms.
        digits: Behind the point; None for shares, which differ in points of a hundred.
    """
    parts = difference.value, difference.low, difference.high
    if digits is None:
        fine = 1 if max(abs(part) for part in parts) < 0.01 else 0
        value, low, high = (signed(100 * part, fine) for part in parts)
        unit = " points"
    else:
        value, low, high = (signed(part, digits) for part in parts)
        unit = ""
    plus = "" if value.startswith("\N{MINUS SIGN}") or float(value) == 0 else "+"
    return f"{plus}{value}{unit} ({low} to {high})"


def ahead(difference: Difference, digits: int | None) -> str:
    """How far the one of two arms that is ahead is ahead, with no sign.

    Args:
        difference: Of two arms that differ.
        digits: As in `apart`.
    """
    value, low, high = difference.value, difference.low, difference.high
    if value < 0:
        low, high = -high, -low
    turned = dataclasses.replace(difference, value=abs(value), low=low, high=high)
    return apart(turned, digits).lstrip("+")


def listed(names: Sequence[str]) -> str:
    """Names as a sentence lists them."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def plain(value: object) -> str:
    """A setting's value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value == "":
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
