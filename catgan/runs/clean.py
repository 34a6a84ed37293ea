"""Taking away what is not needed any more: never what catgan did not write."""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from catgan.core.errors import BadUsage, FolderRefused
from catgan.core.files import LOCK, explain_unwritable, locked
from catgan.formats import logs
from catgan.formats.runs import Run
from catgan.runs.kept import KeptRun, size_of

OURS = {
    "samples": re.compile(r"epoch_\d+\.png"),
    "checkpoints": re.compile(r"(best|last)\.pt"),
    "tensorboard": re.compile(r"events\.out\.tfevents\..*"),
    "drawn": re.compile(r"(best|last)-epoch-\d+-seed-\d+\.png"),
}
"""Folder of a run -> the files in it that catgan writes by itself."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was taken away of a run."""

    run: Run
    """The run."""
    bytes: int
    """That are free now."""
    left: tuple[Path, ...]
    """What somebody else has put into its folder, and stays."""


def slim(kept: KeptRun) -> Removed:
    """Take away what a finished run needs only to be trained further: two thirds of it.

    It can still be drawn from, compared, exported and fine-tuned.

    Raises:
        BadUsage: It is not finished, or has no other checkpoint.
        FolderRefused: Another catgan is at work in it.
    """
    run = kept.run
    if not kept.spare:
        why = "is not finished" if kept.state != "finished" else "has no best checkpoint beside it"
        raise BadUsage(
            f"{run.folder} {why}, so nothing of it can go; --remove takes all of it away."
        )
    with _alone(run), explain_unwritable(run.last):
        config = run.read_config()
        if config is not None:  # first: a kill in between leaves a run that can be slimmed again
            run.write_config(dataclasses.replace(config, slim=True))
        run.last.unlink(missing_ok=True)
    return Removed(run=run, bytes=kept.spare, left=())


def remove(kept: KeptRun) -> Removed:
    """Take a run away; what catgan did not write stays, and so does then its folder.

    Raises:
        FolderRefused: Another catgan is at work in it, or the folder is a link.
    """
    run = kept.run
    before = size_of(run.folder)
    with _alone(run), explain_unwritable(run.folder):
        for path in _files(run):
            path.unlink(missing_ok=True)
        for name in OURS:
            with suppress(OSError):  # somebody else's file in it
                (run.folder / name).rmdir()
        # the last one: as long as it is there, the same command goes on
        run.config.unlink(missing_ok=True)
    with suppress(OSError):
        (run.folder / LOCK).unlink()
    left = tuple(sorted(run.folder.iterdir()))
    if not left:
        run.folder.rmdir()
    return Removed(run=run, bytes=before - size_of(run.folder), left=left)


def clear(files: Sequence[Path]) -> int:
    """Remove files of a cache; how many bytes they had."""
    freed = 0
    for path in files:
        with suppress(FileNotFoundError):  # another catgan was quicker
            size = path.stat().st_size
            path.unlink()
            freed += size
    return freed


def _alone(run: Run) -> AbstractContextManager[None]:
    if run.folder.is_symlink():
        raise FolderRefused(
            f"{run.folder} is a link; name the folder that it leads to, or remove the link."
        )
    return locked(run.folder)


def _files(run: Run) -> Iterator[Path]:
    yield run.stats
    yield run.folder / logs.NAME
    for name, pattern in OURS.items():
        folder = run.folder / name
        if folder.is_dir() and not folder.is_symlink():
            yield from (path for path in folder.iterdir() if pattern.fullmatch(path.name))
