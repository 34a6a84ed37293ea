"""What `curate` can be told."""

import dataclasses
from typing import Annotated

from catgan.core.settings import Option, check_most, require
from catgan.curate.choices import NORMAL, STRICTNESS

# They say how the work is done, and change nothing that is written.
HOW = frozenset({"workers", "photo_seconds", "scheduler"})
# They judge or sort what was found, and may be turned off and on without looking again.
AFTERWARDS = frozenset({"blur_screen", "dark_screen", "duplicate_screen", "ablation"})


MOST = {
    "min_face": 100_000,
    "max_megapixels": 10_000.0,
    "photo_seconds": 1e6,
    "clip_frames": 100_000,
    "workers": 1024,
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CurateConfig:
    """The settings of `curate`; those that change what is written stand in `catgan.json`."""

    size: Annotated[int, Option("Side of the images, in pixels.")] = 64
    margin: Annotated[float, Option("Margin around the face on each side, in face widths.")] = 0.25
    cascade: Annotated[
        str, Option("Face detector: a recipe by name, or a .toml or .xml file of your own.")
    ] = "verified"
    strictness: Annotated[
        str,
        Option(
            "lenient, normal or strict: strict lets through fewer backs, drawings and other things "
            "that are not a cat's face, and misses more faces."
        ),
    ] = NORMAL
    min_face: Annotated[
        int,
        Option("Minimum face width in pixels.", default="skip faces that would need upscaling"),
    ] = 0
    faces: Annotated[str, Option("best: one face per photo; all: every face found.")] = "best"
    blur_screen: Annotated[bool, Option("Leave blurred faces out of face-crop.")] = True
    dark_screen: Annotated[bool, Option("Leave nearly black faces out of face-crop.")] = True
    duplicate_screen: Annotated[
        bool, Option("Keep only the best of nearly identical photos, such as a burst.")
    ] = True
    ablation: Annotated[
        bool, Option("Write a third data set, full-body-kept: the photos of face-crop, whole.")
    ] = False
    clip_frames: Annotated[
        int, Option("Frames of a video that are used, at most. 0 skips videos.")
    ] = 40
    max_megapixels: Annotated[
        float, Option("Skip photos with more megapixels than this.", default="250")
    ] = 250.0
    photo_seconds: Annotated[
        float,
        Option("A photo that takes longer is skipped, and tried again next time. 0: no limit."),
    ] = 30.0
    workers: Annotated[int, Option("Processes.", default="one for each CPU")] = 0
    scheduler: Annotated[
        str,
        Option(
            "Use the workers of a dask cluster instead: the address of its scheduler, or the file "
            "that dask scheduler --scheduler-file writes. The folders must be on a shared drive.",
            default="",
            metavar="ADDRESS",
        ),
    ] = ""

    def __post_init__(self) -> None:
        """Check every setting.

        Raises:
            BadSettings: One lies outside what it may be.
        """
        check_most(self, MOST)
        require(16 <= self.size <= 1024, f"--size is {self.size}; it may be 16 to 1024 pixels.")
        require(0 <= self.margin <= 2, f"--margin is {self.margin}; it may be 0 to 2 face widths.")
        require(self.min_face >= 0, f"--min-face is {self.min_face}; it may not be negative.")
        require(
            self.strictness in STRICTNESS,
            f"--strictness is {self.strictness}; it may be lenient, normal or strict.",
        )
        require(self.faces in ("best", "all"), f"--faces is {self.faces}; it may be best or all.")
        require(self.max_megapixels > 0, "--max-megapixels must be more than 0.")
        require(
            self.clip_frames >= 0, f"--clip-frames is {self.clip_frames}; it may not be negative."
        )
        seconds = self.photo_seconds
        require(seconds >= 0, f"--photo-seconds is {seconds}; it may not be negative.")
        require(self.workers >= 0, f"--workers is {self.workers}; it may not be negative.")
