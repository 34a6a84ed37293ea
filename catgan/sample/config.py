"""What `sample` can be told."""

import dataclasses

from catgan.core.config import require

AUTO = "auto"
BEST = "best"
LAST = "last"

MAX_COUNT = 10_000
MAX_TILES = 64
MAX_FRAMES = 1000
MAX_SCALE = 32
MAX_FPS = 50  # browsers slow a GIF down to 10 frames a second when it asks for more


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SampleConfig:
    """The settings of `sample`."""

    count: int = 64
    """Pictures of the grid, or single files."""
    seed: int = 0
    """Draws the latents; picture 7 of a seed is the same whatever the count."""
    checkpoint: str = AUTO
    """`best`, `last`, the path of a checkpoint, or `auto`: the best where there is one."""
    scale: int | None = None
    """Times that each side is enlarged; None: to about 128 pixels, but single files not at all."""
    tiles: int = 6
    """Pictures side by side in a GIF."""
    frames: int = 72
    """Frames of a walk."""
    stops: int = 6
    """Latents that a walk passes through before it is back where it began."""
    fps: int | None = None
    """Frames a second of a GIF, to the nearest hundredth of a second; None: 12 of a walk, 8 of a
    time-lapse."""

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
            ("frames", self.stops, MAX_FRAMES, "frames"),
            ("fps", 1, MAX_FPS, "frames a second"),
        )
        for name, low, high, unit in limits:
            value = getattr(self, name)
            require(
                value is None or low <= value <= high,
                f"--{name} is {value}; it may be {low} to {high} {unit}.",
            )
        require(0 <= self.seed < 2**62, f"--seed is {self.seed}; it must be from 0 to 2^62 - 1.")
        require(bool(self.checkpoint), "--checkpoint is empty; name best, last or a file.")
