"""Films as files: GIF or MP4, as their names end."""

import dataclasses
from pathlib import Path

from catgan.core.files import write_bytes
from catgan.sample.gif import Movie, encode_gif
from catgan.sample.outputs import is_video
from catgan.sample.video import encode_video


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A GIF or a video that was written."""

    path: Path
    """Where."""
    frames: int
    """Drawn; those that look like the one before are no frame of their own in a GIF."""
    seconds: float
    """Until it begins again."""
    size: int
    """Of the file, bytes."""


def write_film(movie: Movie, path: Path, fps: int, note: str) -> Clip:
    """Write a movie, whole or not at all.

    Args:
        movie: The frames.
        path: A name that ends in `.gif` or `.mp4`.
        fps: Frames a second, of a video.
        note: What they were drawn from, a few words.

    Raises:
        MissingPackage: A video is wanted, and the package for it is missing.
        DiskFull: There is no room.
    """
    video = is_video(path)
    data = encode_video(movie, fps, note) if video else encode_gif(movie, note)
    write_bytes(path, data)
    seconds = len(movie.frames) / fps if video and _even(movie) else movie.seconds
    return Clip(path=path, frames=len(movie.frames), seconds=seconds, size=len(data))


def _even(movie: Movie) -> bool:
    return len(set(movie.durations)) == 1
