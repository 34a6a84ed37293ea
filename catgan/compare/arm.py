"""One arm: the runs that differ in nothing but their seeds, and what they came to together."""

import dataclasses
import math
from collections.abc import Sequence
from typing import TypeVar

from catgan.compare.measured import Measured
from catgan.compare.plan import differing
from catgan.compare.real import Real
from catgan.measure import (
    Difference,
    Estimate,
    OverRuns,
    Rate,
    estimate_difference,
    estimate_over_runs,
    rate_difference,
    rate_over_runs,
)
from catgan.measure.metrics import Z95, wilson

T = TypeVar("T")

RATES = ("recognised", "faces", "close")
SHARES = ("precision", "recall", "coverage")  # 0 to 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Runs of one kind, and the real pictures they share."""

    label: str
    """What it is called."""
    runs: tuple[Measured, ...]
    """From one on; they differ in nothing but their seeds."""
    real: Real
    """The real pictures that they were trained on and are measured against."""
    notes: tuple[str, ...]
    """What a reader must know of it, in sentences."""

    @property
    def shown(self) -> Measured:
        """The run whose pictures and curves are shown: the first, not the finest."""
        return self.runs[0]

    @property
    def is_run(self) -> bool:
        """Whether it was trained; else it is a folder of pictures."""
        return self.shown.source.run is not None

    def number(self, key: str) -> OverRuns | None:
        """A number over all runs, with its interval; None where one run has none.

        Args:
            key: One of `recognised`, `faces`, `close`, `kid`, `precision`, `recall`, `density`,
                `coverage`, `diversity`.
        """
        if key in RATES:
            rates = _whole([rate_of(run, key) for run in self.runs])
            return rate_over_runs(rates) if rates else None
        estimates = _whole([estimate_of(run, key) for run in self.runs])
        if not estimates:
            return None
        found = estimate_over_runs(estimates)
        if key == "kid":
            found = self._subsets(found)
        if key not in SHARES:
            return found
        # at 0 and at 1 the jackknife sees nothing that could change: the wider of both there
        low, high = self.counted(key)
        return dataclasses.replace(
            found, low=max(0.0, min(found.low, low)), high=min(1.0, max(found.high, high))
        )

    def values(self, key: str) -> list[float]:
        """A number of each run, as far as there are any."""
        if key in RATES:
            return [rate.share for run in self.runs if (rate := rate_of(run, key)) is not None]
        if key == "kid":
            return [run.crowd.kid.kid for run in self.runs if run.crowd is not None]
        return [one.value for run in self.runs if (one := estimate_of(run, key)) is not None]

    def _subsets(self, found: OverRuns) -> OverRuns:
        """KID as torch-fidelity draws its subsets, and what drawing only so many adds."""
        kids = [run.crowd.kid for run in self.runs if run.crowd is not None]
        value = sum(kid.kid for kid in kids) / len(kids)
        variance = sum(kid.kid_std**2 / kid.subsets for kid in kids) / len(kids) ** 2
        half = math.hypot((found.high - found.low) / 2, Z95 * math.sqrt(variance))
        return dataclasses.replace(found, value=value, low=value - half, high=value + half)

    def counted(self, key: str) -> tuple[float, float]:
        """Wilson's interval of a share, as if its pictures had been counted once.

        Args:
            key: One of `precision`, `recall`, `coverage`, which all runs have.
        """
        crowds = [run.crowd for run in self.runs if run.crowd is not None]
        counted = crowds[0].precision_recall
        total = counted.n_fake if key == "precision" else counted.n_real
        mean = sum(self.values(key)) / len(crowds)
        return wilson(round(mean * total), total)


def difference(first: Arm, second: Arm, key: str) -> Difference | None:
    """By how much a number of the first arm lies above that of the second; None without either.

    Args:
        first: An arm.
        second: Another.
        key: As in `Arm.number`.
    """
    if key in RATES:
        ours = _whole([rate_of(run, key) for run in first.runs])
        theirs = _whole([rate_of(run, key) for run in second.runs])
        # what is close is told by training and held-out pictures alike
        same = first.real.reals == second.real.reals
        return rate_difference(ours, theirs, same_real=same) if ours and theirs else None
    one = _whole([estimate_of(run, key) for run in first.runs])
    other = _whole([estimate_of(run, key) for run in second.runs])
    if not one or not other:
        return None
    same = first.real.reals.yardstick == second.real.reals.yardstick
    found = estimate_difference(one, other, same_real=same)
    if key not in SHARES:
        return found
    # an arm at 0 or at 1, where the jackknife sees nothing that could change, may lie off it
    below, above = found.value - found.low, found.high - found.value
    for arm, sign in ((first, 1), (second, -1)):
        share = sum(arm.values(key)) / len(arm.values(key))
        low, high = arm.counted(key)
        down, up = (share - low, high - share) if sign > 0 else (high - share, share - low)
        if share in (0, 1):
            below, above = math.hypot(below, max(0.0, down)), math.hypot(above, max(0.0, up))
    return dataclasses.replace(
        found, low=max(-1.0, found.value - below), high=min(1.0, found.value + above)
    )


def estimate_of(run: Measured, key: str) -> Estimate | None:
    """A number of one run that depends on its real pictures, and without each of them."""
    if key == "diversity":
        return run.diversity_estimate
    return run.crowd.estimates[key] if run.crowd is not None else None


def rate_of(run: Measured, key: str) -> Rate | None:
    """A share of one run's samples."""
    found: dict[str, Rate | None] = {
        "recognised": run.recognised,
        "faces": run.faces,
        "close": run.close,
    }
    return found[key]


def one_yardstick(arms: Sequence[Arm]) -> bool:
    """Whether all arms were measured against the same real pictures."""
    return len({arm.real.reals.yardstick for arm in arms}) == 1


def other_settings(arms: Sequence[Arm]) -> list[str]:
    """Settings that differ between arms beside their pictures and seeds; empty if none does."""
    ignored = {"held_out"}  # follows from the pictures
    names = differing([arm.shown.source.settings for arm in arms])
    return [name for name in names if name not in ignored]


def _whole(found: Sequence[T | None]) -> list[T]:
    """All of them, or none where one is missing."""
    known = [one for one in found if one is not None]
    return known if len(known) == len(found) else []
