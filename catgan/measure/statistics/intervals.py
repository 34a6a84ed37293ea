"""95% intervals of single numbers: of shares, and of means over few runs."""

import functools
import math

Z95 = 1.959963984540054  # 95% of a normal distribution lies within this many deviations


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95% interval of a share, right even at 0 and at all (Wilson 1927).

    The shares p with |hits / total - p| = z sqrt(p (1 - p) / total), z = 1.96. scipy has it, too,
    in a package that takes a second to import.

    Args:
        hits: 0 to `total`.
        total: From 1.

    Returns:
        (low, high), 0 to 1.
    """
    share, z2 = hits / total, Z95 * Z95
    middle = share + z2 / (2 * total)
    half = Z95 * math.sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    scale = 1 + z2 / total
    # exact at the ends, where middle and half are equal but round differently
    low = 0.0 if hits == 0 else (middle - half) / scale
    high = 1.0 if hits == total else (middle + half) / scale
    return low, high


@functools.cache
def t95(degrees: int) -> float:
    """Within how many standard errors of a mean 95% of Student's distribution lies.

    Args:
        degrees: Of freedom, from 1: one fewer than the values whose spread was measured.

    Returns:
        12.71 for 1, 4.30 for 2, 3.18 for 3, and down to 1.96.
    """
    # here: only arms of several runs need it
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.975))
