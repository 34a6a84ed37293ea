"""How threads wait for each other: PyTorch's spin, unless somebody else wants the cores."""

import os
import sys
import tempfile
from pathlib import Path

BUSY = 0.5  # of the processors: a load from which others are at work

_held: list[object] = []  # locks that are kept until the program ends


def wait_politely(place: Path | None = None) -> bool:
    """Have threads wait without spinning where another training, or something else, is at work.

    A thread that spins takes a core from whoever has something to do: two trainings on two cores
    become ten times slower. Alone, spinning is a fifth faster (figures in docs/log.md). The number
    of threads stays, and so do the results, to the bit. It counts for a PyTorch that is loaded
    after it, and leaves alone what a person has set (`OMP_WAIT_POLICY`).

    Args:
        place: Folder for the lock by which trainings know of each other; None for the system's.

    Returns:
        Whether threads will wait without spinning.
    """
    if "OMP_WAIT_POLICY" in os.environ or "torch" in sys.modules:
        return os.environ.get("OMP_WAIT_POLICY", "").upper() == "PASSIVE"
    if _another(place) or _is_busy():
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
        return True
    return False


def _another(place: Path | None) -> bool:
    from filelock import FileLock, Timeout

    who = os.getuid() if hasattr(os, "getuid") else "user"
    try:
        folder = place or Path(tempfile.gettempdir())
        lock = FileLock(folder / f"catgan-training-{who}.lock", timeout=0)
        lock.acquire()
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return False
    _held.append(lock)
    return False


def _is_busy() -> bool:
    if not hasattr(os, "getloadavg"):
        return False
    try:
        return os.getloadavg()[0] >= BUSY * (os.cpu_count() or 1)
    except OSError:  # a container that hides the load
        return False
