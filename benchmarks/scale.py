"""What curating costs besides looking at photos, and how that grows: `make bench-scale`.

Rows: findings made by code, written as the journal of a run that has looked at all photos, then read,
judged and settled as `curate` does at its end; there are no pictures on disk. Bursts of up to four
make up a third of them. Files: as many small JPEGs, curated from end to end with a face finder that
says where the face is, so that finding is not what is measured; then once more, with all known.
Every size runs in a process of its own. Times are processor time; memory is the largest resident set
of that process. Exponents are slopes of straight lines through the logarithms.

`python -m benchmarks.scale photos FOLDER` has the other half: the cost of real photos.
"""

import argparse
import dataclasses
import json
import math
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from catgan.core.files import make_folder, sha256
from catgan.core.photos import Photo
from catgan.core.pictures import encode_jpeg
from catgan.curate.config import CurateConfig
from catgan.curate.decisions import decide
from catgan.curate.finding import Crop, Face, Finding
from catgan.curate.folder import CuratedFolder
from catgan.curate.judge import judge
from catgan.curate.pipeline import CurateProgress, curate_photos, recorded_settings
from catgan.curate.square import Square
from catgan.formats.datasets import FACE_CROP, read_metadata
from catgan.formats.photos import read_photos

SEED = 0
ROWS = (30_000, 100_000, 300_000, 1_000_000)
FILES = (10_000, 30_000, 100_000)
SIDE = 48  # pixels of a small file's photo; its images have 16
KEPT, NO_FACE = 0.75, 0.2  # shares of the rows; the rest has a face that is too small
BURST = 0.33  # of the rows repeat the one before, but for a few bits
MEMORY = "memory, MB"


def made_findings(count: int) -> Iterator[Finding]:
    """Findings as `curate` would have them, by path."""
    rng = np.random.default_rng(SEED)
    frame = crop = 0
    for index in range(count):
        kind, burst = rng.random(), rng.random() < BURST
        if burst:
            frame, crop = _flipped(frame, rng), _flipped(crop, rng)
        else:
            frame, crop = (int(number) for number in rng.integers(0, 2**64, 2, dtype=np.uint64))
        digest = sha256(str(index).encode())
        cx, cy, side = (round(float(number), 1) for number in rng.uniform(900, 1900, 3))
        square = Square(cx=cx, cy=cy, side=side, roll=0.5, score=7.25, proposer="map")
        detail = None
        if kind < KEPT:
            detail = Crop(
                sharpness=round(float(rng.uniform(0.5, 0.9)), 4),
                brightness=round(float(rng.uniform(120, 250)), 1),
                detail=round(float(rng.uniform(0.5, 0.9)), 4),
                fingerprint=f"{crop:016x}",
            )
        yield Finding(
            path=f"{2000 + index // 50_000}/{index // 1000 % 50:02d}/IMG_{index:07d}.jpg",
            sha256=digest,
            bytes=3_000_000 + index,
            modified=1_600_000_000_000_000_000 + index * 10**9,
            probe=digest[16:32],
            width=4032,
            height=3024,
            why_not="" if kind < KEPT + NO_FACE else "the face is 40 pixels wide, fewer than 64",
            detector="verified",
            faces=() if KEPT <= kind < KEPT + NO_FACE else (Face(square=square, crop=detail),),
            sharpness=round(float(rng.uniform(0.5, 0.9)), 4),
            fingerprint=f"{frame:016x}",
        )


def _flipped(code: int, rng: np.random.Generator) -> int:
    for bit in rng.integers(0, 64, 3).tolist():
        code ^= 1 << bit
    return code


class Clock:
    """Processor time of one step after the other."""

    def __init__(self) -> None:
        """Nothing is measured yet."""
        self.seconds: dict[str, float] = {}
        self._last = time.process_time()

    def lap(self, step: str) -> None:
        """The step that ends now took what passed since the one before."""
        now = time.process_time()
        self.seconds[step] = now - self._last
        self._last = now


def _megabytes() -> float:
    """The largest resident set of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _folder(scratch: Path) -> CuratedFolder:
    settings = recorded_settings(CurateConfig(), None)
    return CuratedFolder(root=scratch / "curated", raw=scratch / "raw", settings=settings)


def make_rows(count: int, scratch: Path) -> dict[str, float]:
    """Write the journal of a run that has looked at so many photos."""
    folder = _folder(scratch)
    make_folder(folder.root)
    folder.prepare()
    found = made_findings(count)
    while chunk := list(islice(found, 10_000)):
        folder.add(chunk)
    return {"journal, MB": folder.journal.stat().st_size / 1e6}


def measure_rows(count: int, scratch: Path) -> dict[str, float]:
    """What settling so many photos costs that are all known."""
    folder, config = _folder(scratch), CurateConfig()
    clock = Clock()
    found = folder.known()
    clock.lap("read what is known")
    assert len(found) == count
    findings = [found[name] for name in sorted(found)]
    del found
    judged = decide(judge(findings, config), {}, config)
    clock.lap("verdicts and near-duplicates")
    folder.settle(findings, judged)
    folder.finish(judged)
    clock.lap("write the records")
    peak = _megabytes()
    del findings, judged
    assert len(read_photos(folder.root)) == count
    clock.lap("read photos.jsonl")
    read_metadata(folder.root / FACE_CROP)
    clock.lap("read metadata.jsonl")
    return {**clock.seconds, MEMORY: peak}


def make_files(count: int, scratch: Path) -> dict[str, float]:
    """Draw so many small photos, each unlike the others."""
    rng = np.random.default_rng(SEED)
    for index in range(count):
        folder = scratch / "raw" / f"{index // 1000:03d}"
        if index % 1000 == 0:
            folder.mkdir(parents=True)
        coarse = rng.integers(0, 256, (SIDE // 6, SIDE // 6, 3), dtype=np.uint8)
        picture = coarse.repeat(6, axis=0).repeat(6, axis=1)
        (folder / f"IMG_{index:07d}.jpg").write_bytes(encode_jpeg(picture))
    return {}


class Centre:
    """A face finder that knows: the face is in the middle."""

    name = "centre"
    side = SIDE

    def find(self, photo: Photo) -> Sequence[Square]:
        """One face, half as wide as the photo."""
        return [Square(cx=SIDE / 2, cy=SIDE / 2, side=SIDE / 2, score=1.0)]


def measure_files(count: int, scratch: Path) -> dict[str, float]:
    """What curating so many files costs this process, all of it worked here."""
    clock = Clock()
    done = 0

    def progress(now: CurateProgress) -> None:
        nonlocal done
        if not clock.seconds:
            clock.lap("start")
        if now.done == now.total > done:
            clock.lap("look at the files")
        done = now.done

    curate_photos(
        scratch / "raw",
        scratch / "curated",
        CurateConfig(size=16, workers=1),
        make_detector=Centre,
        progress=progress,
    )
    clock.lap("settle")
    if "look at the files" not in clock.seconds:
        clock.seconds["look at the files"] = 0.0
    return {**clock.seconds, MEMORY: _megabytes()}


STEPS: dict[str, Callable[[int, Path], dict[str, float]]] = {
    "make-rows": make_rows,
    "rows": measure_rows,
    "make-files": make_files,
    "files": measure_files,
}


def in_a_process(step: str, count: int, scratch: Path) -> dict[str, float]:
    """A step in a process of its own, so that its memory is known."""
    command = [sys.executable, "-m", "benchmarks.scale", step, str(count), str(scratch)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure one step, or all."""
    if len(sys.argv) == 4 and sys.argv[1] in STEPS:
        print(json.dumps(STEPS[sys.argv[1]](int(sys.argv[2]), Path(sys.argv[3]))))
        return


if __name__ == "__main__":
    main()
