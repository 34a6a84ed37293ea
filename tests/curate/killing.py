"""Run curate in processes that kill themselves, the way a lost session would.

A program of its own, `python -m tests.curate.killing RAW WORK`, because it forks: it must hold no
threads but its first. It prints how many moments it tried and those after which a rerun left other
files than an undisturbed run.
"""

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from catgan.curate import CurateConfig, curate_photos
from tests.drawing import EyeDetector, tree

CONFIG = CurateConfig(workers=1, faces="all")
# What the interpreter tells of before it does it (Python's "audit events").
EVENTS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"})


def curate(raw: Path, curated: Path, *, moment: int | None = None) -> bool:
    """Curate in a fork; with a moment, die before the so-many-th thing done to `curated`.

    Returns:
        Whether it came to its end.
    """
    child = os.fork()
    if child == 0:
        if moment is not None:
            _die_at(moment, str(curated))
        curate_photos(raw, curated, CONFIG, make_detector=EyeDetector())
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
        if event in EVENTS and str(arguments[0]).startswith(folder):
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    sys.addaudithook(watch)


def try_all_moments(raw: Path, work: Path, before: Path | None, expected: Path) -> tuple[int, int]:
    """Kill at every moment there is, starting from a copy of `before`, and rerun to the end.

    Returns:
        The moments tried, and after how many of them the files are not those of `expected`.
    """
    wrong = 0
    moment = 0
    while True:
        curated = work / "killed"
        shutil.rmtree(curated, ignore_errors=True)
        if before is not None:
            shutil.copytree(before, curated)
        if curate(raw, curated, moment=moment):
            return moment, wrong
        curate(raw, curated)
        if tree(curated) != tree(expected):
            wrong += 1
            print("other files after a kill at moment", moment, file=sys.stderr)  # noqa: T201
        moment += 1


def main(raw: Path, work: Path) -> None:
    """A run from nothing, then one after the album has changed."""
    curate(raw, work / "first")
    print(*try_all_moments(raw, work, None, work / "first"))  # noqa: T201
    gone, fresh = sorted(raw.glob("*.jpg"))[:2]
    gone.unlink()
    fresh.rename(raw / "zz renamed.jpg")
    curate(raw, work / "second")
    print(*try_all_moments(raw, work, work / "first", work / "second"))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
