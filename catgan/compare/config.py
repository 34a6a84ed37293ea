"""What `compare` can be told."""

import dataclasses
from pathlib import Path
from typing import Annotated

from catgan.core.settings import Option, check_most, paths_of_strings, require
from catgan.measure.choices import EFFICIENTNET, EXTRACTORS, MIN_PICTURES


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CompareConfig:
    """The settings of `compare`; every one of them changes the numbers, if only by rounding."""

    samples: Annotated[int, Option("Images sampled from each run and measured.")] = 500
    seed: Annotated[
        int, Option("Random seed: draws the latents, the same ones for every run, and the images.")
    ] = 0
    faces: Annotated[int, Option("Samples and real images searched for a face; 0 for none.")] = 150
    second_judge: Annotated[
        int,
        Option(
            "Samples and real images measured by a second network, which chose nothing; 0 for none."
        ),
    ] = 250
    apart: Annotated[
        bool,
        Option(
            "Compare each run separately instead of grouping seeds (-s0, -s1, ...).",
            flag="--apart",
        ),
    ] = False
    against: Annotated[
        str | None,
        Option(
            "Real images to measure image folders against: a run or a folder.",
            default="the runs' shared reference",
            metavar="RUN",
        ),
    ] = None
    data: Annotated[
        Path | None,
        Option(
            "Where the data sets of the runs are now: one of them, or the folder they lie in.",
            default="where they were in training",
            metavar="FOLDER",
        ),
    ] = None
    features: Annotated[
        str,
        Option(
            "Network whose features images are measured in: efficientnet, which comes with catgan, "
            "inception or dinov2."
        ),
    ] = EFFICIENTNET
    weights: Annotated[
        Path | None,
        Option("File with the weights of inception or dinov2.", default="download them"),
    ] = None
    device: Annotated[str, Option("cpu, cuda, mps or auto.")] = "auto"
    max_reference: Annotated[
        int,
        Option("Maximum number of real images to measure samples against.", on_command_line=False),
    ] = 2000
    max_training: Annotated[
        int,
        Option("Maximum number of training images searched for copies.", on_command_line=False),
    ] = 5000

    def __post_init__(self) -> None:
        """Check every setting.

        Raises:
            BadSettings: One lies outside what it may be.
        """
        paths_of_strings(self, "data", "weights")
        require(
            MIN_PICTURES <= self.samples <= 50_000,
            f"--samples is {self.samples}; it may be {MIN_PICTURES} to 50000 images.",
        )
        require(self.seed >= 0, f"--seed is {self.seed}; it may not be negative.")
        check_most(self, {"seed": 2**32 - 1, "faces": 1_000_000, "second_judge": 1_000_000})
        require(
            self.max_reference >= MIN_PICTURES,
            f"max_reference is {self.max_reference}; it may be {MIN_PICTURES} or more images.",
        )
        require(self.faces >= 0, f"--faces is {self.faces}; it may not be negative.")
        require(
            self.second_judge >= 0,
            f"--second-judge is {self.second_judge}; it may not be negative.",
        )
        require(
            self.features in EXTRACTORS,
            f"--features is {self.features}; it may be {', '.join(EXTRACTORS)}.",
        )
        require(self.max_training >= 1, "max_training must be at least one image.")
