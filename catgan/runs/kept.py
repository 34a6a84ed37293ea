"""What runs and caches take on disk."""

import dataclasses
import os
import re
from collections.abc import Iterator
from pathlib import Path

from catgan.core.errors import CatganError
from catgan.core.files import is_locked
from catgan.formats.runs import Run, find_runs, resolve_run
from catgan.formats.stats import EpochStats

CACHED = re.compile(r"[0-9a-f]{64}\.npz")
"""What a file of the features cache is called."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """A run, and what it takes."""

    run: Run
    """The run."""
    bytes: int
    """Of all files in its folder."""
    state: str
    """`training`, `finished`, `slim` (finished, and without what training goes on from), `stopped`
    (the same command goes on with it), or `damaged`."""
    epoch: int
    """Complete epochs; 0 where nobody knows."""
    best_kid: float | None
    """The lowest KID that is on record."""
    spare: int
    """Bytes that `--slim` would free; 0 where it would not."""


def kept_runs(names: list[str], root: Path) -> list[KeptRun]:
    """The runs so named, or all that there are.

    Args:
        names: Of runs, or paths; empty for all.
        root: The folder of runs.

    Raises:
        UnknownRun: There is no run of one of the names.
    """
    runs = [resolve_run(name, root) for name in names] if names else find_runs(root)
    return [_kept(run) for run in {run.folder.resolve(): run for run in runs}.values()]


def cached_files(folder: Path | None) -> list[Path]:
    """The files of the features cache.

    Args:
        folder: Where caches are; None where there is no such place.
    """
    if folder is None or not (folder / "features").is_dir():
        return []
    return sorted(p for p in (folder / "features").iterdir() if CACHED.fullmatch(p.name))


def _kept(run: Run) -> KeptRun:
    state, stats = _state(run)
    return KeptRun(
        run=run,
        bytes=size_of(run.folder),
        state=state,
        epoch=stats[-1].epoch if stats else 0,
        best_kid=min((one.distance for one in stats if one.distance is not None), default=None),
        spare=run.last.stat().st_size if can_slim(run, state) else 0,
    )


def _state(run: Run) -> tuple[str, list[EpochStats]]:
    try:
        config, stats = run.read_config(), run.read_stats()
    except CatganError:
        return "damaged", []
    if is_locked(run.folder):
        return "training", stats
    if config is None:
        return "damaged", stats
    if not config.finished:
        return "stopped", stats
    return ("finished" if run.last.is_file() else "slim"), stats


def can_slim(run: Run, state: str) -> bool:
    """Whether a run can do without its last checkpoint: finished, with a best one to draw from."""
    return state == "finished" and run.best.is_file()


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder; what vanishes meanwhile counts nothing, nor do links."""
    return sum(_sizes(folder))


def _sizes(folder: Path) -> Iterator[int]:
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                yield os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118 (many files)
            except OSError:
                continue
