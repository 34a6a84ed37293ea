"""A dask cluster on this machine: a scheduler and workers, each a process that can be killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
START = 120.0  # seconds that a process may take to be there


class Machines:
    """A scheduler, to which workers can be added; all end with the block."""

    def __init__(self, place: Path, *, deaths: int = 4) -> None:
        """Choose a port; nothing starts yet.

        Args:
            place: A folder for what the processes write, made if missing.
            deaths: Of workers with a task, until dask gives the task up; 4 is its default.
        """
        self._place = place
        self._allowed = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(deaths - 1)}
        self._processes: list[subprocess.Popen[bytes]] = []
        self.nannies: list[int] = []
        self.scheduler: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"

    def __enter__(self) -> "Machines":
        self._place.mkdir(parents=True, exist_ok=True)
        self.start_scheduler()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for process in self._processes:
            process.wait()

    def start_scheduler(self) -> None:
        """Start it, at the same address each time, and wait until it answers."""
        host, port = self.address.removeprefix("tcp://").split(":")
        line = ["scheduler", "--host", host, "--port", port, "--no-dashboard", "--no-show"]
        self.scheduler = self._start("scheduler", line, self._allowed)
        until = time.monotonic() + START
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
                return
            time.sleep(0.1)
        raise SystemExit(f"The scheduler does not start: {self.log('scheduler')}")

    def add_worker(
        self,
        name: str,
        *,
        threads: int = 1,
        environment: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
        wait: bool = True,
    ) -> subprocess.Popen[bytes]:
        """Start a worker with its nanny, and wait until it has joined.

        Args:
            name: What it is called, and its log.
            threads: Tasks that it does at a time.
            environment: Variables beside those of this process.
            prefix: A program, and its arguments, to run it by.
            wait: Whether to wait for it.
        """
        folder = self._place / name
        folder.mkdir(exist_ok=True)
        line = ["worker", self.address, "--nthreads", str(threads), "--nworkers", "1"]
        line += ["--name", name, "--no-dashboard", "--local-directory", str(folder)]
        process = self._start(name, line, environment or {}, prefix)
        until = time.monotonic() + START
        while wait and time.monotonic() < until and not self._has_joined(name):
            time.sleep(0.1)
        return process

    def _has_joined(self, name: str) -> bool:
        said = self.log("scheduler").splitlines()
        return any("Register worker" in line and f"name: {name}" in line for line in said)

    def workers_of(self, nanny: int) -> list[int]:
        """The worker processes of a nanny, by its process."""
        return [pid for pid in children_of(nanny) if b"spawn_main" in _file(pid, "cmdline")]

    def log(self, name: str) -> str:
        """What a process has said."""
        return (self._place / f"{name}.log").read_text(errors="replace")

    def _start(
        self,
        name: str,
        line: Sequence[str],
        environment: Mapping[str, str],
        prefix: Sequence[str] = (),
    ) -> subprocess.Popen[bytes]:
        variables = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "10s",
            **environment,
        }
        with (self._place / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*prefix, sys.executable, "-m", f"distributed.cli.dask_{line[0]}", *line[1:]],
                stdout=log,
                stderr=log,
                cwd=self._place,  # another than the command's, as on another machine
                env=variables,
                start_new_session=True,
            )
        self._processes.append(process)
        return process


def children_of(parent: int) -> list[int]:
    """The child processes of a process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _file(int(entry.name), "stat").rpartition(b")")[2].split()
            if len(fields) > 1 and int(fields[1]) == parent:
                found.append(int(entry.name))
    return found


def _file(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
