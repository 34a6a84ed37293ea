"""Several ranks train one run, and one of them is killed, stalls, or has a full disk."""

import os
import random
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks.soak.ground import Ground, tree
from benchmarks.soak.outcome import PYTHON, Ended, Row
from benchmarks.soak.stops import differs

LAUNCH = (PYTHON, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "catgan")
EPOCHS = 12
LINE = Ground.train("--checkpoint-minutes", "0", "--precision", "float32", epochs=EPOCHS)
FRAME = re.compile(r"(\[rank\d+\]: )?  File ")  # of a traceback
LAUNCHER = -1
PATIENCE = 0.5  # minutes that a rank which does not answer is waited for
MOST_SECONDS = 90.0  # from the signal to the end; torchrun itself gives a stalled rank 30
LONGEST = 600.0  # seconds after which a command is held to hang


def ranks(ground: Ground, place: Path, dice: random.Random, tries: int) -> Iterator[Row]:
    """Ranks killed, stalled and interrupted: one sentence, and the same line ends the same."""
    whole = _trained(ground, place)
    for name, number in (("killed", signal.SIGKILL), ("stalls", signal.SIGSTOP)):
        row = Row(kind=f"two ranks, one {name}")
        for _ in range(tries):
            rank, wait = dice.choice((0, 1)), dice.uniform(0.0, 3.0)
            folder = ground.copy(place, "curated")
            row.add(
                _lost(folder, whole, rank, number, wait, f"Rank {rank} of this training"),
                f"rank {rank} after {wait:.1f} s",
            )
        yield row
    row = Row(kind="two ranks, Ctrl-C")  # which torchrun passes on to both
    for _ in range(tries):
        wait = dice.uniform(0.0, 3.0)
        folder = ground.copy(place, "curated")
        row.add(_lost(folder, whole, LAUNCHER, signal.SIGINT, wait, "Interrupted"), f"{wait:.1f} s")
    yield row
    yield from _full(ground)


def _lost(
    folder: Path, whole: dict[str, bytes], rank: int, number: int, wait: float, words: str
) -> str | None:
    """Send a signal some time after the first checkpoint; then the same line again."""
    line = (*LINE, "--rank-minutes", f"{PATIENCE}")
    ended = launch(line, folder, lambda: begun(folder), wait, lambda pids: send(pids, rank, number))
    if ended.code == 0:  # it was done before
        return differs(tree(folder), whole)
    fault = fault_of(ended, words)
    if fault is None and ended.seconds > MOST_SECONDS:
        fault = f"took {ended.seconds:.0f} s"
    return fault or launch(LINE, folder).fault(codes=(0,)) or differs(tree(folder), whole)


def launch(
    line: tuple[str, ...],
    folder: Path,
    when: Callable[[], bool] | None = None,
    wait: float = 0.0,
    do: Callable[[dict[int, int]], None] | None = None,
) -> Ended:
    """Run a command on two ranks, and do something to them at some moment.

    Args:
        line: The command's arguments.
        folder: Where.
        when: Asked again and again; the moment has come where it is so.
        wait: Seconds until then.
        do: Called with the process of each rank, and of the launcher.
    """
    started = time.monotonic()
    process = subprocess.Popen(
        [*LAUNCH, *line],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )

    def act() -> None:
        nonlocal started
        while when is not None and process.poll() is None and not when():
            time.sleep(0.02)
        time.sleep(wait)
        if do is not None and process.poll() is None:
            started = time.monotonic()
            do({LAUNCHER: process.pid, **ranks_of(process.pid)})

    actor = threading.Thread(target=act, daemon=True)
    actor.start()
    code: int | None
    try:
        out, err = process.communicate(timeout=LONGEST)
        code = process.returncode
    except subprocess.TimeoutExpired:
        for pid in (*ranks_of(process.pid).values(), process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        out, err = process.communicate()
        code = None
    seconds = time.monotonic() - started
    actor.join()
    return Ended(
        line=line,
        code=code,
        out=out.decode(errors="replace"),
        err=err.decode(errors="replace"),
        seconds=seconds,
    )


def ranks_of(launcher: int) -> dict[int, int]:
    """The processes that a launcher has started: rank -> its number."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            variables = (entry / "environ").read_bytes().split(b"\0")
        except (OSError, ValueError):
            continue
        named = [one for one in variables if one.startswith(b"RANK=")]
        if parent == launcher and named:
            found[int(named[0][5:])] = int(entry.name)
    return found


def fault_of(ended: Ended, words: str) -> str | None:
    """What is wrong with the way in which ranks ended after one of them was lost, if anything.

    The launcher reports in its own words, with a traceback of its own; ours is one sentence.
    """
    if ended.code is None:
        return "hangs"
    if ended.code == 0:
        return "exit 0"
    lines = ended.err.splitlines()
    own = [one for one in lines if FRAME.match(one) and "/catgan/" in one]
    if own:
        return f"traceback ({own[-1]})"
    if len(ended.sentences) != 1:
        return f"{len(ended.sentences)} sentences: {ended.sentences}"
    if words not in ended.sentences[0]:
        return f"not a word of {words!r}: {ended.sentences[0]}"
    return None


def _trained(ground: Ground, place: Path) -> dict[str, bytes]:
    folder = ground.copy(place, "curated")
    ended = launch(LINE, folder)
    if fault := ended.fault(codes=(0,)):
        raise SystemExit(f"Two ranks do not even train undisturbed: {fault}\n{ended.err[-2000:]}")
    return tree(folder)


def begun(folder: Path) -> bool:
    """Whether there is a first checkpoint."""
    return any((folder / "runs").glob("*/checkpoints/last.pt"))


def send(pids: dict[int, int], rank: int, number: int) -> None:
    with suppress(KeyError, ProcessLookupError):
        os.kill(pids[rank], number)


def _full(ground: Ground) -> Iterator[Row]:
    """A disk that runs full at the rank that writes (needs root): one sentence from both."""
    row = Row(kind="two ranks, disk full")
    disk = ground.folder.with_name("disk")
    disk.mkdir(exist_ok=True)
    need = sum(
        -(-path.stat().st_size // 4096) * 4 + 4 for path in (ground.folder / "curated").rglob("*")
    )
    for room in (60, 400):  # kilobytes
        mount = ["mount", "-t", "tmpfs", "-o", f"size={need + room}k", "tmpfs", str(disk)]
        if subprocess.run(mount, capture_output=True).returncode:
            return
        try:
            shutil.copytree(ground.folder / "curated", disk / "curated")
            ended = launch(LINE, disk)
            fault = None if ended.code == 0 else fault_of(ended, "disk")
            row.add(fault, f"{room} KB free")
            if fault is None and ended.code:
                subprocess.run(["mount", "-o", "remount,size=1g", str(disk)], check=True)
                row.add(launch(LINE, disk).fault(codes=(0,)), f"{room} KB free, then enough")
        finally:
            subprocess.run(["umount", str(disk)], check=True)
    yield row
