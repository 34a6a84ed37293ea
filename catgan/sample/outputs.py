"""Where the drawings go, and that nothing of somebody else's lies there."""

import dataclasses
import re
from collections.abc import Iterable
from pathlib import Path

from catgan.core.errors import BadUsage, FileRefused
from catgan.core.files import check_place
from catgan.core.pages import check_page
from catgan.core.settings import paths_of_strings
from catgan.sample import video
from catgan.sample.stamp import is_ours

DRAWN = "drawn"  # the folder inside a run's own for what nobody named a place for
FILMS = (".gif", video.SUFFIX)
FILE_NAME = re.compile(r"cat-\d{4,}\.png")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What is to be made; with nothing named, a grid in the run's own folder."""

    grid: Path | None = None
    """One PNG of all pictures."""
    files: Path | None = None
    """A folder for one PNG each."""
    walk: Path | None = None
    """A GIF or MP4 that wanders from cat to cat and back."""
    timelapse: Path | None = None
    """A GIF or MP4 of the training, from the sample grids that it left."""
    page: Path | None = None
    """An HTML page with a map of latent space, on which the pointer chooses the cat."""

    def __post_init__(self) -> None:
        """Strings are paths, too."""
        paths_of_strings(self, "grid", "files", "walk", "timelapse", "page")

    @property
    def nothing(self) -> bool:
        """Whether nothing was named."""
        return not any((self.grid, self.files, self.walk, self.timelapse, self.page))

    @property
    def drawn(self) -> bool:
        """Whether a generator is needed."""
        return self.nothing or any((self.grid, self.files, self.walk, self.page))

    def check(self, count: int) -> None:
        """Refuse what cannot or must not be written; changes nothing.

        Args:
            count: Single images that a folder is to get.

        Raises:
            BadUsage: A path cannot be what it is wanted for, or two are the same.
            FileRefused: A file of somebody else's lies there.
            MissingPackage: A video is wanted, and the package for it is missing.
        """
        named = (
            ("--out", self.grid, (".png",)),
            ("--walk", self.walk, FILMS),
            ("--timelapse", self.timelapse, FILMS),
            ("--page", self.page, (".html", ".htm")),
        )
        seen: dict[Path, str] = {}
        for flag, path, suffixes in named:
            if path is None:
                continue
            if path.suffix.lower() not in suffixes:
                endings = " or ".join(suffixes)
                raise BadUsage(f"{flag} is {path}; it must be a file that ends in {endings}.")
            if path.is_dir():
                raise BadUsage(f"{flag} is {path}, which is a folder; name a file in it.")
            other = seen.setdefault(path.resolve(), flag)
            if other != flag:
                raise BadUsage(f"{other} and {flag} are both {path}; name two files.")
            if path == self.page:
                check_page(path, "sample", option=flag, usual="cats.html")
                continue
            check_place(path)
            _check_owner([path])
            if is_video(path):
                video.check_videos()
        if self.files is not None:
            if self.files.exists() and not self.files.is_dir():
                raise BadUsage(f"--files is {self.files}, which is a file; name a folder.")
            check_place(self.files / "picture")
            single = [self.files / name for name in file_names(count)]
            if self.grid is not None and self.grid.resolve() in {p.resolve() for p in single}:
                raise BadUsage(f"--out is {self.grid}, which --files writes too; name another.")
            _check_owner(single)


def is_video(path: Path | None) -> bool:
    """Whether a film is to be a video, not a GIF."""
    return path is not None and path.suffix.lower() == video.SUFFIX


def file_names(count: int) -> list[str]:
    """The names of so many single pictures, in order."""
    return [f"cat-{number:04d}.png" for number in range(1, count + 1)]


def left_over(folder: Path, count: int) -> list[Path]:
    """Pictures that an earlier call left in a folder beyond the first so many: they go."""
    if not folder.is_dir():
        return []
    wanted = frozenset(file_names(count))
    return [
        path
        for path in sorted(folder.iterdir())
        if FILE_NAME.fullmatch(path.name) and path.name not in wanted and is_ours(path)
    ]


def _check_owner(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.exists() and not is_ours(path):
            raise FileRefused(
                f"{path} exists already and was not written by catgan sample; "
                "name another place, or move it away."
            )
