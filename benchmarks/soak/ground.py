"""What the campaign works on: a small album, a curated folder and a run, made once."""

import dataclasses
import shutil
from pathlib import Path

from benchmarks.soak.outcome import run

TRAIN = ("--size", "16", "--ngf", "4", "--ndf", "4", "--latent-dim", "8", "--batch-size", "4",
         "--device", "cpu", "--evaluate-every", "0", "--held-out", "4")  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A folder with `raw/`, `curated/` and `runs/`, made by the commands under test."""

    folder: Path
    """To be copied, never changed."""

    def copy(self, place: Path, *names: str) -> Path:
        """Some of it, or all of it, in a folder of its own."""
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for name in names or ("raw", "curated", "runs"):
            shutil.copytree(self.folder / name, place / name)
        return place

    @staticmethod
    def curate(*more: str) -> tuple[str, ...]:
        """The line that curates."""
        return ("curate", "raw", "curated", "--cascade", "quick", *more)

    @staticmethod
    def train(*more: str, epochs: int = 3) -> tuple[str, ...]:
        """The line that trains."""
        return ("train", "curated/full-body", "--epochs", str(epochs), *TRAIN, *more)


def make_ground(folder: Path) -> Ground:
    """Draw an album, curate it and train on it."""
    ground = Ground(folder=folder)
    folder.mkdir(parents=True, exist_ok=True)
    for line in (
        ("demo", "raw", "--album-only", "--photos", "24", "--workers", "1"),
        Ground.curate("--workers", "1"),
        Ground.train(),
    ):
        ended = run(line, cwd=folder, timeout=600)
        if ended.code:
            raise SystemExit(f"The campaign cannot begin: catgan {' '.join(line)}: {ended.err}")
    return ground


OWN = (".lock", "train.log")  # of each start its own


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but locks, logs and TensorBoard's, and what is in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in OWN and "tensorboard" not in path.parts
    }
