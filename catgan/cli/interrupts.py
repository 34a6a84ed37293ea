"""Ctrl-C: the first ends what is under way, and is never lost; the second ends at once."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from catgan.core.errors import Interrupted

WORDS = "Interrupted. What was finished is saved; rerun the same command."
AGAIN = 0.5  # seconds between two looks at whether it has got lost
PATIENCE = 10.0  # seconds that cleaning up may take


@contextmanager
def interrupts() -> Iterator[None]:
    """Raise `Interrupted` on Ctrl-C while the block runs."""
    since: float | None = None

    def interrupt(_: int, __: FrameType | None) -> None:
        nonlocal since
        if since is not None:
            _leave()
        since = time.monotonic()
        _remind(AGAIN)
        raise Interrupted(WORDS)

    def remind(_: int, __: FrameType | None) -> None:
        assert since is not None
        if time.monotonic() - since > PATIENCE:
            _leave()
        _remind(AGAIN)
        # Raised inside a destructor, or a callback of C code, an exception goes no further.
        if not isinstance(sys.exc_info()[1], Interrupted):
            raise Interrupted(WORDS)

    def lost(found: "sys.UnraisableHookArgs") -> None:
        if not isinstance(found.exc_value, Interrupted):  # that one is raised again
            unraisable(found)

    unraisable, sys.unraisablehook = sys.unraisablehook, lost
    before = {signal.SIGINT: signal.signal(signal.SIGINT, interrupt)}
    if hasattr(signal, "setitimer"):  # Windows has none
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, remind)
    try:
        yield
    finally:
        _remind(0)
        sys.unraisablehook = unraisable
        for number, handler in before.items():
            signal.signal(number, handler)


def _remind(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _leave() -> NoReturn:
    os.write(2, f"catgan: {WORDS}\n".encode())
    os._exit(Interrupted.exit_code)


class StopFlag:
    """Whether somebody has asked to stop."""

    def __init__(self) -> None:
        """Nobody has yet."""
        self.raised = False

    def __call__(self) -> bool:
        """Whether somebody has."""
        return self.raised


@contextmanager
def stop_on_signal() -> Iterator[StopFlag]:
    """The first Ctrl-C (or a polite kill) raises a flag; the second does what it always did."""
    flag = StopFlag()
    before: dict[int, Any] = {}  # what the signals did

    def stop(number: int, _: FrameType | None) -> None:
        flag.raised = True
        signal.signal(number, before[number])

    for caught in (signal.SIGINT, signal.SIGTERM):
        before[caught] = signal.signal(caught, stop)
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
