"""A run: the folder that one training writes, its `config.json`, and finding it again by name."""

import dataclasses
import difflib
import os
from pathlib import Path
from typing import Any

from catgan.core.errors import BadRecord, CheckpointRefused, UnknownRun
from catgan.core.files import Json, write_json
from catgan.core.names import existing
from catgan.core.version import __version__
from catgan.formats import stats
from catgan.formats.datasets import DataSet, digest_of, open_dataset
from catgan.formats.records import check_ranges, from_json, read_object, to_json
from catgan.formats.stats import EpochStats, read_stats

CONFIG = "config.json"
KIND = "run"
FORMAT = 4
"""Of `config.json` and `stats.jsonl`. In 3 `graphs` was true or false; in 2 the state of balance
was a sentence, too; 1 is not read."""
OLDEST = 2
MOST_COUNTED = 10**9  # images, or pixels of a side

BEST, LAST = "best", "last"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DataRecord:
    """What a run is trained on, as `config.json` has it."""

    name: str
    """The data set's."""
    folder: str
    """Where it was, absolute."""
    relative: str | None = None
    """The same from the run's folder, where there is a way: so that both can be moved together."""
    digest: str = ""
    """SHA-256 over all names and contents, hexadecimal."""
    size: int = 0
    """Shorter side of the smallest picture on disk, pixels."""
    resized: int = 0
    """Pictures that were brought to the size trained at."""
    cut: int = 0
    """Those of them that were not square."""
    enlarged: int = 0
    """Those of them that were smaller."""
    train: int
    """How many were trained on."""
    held_out: tuple[str, ...] = ()
    """The names of those that were not."""

    def __post_init__(self) -> None:
        """Refuse counts that cannot be.

        Raises:
            ValueError: Names the field.
        """
        counts = ("size", "resized", "cut", "enlarged", "train")
        check_ranges(self, dict.fromkeys(counts, (0, MOST_COUNTED)))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StartRecord:
    """The networks that a run began with, where these were not new."""

    from_: str
    """What they are: the base model, or a checkpoint; `from` on disk."""
    images_shown: int
    """Real images that they had seen."""
    digest: str
    """SHA-256 over their values, hexadecimal."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ComputedRecord:
    """What a run was computed on from some epoch on, and how."""

    after_epoch: int
    """Epochs that were complete when it came there; 0 for the beginning."""
    device: str
    """`cpu`, `cuda` or `mps`."""
    name: str
    """Of the GPU; of the processor's kind where there is none."""
    precision: str
    """`float32`, `tf32`, `bfloat16` or `float16`."""
    graphs: bool
    """Whether steps were recorded as CUDA graphs."""
    ranks: int = 1
    """How many processes trained it together."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """`config.json`."""

    kind: str = KIND
    """What the folder is."""
    format: int = FORMAT
    """Of the run's folder."""
    catgan: str = __version__
    """The version that wrote it."""
    finished: bool = False
    """Whether the run came to its end."""
    slim: bool | None = None
    """True where what it would be trained further from was removed; else left out."""
    settings: dict[str, Any]
    """What it is trained with."""
    data: DataRecord
    """What it is trained on."""
    start: StartRecord | None = None
    """What it began with; None for new networks."""
    computed: tuple[ComputedRecord, ...] = ()
    """What it was computed on, from the beginning; a new entry wherever that changed."""

    def __post_init__(self) -> None:
        """Refuse a size of images that cannot be: everything that shows a run computes with it.

        Raises:
            ValueError: Says so.
        """
        size = self.settings.get("size", 1)
        if type(size) is not int or not 1 <= size <= MOST_COUNTED:
            raise ValueError(f"settings.size is {size!r:.40}")


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
        return self.folder / stats.NAME

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

    def checkpoint(self, which: str | None = None) -> Path | None:
        """The checkpoint that is there.

        Args:
            which: `best` or `last`; None for the best one where there is one, else the last.
        """
        choice = {BEST: (self.best,), LAST: (self.last,), None: (self.best, self.last)}[which]
        return next((path for path in choice if path.is_file()), None)

    def find_checkpoint(self, which: str | None = None) -> Path:
        """The checkpoint that is wanted, which has to be there.

        Args:
            which: As for `checkpoint`.

        Raises:
            CheckpointRefused: It is not there; says whether another one is.
        """
        found = self.checkpoint(which)
        if found is not None:
            return found
        if self.checkpoint() is None:
            raise CheckpointRefused(
                f"The run {self.name} has no checkpoint yet; "
                "let it train for an epoch or more first: catgan train"
            )
        other = LAST if which == BEST else BEST
        raise CheckpointRefused(
            f"The run {self.name} has no {which} checkpoint; use --checkpoint {other}."
        )

    def read_config(self) -> RunConfig | None:
        """What `config.json` says, or None where there is none.

        Raises:
            BadRecord: It is damaged, not a run's, or another version's.
        """
        table = read_object(self.config)
        if table is None:
            return None
        written = table.get("format")
        if table.get("kind") != KIND or not isinstance(written, int):
            raise BadRecord(
                f"{self.config} is not one that catgan wrote, or is broken; "
                "name another run, or train this one anew."
            )
        if not OLDEST <= written <= FORMAT:
            age = "a newer" if written > FORMAT else "an older"
            raise BadRecord(
                f"{self.folder} was made by {age} version of catgan ({table.get('catgan')}); "
                "use that version, or train the run anew."
            )
        return from_json(_readable(table), RunConfig, str(self.config))

    def write_config(self, config: RunConfig) -> None:
        """Write `config.json`, whole or not at all.

        Raises:
            DiskFull: There is no room for it.
        """
        write_json(self.config, to_json(config))

    def way_to(self, folder: str) -> str | None:
        """A folder as seen from the run's own; None where there is no way."""
        try:
            return Path(os.path.relpath(folder, self.folder.resolve())).as_posix()
        except ValueError:  # on Windows there is no way from one drive to another
            return None

    def find_data(self, data: DataRecord, named: Path | None = None) -> Path:
        """Where the data set of the run is by now: the first place that has the same images.

        Args:
            data: As `config.json` has it.
            named: Where a person says that it is: the data set, or the folder that it lies in.

        Returns:
            A folder; where none has the same images the first that is there, or where it was.
        """
        if named is not None:
            places = [named / data.name, named]
        else:
            from_here = [] if data.relative is None else [self.folder.resolve() / data.relative]
            places = [Path(os.path.normpath(place)) for place in from_here] + [Path(data.folder)]
        there = [place for place in dict.fromkeys(map(existing, places)) if place.is_dir()]
        if len(there) > 1:
            for place in there:
                dataset = open_dataset(place)
                if dataset is not None and digest_of(dataset) == data.digest:
                    return place
        return there[0] if there else places[-1]

    def read_stats(self) -> list[EpochStats]:
        """The epochs done so far, oldest first.

        Raises:
            BadRecord: A line is damaged; names it.
        """
        return read_stats(self.stats)


def _readable(table: Json) -> Json:
    start = table.get("start")
    if isinstance(start, dict):
        return table | {"start": {**start, "from_": start.get("from")}}
    return table


def training_line(dataset: DataSet | Path, run: Run, epochs: int) -> list[str]:
    """The command that trains a run on, to be shown to people.

    Args:
        dataset: What it is trained on, or where that is.
        run: The run.
        epochs: How long in all.
    """
    folder = dataset if isinstance(dataset, Path) else dataset.folder
    line = ["catgan", "train", near(folder), "--epochs", str(epochs)]
    if run.name != folder.resolve().name:
        line += ["--name", run.name]
    if run.folder.parent != Path("runs"):
        line += ["--runs", near(run.folder.parent)]
    return line


def near(folder: Path) -> str:
    """A folder as one would type it from here."""
    try:
        return str(folder.relative_to(Path.cwd()))
    except ValueError:
        return str(folder)


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
