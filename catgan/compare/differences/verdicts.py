"""Which of several arms are ahead, as far as can be told."""

from collections.abc import Callable, Sequence

from catgan.compare.differences.words import NO_DIFFERENCE
from catgan.compare.quantities.quantity import Better
from catgan.core.words import listed
from catgan.measure.statistics.differences import Difference

Differ = Callable[[int, int], Difference]
"""The difference between the arms of two places."""


def leaders(values: Sequence[float], differ: Differ, better: Better) -> list[int]:
    """The arms that are ahead.

    Args:
        values: One an arm, from one on.
        differ: How far the arm of one place in `values` lies above that of another.
        better: Which way is ahead; where neither is better, more is.

    Returns:
        Places: the arm that is ahead first, then all that it shows no difference from.
    """
    sign = -1 if better is Better.LESS else 1
    first = max(range(len(values)), key=lambda arm: sign * values[arm])
    others = [arm for arm in range(len(values)) if arm != first]
    return [first, *(arm for arm in others if not differ(first, arm).shown)]


def verdict(names: Sequence[str], values: Sequence[float], differ: Differ, better: Better) -> str:
    """Which arms are ahead, in words; "no difference shown" is not to say that there is none.

    Args:
        names: The arms', from two on.
        values: As in `leaders`; likewise the next two.
        differ: See there.
        better: See there.
    """
    ahead = leaders(values, differ, better)
    if len(ahead) == len(values):
        return NO_DIFFERENCE
    way = "less" if better is Better.LESS else "more"
    words = f"{way} in {listed([names[place] for place in sorted(ahead)])}"
    return f"{words}; {NO_DIFFERENCE} between those" if len(ahead) > 1 else words
