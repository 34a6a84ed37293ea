"""Standard output that is full, closed, or of another encoding; full disks; no permission."""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.soak.ground import Ground
from benchmarks.soak.outcome import Row, run

ALL: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "curate": (Ground.curate("--workers", "1"), ("raw",)),
    "inspect": (("inspect", "curated"), ("raw", "curated")),
    "train": (Ground.train(), ("curated",)),
    "compare": (
        ("compare", "full-body", "--samples", "50", "--faces", "0", "--no-cache"),
        ("raw", "curated", "runs"),
    ),
    "sample": (("sample", "full-body"), ("runs",)),
    "demo": (("demo", "drawn", "--album-only", "--photos", "12", "--workers", "1"), ()),
}
ENCODINGS = ("cp1252", "latin1", "ascii", "cp437")


def streams(ground: Ground, place: Path) -> Iterator[Row]:
    """Every command on every odd standard output, with and without --json."""
    rows = {
        kind: Row(kind=f"standard output {kind}") for kind in ("encoding", "full", "closed", "pipe")
    }
    for name, (line, needs) in ALL.items():
        for more in ((), ("--json",)):
            for encoding in ENCODINGS:
                folder = ground.copy(place, *needs) if needs else ground.copy(place, "runs")
                ended = run((*line, *more), cwd=folder, environment={"PYTHONIOENCODING": encoding})
                rows["encoding"].add(ended.fault(codes=(0,)), f"{name} {encoding}")
            folder = ground.copy(place, *needs) if needs else ground.copy(place, "runs")
            with Path("/dev/full").open("wb") as full:
                ended = run((*line, *more), cwd=folder, stdout=full.fileno())
            rows["full"].add(ended.fault(codes=(1,), words="Standard output"), f"{name} {more}")
            folder = ground.copy(place, *needs) if needs else ground.copy(place, "runs")
            ended = run((*line, *more), cwd=folder, before=lambda: os.close(1))
            rows["closed"].add(ended.fault(codes=(0, 1)), f"{name} {more}")
            folder = ground.copy(place, *needs) if needs else ground.copy(place, "runs")
            reader, writer = os.pipe()
            os.close(reader)
            ended = run((*line, *more), cwd=folder, stdout=writer)
            os.close(writer)
            rows["pipe"].add(ended.fault(codes=(1,), words="Standard output"), f"{name} {more}")
    yield from rows.values()


def too_large(ground: Ground, place: Path) -> Iterator[Row]:
    """No file may grow beyond a limit (EFBIG): one sentence, and once lifted the same line ends."""
    row = Row(kind="files too large")
    for name, (line, needs) in ALL.items():
        for limit in (0, 500, 3000, 20_000, 60_000):
            folder = ground.copy(place, *needs) if needs else ground.copy(place, "runs")

            def lower(limit: int = limit) -> None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

            ended = run(line, cwd=folder, before=lower)
            fault = ended.fault(codes=(0, 1))
            if fault is None and ended.code:
                fault = run(line, cwd=folder).fault(codes=(0,))
            row.add(fault, f"{name}, {limit} bytes")
    yield row


def full_disk(ground: Ground, place: Path) -> Iterator[Row]:
    """A small file system of its own that runs full (needs root)."""
    row = Row(kind="disk full")
    disk = place.with_name("disk")
    disk.mkdir(exist_ok=True)
    for name, (line, needs) in ALL.items():
        for room in (60, 200, 600):  # kilobytes beside what is needed
            size = sum(
                -(-path.stat().st_size // 4096) * 4 + 4
                for one in needs
                for path in (ground.folder / one).rglob("*")
            )
            mount = ["mount", "-t", "tmpfs", "-o", f"size={size + room}k", "tmpfs", str(disk)]
            if subprocess.run(mount, capture_output=True).returncode:
                return
            try:
                for one in needs:
                    subprocess.run(["cp", "-r", str(ground.folder / one), str(disk)], check=True)
                ended = run(line, cwd=disk)
                row.add(ended.fault(codes=(0, 1)), f"{name}, {room} KB free")
            finally:
                subprocess.run(["umount", str(disk)], check=True)
    yield row


# Root without the right to pass over permissions: whoever else may not even reach this Python.
UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def no_permission(ground: Ground, place: Path) -> Iterator[Row]:
    """Folders and files that may not be written to or read (needs root, to give up its rights)."""
    row = Row(kind="no permission")
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return
    for name, (line, needs) in ALL.items():
        for what in ("folders", "files", "unreadable"):
            folder = ground.copy(place, *needs) if needs else ground.copy(place, "runs")
            for path in (folder, *folder.rglob("*")):
                if path.is_dir():
                    path.chmod(0o555 if what == "folders" else 0o755)
                else:
                    path.chmod(0o000 if what == "unreadable" else 0o444)
            ended = run(line, cwd=folder, prefix=UNPRIVILEGED, environment={"HOME": "/nowhere"})
            row.add(ended.fault(codes=(0, 1, 2)), f"{name}, {what}")
            for path in (folder, *folder.rglob("*")):
                path.chmod(0o755)
    yield row
