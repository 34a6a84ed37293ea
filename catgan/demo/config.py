"""What `demo` can be told."""

import dataclasses
from typing import Annotated

from catgan.core.settings import Option, check_most, require

LEAST_PHOTOS = 12  # one of each kind, and a few more
MOST_PHOTOS = 9999  # what the photos' names have digits for


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DemoConfig:
    """The settings of `demo`."""

    photos: Annotated[int, Option("Photos in the album, including corrupt files.")] = 300
    seed: Annotated[int, Option("Random seed: another seed gives another cat in other rooms.")] = 0
    workers: Annotated[int, Option("Processes.", default="one for each CPU")] = 0

    def __post_init__(self) -> None:
        """Check every setting.

        Raises:
            BadSettings: One lies outside what it may be.
        """
        check_most(self, {"workers": 1024})
        require(
            LEAST_PHOTOS <= self.photos <= MOST_PHOTOS,
            f"--photos is {self.photos}; it may be {LEAST_PHOTOS} to {MOST_PHOTOS}.",
        )
        require(0 <= self.seed < 2**32, f"--seed is {self.seed}; it must be from 0 to 2^32 - 1.")
        require(self.workers >= 0, f"--workers is {self.workers}; it may not be negative.")
