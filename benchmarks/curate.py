"""What each way of finding faces finds, and how fast: `make bench-curate PHOTOS=folder`.

Found: the best box is a labelled face (rule in `benchmarks/labels.py`), over the photos that are
for measuring only. Kept without a cat: photos of `no-cat/` in which a box is found. The verifier
that comes with catgan was fitted on those, so its honest figure there is the cross-validation of
`benchmarks/fit_verifier.py`.
"""

import argparse
import dataclasses
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2

from benchmarks.labels import (
    Fractions,
    boxes_on,
    is_right,
    labelled_photos,
    open_photo,
    photos_without,
)
from catgan.core.photos import Photo
from catgan.curate.detector import Detector, make_recipe_detector
from catgan.curate.recipe import load_recipe
from catgan.curate.square import Square


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


WAYS: dict[str, Callable[[], Detector]] = {
    "basic cascade, 1.3, 8 neighbours": lambda: Bare("haarcascade_frontalcatface.xml", 1.3, 8),
    "basic cascade, 1.1, 3 neighbours": lambda: Bare("haarcascade_frontalcatface.xml", 1.1, 3),
    "extended cascade, 1.1, 1 neighbour": lambda: Bare(
        "haarcascade_frontalcatface_extended.xml", 1.1, 1
    ),
    "recipe quick": lambda: make_recipe_detector(load_recipe("quick")),
    "recipe turned": lambda: make_recipe_detector(load_recipe("turned")),
    "recipe verified (the default)": lambda: make_recipe_detector(load_recipe("verified")),
}

_detector: Detector | None = None


def _start(way: str) -> None:
    global _detector
    cv2.setNumThreads(1)
    _detector = WAYS[way]()
    if "torch" in sys.modules:  # imported here it would count as memory of every way
        sys.modules["torch"].set_num_threads(1)


def _score(job: tuple[Path, Fractions]) -> tuple[bool, bool]:
    """Whether a photo has a box, and whether its best one is right."""
    assert _detector is not None
    path, fractions = job
    photo = open_photo(path, _detector.side)
    faces = _detector.find(photo)
    return bool(faces), bool(faces) and is_right(faces[0], boxes_on(photo, fractions))


def accuracy(folder: Path, ways: Sequence[str]) -> None:
    """Print what each way finds."""
    labelled = [photo for photo in labelled_photos(folder) if photo.measuring]
    without = photos_without(folder)
    jobs = [(photo.path, photo.fractions) for photo in labelled]
    print(f"{len(jobs)} photos with faces, {len(without)} without a cat\n")
    print("| | photos whose face is found | best boxes that are the face | without a cat, kept |")
    print("| --- | --- | --- | --- |")
    for way in ways:
        with ProcessPoolExecutor(os.cpu_count(), initializer=_start, initargs=(way,)) as pool:
            seen = list(pool.map(_score, jobs, chunksize=8))
            wrong = list(pool.map(_score, [(path, ()) for path in without], chunksize=8))
        boxes = sum(found for found, _ in seen)
        right = sum(right for _, right in seen)
        kept = sum(found for found, _ in wrong)
        print(
            f"| {way} | {right / len(jobs):.1%} ({right}) | {right / max(1, boxes):.1%} | {kept} |",
            flush=True,
        )


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


def speed(folder: Path, copies: int, rounds: int) -> None:
    """Print how much faster the default is than the usual script on photos of a phone's size."""
    with tempfile.TemporaryDirectory() as scratch:
        raw = Path(scratch) / "raw"
        raw.mkdir()
        sources = sorted((folder / "large").iterdir())
        for index in range(copies):
            for source in sources:
                if source.suffix.lower() in (".jpg", ".jpeg"):
                    # other bytes at the end: not the same file, so none is a copy of another
                    data = source.read_bytes() + index.to_bytes(2, "big")
                    (raw / f"{index:02d}-{source.name}").write_bytes(data)
        few = Path(scratch) / "few"
        few.mkdir()
        for path in sorted(raw.iterdir())[: len(sources)]:
            shutil.copy(path, few)
        count, few_count = len(list(raw.iterdir())), len(list(few.iterdir()))
        ratios = []
        for number in range(rounds):
            out = Path(scratch) / f"usual{number}"
            out.mkdir()
            start = time.perf_counter()
            usual_script(few, out)
            usual = (time.perf_counter() - start) / few_count
            start = time.perf_counter()
            line = [sys.executable, "-m", "catgan", "curate", str(raw)]
            line += [str(Path(scratch) / f"ours{number}"), "--no-duplicate-screen"]
            subprocess.run(line, check=True, capture_output=True)
            ours = (time.perf_counter() - start) / count
            ratios.append(usual / ours)
            print(
                f"usual {usual:.2f} s a photo, catgan {ours:.3f}: {usual / ours:.0f} times as fast"
            )
        print(
            f"median of {rounds}: {statistics.median(ratios):.0f} times, on {os.cpu_count()} cores"
        )


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
    options = parser.parse_args()
    if options.only in (None, "accuracy"):
        accuracy(options.photos, options.way or list(WAYS))
    if options.only in (None, "speed"):
        speed(options.photos, copies=12, rounds=3)
    if options.only in (None, "memory"):
        memory(options.photos)


if __name__ == "__main__":
    main()
