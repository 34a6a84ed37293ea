"""Loading the pictures of data sets: one loader for all commands, over several processes at need.

Knows nothing of training: a process that shares the work imports this module, and PyTorch would
cost it seconds.
"""

import dataclasses
import functools
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import numpy as np

from catgan.core.errors import UnequalSizes, UnreadablePhoto
from catgan.core.executors import ChunkMap, processors
from catgan.core.files import read_file, sha256
from catgan.core.photos import read_photo, to_srgb
from catgan.core.pictures import Picture, Pictures, resize_shorter_side

HERE_SECONDS = 2.0  # of work before it is shared: most data sets are done by then
WORTH_SECONDS = 3.0  # of work left that pay for starting processes, which takes one or two
CHUNK_SECONDS = 0.25  # of work handed over at a time
MOST_IN_CHUNK = 256  # pictures; a few chunks for each process lie in memory
MOST_PROCESSES = 8  # past that, the one process that takes the pictures in is the slowest


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One picture of a data set, and what its file was."""

    pixels: Picture
    """(H, W, 3) uint8 sRGB; square where a size was asked for."""
    width: int
    """Width of the picture in the file, upright, pixels."""
    height: int
    """Height likewise."""
    sha256: str
    """Hash of the file's contents, hexadecimal."""


def load_picture(path: Path, size: int | None = None) -> Loaded:
    """Read a picture, and make it a square where a size is asked for.

    A picture of another size has its shorter side brought to `size` and its middle cut out (see
    `resize_shorter_side`); one of that size stays as it is, to the last bit.

    Args:
        path: A file that Pillow can read.
        size: Side of the result, pixels; None for the picture as it is.

    Raises:
        UnreadablePhoto: It cannot be read; names it and says why.
    """
    try:
        data = read_file(path)
        photo = read_photo(data)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except UnreadablePhoto as error:
        raise _unreadable(path, str(error)) from error
    picture = to_srgb(photo.pixels, photo.profile)
    height, width = picture.shape[:2]
    if size is not None and (height, width) != (size, size):
        picture = resize_shorter_side(picture, size)
    return Loaded(pixels=picture, width=width, height=height, sha256=sha256(data))


def load_pictures(paths: Sequence[Path], size: int | None = None) -> Pictures:
    """Pictures in memory, in order.

    Args:
        paths: The files, from one on.
        size: Side that each is brought to, pixels; None where all are of one size already.

    Returns:
        (N, H, W, 3) uint8 sRGB.

    Raises:
        UnreadablePhoto: One cannot be read; names it.
        UnequalSizes: No size is given and they differ; names the first that does.
    """
    first = load_picture(paths[0], size).pixels
    pictures = np.empty((len(paths), *first.shape), dtype=np.uint8)
    for index, path in enumerate(paths):
        picture = first if index == 0 else load_picture(path, size).pixels
        if picture.shape != first.shape:
            height, width = picture.shape[:2]
            raise UnequalSizes(
                f"{path} is {width} x {height}, but {paths[0].name} is {first.shape[1]} x "
                f"{first.shape[0]}; a data set needs images of one size: catgan curate makes them "
                "so."
            )
        pictures[index] = picture
    return pictures


def load_all(
    paths: Sequence[Path], size: int, *, workers: int = 0
) -> Generator[Loaded, None, None]:
    """Load pictures, in order, a few of them in memory at a time.

    The first seconds are worked in this process; if much is left then, several share it. The
    pictures are the same either way.

    Args:
        paths: The files.
        size: Side of the results, pixels.
        workers: Processes at most; 0 for one a processor, 1 works in this one.

    Raises:
        UnreadablePhoto: One cannot be read; names the first of them.
    """
    most = workers or min(processors(), MOST_PROCESSES)
    started = time.monotonic()
    for done, path in enumerate(paths):
        passed = time.monotonic() - started
        if most > 1 and done > 0 and passed >= HERE_SECONDS:
            rate = done / max(passed, 1e-9)
            if (len(paths) - done) / rate >= WORTH_SECONDS:
                yield from _shared(paths[done:], size, workers=most, rate=rate)
                return
        yield load_picture(path, size)


def _shared(paths: Sequence[Path], size: int, *, workers: int, rate: float) -> Iterator[Loaded]:
    chunks: ChunkMap[Path, Loaded] = ChunkMap(
        functools.partial(_work, size),
        lost=_lost,
        initializer=_start,
        workers=workers,
        chunk=max(1, min(MOST_IN_CHUNK, int(rate * CHUNK_SECONDS))),
    )
    for chunk in chunks.run(paths):
        yield from chunk


def _work(size: int, paths: Sequence[Path]) -> list[Loaded]:
    return [load_picture(path, size) for path in paths]


def _start() -> None:
    """Nothing to set up in a process that reads pictures."""


def _lost(path: Path) -> Loaded:
    raise _unreadable(path, "reading it crashed the reader")


def _unreadable(path: Path, why: str) -> UnreadablePhoto:
    return UnreadablePhoto(
        f"{path} cannot be read: {why}. Take it out of the folder, or curate it again."
    )
