"""A run: the folder that one training writes, and finding it again by name."""

import dataclasses
import difflib
from pathlib import Path

from catgan.core.errors import UnknownRun
from catgan.core.files import Json, read_json, read_jsonl

CONFIG = "config.json"
FORMAT = 2  # of config.json and of the checkpoints


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Where everything of one run lies; says nothing of whether it is there yet."""

    folder: Path
    """The run's own folder."""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.folder.resolve().name

    @property
    def config(self) -> Path:
        """The settings, the data set and the split, as JSON."""
        return self.folder / CONFIG

    @property
    def stats(self) -> Path:
        """One JSON line an epoch."""
        return self.folder / "stats.jsonl"

    @property
    def samples(self) -> Path:
        """Grids of the fixed latents, one PNG an epoch sampled."""
        return self.folder / "samples"

    @property
    def last(self) -> Path:
        """The newest checkpoint."""
        return self.folder / "checkpoints" / "last.pt"

    @property
    def best(self) -> Path:
        """The best checkpoint, where evaluation has named one."""
        return self.folder / "checkpoints" / "best.pt"

    @property
    def tensorboard(self) -> Path:
        """TensorBoard's event files."""
        return self.folder / "tensorboard"

    def sample_grids(self) -> dict[int, Path]:
        """The sample grids there are: epoch -> PNG, in order."""
        grids = {}
        for grid in self.samples.glob("epoch_*.png"):
            number = grid.stem.removeprefix("epoch_")
            if number.isascii() and number.isdigit():
                grids[int(number)] = grid
        return dict(sorted(grids.items()))

    def sample_grid(self, epoch: int) -> Path:
        """Where the grid of one epoch lies."""
        return self.samples / f"epoch_{epoch:04d}.png"

    def read_config(self) -> Json | None:
        """What `config.json` says, or None where there is none."""
        return read_json(self.config)

    def read_stats(self) -> list[Json]:
        """The epochs done so far, oldest first."""
        return list(read_jsonl(self.stats))


def find_runs(root: Path) -> list[Run]:
    """Every run directly under `root`, by name."""
    if not root.is_dir():
        return []
    return [Run(folder=config.parent) for config in sorted(root.glob(f"*/{CONFIG}"))]


def resolve_run(name: str, root: Path) -> Run:
    """The run that a person means by a name under `root`, or by a path.

    Raises:
        UnknownRun: Neither is a run; the sentence lists the runs there are.
    """
    for folder in (root / name, Path(name)):
        if (folder / CONFIG).is_file():
            return Run(folder=folder)
    known = [run.name for run in find_runs(root)]
    if not known:
        raise UnknownRun(
            f"There is no run {name}, nor any other under {root}; "
            "train one first: catgan train curated/"
        )
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    raise UnknownRun(f"There is no run {name} under {root}{hint}; there are: {', '.join(known)}.")
