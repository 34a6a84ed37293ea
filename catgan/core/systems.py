"""What operating systems do differently, in one place; everything else is the same on all."""

import errno
import os
import re
import shlex
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

WINDOWS = os.name == "nt"

MOST_PROCESSES = 61 if WINDOWS else 10**6
"""Processes that a pool can have: Windows waits for 63 things at once, and a pool needs two.
https://docs.python.org/3/library/concurrent.futures.html#processpoolexecutor"""

LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that systems put into folders by themselves."""

TRIES = 8  # to put a file in place that another program has open
PAUSE = 0.02  # seconds before the second try; doubled each time, 2.5 seconds in all

_FULL_WINDOWS = frozenset({39, 112, 1295})
"""Windows' own numbers for a full disk or quota, where Python has no `errno` for them:
ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL, ERROR_DISK_QUOTA_EXCEEDED."""

_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def sync(path: Path) -> None:
    """Wait until a file's contents are safe from a power cut.

    Windows only does that for a file that is open for writing; macOS leaves them in the memory of
    the drive unless told otherwise (its manual page of fsync).

    Raises:
        OSError: They cannot be written.
    """
    with path.open("rb+") as file:
        if (full := _full_sync()) is not None:
            try:
                full(file.fileno())
                return
            except OSError as error:  # network drives have no such thing
                if error.errno not in (errno.ENOTSUP, errno.EINVAL, errno.ENOTTY):
                    raise
        os.fsync(file.fileno())


def _full_sync() -> Callable[[int], object] | None:
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    command = getattr(fcntl, "F_FULLFSYNC", None)  # macOS
    return None if command is None else lambda file: fcntl.fcntl(file, command)


def replace(source: Path, target: Path) -> None:
    """Rename a file to `target`, in place of what is there.

    Windows refuses that while another program (a virus scanner, a viewer, an indexer) has one of
    the two open, mostly for a moment; there it is tried for some seconds.

    Raises:
        OSError: It cannot be done.
    """
    for attempt in range(TRIES):
        try:
            source.replace(target)
            return
        except PermissionError:
            if not WINDOWS or attempt == TRIES - 1 or target.is_dir():
                raise
            time.sleep(PAUSE * 2**attempt)


def is_full(error: OSError) -> bool:
    """Whether a disk or a quota is used up."""
    return (
        error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
        or getattr(error, "winerror", None) in _FULL_WINDOWS
    )


def is_plain_name(name: str) -> bool:
    """Whether a folder can be called so: no path, not hidden, and not refused by this system.

    Windows also refuses some characters, the names of devices, and a point or space at the end.
    """
    if not name or Path(name).name != name or name.startswith(".") or "\0" in name:
        return False
    return not WINDOWS or not (
        re.search(r'[<>:"/\\|?*\x00-\x1f]', name)
        or name[-1] in ". "
        or _DEVICES.fullmatch(name.strip())
    )


def machine_name() -> str:
    """What this machine is called in the network, as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", socket.gethostname()).strip("-") or "machine"


def command_line(words: Sequence[str]) -> str:
    """A command as a person can paste it into this system's shell."""
    return subprocess.list2cmdline(words) if WINDOWS else shlex.join(words)
