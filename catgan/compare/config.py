"""What `compare` can be told."""

import dataclasses
from pathlib import Path

from catgan.core.config import require
from catgan.measure import EXTRACTORS, MIN_PICTURES
from catgan.measure.extractors import EFFICIENTNET


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CompareConfig:
    """The settings of `compare`; every one of them changes the numbers, if only by rounding."""

    samples: int = 500
    """Pictures drawn from each run's generator and measured."""
    seed: int = 0
    """Draws the latents (the same ones for every run), and the pictures and subsets to measure."""
    device: str = "auto"
    """Where the nets compute, as PyTorch names it; `auto` takes the fastest there is."""
    features: str = EFFICIENTNET
    """The net whose features count: `efficientnet`, which comes with catgan, `inception` or
    `dinov2`."""
    weights: Path | None = None
    """A file of weights for one of the last two; None to download them."""
    against: str | None = None
    """The run, or folder of real pictures, that folders of pictures are measured against; None for
    what all the runs compared are."""
    apart: bool = False
    """Whether each run is an arm of its own, though it may be called `-s0`, `-s1`."""
    faces: int = 150
    """Samples and real pictures of each run that a face is looked for in, at most; 0: none."""
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
        require(self.faces >= 0, f"--faces is {self.faces}; it may not be negative.")
        require(
            self.features in EXTRACTORS,
            f"--features is {self.features}; it may be {', '.join(EXTRACTORS)}.",
        )
        require(self.max_training >= 1, "max_training must be at least one picture.")
