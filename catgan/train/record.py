"""What a run leaves on disk while it goes: settings, statistics, sample grids, checkpoints."""

import math
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from catgan import __version__
from catgan.core.config import differences
from catgan.core.errors import CheckpointRefused, FolderRefused, SettingsDiffer
from catgan.core.files import (
    LOCK,
    Json,
    append_jsonl,
    drop_torn_line,
    explain_full_disk,
    flush_to_disk,
    partial_of,
    sweep_partials,
    write_json,
    write_jsonl,
    write_picture,
)
from catgan.core.images import Pictures, encode_png, sheet
from catgan.core.runs import CONFIG, FORMAT, Run
from catgan.model.checkpoint import State, load_checkpoint, save_checkpoint
from catgan.train.balance import judge_balance
from catgan.train.config import FREE, TrainConfig, complete, to_record
from catgan.train.data import RunData
from catgan.train.start import StartNets

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

GRID_COLUMNS = 8
DRAWN = ("epoch", "images_shown", "generator", "average", "discriminator")


def check_run(run: Run, config: TrainConfig, data: RunData) -> State | None:
    """What a run of this name has come to, if it may be carried on; changes nothing.

    Returns:
        Its last checkpoint, or None where there is none yet.

    Raises:
        FolderRefused: The folder holds something else.
        SettingsDiffer: A run under other settings or on other pictures has this name.
        CheckpointRefused: Its checkpoint is broken or of another version.
    """
    record = check_settings(run, config)
    if record is None:
        return None
    if record["data"].get("digest") != data.digest:
        raise SettingsDiffer(
            f"{run.folder} was trained on other pictures than {data.folder} holds now "
            f"({record['data'].get('folder')}, {_counts(record['data'])}; "
            f"now {_counts(data.to_json())}). Take another --name for the new pictures."
        )
    if not run.last.exists():
        return None
    state = load_checkpoint(run.last)
    if state["data_digest"] != data.digest:
        raise CheckpointRefused(
            f"{run.last} belongs to other pictures than this run's; remove it to train the run "
            "anew, or take another --name."
        )
    changed = differences(complete(state["settings"]), to_record(config), ignore=FREE)
    if changed:
        raise CheckpointRefused(
            f"{run.last} belongs to a run with other settings: {'; '.join(map(str, changed))}; "
            "remove it to train the run anew, or take another --name."
        )
    return state


def check_settings(run: Run, config: TrainConfig) -> Json | None:
    """What `config.json` says of a run that may be carried on as far as its settings tell.

    It asks neither for its pictures nor for its checkpoint, so it is quick; see `check_run`.

    Returns:
        None where there is no run of this name yet.

    Raises:
        FolderRefused: The folder holds something else.
        SettingsDiffer: A run under other settings has this name.
        CheckpointRefused: It is of another version.
    """
    record = run.read_config()
    if record is None:
        if run.folder.exists() and not (run.folder.is_dir() and _is_untouched(run.folder)):
            raise FolderRefused(
                f"{run.folder} is there already, but is no run of catgan (it has no {CONFIG}); "
                "take another --name."
            )
        return None
    if record.get("kind") != "run" or "settings" not in record or "data" not in record:
        raise FolderRefused(f"{run.folder} is no run of catgan; take another --name.")
    if record.get("format") != FORMAT:
        raise CheckpointRefused(
            f"{run.folder} was made by another version of catgan ({record.get('catgan')}); "
            "use that version, or take another --name."
        )
    changed = differences(complete(record["settings"]), to_record(config), ignore=FREE)
    if changed:
        raise SettingsDiffer(
            f"{run.folder} is a run with other settings: {'; '.join(map(str, changed))}. "
            "Take another --name, or the settings it began with."
        )
    return record


def mark_finished(run: Run) -> None:
    """Say in `config.json` that a run is over: a kill may come between its last epoch and that."""
    record = run.read_config()
    if record is not None and not record.get("finished", False):
        write_json(run.config, record | {"finished": True})


def _is_untouched(folder: Path) -> bool:
    """Whether a folder holds nothing but what a first start leaves that was killed at once."""
    leftovers = {LOCK, partial_of(folder / CONFIG).name}
    return all(path.name in leftovers for path in folder.iterdir())


def _counts(data: Json) -> str:
    return f"{data.get('train')} to train on and {len(data.get('held_out', []))} held out"


class Recorder:
    """Writes a run's folder; opened once the run is known to be allowed."""

    def __init__(
        self,
        run: Run,
        config: TrainConfig,
        data: RunData,
        *,
        done: int,
        start: StartNets | None = None,
    ) -> None:
        """Make the folder, or bring it back to where its checkpoint stands.

        Args:
            run: The run.
            config: Its settings.
            data: What it trains on.
            done: Complete epochs of the checkpoint; what was recorded of later ones is undone,
                since they will be trained again.
            start: The nets that a fresh run begins with, where these were not drawn anew; of one
                that is carried on, `config.json` says.
        """
        self.run = run
        self._start = (run.read_config() or {}).get("start") if start is None else start.to_json()
        self._config = config
        self._data = data
        self.write_config(finished=False)  # first: by it the folder is known to be a run's
        for folder in (run.samples, run.last.parent, run.tensorboard):
            folder.mkdir(parents=True, exist_ok=True)
            sweep_partials(folder)
        drop_torn_line(run.stats)
        stats = [record for record in run.read_stats() if record["epoch"] <= done]
        write_jsonl(run.stats, stats)
        self._records = stats
        for epoch, grid in run.sample_grids().items():
            if epoch > done:
                grid.unlink()
        self._tensorboard = _open_tensorboard(run.tensorboard, done)

    def __enter__(self) -> "Recorder":
        """The recorder itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let TensorBoard's file go."""
        try:
            self._tensorboard.close()
        except OSError:
            if error is None:
                raise

    def write_config(self, *, finished: bool) -> None:
        """`config.json`."""
        write_json(
            self.run.config,
            {
                "kind": "run",
                "format": FORMAT,
                "catgan": __version__,
                "finished": finished,
                "settings": to_record(self._config),
                "data": self._data.to_json(),
                **({} if self._start is None else {"start": self._start}),
            },
        )

    @property
    def records(self) -> tuple[Json, ...]:
        """The lines of `stats.jsonl` so far, one an epoch."""
        return tuple(self._records)

    def epoch(self, record: Json, grid: Pictures | None) -> None:
        """Keep one epoch's figures, and its sample grid where there is one.

        Its state of balance, which needs those before, is added.
        """
        epoch = int(record["epoch"])
        record = plain(record)
        record["balance"] = judge_balance([*self._records, record]).words
        append_jsonl(self.run.stats, [record])
        self._records.append(record)
        with explain_full_disk(self.run.tensorboard):
            for name, value in record.items():
                if name not in ("epoch", "images_shown") and isinstance(value, float):
                    self._tensorboard.add_scalar(name, value, epoch)
            if grid is not None:
                picture = sheet(grid, columns=GRID_COLUMNS)
                self._tensorboard.add_image("samples", picture, epoch, dataformats="HWC")
        if grid is not None:
            write_picture(self.run.sample_grid(epoch), encode_png(picture))

    def checkpoint(self, state: State) -> None:
        """Keep everything that the run needs to go on."""
        # no power cut may leave a checkpoint of epochs whose figures are gone
        flush_to_disk(self.run.stats)
        save_checkpoint(self.run.last, self._named(state))

    def best(self, state: State) -> None:
        """Keep the nets of the best epoch so far; no optimiser, since no run goes on from there."""
        kept = {name: state[name] for name in DRAWN if name in state}
        save_checkpoint(self.run.best, self._named(kept))

    def _named(self, state: State) -> State:
        return {"settings": to_record(self._config), "data_digest": self._data.digest, **state}


def _open_tensorboard(folder: Path, done: int) -> "SummaryWriter":
    from torch.utils.tensorboard import SummaryWriter  # a second of imports

    return SummaryWriter(str(folder), purge_step=done + 1)


def plain(record: Json) -> Json:
    """A record without NaN and infinity, which JSON does not have."""

    def value(found: Any) -> Any:
        return None if isinstance(found, float) and not math.isfinite(found) else found

    return {name: value(found) for name, found in record.items()}
