"""Curation beyond one process: a scheduler, workers and parts, and what may happen to each."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.soak.ground import Ground, tree
from benchmarks.soak.machines import Machines, children_of
from benchmarks.soak.outcome import Ended, Row, run
from benchmarks.soak.stops import differs

PARTS = 3
TIMEOUT = 400.0  # seconds: workers that die are started anew, which takes some each time

Fault = Callable[[Machines, random.Random], None]


def cluster(ground: Ground, place: Path, dice: random.Random, tries: int) -> Iterator[Row]:
    """Each kind of fault once the command runs, then the same line: the same files, or a sentence
    first."""
    whole = _plain(ground, place)
    kinds: dict[str, Fault] = {
        "nothing happens": lambda machines, dice: None,
        "a worker killed": _kill_worker,
        "a process of a worker killed": _kill_child,
        "a worker killed with its nanny": _kill_nanny,
        "the scheduler killed": lambda machines, dice: _kill_scheduler(machines),
        "a worker comes late": lambda machines, dice: _add(machines, "late"),
    }
    for kind, fault in kinds.items():
        row = Row(kind=f"cluster: {kind}")
        for _ in range(tries if fault is not kinds["nothing happens"] else 1):
            row.add(_one(ground, place, dice, fault, whole), kind)
        yield row
    yield _commands(ground, place, dice, tries, whole)
    yield _hidden(ground, place, whole)
    yield _full(ground, place, whole)


def parts(ground: Ground, place: Path, dice: random.Random, tries: int) -> Iterator[Row]:
    """`--shard`, two at a time and killed, and `--merge` killed: the files of one plain run."""
    whole = _plain(ground, place)
    row = Row(kind="parts: two at once, shards and merge killed")
    for _ in range(tries):
        folder = ground.copy(place, "raw")
        lines = [(*LINE, "--shard", f"{number}/{PARTS}") for number in range(1, PARTS + 1)]
        fault: str | None = None
        beside = threading.Thread(target=_killed_and_again, args=(lines[0], folder, dice.random()))
        beside.start()
        for line in lines[1:]:
            fault = fault or _killed_and_again(line, folder, dice.random())
        beside.join()
        fault = fault or run(lines[0], cwd=folder, timeout=TIMEOUT).fault(codes=(0,))
        merge = (*LINE, "--merge")
        run(merge, cwd=folder, signals=[(dice.uniform(1, 6), signal.SIGKILL)], timeout=TIMEOUT)
        ended = run(merge, cwd=folder, timeout=TIMEOUT)
        if ended.code and "no parts to merge" in ended.err:  # it was done before
            ended = run(LINE, cwd=folder, timeout=TIMEOUT)
        row.add(fault or ended.fault(codes=(0,)) or differs(tree(folder), whole), "parts")
    yield row


LINE = Ground.curate("--workers", "1")


def _plain(ground: Ground, place: Path) -> dict[str, bytes]:
    folder = ground.copy(place, "raw")
    if (fault := run(LINE, cwd=folder, timeout=TIMEOUT).fault(codes=(0,))) is not None:
        raise SystemExit(f"curate does not even work undisturbed: {fault}")
    return tree(folder)


def _killed_and_again(line: tuple[str, ...], folder: Path, share: float) -> str | None:
    run(line, cwd=folder, signals=[(0.5 + 6 * share, signal.SIGKILL)], timeout=TIMEOUT)
    return run(line, cwd=folder, timeout=TIMEOUT).fault(codes=(0,))


def _one(
    ground: Ground, place: Path, dice: random.Random, fault: Fault, whole: dict[str, bytes]
) -> str | None:
    folder = ground.copy(place, "raw")
    with _machines(place) as machines:
        line = Ground.curate("--scheduler", machines.address)
        timer = threading.Timer(dice.uniform(1, 12), fault, (machines, dice))
        timer.start()
        ended = run(line, cwd=folder, timeout=TIMEOUT)
        timer.cancel()
        timer.join()
        found = ended.fault(codes=(0, 1))
        if found is None and ended.code:
            if machines.scheduler is None or machines.scheduler.poll() is not None:
                machines.start_scheduler()
            _add(machines, "again")
            found = run(line, cwd=folder, timeout=TIMEOUT).fault(codes=(0,))
    return found or differs(tree(folder), whole)


def _commands(
    ground: Ground, place: Path, dice: random.Random, tries: int, whole: dict[str, bytes]
) -> Row:
    row = Row(kind="cluster: the command killed or Ctrl-C")
    for number in range(tries):
        folder = ground.copy(place, "raw")
        with _machines(place) as machines:
            line = Ground.curate("--scheduler", machines.address)
            kill = signal.SIGKILL if number % 2 else signal.SIGINT
            ended = run(line, cwd=folder, signals=[(dice.uniform(1, 12), kill)], timeout=TIMEOUT)
            fault = _interrupted(ended) if kill == signal.SIGINT else None
            # without a cluster, beside workers that may still be at it
            again = LINE if number % 4 < 2 else line
            fault = fault or run(again, cwd=folder, timeout=TIMEOUT).fault(codes=(0,))
        row.add(fault or differs(tree(folder), whole), " ".join(line))
    return row


def _interrupted(ended: Ended) -> str | None:
    if ended.code in (0, -signal.SIGINT):
        return None
    return f"took {ended.seconds:.0f} s" if ended.seconds > 30 else ended.fault(codes=(130,))


def _hidden(ground: Ground, place: Path, whole: dict[str, bytes]) -> Row:
    row = Row(kind="cluster: a worker without a folder")
    for name in ("raw", "curated"):
        folder = ground.copy(place, "raw")
        (folder / "curated").mkdir()
        prefix = hiding(folder / name)
        if prefix is None:
            return row
        with _machines(place, workers=1) as machines:
            bad = machines.add_worker("bad", prefix=prefix)
            line = Ground.curate("--scheduler", machines.address)
            ended = run(line, cwd=folder, timeout=TIMEOUT)
            fault = ended.fault(codes=(1,), words="does not see")
            os.killpg(bad.pid, signal.SIGKILL)
            fault = fault or run(line, cwd=folder, timeout=TIMEOUT).fault(codes=(0,))
        row.add(fault or differs(tree(folder), whole), name)
    return row


def _full(ground: Ground, place: Path, whole: dict[str, bytes]) -> Row:
    row = Row(kind="cluster: a full disk on one worker")
    if shutil.which("prlimit") is None:
        return row
    for limit in (500, 4000):
        folder = ground.copy(place, "raw")
        with _machines(place, workers=1) as machines:
            bad = machines.add_worker("bad", prefix=("prlimit", f"--fsize={limit}", "--"))
            line = Ground.curate("--scheduler", machines.address)
            ended = run(line, cwd=folder, timeout=TIMEOUT)
            fault = ended.fault(codes=(0, 1))
            os.killpg(bad.pid, signal.SIGKILL)
            fault = fault or run(line, cwd=folder, timeout=TIMEOUT).fault(codes=(0,))
        row.add(fault or differs(tree(folder), whole), f"{limit} bytes")
    return row


@contextlib.contextmanager
def _machines(place: Path, workers: int = 2) -> Iterator[Machines]:
    beside = place.with_name("machines")
    shutil.rmtree(beside, ignore_errors=True)
    with Machines(beside) as machines:
        for number in range(workers):
            _add(machines, f"worker-{number}")
        yield machines


def _add(machines: Machines, name: str) -> None:
    machines.nannies.append(machines.add_worker(name, wait=name != "late").pid)


def _kill_worker(machines: Machines, dice: random.Random) -> None:
    for worker in machines.workers_of(dice.choice(machines.nannies)):
        _kill(worker)


def _kill_child(machines: Machines, dice: random.Random) -> None:
    for worker in machines.workers_of(dice.choice(machines.nannies)):
        for child in children_of(worker):
            _kill(child)


def _kill_nanny(machines: Machines, dice: random.Random) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(dice.choice(machines.nannies), signal.SIGKILL)


def _kill_scheduler(machines: Machines) -> None:
    if machines.scheduler is not None:
        machines.scheduler.kill()
        machines.scheduler.wait()


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def hiding(folder: Path) -> list[str] | None:
    """A prefix for a program that sees an empty folder in place of this one; None where that
    cannot be had."""
    prefix = ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs none "{folder}" && exec "$@"', "-"]
    for line in (prefix, [prefix[0], "--map-root-user", *prefix[1:]]):
        with contextlib.suppress(OSError):
            if subprocess.run([*line, "true"], capture_output=True).returncode == 0:
                return line
    return None
