"""Kills and Ctrl-C at random moments: nothing lost, the same end, no good photo called broken."""

import io
import json
import os
import random
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import torch

from benchmarks.soak.ground import Ground, tree
from benchmarks.soak.outcome import Ended, Row, run

Lines = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
"""A command -> its line, and what of the ground it needs."""

COMMANDS: Lines = {
    "curate": (Ground.curate("--workers", "1"), ("raw",)),
    "curate, two workers": (Ground.curate("--workers", "2"), ("raw",)),
    "train": (Ground.train("--checkpoint-minutes", "0", epochs=12), ("curated",)),
    "sample": (("sample", "full-body", "--files", "cats", "--count", "200"), ("runs",)),
    "demo": (("demo", "drawn", "--album-only", "--photos", "14", "--workers", "1"), ()),
    "inspect": (("inspect", "curated", "--page", "page.html"), ("raw", "curated")),
}
RESUMED = frozenset({"curate", "curate, two workers", "train", "sample", "demo"})


def kills(ground: Ground, place: Path, random: random.Random, tries: int) -> Iterator[Row]:
    """SIGKILL at a random moment, once or twice, then the same line again: the same tree."""
    for name in sorted(RESUMED):
        row = Row(kind=f"SIGKILL: {name}")
        whole, seconds, line = _undisturbed(ground, place, name)
        for _ in range(tries):
            folder = _fresh(ground, place, name)
            for _ in range(random.choice((1, 2))):
                run(line, cwd=folder, signals=[(random.uniform(0.05, seconds), signal.SIGKILL)])
            ended = run(line, cwd=folder)
            row.add(ended.fault(codes=(0,)) or differs(tree(folder), whole), " ".join(line))
        yield row


def interrupts(ground: Ground, place: Path, random: random.Random, tries: int) -> Iterator[Row]:
    """Ctrl-C at a random moment, once or three times: 130 within seconds, then the same tree."""
    for name in COMMANDS:
        row = Row(kind=f"Ctrl-C: {name}")
        whole, seconds, line = _undisturbed(ground, place, name)
        for number in range(tries):
            folder = _fresh(ground, place, name)
            wait = random.uniform(0.05, seconds) if number % 4 else random.uniform(0.03, 0.4)
            times = 3 if number % 3 == 2 else 1
            signals = [(wait, signal.SIGINT), *[(0.05, signal.SIGINT)] * (times - 1)]
            ended = run(line, cwd=folder, signals=signals)
            fault = _interrupted(ended, wait)
            if fault is None:
                again = run(line, cwd=folder)
                fault = again.fault(codes=(0,))
                if fault is None and name in RESUMED:
                    fault = differs(tree(folder), whole)
            row.add(fault, f"{' '.join(line)} after {wait:.2f} s, {times} times")
        yield row


def workers(ground: Ground, place: Path, random: random.Random, tries: int) -> Iterator[Row]:
    """Workers of `curate` killed from outside, again and again: nothing is lost by it."""
    import threading

    row = Row(kind="workers of curate killed ten times")
    line = Ground.curate("--workers", "2")
    whole, _, _ = _undisturbed(ground, place, "curate, two workers")
    for _ in range(tries):
        folder = _fresh(ground, place, "curate, two workers")
        stop = threading.Event()

        def kill_some(stop: threading.Event = stop, folder: Path = folder) -> None:
            for _ in range(10):
                if stop.wait(random.uniform(0.3, 1.2)):
                    return
                for pid in _children_at(folder):
                    with suppress(OSError):
                        os.kill(pid, signal.SIGKILL)

        killer = threading.Thread(target=kill_some, daemon=True)
        killer.start()
        ended = run(line, cwd=folder)
        stop.set()
        killer.join()
        fault = ended.fault(codes=(0, 1))
        if fault is None:
            fault = run(line, cwd=folder).fault(codes=(0,)) or differs(tree(folder), whole)
        row.add(fault, " ".join(line))
    yield row


def _children_at(folder: Path) -> list[int]:
    """Worker processes whose working folder is this one."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes()
            # "spawn_main" names a worker; the resource tracker, which Python keeps beside them and
            # which complains in its own words when a second one takes over, is none
            if b"spawn_main" in words and (entry / "cwd").resolve() == folder.resolve():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _undisturbed(
    ground: Ground, place: Path, name: str
) -> tuple[dict[str, bytes], float, tuple[str, ...]]:
    """What the command leaves when nothing happens, how long it takes, and its line."""
    line, _ = COMMANDS[name]
    folder = _fresh(ground, place, name)
    ended = run(line, cwd=folder)
    fault = ended.fault(codes=(0,))
    if fault is not None:
        raise SystemExit(f"catgan {' '.join(line)} does not even work undisturbed: {fault}")
    return tree(folder), ended.seconds, line


def _fresh(ground: Ground, place: Path, name: str) -> Path:
    needed = COMMANDS[name][1]
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for one in needed:
        shutil.copytree(ground.folder / one, place / one)
    return place


def _interrupted(ended: Ended, wait: float) -> str | None:
    if ended.code == 0:
        return None  # it was done before
    if ended.code == -signal.SIGINT and wait < 0.2:
        return None  # Python itself was still starting
    if ended.seconds > 15:
        return f"took {ended.seconds:.0f} s"
    return ended.fault(codes=(130,))


def differs(found: dict[str, bytes], wanted: dict[str, bytes]) -> str | None:
    """How two trees differ, if they do."""
    names: Sequence[str] = sorted(found.keys() ^ wanted.keys())
    if names:
        return f"other files ({names[0]})"
    other = [name for name in wanted if _kept(name, found[name]) != _kept(name, wanted[name])]
    return f"other contents ({other[0]})" if other else None


def _kept(name: str, data: bytes) -> object:
    """What of a file is to be the same after a kill as without one."""
    if name.endswith("stats.jsonl"):  # how long things took is of each run its own
        timed = {"images_per_second", "evaluation_seconds"}
        lines = [json.loads(line) for line in data.splitlines()]
        return [{key: line[key] for key in line if key not in timed} for line in lines]
    if name.endswith(".pt"):  # PyTorch's file may hold the same numbers in another order
        return _plain(torch.load(io.BytesIO(data), weights_only=True))
    return data


def _plain(value: object) -> object:
    """The same with every tensor as its kind, shape and bytes."""
    if isinstance(value, torch.Tensor):
        return str(value.dtype), tuple(value.shape), value.contiguous().numpy().tobytes()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
