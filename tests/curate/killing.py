"""Run curate in processes that kill themselves, the way a lost session would.

A program of its own, `python -m tests.curate.killing RAW WORK`, because it forks: it must hold no
threads but its first. It prints how many moments it tried and those after which a rerun left other
files than an undisturbed run.
"""

import dataclasses
import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from catgan.curate.config import CurateConfig
from catgan.curate.folder import MERGED, SHARDS
from catgan.curate.pipeline import curate_photos, curate_shard
from tests.drawing import EyeDetector, tree

BEFORE = Path(__file__).parents[1] / "fixtures" / "before"  # what an older catgan made
OLD = CurateConfig(workers=1, size=16, faces="all", ablation=True)
THREE = CurateConfig(workers=1, faces="all", ablation=True)
LOOSE = dataclasses.replace(THREE, duplicate_screen=False)
SMALL = dataclasses.replace(THREE, size=48)
PLAIN = dataclasses.replace(SMALL, ablation=False)
# What the interpreter tells of before it does it (Python's "audit events").
EVENTS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"})


def curate(
    raw: Path,
    curated: Path,
    config: CurateConfig,
    *,
    moment: int | None = None,
    merge: bool = False,
) -> bool:
    """Curate in a fork; with a moment, die before the so-many-th thing done to `curated`.

    Returns:
        Whether it came to its end.
    """
    child = os.fork()
    if child == 0:
        if moment is not None:
            _die_at(moment, str(curated))
        merge = merge and ((curated / SHARDS).is_dir() or any(curated.glob(f"{MERGED}*")))
        curate_photos(raw, curated, config, make_detector=EyeDetector(), merge=merge)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0, "curate failed, see above"
    return True


def _die_at(moment: int, folder: str) -> None:
    left = moment

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event not in EVENTS or not str(arguments[0]).startswith(folder):
            return
        # a death before reading leaves what one before the next thing written leaves
        if event != "open" or arguments[2] & (os.O_WRONLY | os.O_RDWR):
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    sys.addaudithook(watch)


def try_all_moments(
    raw: Path,
    work: Path,
    config: CurateConfig,
    before: Path | None,
    expected: Path,
    *,
    merge: bool = False,
) -> None:
    """Kill at every moment there is, starting from a copy of `before`, and rerun to the end.

    Prints the moments tried, and after how many of them the files are not those of `expected`.
    """
    wrong = 0
    moment = 0
    while True:
        curated = work / "killed"
        shutil.rmtree(curated, ignore_errors=True)
        if before is not None:
            shutil.copytree(before, curated)
        if curate(raw, curated, config, moment=moment, merge=merge):
            break
        curate(raw, curated, config, merge=merge)
        if tree(curated) != tree(expected):
            wrong += 1
            print("other files after a kill at moment", moment, file=sys.stderr)  # noqa: T201
        moment += 1
    print(moment, wrong)  # noqa: T201


def main(raw: Path, work: Path) -> None:
    """From nothing; another album; a screen off, and on again; smaller pictures; the third data set
    off, and on again; an older catgan's folder brought into today's layout; and parts merged.
    """
    first, second, loose, plain, small, old, moved = (
        work / name for name in ("first", "second", "loose", "plain", "small", "old", "moved")
    )
    # once in this process: what is imported on the way need not be in every fork
    curate_photos(raw, work / "warm", THREE, make_detector=EyeDetector())
    assert threading.active_count() == 1
    curate(raw, first, THREE)
    try_all_moments(raw, work, THREE, None, first)
    gone, fresh = sorted(raw.glob("*.jpg"))[:2]
    gone.unlink()
    fresh.rename(raw / "zz renamed.jpg")
    curate(raw, second, THREE)
    try_all_moments(raw, work, THREE, first, second)
    curate(raw, loose, LOOSE)
    try_all_moments(raw, work, LOOSE, second, loose)
    try_all_moments(raw, work, THREE, loose, second)
    for photo in sorted(raw.iterdir())[:-2]:
        photo.unlink()
    curate(raw, small, SMALL)
    try_all_moments(raw, work, SMALL, second, small)
    curate(raw, plain, PLAIN)
    try_all_moments(raw, work, PLAIN, small, plain)
    try_all_moments(raw, work, SMALL, plain, small)
    shutil.copytree(BEFORE / "raw", work / "photos")
    shutil.copytree(BEFORE / "curated", old)
    curate(work / "photos", moved, OLD)
    try_all_moments(work / "photos", work, OLD, old, moved)
    for number in (1, 2):
        shard = f"{number}/2"
        curate_shard(work / "photos", work / "parts", shard, OLD, make_detector=EyeDetector())
    shutil.rmtree(moved)
    curate(work / "photos", moved, OLD)
    try_all_moments(work / "photos", work, OLD, work / "parts", moved, merge=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
