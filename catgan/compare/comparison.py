"""A comparison: arms measured in the same way, and all that is said of them, worked out once."""

import dataclasses
import functools
from typing import Any

from catgan.compare.config import CompareConfig
from catgan.compare.differences.facts import epoch_row, image_rows
from catgan.compare.differences.guesses import guesses
from catgan.compare.differences.notes import notes
from catgan.compare.differences.rows import Row, quantity_rows
from catgan.compare.differences.steps import Step, cleaning_steps
from catgan.compare.measured.arm import Arm
from catgan.compare.quantities.catalogue import RECOGNISED
from catgan.compare.quantities.quantity import Quantity


@dataclasses.dataclass(frozen=True, kw_only=True)  # no slots: what was worked out is kept
class Comparison:
    """Arms measured in the same way."""

    arms: tuple[Arm, ...]
    """The arms, in the order they were named."""
    quantities: tuple[Quantity[Any], ...]
    """What was measured of their samples."""
    config: CompareConfig
    """The settings."""
    extractor: str
    """The network whose features count."""
    judge: str
    """The network that says what is a cat."""
    n_fake: int
    """Samples of each run, the same in every arm that has as many."""
    n_real: int | None
    """Real images, the same in every arm that has as many; None where none has enough."""

    def __repr__(self) -> str:
        """One line."""
        cells = self.row(RECOGNISED.key).cells
        arms = ", ".join(
            f"{arm.label} {cell.number}" for arm, cell in zip(self.arms, cells, strict=True)
        )
        return f"Comparison(recognised as a cat: {arms})"

    def _repr_html_(self) -> str:
        """For a notebook: the first samples of each arm, and the table."""
        from catgan.compare.report.summary import summary  # it stands on this module

        return summary(self)

    @functools.cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every number, with its meaning and verdict, in the order of the table."""
        measured = [quantity_rows(self.arms, one, self.config) for one in self.quantities]
        return (
            epoch_row(self.arms),
            *(row for rows in measured for row in rows),
            *image_rows(self.arms),
        )

    @functools.cached_property
    def steps(self) -> tuple[Step, ...]:
        """What the filter and the crop brought, where there are data sets with and without."""
        return cleaning_steps(self.arms, self.quantities)

    @functools.cached_property
    def guesses(self) -> tuple[str, ...]:
        """The two guesses that the cleaning rests on, in numbers, as far as they are known."""
        return guesses(self.arms)

    @functools.cached_property
    def notes(self) -> tuple[str, ...]:
        """What must be known to read the numbers, in sentences."""
        return notes(
            self.arms, self.quantities, self.config, extractor=self.extractor, judge=self.judge
        )

    def row(self, key: str) -> Row:
        """The row of a name."""
        return next(row for row in self.rows if row.key == key)

    @property
    def headline(self) -> str:
        """The one result that means the same in every arm, in a sentence or two."""
        row, real = self.row(RECOGNISED.key), self.row(f"{RECOGNISED.key}_real")
        parts = [
            f"{cell.number} of the samples of {arm.label} are recognised as a cat "
            f"({ceiling.number} of its real images)"
            for arm, cell, ceiling in zip(self.arms, row.cells, real.cells, strict=True)
        ]
        verdict = f" Verdict: {row.verdict}." if row.verdict else ""
        return "; ".join(parts) + "." + verdict
