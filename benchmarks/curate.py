"""What each way of finding faces finds, and how fast: `make bench-curate PHOTOS=folder`.

Over the photos that are for measuring only. Found: the best box is a labelled face (rule in
`benchmarks/labels.py`), of the photos with a good face. Right: of the boxes on photos with a face,
good or not, those that are it; a face is boxed on each photo labelled by eye, so a second cat
counts as wrong there. Kept: photos in which a box is found, without a cat, without a face of one,
and mined: made of photos with faces (see `benchmarks/mined.py`; the parts are fitted on others made
the same way, so that figure flatters). `no-cat/dogs`, `indoor` and `rooms` were fitted on whole:
their figure shows no more than that nothing is broken. Intervals are Wilson's, of 95%.
"""

import argparse
import dataclasses
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from benchmarks.labels import (
    BY_EYE,
    Box,
    Labelled,
    is_right,
    labelled_photos,
    open_photo,
    photos_by_eye,
    photos_without,
)
from benchmarks.mined import mine
from catgan.core.photos import Photo
from catgan.curate.detector import Detector, make_recipe_detector
from catgan.curate.recipe import load_recipe
from catgan.curate.square import Square
from catgan.formats.datasets import CASCADE
from catgan.measure.statistics.intervals import wilson


@dataclasses.dataclass(frozen=True, slots=True)
class Bare:
    """One of OpenCV's cascades as tutorials run it."""

    file: str
    step: float
    neighbors: int
    side: int = 640

    @property
    def name(self) -> str:
        """The cascade's file."""
        return self.file

    def find(self, photo: Photo) -> Sequence[Square]:
        """Boxes, the one of the largest weight first."""
        classifier = cv2.CascadeClassifier(cv2.data.haarcascades + self.file)
        grey = cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2GRAY)
        factor = self.side / max(grey.shape)
        shape = (round(grey.shape[1] * factor), round(grey.shape[0] * factor))
        grey = cv2.equalizeHist(cv2.resize(grey, shape, interpolation=cv2.INTER_AREA))
        found, _, weights = classifier.detectMultiScale3(
            grey, self.step, self.neighbors, outputRejectLevels=True
        )
        to_photo = max(photo.width, photo.height) / self.side
        faces = [
            Square(cx=x + w / 2, cy=y + h / 2, side=float(w), score=float(weight)).scaled(to_photo)
            for (x, y, w, h), weight in zip(found, weights, strict=True)
        ]
        return sorted(faces, key=lambda face: -face.score)


def _verified(strictness: str) -> Detector:
    return make_recipe_detector(load_recipe("verified", strictness))


WAYS: dict[str, Callable[[], Detector]] = {
    "basic cascade, 1.3, 8 neighbours": lambda: Bare("haarcascade_frontalcatface.xml", 1.3, 8),
    "basic cascade, 1.1, 3 neighbours": lambda: Bare("haarcascade_frontalcatface.xml", 1.1, 3),
    "extended cascade, 1.1, 1 neighbour": lambda: Bare(
        "haarcascade_frontalcatface_extended.xml", 1.1, 1
    ),
    "recipe quick": lambda: make_recipe_detector(load_recipe("quick")),
    "recipe turned": lambda: make_recipe_detector(load_recipe("turned")),
    "recipe map": lambda: make_recipe_detector(load_recipe("map")),
    **{
        f"recipe verified, {name}": partial(_verified, name)
        for name in ("lenient", "normal", "strict")
    },
}

TURNED = "faces, turned"
MOST_TURNED = 100  # photos that are

_detector: Detector | None = None


def _start(way: str) -> None:
    global _detector
    cv2.setNumThreads(1)
    _detector = WAYS[way]()


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """A photo to look at, or what is made of it."""

    group: str
    """Which row it counts in."""
    photo: Labelled
    """The photo."""
    mined: str = ""
    """The kind that is made of it; "" for the photo itself."""
    quarters: int = 0
    """By how many quarters it is turned, anticlockwise."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What became of a job."""

    job: Job
    """Which."""
    boxes: int = 0
    """Faces found."""
    right: bool = False
    """Whether the best is a labelled face."""
    by_cascade: bool = False
    """Whether a cascade proposed the best."""
    roll: float = 0.0
    """The best one's, degrees anticlockwise."""
    seconds: float = 0.0
    """Processor time of finding, without decoding."""


def _score(job: Job) -> Answer | None:
    """What is found on a photo; None where nothing could be made of it."""
    assert _detector is not None
    photo = open_photo(job.photo.path, _detector.side)
    boxes = job.photo.boxes(photo)
    factor = photo.pixels.shape[1] / photo.width
    heads = [
        dataclasses.replace(
            box, cx=box.cx * factor, cy=box.cy * factor, w=box.w * factor, h=box.h * factor
        )
        for box in boxes
    ]
    if job.quarters:
        photo, boxes = turned(photo, heads, job.quarters)
    if job.mined:
        rng = np.random.default_rng(zlib.crc32(f"{job.mined}{job.photo.path.name}".encode()))
        for made in mine(photo.pixels, heads, rng, [job.mined]):
            height, width = made.pixels.shape[:2]
            photo = Photo(pixels=made.pixels, width=width, height=height, profile=None)
            break
        else:
            return None
    start = time.process_time()
    faces = _detector.find(photo)
    seconds = time.process_time() - start
    if not faces:
        return Answer(job, seconds=seconds)
    return Answer(
        job,
        boxes=len(faces),
        right=not job.mined and is_right(faces[0], boxes),
        by_cascade=faces[0].proposer == CASCADE,
        roll=faces[0].roll,
        seconds=seconds,
    )


def turned(photo: Photo, boxes: Sequence[Box], quarters: int) -> tuple[Photo, list[Box]]:
    """A photo turned anticlockwise, and its faces there; boxes in pixels of `photo.pixels`."""
    pixels = np.ascontiguousarray(np.rot90(photo.pixels, quarters))
    height, width = pixels.shape[:2]
    boxes = list(boxes)
    across = photo.pixels.shape[1]
    for _ in range(quarters % 4):
        boxes = [
            dataclasses.replace(box, cx=box.cy, cy=across - box.cx, w=box.h, h=box.w)
            for box in boxes
        ]
        across = height + width - across
    return Photo(pixels=pixels, width=width, height=height, profile=None), boxes


def jobs_of(folder: Path) -> list[Job]:
    """All that is for measuring, and the photos without a cat that were fitted on whole."""
    faces = [photo for photo in labelled_photos(folder) if photo.measuring]
    jobs = [Job("faces, F", photo) for photo in faces]
    for name in BY_EYE:
        jobs += [
            Job("N" if photo.label == "N" else f"{name}, {photo.label}", photo)
            for photo in photos_by_eye(folder, name)
            if photo.measuring and photo.label in "FSN"
        ]
    for photo in photos_without(folder):
        kind = photo.path.parent.name
        if photo.measuring or kind != "animals":
            jobs.append(Job("no cat: animals" if photo.measuring else "no cat: fitted on", photo))
    jobs += [
        Job(f"{TURNED} by {90 * quarters} degrees", photo, quarters=quarters)
        for quarters in (1, 2, 3)
        for photo in faces[:MOST_TURNED]
    ]
    for index, photo in enumerate(faces):
        for kind in ("back", "body") if index % 2 else ("back", "hidden"):
            jobs.append(Job(f"mined: {kind}", photo, kind))
    return jobs


def accuracy(folder: Path, ways: Sequence[str]) -> None:
    """Print what each way finds, and what it keeps that has no face."""
    jobs = jobs_of(folder)
    for way in ways:
        with ProcessPoolExecutor(os.cpu_count(), initializer=_start, initargs=(way,)) as pool:
            answers = [one for one in pool.map(_score, jobs, chunksize=8) if one is not None]
        print(f"\n{way}\n\n| | photos | found right | kept | by a cascade |")
        print("| --- | --- | --- | --- | --- |")
        rows = {"all F": [one for one in answers if one.job.group.endswith(", F")]}
        for one in answers:
            rows.setdefault(one.job.group, []).append(one)
        rows["all mined"] = [one for one in answers if one.job.mined]
        for name, group in rows.items():
            faces = name.endswith((" F", ", S")) or name.startswith(TURNED)
            found = _share([one.right for one in group]) if faces else ""
            kept = _share([one.boxes > 0 for one in group])
            by = sum(one.by_cascade for one in group)
            print(f"| {name} | {len(group)} | {found} | {kept} | {by} |")
        found_on = [one for one in answers if one.boxes and one.job.group.endswith((", F", ", S"))]
        right = _share([one.right for one in found_on])
        print(f"\nboxes that are the face: {right}", flush=True)
        print(levelled(answers), flush=True)
        cat, other = (
            statistics.mean(one.seconds for one in answers if one.job.group.startswith(group))
            for group in ("faces", "no cat")
        )
        print(
            f"processor time of finding: {1000 * cat:.0f} ms with a face, {1000 * other:.0f} ms "
            f"without, {1000 * (0.8 * cat + 0.2 * other):.0f} ms with one in five without",
            flush=True,
        )


def levelled(answers: Sequence[Answer]) -> str:
    """How far the roll of a face turned by 90 degrees is from that of the face as it was."""
    rolls = {one.job.photo.path: one.roll for one in answers if one.right and not one.job.quarters}
    off = [
        abs((one.roll - rolls[one.job.photo.path] - 90 + 180) % 360 - 180)
        for one in answers
        if one.right and one.job.quarters == 1 and one.job.photo.path in rolls
    ]
    if not off:
        return "no turned face found"
    return (
        f"roll of {len(off)} faces turned by 90 degrees: off by {np.median(off):.0f} degrees in "
        f"the median, {np.percentile(off, 90):.0f} at the 90th percentile"
    )


def _share(hits: Sequence[bool]) -> str:
    """A share with its interval and count."""
    if not hits:
        return "none"
    low, high = wilson(sum(hits), len(hits))
    return f"{sum(hits) / len(hits):.1%} ({low:.1%} to {high:.1%}; {sum(hits)})"


def usual_script(folder: Path, out: Path) -> None:
    """What people write: full-size read, the basic cascade on it, crop, write."""
    classifier = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalcatface.xml")
    for path in sorted(folder.iterdir()):
        picture = cv2.imread(str(path))
        if picture is None:
            continue
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        for index, (x, y, w, h) in enumerate(classifier.detectMultiScale(grey, 1.1, 3)):
            crop = cv2.resize(picture[y : y + h, x : x + w], (64, 64))
            cv2.imwrite(str(out / f"{path.stem}-{index}.png"), crop)


FEW, MANY = 8, 96  # photos


@dataclasses.dataclass(frozen=True, slots=True)
class Cost:
    """What something took."""

    wall: float
    """Seconds."""
    processor: float
    """Processor time of this process and of those it waited for, seconds."""

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.wall - other.wall, self.processor - other.processor)

    def __mul__(self, count: float) -> "Cost":
        return Cost(self.wall * count, self.processor * count)

    def __truediv__(self, count: float) -> "Cost":
        return self * (1 / count)

    def over(self, other: "Cost") -> str:
        """How many times as much as another, in words."""
        wall, processor = self.wall / other.wall, self.processor / other.processor
        return f"{wall:.0f} times by the clock, {processor:.0f} by processor time"

    def __str__(self) -> str:
        return f"{self.wall:.3f} s ({self.processor:.3f} of a processor)"


def now() -> Cost:
    """To be subtracted from a later one."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return Cost(time.perf_counter(), sum(one.ru_utime + one.ru_stime for one in used))


def speed(folder: Path, rounds: int) -> None:
    """Print how much faster the default is than the usual script on photos of a phone's size.

    By the clock, and by the processor time of all processes, which hardly depends on what else a
    machine does. Side by side, on the photos of `large/` and on faces enlarged to that size.
    """
    large = [
        path
        for path in sorted((folder / "large").iterdir())
        if path.suffix.lower() in (".jpg", ".jpeg")
    ]
    with tempfile.TemporaryDirectory() as scratch:
        rows = {"large": large, "faces, enlarged": _enlarged(folder, Path(scratch), len(large))}
        for name, sources in rows.items():
            place = Path(scratch) / name
            once = _copies(sources, place / "once", 1)
            few = _copies(sources, place / "few", FEW // len(sources))
            many = _copies(sources, place / "many", MANY // len(sources))
            for number in range(rounds):
                usual = _cost_of_usual(once, place / f"usual{number}") / len(sources)
                costs = [_cost_of_catgan(raw, place / f"{raw.name}{number}") for raw in (few, many)]
                at_few, at_many = (
                    cost / count for cost, count in zip(costs, (FEW, MANY), strict=True)
                )
                margin = (costs[1] - costs[0]) / (MANY - FEW)
                start = costs[0] - margin * FEW
                print(f"\n{name}, round {number + 1}: a photo takes the usual script {usual}")
                print(f"catgan, {MANY} photos: {at_many}; {usual.over(at_many)}")
                print(f"catgan, {FEW} photos: {at_few}; {usual.over(at_few)}")
                print(f"catgan, one photo more: {margin}; {usual.over(margin)}")
                print(f"catgan, before the first: {start}", flush=True)


def _enlarged(folder: Path, scratch: Path, count: int) -> list[Path]:
    """Photos of cats' faces that are for measuring, enlarged to twelve megapixels."""
    place = scratch / "enlarged"
    place.mkdir()
    chosen = [photo for photo in labelled_photos(folder) if photo.measuring]
    made = []
    for photo in chosen[:: len(chosen) // count][:count]:
        pixels = cv2.imread(str(photo.path))
        assert pixels is not None
        factor = math.sqrt(12.2e6 / (pixels.shape[0] * pixels.shape[1]))
        made.append(place / photo.path.name)
        large = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(made[-1]), large, [cv2.IMWRITE_JPEG_QUALITY, 95])
    return made


def _copies(sources: Sequence[Path], place: Path, times: int) -> Path:
    place.mkdir(parents=True)
    for index in range(times):
        for source in sources:
            # other bytes at the end: not the same file, so none is a copy of another
            data = source.read_bytes() + index.to_bytes(2, "big")
            (place / f"{index:02d}-{source.name}").write_bytes(data)
    return place


def _cost_of_usual(raw: Path, out: Path) -> Cost:
    out.mkdir()
    before = now()
    usual_script(raw, out)
    return now() - before


def _cost_of_catgan(raw: Path, out: Path) -> Cost:
    line = [sys.executable, "-m", "catgan", "curate", str(raw), str(out), "--no-duplicate-screen"]
    before = now()
    subprocess.run(line, check=True, capture_output=True)
    return now() - before


def memory(folder: Path) -> None:
    """Print the peak memory of a run over 5,000 photos against one over 500."""
    peaks = {}
    with tempfile.TemporaryDirectory() as scratch:
        for count in (500, 5000):
            raw = Path(scratch) / f"raw{count}"
            raw.mkdir()
            for index, path in zip(range(count), _over_and_over(folder), strict=False):
                data = path.read_bytes() + index.to_bytes(3, "big")
                (raw / f"{index:05d}.jpg").write_bytes(data)
            code = (
                "import json, resource, sys\n"
                "from pathlib import Path\n"
                "from catgan import CurateConfig, curate_photos\n"
                "if __name__ == '__main__':\n"
                "    curate_photos(Path(sys.argv[1]), Path(sys.argv[2]), CurateConfig())\n"
                "    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)\n"
                "    print(json.dumps([resource.getrusage(w).ru_maxrss / 1024 for w in who]))\n"
            )
            script = Path(scratch) / "run.py"
            script.write_text(code)
            done = subprocess.run(
                [sys.executable, str(script), str(raw), str(Path(scratch) / f"out{count}")],
                check=True,
                capture_output=True,
                text=True,
            )
            peaks[count] = json.loads(done.stdout)
            print(
                f"{count} photos: {peaks[count][0]:.0f} MB in the process that was started, "
                f"{peaks[count][1]:.0f} MB in the largest of its workers",
                flush=True,
            )
    main, worker = (peaks[5000][i] / peaks[500][i] for i in (0, 1))
    print(f"5,000 against 500: {main:.2f} and {worker:.2f}")


def _over_and_over(folder: Path) -> Iterator[Path]:
    photos = sorted((folder / "faces").glob("*.jpg")) + sorted((folder / "album").glob("*.jpg"))
    while True:
        yield from photos


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("photos", type=Path, help="folder of labelled photos")
    parser.add_argument("--only", choices=("accuracy", "speed", "memory"))
    parser.add_argument("--way", choices=sorted(WAYS), action="append", help="only these")
    parser.add_argument("--rounds", type=int, default=2, help="of measuring speed")
    options = parser.parse_args()
    if options.only in (None, "accuracy"):
        accuracy(options.photos, options.way or list(WAYS))
    if options.only in (None, "speed"):
        speed(options.photos, rounds=options.rounds)
    if options.only in (None, "memory"):
        memory(options.photos)


if __name__ == "__main__":
    main()
