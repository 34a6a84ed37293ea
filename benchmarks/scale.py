"""What curating costs besides looking at photos, and how that grows: `make bench-scale`.

Rows: findings made by code, written as the journal of a run that has looked at all photos, then
read, judged and settled as `curate` does at its end; there are no pictures on disk. Bursts make up
a third of them. Files: small JPEGs, curated from end to end with a face finder that says where the
face is, so that finding is not what is measured. Known: files that a run before has looked at, with
their images, so that there is nothing to look at. Every size runs in a process of its own. Times
are processor time; memory is the largest resident set of that process. Exponents are slopes of
straight lines through the logarithms.

With a folder of real photos (`PHOTOS=folder`) also what looking at one costs, and what follows for
a million on several machines.
"""

import argparse
import dataclasses
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from benchmarks.plots import Line, write_lines
from catgan.core.files import make_folder, sha256
from catgan.core.photos import Photo
from catgan.core.pictures import encode_jpeg, encode_png
from catgan.curate.config import CurateConfig
from catgan.curate.decisions import decide
from catgan.curate.find import probe_of
from catgan.curate.finding import Crop, Face, Finding
from catgan.curate.folder import CuratedFolder
from catgan.curate.judge import judge
from catgan.curate.pipeline import CurateProgress, curate_photos, recorded_settings
from catgan.curate.square import Square
from catgan.formats.datasets import (
    FACE_CROP,
    FULL_BODY,
    find_datasets,
    pictures_of,
    read_metadata,
)
from catgan.formats.photos import read_photos

SEED = 0
ROWS = (30_000, 100_000, 300_000, 1_000_000)
FILES = (3_000, 10_000, 30_000)
KNOWN = (10_000, 30_000, 100_000)
COMMAND_SIZES = (30_000, 100_000)
SIDE = 48  # pixels of a small file's photo; its images have 16
SMALL = CurateConfig(size=16, workers=1)  # settings for them
KEPT, NO_FACE = 0.75, 0.2  # shares of the rows; the rest has a face that is too small
BURST = 0.33  # of the rows repeat the one before, but for a few bits
MEMORY = "memory, MB"
MILLION = 1_000_000
PLOTTED = ("rows", "files", "known")


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
        self._last = _processor_time()

    def lap(self, step: str) -> None:
        """The step that ends now took what passed since the one before."""
        now = _processor_time()
        self.seconds[step] = now - self._last
        self._last = now


def _processor_time() -> float:
    """Seconds, of this process and of those that it has started and that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _megabytes() -> float:
    """The largest resident set of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


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


def make_known(count: int, scratch: Path) -> dict[str, float]:
    """So many files, and what a run that has looked at them leaves; nothing is looked at here."""
    settings = recorded_settings(SMALL, None)
    folder = CuratedFolder(root=scratch / "curated", raw=scratch / "raw", settings=settings)
    make_folder(folder.root)
    folder.prepare()
    image = encode_png(np.full((16, 16, 3), 99, dtype=np.uint8))
    rng = np.random.default_rng(SEED)
    found = made_findings(count)
    while chunk := list(islice(found, 1000)):
        (scratch / "raw" / Path(chunk[0].path).parent).mkdir(parents=True, exist_ok=True)
        known = []
        for one in chunk:
            file, data = scratch / "raw" / one.path, rng.bytes(1500)
            file.write_bytes(data)
            finding = dataclasses.replace(
                one,
                sha256=sha256(data),
                bytes=len(data),
                modified=file.stat().st_mtime_ns,
                probe=probe_of(data),
            )
            for name in folder.names:
                for picture in finding.files(name):
                    (folder.selection.folder(name) / picture).write_bytes(image)
            known.append(finding)
        folder.add(known)
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
        SMALL,
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
    "make-known": make_known,
    "known": measure_files,
}


def in_a_process(step: str, count: int, scratch: Path) -> dict[str, float]:
    """A step in a process of its own, so that its memory is known."""
    command = [sys.executable, "-m", "benchmarks.scale", step, str(count), str(scratch)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure_photos(count: int, scratch: Path) -> dict[str, float]:
    """What looking at a real photo costs, in all processes together and without their start.

    Args:
        count: Photos, two at least.
        scratch: Has them in `raw`.
    """
    alone = scratch / "alone"
    alone.mkdir()
    shutil.copy(next((scratch / "raw").iterdir()), alone)
    costs = []
    for raw in (alone, scratch / "raw"):
        before = _processor_time()
        command = [sys.executable, "-m", "catgan", "curate", str(raw), f"{raw}-curated"]
        subprocess.run([*command, "--workers", "2"], check=True, capture_output=True)
        costs.append(_processor_time() - before)
    return {"a photo": (costs[1] - costs[0]) / (count - 1)}


def make_commands(count: int, scratch: Path) -> dict[str, float]:
    """A curated folder of so many photos, every image the same one."""
    make_rows(count, scratch)
    measure_rows(count, scratch)
    data = encode_png(np.full((16, 16, 3), 99, dtype=np.uint8))
    for name in (FULL_BODY, FACE_CROP):
        folder = pictures_of(scratch / "curated" / name)
        for file in read_metadata(scratch / "curated" / name):
            (folder / file).write_bytes(data)
    (scratch / "raw").mkdir()
    return {}


def measure_train(count: int, scratch: Path) -> dict[str, float]:
    """What `train` does before its first step: list, split, read every image."""
    dataset = find_datasets(scratch / "curated")[0]
    from catgan.train.config import TrainConfig
    from catgan.train.data import load_data

    clock = Clock()
    data, pictures, _ = load_data(dataset, TrainConfig(size=16))
    clock.lap("train: until the first step")
    assert len(pictures) == len(data.train)
    return {**clock.seconds, MEMORY: _megabytes()}


def measure_inspect(count: int, scratch: Path) -> dict[str, float]:
    """What `inspect` costs."""
    from catgan.inspect.summary import inspect_curated

    clock = Clock()
    inspect_curated(scratch / "curated")
    clock.lap("inspect")
    return {**clock.seconds, MEMORY: _megabytes()}


def measure_review(count: int, scratch: Path) -> dict[str, float]:
    """What `review` does before its page is served."""
    from catgan.review.opening import open_curated

    clock = Clock()
    opened = open_curated(scratch / "curated")
    clock.lap("review: until the page")
    assert opened.ledger.album.items
    return {**clock.seconds, MEMORY: _megabytes()}


COMMANDS = {"train": measure_train, "inspect": measure_inspect, "review": measure_review}
STEPS |= {"photos": measure_photos, "make-commands": make_commands, **COMMANDS}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a step measured at one size."""

    kind: str
    """`rows`, `files` (none of them known), `known` (all of them), `photos`, or a command."""
    count: int
    """How many of them."""
    values: dict[str, float]
    """Seconds of each part, and `MEMORY`."""


def measure(kind: str, count: int, photos: Path | None = None) -> Iterator[Result]:
    """Measure one size in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        if photos is not None:
            (scratch / "raw").mkdir()
            chosen = cycle(sorted(path for path in photos.rglob("*") if path.is_file()))
            for place, path in enumerate(islice(chosen, count)):
                shutil.copyfile(path, scratch / "raw" / f"{place:06d}{path.suffix}")
        else:
            in_a_process(f"make-{kind}", count, scratch)
        for step in COMMANDS if kind == "commands" else (kind,):
            yield Result(kind=step, count=count, values=in_a_process(step, count, scratch))


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """How a cost grows: the slope of a straight line through the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(values, 1e-9)), 1)[0])


def table(kind: str, results: Sequence[Result]) -> str:
    """The results of a kind in Markdown: a line for each part, a column for each size."""
    own = sorted((one for one in results if one.kind == kind), key=lambda one: one.count)
    sizes = [one.count for one in own]
    head = " | ".join(f"{size:,}" for size in sizes)
    lines = [f"| {kind} | {head} | exponent |", "| --- |" + " --- |" * (len(sizes) + 1)]
    for part in own[0].values:
        values = [one.values[part] for one in own]
        shown = " | ".join(
            f"{value:,.0f}" if part == MEMORY else f"{value:.2f} s" for value in values
        )
        if max(values) < 0.01:
            continue
        slope = f"{exponent(sizes, values):.2f}" if len(sizes) > 1 else ""
        lines.append(f"| {part} | {shown} | {slope} |")
    return "\n".join(lines)


def plot(results: Sequence[Result], picture: Path) -> None:
    """Draw processor time against size, both as powers of ten, as SVG."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for one in sorted(results, key=lambda one: one.count):
        for part, value in one.values.items():
            if part != MEMORY and value >= 0.01 and one.kind in PLOTTED:
                lines.setdefault(f"{one.kind}: {part}", []).append((one.count, value))
    write_lines(
        picture,
        [
            Line(label=label, points=points, dashed=not label.startswith("rows"))
            for label, points in lines.items()
        ],
        x="photos",
        y="seconds of processor time",
        log_x=True,
        log_y=True,
    )


def machines(results: Sequence[Result]) -> str:
    """What a million photos of these take on so many machines, in Markdown."""
    cost = [one.values["a photo"] for one in results if one.kind == "photos"]
    rows = max((one for one in results if one.kind == "rows"), key=lambda one: one.count)
    settle = sum(
        value for part, value in rows.values.items() if part != MEMORY and "jsonl" not in part
    ) * (MILLION / rows.count)
    lines = ["| machines of 16 cores | looking | settling |", "| --- | --- | --- |"]
    for number in (1, 4, 16, 64):
        minutes = MILLION * cost[-1] / (16 * number) / 60
        looking = f"{minutes / 60:.1f} h" if minutes >= 60 else f"{minutes:.0f} min"
        lines.append(f"| {number} | {looking} | {settle / 60:.0f} min |")
    return "\n".join([f"A photo takes {cost[-1]:.2f} s of processor time.", "", *lines])


def main() -> None:
    """Measure one step, or all."""
    if len(sys.argv) == 4 and sys.argv[1] in STEPS:
        print(json.dumps(STEPS[sys.argv[1]](int(sys.argv[2]), Path(sys.argv[3]))))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("photos", type=Path, nargs="?", help="a folder of real photos")
    parser.add_argument("--rows", type=int, nargs="*", default=ROWS)
    parser.add_argument("--files", type=int, nargs="*", default=FILES)
    parser.add_argument("--known", type=int, nargs="*", default=KNOWN)
    parser.add_argument("--commands", type=int, nargs="*", default=COMMAND_SIZES)
    parser.add_argument("--count", type=int, default=200, help="real photos to look at")
    parser.add_argument("--results", type=Path, help="JSON lines; what is in it is not measured")
    parser.add_argument("--plot", type=Path, help="an SVG to write")
    given = parser.parse_args()
    results: list[Result] = []
    if given.results is not None and given.results.exists():
        lines = given.results.read_text(encoding="utf-8").splitlines()
        results = [Result(**json.loads(line)) for line in lines]
    wanted = [*(("rows", size) for size in given.rows), *(("files", size) for size in given.files)]
    wanted += [("known", size) for size in given.known]
    wanted += [("commands", size) for size in given.commands]
    if given.photos is not None:
        wanted.append(("photos", given.count))
    for kind, count in wanted:
        kinds = {*COMMANDS} if kind == "commands" else {kind}
        if any(one.kind in kinds and one.count == count for one in results):
            continue
        for one in measure(kind, count, given.photos if kind == "photos" else None):
            results.append(one)
            print(f"{one.kind}, {one.count:,}: {one.values}", file=sys.stderr, flush=True)
            if given.results is not None:
                with given.results.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(dataclasses.asdict(one)) + "\n")
    measured = list(dict.fromkeys(one.kind for one in results))
    for kind in measured:
        if kind != "photos":
            print(f"\n{table(kind, results)}")
    if {"photos", "rows"} <= {*measured}:
        print(f"\n{machines(results)}")
    if given.plot is not None:
        plot(results, given.plot)


if __name__ == "__main__":
    main()
