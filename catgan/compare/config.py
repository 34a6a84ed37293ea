"""What `compare` can be told."""

import dataclasses

from catgan.core.config import require
from catgan.measure import MIN_PICTURES


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CompareConfig:
    """The settings of `compare`; every one of them changes the numbers, if only by rounding."""

    samples: int = 500
    """Pictures drawn from each run's generator and measured."""
    seed: int = 0
    """Draws the latents (the same ones for every run), and the pictures and subsets to measure."""
    device: str = "cpu"
    """Where the nets compute, as PyTorch names it."""
    max_reference: int = 2000
    """Real pictures that samples are measured against, at most."""
    max_training: int = 5000
    """Training pictures among which copies are looked for, at most."""

    def __post_init__(self) -> None:
        """Check every setting.

        Raises:
            BadSettings: One lies outside what it may be.
        """
        require(
            MIN_PICTURES <= self.samples <= 50_000,
            f"--samples is {self.samples}; it may be {MIN_PICTURES} to 50000 pictures.",
        )
        require(self.seed >= 0, f"--seed is {self.seed}; it may not be negative.")
        require(
            self.max_reference >= MIN_PICTURES,
            f"max_reference is {self.max_reference}; it may be {MIN_PICTURES} or more pictures.",
        )
        require(self.max_training >= 1, "max_training must be at least one picture.")
