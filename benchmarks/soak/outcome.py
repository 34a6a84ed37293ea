"""One try: a command run under a fault, and whether it ended as promised."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TIMEOUT = 120.0  # seconds after which a command is held to hang
PYTHON = sys.executable


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    line: tuple[str, ...]
    """Its arguments."""
    code: int | None
    """Exit status, negative for a signal; None where it had to be killed."""
    out: str
    """Standard output."""
    err: str
    """Standard error."""
    seconds: float
    """From start to end, or from the first signal sent to it."""

    @property
    def sentences(self) -> list[str]:
        """The complaints on standard error."""
        return [one for one in self.err.splitlines() if one.startswith("catgan: ")]

    def fault(self, *, codes: Sequence[int] = (1, 2), words: str = "") -> str | None:
        """What is wrong with the way it ended, if anything.

        Args:
            codes: Exit statuses that are right; 0 needs no sentence.
            words: Part of the sentence.
        """
        if self.code is None:
            return "hangs"
        if "Traceback" in self.err or "Fatal Python" in self.err or "Exception ignored" in self.err:
            return f"traceback ({self.err.strip().splitlines()[-1][:200]})"
        if self.code not in codes:
            return f"exit {self.code}"
        if self.code == 0:
            return None
        usage = self.code == 2 and "Usage" in self.err  # typer's own words
        if len(self.sentences) != 1 and not usage:
            return f"{len(self.sentences)} sentences"
        if words and words not in self.err:
            return f"not a word of {words!r}"
        return None


@dataclass(slots=True)
class Row:
    """The tries of one kind."""

    kind: str
    """What was done to it."""
    tries: int = 0
    """How often."""
    bad: int = 0
    """How often it did not end as promised."""
    examples: list[str] = field(default_factory=list)
    """Some of these, in words."""

    def add(self, fault: str | None, what: str) -> None:
        """Count a try."""
        self.tries += 1
        if fault is not None:
            self.bad += 1
            if len(self.examples) < 5:
                self.examples.append(f"{fault}: {what}")


def run(
    line: Sequence[str | Path],
    *,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    stdout: int | None = None,
    before: Callable[[], None] | None = None,
    prefix: Sequence[str] = (),
    signals: Sequence[tuple[float, int]] = (),
    timeout: float = TIMEOUT,
) -> Ended:
    """Run a command in a process of its own.

    Args:
        line: Its arguments.
        cwd: Where.
        environment: Variables beside those of this process.
        stdout: A descriptor for its standard output; None to catch it.
        before: Called in the new process.
        prefix: A program, and its arguments, to run it by.
        signals: (seconds after the one before, signal) to send to it.
        timeout: Seconds after which it is killed.
    """
    arguments = tuple(map(str, line))
    process = subprocess.Popen(
        [*prefix, PYTHON, "-m", "catgan", *arguments],
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if stdout is None else stdout,
        stderr=subprocess.PIPE,
        preexec_fn=before,
        start_new_session=True,
    )
    started = time.monotonic()

    def send() -> None:
        nonlocal started
        for index, (wait, number) in enumerate(signals):
            time.sleep(wait)
            if index == 0:
                started = time.monotonic()
            with contextlib.suppress(ProcessLookupError):
                if number == signal.SIGINT:  # as a terminal sends it: to every process
                    os.killpg(process.pid, number)
                else:
                    process.send_signal(number)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    code: int | None
    try:
        out, err = process.communicate(timeout=timeout)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        code = None
    seconds = time.monotonic() - started
    sender.join()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what it may have left behind
    return Ended(
        line=arguments,
        code=code,
        out=(out or b"").decode(errors="replace"),
        err=err.decode(errors="replace"),
        seconds=seconds,
    )


def run_here(line: Sequence[str | Path]) -> Ended:
    """Run a command in this process: a hundred times as fast, for what cannot end a process."""
    from catgan.cli import main

    arguments = [str(word) for word in line]
    out, err = io.StringIO(), io.StringIO()
    started = time.monotonic()
    code: int | None = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except Exception:  # what a user would see as a traceback
            import traceback

            traceback.print_exc()
            code = 1
    return Ended(
        line=tuple(arguments),
        code=code,
        out=out.getvalue(),
        err=err.getvalue(),
        seconds=time.monotonic() - started,
    )
