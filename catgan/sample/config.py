"""What `sample` can be told."""

import dataclasses
from typing import Annotated

from catgan.core.settings import Option, require

AUTO = "auto"  # the best checkpoint where there is one, else the last

MAX_COUNT = 10_000
MAX_TILES = 64
MAX_FRAMES = 1000
MAX_SCALE = 32
MAX_FPS = 50  # browsers slow a GIF down to 10 frames a second when it asks for more
MAX_TRUNCATE = 2.0  # beyond, a generator draws what it never learned to


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SampleConfig:
    """The settings of `sample`."""

    count: Annotated[int, Option("Images in the grid or the folder.")] = 64
    seed: Annotated[int, Option("Random seed: another seed gives other cats.")] = 0
    checkpoint: Annotated[
        str, Option("best, last or a file.", default="best where there is one")
    ] = AUTO
    truncate: Annotated[
        float,
        Option(
            "Scale the latents. Below 1: more typical cats, less variety. Above 1: the reverse.",
        ),
    ] = 1.0
    scale: Annotated[
        int | None,
        Option(
            "Enlarge each image this many times.",
            default="to about 128 pixels; single images: 1",
        ),
    ] = None
    tiles: Annotated[int, Option("Images side by side in a GIF or a video.")] = 6
    frames: Annotated[
        int | None, Option("Frames of the walk.", default="72 in a GIF, 144 in a video")
    ] = None
    stops: Annotated[int, Option("Latents that a walk passes through.", on_command_line=False)] = 6
    fps: Annotated[
        int | None,
        Option("Frames a second.", default="12 for a walk, 24 in a video; 8 for a time-lapse"),
    ] = None

    def __post_init__(self) -> None:
        """Check every setting.

        Raises:
            BadSettings: One lies outside what it may be.
        """
        limits = (
            ("count", 1, MAX_COUNT, "pictures"),
            ("scale", 1, MAX_SCALE, "times"),
            ("tiles", 1, MAX_TILES, "pictures"),
            ("stops", 2, MAX_FRAMES, "latents"),
            ("frames", max(2, self.stops), MAX_FRAMES, "frames"),
            ("fps", 1, MAX_FPS, "frames a second"),
        )
        for name, low, high, unit in limits:
            value = getattr(self, name)
            require(
                value is None or low <= value <= high,
                f"--{name} is {value}; it may be {low} to {high} {unit}.",
            )
        require(
            0 < self.truncate <= MAX_TRUNCATE,  # False of NaN, too
            f"--truncate is {self.truncate:g}; it may be above 0, up to {MAX_TRUNCATE:g}.",
        )
        require(0 <= self.seed < 2**62, f"--seed is {self.seed}; it must be from 0 to 2^62 - 1.")
        require(bool(self.checkpoint), "--checkpoint is empty; name best, last or a file.")
