"""What a run leaves on disk while it goes: settings, statistics, sample grids, checkpoints."""

import dataclasses
import re
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from catgan.core.files import (
    drop_torn_line,
    explain_unwritable,
    flush_to_disk,
    sweep_partials,
    write_picture,
)
from catgan.core.pictures import Pictures, encode_png, sheet
from catgan.core.settings import to_json
from catgan.formats import records
from catgan.formats.runs import ComputedRecord, DataRecord, Run, RunConfig, StartRecord
from catgan.formats.stats import EpochStats, append_stats, write_stats
from catgan.model.checkpoint import State, save_checkpoint
from catgan.train.balance import judge_balance
from catgan.train.config import TrainConfig

if TYPE_CHECKING:
    from catgan.train.events import EventFile

GRID_COLUMNS = 8
WRITTEN = re.compile(r"epoch_\d+\.png|(best|last)\.pt")  # in the folders of a run
DRAWN = ("epoch", "images_shown", "generator", "average", "discriminator")


class Recorder:
    """Writes a run's folder; opened once the run is known to be allowed."""

    def __init__(
        self,
        run: Run,
        config: TrainConfig,
        data: DataRecord,
        *,
        done: int,
        start: StartRecord | None = None,
        computed: ComputedRecord | None = None,
    ) -> None:
        """Make the folder, or bring it back to where its checkpoint stands.

        Args:
            run: The run.
            config: Its settings.
            data: What it trains on.
            done: Complete epochs of the checkpoint; what was recorded of later ones is undone,
                since they will be trained again.
            start: The networks that a new run begins with, where these are not new; of one that is
                carried on, `config.json` says.
            computed: What it is computed on from here on.
        """
        self.run = run
        before = run.read_config()
        if start is None and before is not None:
            start = before.start
        data = dataclasses.replace(data, relative=run.way_to(data.folder))
        self._config = RunConfig(
            settings=to_json(config),
            data=data,
            start=start,
            computed=_computed(before, computed, done),
        )
        self.write_config(finished=False)  # first: by it the folder is known to be a run's
        for folder in (run.samples, run.last.parent, run.tensorboard):
            folder.mkdir(parents=True, exist_ok=True)
            sweep_partials(folder, WRITTEN.fullmatch)
        drop_torn_line(run.stats)
        self._stats = [stats for stats in run.read_stats() if stats.epoch <= done]
        write_stats(run.stats, self._stats)
        for epoch, grid in run.sample_grids().items():
            if epoch > done:
                grid.unlink()
        with explain_unwritable(run.tensorboard):
            self._events = _open_events(run.tensorboard, done)

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
        self._events.close()

    def write_config(self, *, finished: bool) -> None:
        """`config.json`."""
        self.run.write_config(dataclasses.replace(self._config, finished=finished))

    @property
    def stats(self) -> tuple[EpochStats, ...]:
        """The lines of `stats.jsonl` so far."""
        return tuple(self._stats)

    def epoch(self, stats: EpochStats, grid: Pictures | None) -> None:
        """Keep one epoch's figures, and its sample grid where there is one.

        Its state of balance, which needs those before, is added.
        """
        stats = stats.finite()
        balance = judge_balance([*self._stats, stats])
        stats = dataclasses.replace(stats, balance=balance.state, since=balance.since)
        append_stats(self.run.stats, stats)
        self._stats.append(stats)
        picture = None if grid is None else sheet(grid, columns=GRID_COLUMNS)
        figures = {n: v for n, v in records.to_json(stats).items() if isinstance(v, float)}
        with explain_unwritable(self.run.tensorboard):
            self._events.add(stats.epoch, figures, picture)
        if picture is not None:
            write_picture(self.run.sample_grid(stats.epoch), encode_png(picture))

    def checkpoint(self, state: State) -> None:
        """Keep everything that the run needs to go on."""
        # no power cut may leave a checkpoint of epochs whose figures are gone
        flush_to_disk(self.run.stats)
        save_checkpoint(self.run.last, self._named(state))

    def best(self, state: State) -> None:
        """Keep the networks of the best epoch so far; no optimiser: no run goes on from there."""
        kept = {name: state[name] for name in DRAWN if name in state}
        save_checkpoint(self.run.best, self._named(kept))

    def _named(self, state: State) -> State:
        settings, digest = self._config.settings, self._config.data.digest
        return {"settings": settings, "data_digest": digest, **state}


def _computed(
    before: RunConfig | None, now: ComputedRecord | None, done: int
) -> tuple[ComputedRecord, ...]:
    """What a run was computed on so far, and now; what is trained again counts as it is now."""
    past = () if before is None else before.computed
    past = tuple(one for one in past if one.after_epoch < done)
    if now is None or (past and dataclasses.replace(past[-1], after_epoch=done) == now):
        return past
    return (*past, now)


def _open_events(folder: Path, done: int) -> "EventFile":
    from catgan.train.events import EventFile  # a second of imports

    return EventFile(folder, done=done)
