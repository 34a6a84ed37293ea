"""Differences as people read them."""

from catgan.core.words import signed
from catgan.measure.statistics.differences import Difference

NO_DIFFERENCE = "no difference shown"


def apart(difference: Difference, digits: int | None) -> str:
    """A difference and its interval, and whether it is one.

    Args:
        difference: Of two arms.
        digits: Behind the point; None for shares, which differ in points of a hundred.
    """
    text = _interval(difference.value, difference.low, difference.high, digits)
    return text if difference.shown else f"{text}, {NO_DIFFERENCE}"


def behind_verdict(difference: Difference, digits: int | None) -> str:
    """What is added to a verdict on two arms: how far one is ahead, or how far apart they may be.

    Args:
        difference: Of the two arms.
        digits: As in `apart`.
    """
    value, low, high = difference.value, difference.low, difference.high
    if not difference.shown:
        return f": {_interval(value, low, high, digits)}"
    if value < 0:
        value, low, high = -value, -high, -low
    return f", by {_interval(value, low, high, digits).lstrip('+')}"


def _interval(value: float, low: float, high: float, digits: int | None) -> str:
    parts = value, low, high
    if digits is not None and (low > 0 or high < 0):
        # a difference that is shown is not to read as 0.00
        digits += next((more for more in range(4) if abs(value) >= 10.0 ** -(digits + more)), 4)
    if digits is None:
        digits = 1 if max(map(abs, parts)) < 0.01 else 0
        parts, unit = (100 * value, 100 * low, 100 * high), " points"
    else:
        unit = ""
    middle, start, end = (signed(part, digits) for part in parts)
    plus = "" if middle.startswith("\N{MINUS SIGN}") or float(middle) == 0 else "+"
    return f"{plus}{middle}{unit} ({start} to {end})"
