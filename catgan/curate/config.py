"""What `curate` can be told."""

import dataclasses

from catgan.core.config import require

WORKERS_ALL = 0
# They judge or sort what was found, and may be turned off and on without looking again.
AFTERWARDS = frozenset({"blur_screen", "dark_screen", "duplicate_screen", "ablation"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CurateConfig:
    """The settings of `curate`; those that change what is written stand in `catgan.json`."""

    size: int = 64
    """Side of the pictures of every data set, pixels."""
    margin: float = 0.25
    """What the crop adds on each side of the face box, as a share of the box's width."""
    cascade: str = "verified"
    """A recipe of `cascades/` by name, or the path of a recipe (.toml) or a cascade (.xml)."""
    min_face: int = 0
    """Faces narrower than this in the photo are `face-too-small`, pixels; 0: only those that
    would have to be enlarged."""
    faces: str = "best"
    """`best`: one face a photo; `all`: every face found."""
    blur_screen: bool = True
    """Blurred faces are left out of `face-crop`."""
    dark_screen: bool = True
    """Nearly black faces are left out of `face-crop`."""
    duplicate_screen: bool = True
    """Of photos that are nearly the same, such as a burst, only the sharpest is kept."""
    ablation: bool = False
    """A third data set, `full-body-kept`: the photos that have a face crop, whole."""
    max_megapixels: float = 250.0
    """Photos that state more than this are `unreadable`, never decoded; megapixels."""
    workers: int = WORKERS_ALL
    """Processes; 0 takes as many as there are processors."""

    def __post_init__(self) -> None:
        """Check every setting.

        Raises:
            BadSettings: One lies outside what it may be.
        """
        require(16 <= self.size <= 1024, f"--size is {self.size}; it may be 16 to 1024 pixels.")
        require(0 <= self.margin <= 2, f"--margin is {self.margin}; it may be 0 to 2 box widths.")
        require(self.min_face >= 0, f"--min-face is {self.min_face}; it may not be negative.")
        require(self.faces in ("best", "all"), f"--faces is {self.faces}; it may be best or all.")
        require(self.max_megapixels > 0, "--max-megapixels must be more than 0.")
        require(self.workers >= 0, f"--workers is {self.workers}; it may not be negative.")
