"""What a caller of `train` is told: what is about to be done, where it stands, how it ended."""

import dataclasses

from catgan.core import words
from catgan.core.files import read_there
from catgan.core.pages import for_notebook
from catgan.formats.runs import ComputedRecord, Run, StartRecord
from catgan.train.balance import Balance
from catgan.train.config import TrainConfig
from catgan.train.data import RunData
from catgan.train.device import Device


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainStart:
    """What a run is about to do, once everything is checked."""

    run: Run
    """Its folder."""
    config: TrainConfig
    """Its settings."""
    data: RunData
    """What it trains on."""
    device: Device
    """What it computes on, and how."""
    before: ComputedRecord | None
    """What the run was computed on last; None where it is new, or that is not on record."""
    done: int
    """Epochs that an earlier call did."""
    begins_with: StartRecord | None
    """The networks that it begins with; None where they are new or the run is carried on."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainProgress:
    """Where a run stands."""

    epoch: int
    """The epoch under way, from 1; the one just done where `epoch_done`."""
    epochs: int
    """Epochs asked for."""
    step: int
    """Steps done of it."""
    steps: int
    """Steps of an epoch."""
    means: dict[str, float]
    """`loss_d`, `loss_g`, `d_real`, `d_fake`, `d_fake_after`: means over the epoch so far."""
    images_per_second: float | None
    """Real images shown a second, in this epoch; None where this call has shown none of them."""
    seconds_left: float | None
    """Until the last epoch is done, at this speed."""
    epoch_done: bool
    """Whether the epoch is complete."""
    measuring: bool
    """Whether the run is about to be measured, during which it does not train."""
    balance: Balance
    """The state of the run after the last complete epoch."""
    kid: float | None
    """KID where it was last measured, against held-out images; with too few of them, against those
    trained on."""
    best_epoch: int | None
    """The best epoch so far, where one is known."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """How a call ended."""

    run: Run
    """The run."""
    epochs_before: int
    """Complete epochs that were there before this call."""
    epochs: int
    """Complete epochs now."""
    images_shown: int
    """Real images shown, over all epochs."""
    finished: bool
    """Whether the run is over: all epochs done, or failed and told to stop then; False where
    `should_stop` said so."""
    balance: Balance
    """The state of the run after its last epoch."""
    best_epoch: int | None
    """The epoch kept in `best.pt`; None where none is known."""
    best_kid: float | None
    """Its KID, against held-out images; with too few of them, against those trained on."""
    against_training: bool
    """Whether that KID is against the images trained on."""
    recognised: float | None
    """Share of samples recognised as cats at the best epoch, else where it was last measured, 0 to
    1; None where it never was."""
    copies: float | None
    """Share of samples that are close to a training image where it was last measured, 0 to 1."""
    copying: bool
    """Whether that is more than chance allows."""

    def __repr__(self) -> str:
        """One line."""
        parts = [words.count(self.epochs, "epoch")]
        parts += [] if self.finished else ["not finished"]
        parts += [words.balance(self.balance.state, self.balance.since).split(":")[0]]
        if self.best_epoch is not None:
            parts.append(f"best at {self.best_epoch} (KID {self.best_kid:.3f})")
        return f"TrainResult({self.run.folder}: {', '.join(parts)})"

    def _repr_html_(self) -> str:
        """For a notebook: the newest sample grid as well."""
        newest = list(self.run.sample_grids().items())[-1:]
        grids = [
            (f"samples after epoch {epoch}", "png", data)
            for epoch, path in newest
            if (data := read_there(path)) is not None
        ]
        return for_notebook(repr(self), grids)
