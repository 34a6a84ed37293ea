"""`train` from end to end: a data set to a run that can be stopped at any moment and carried on."""

import dataclasses
import math
import time
from collections.abc import Callable
from pathlib import Path

from catgan.core.datasets import DataSet, open_dataset
from catgan.core.errors import NoPictures, NoSuchFolder, TrainingLost
from catgan.core.files import locked
from catgan.core.images import Pictures
from catgan.core.runs import Run
from catgan.model.checkpoint import State
from catgan.train.config import TrainConfig
from catgan.train.data import RunData, load_data
from catgan.train.device import describe_device, pick_device
from catgan.train.pictures import TrainingPictures
from catgan.train.record import Recorder, check_run
from catgan.train.trainer import Trainer

REPORT_SECONDS = 0.5


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
    images_per_second: float
    """Real pictures shown a second, in this epoch."""
    seconds_left: float
    """Until the last epoch is done, at this speed."""
    epoch_done: bool
    """Whether the epoch is complete."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainStart:
    """What a run is about to do, once everything is checked."""

    run: Run
    """Its folder."""
    data: RunData
    """What it trains on."""
    device: str
    """What it computes on, in words."""
    done: int
    """Epochs that an earlier call did."""
    resized: bool
    """Whether the pictures on disk have another size and were resized."""


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
    """Real pictures shown, over all epochs."""
    finished: bool
    """Whether all epochs asked for are done; False where `should_stop` said so."""


def train_gan(
    dataset: DataSet | Path,
    run: Path,
    config: TrainConfig | None = None,
    *,
    on_start: Callable[[TrainStart], None] | None = None,
    progress: Callable[[TrainProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TrainResult:
    """Train a DCGAN on one data set, or carry a run on where it stopped.

    On the CPU the weights after so many epochs depend on the pictures and the settings alone, not
    on how often the run was stopped, killed and carried on.

    Args:
        dataset: A data set, or the folder that is one.
        run: The run's folder; made if missing.
        config: Settings.
        on_start: Called once, before the first step.
        progress: Called about twice a second, and after each epoch.
        should_stop: Asked after each step; True ends the call with a checkpoint in place.

    Raises:
        NoSuchFolder, NoPictures, TooFewPictures, UnequalSizes, UnreadablePhoto: The data set
            cannot be trained on; nothing was written.
        BadSettings: A setting does not fit the data or the machine; nothing was written.
        FolderRefused, SettingsDiffer, CheckpointRefused: `run` is something else, or of other
            settings, pictures or version; nothing was changed.
        TrainingLost: A loss is no number any more; the last checkpoint stays.
        DiskFull: There is no room; the same call carries on later.
    """
    config = config or TrainConfig()
    start, pictures, state = _prepare(dataset, run, config)
    trainer = _trainer(pictures, config, state)
    before = trainer.epoch
    place = start.run
    if on_start is not None:
        on_start(start)
    if before < config.epochs:
        run.mkdir(parents=True, exist_ok=True)
        with locked(run), Recorder(place, config, start.data, done=before) as recorder:
            finished = _train(trainer, recorder, progress, should_stop)
            if finished:
                recorder.write_config(finished=True)
    else:
        finished = True
    return TrainResult(
        run=place,
        epochs_before=before,
        epochs=trainer.epoch,
        images_shown=trainer.images_shown,
        finished=finished,
    )


def plan_training(dataset: DataSet | Path, run: Path, config: TrainConfig) -> TrainStart:
    """What `train_gan` would do with the same arguments; nothing is written.

    Raises:
        What `train_gan` does, but for `TrainingLost` and `DiskFull`.
    """
    return _prepare(dataset, run, config)[0]


def _prepare(
    dataset: DataSet | Path, run: Path, config: TrainConfig
) -> tuple[TrainStart, Pictures, State | None]:
    """Everything that can be refused, before anything is written."""
    device = pick_device(config.device)
    data, pictures = load_data(_opened(dataset), config)
    place = Run(folder=run)
    state = check_run(place, config, data)
    start = TrainStart(
        run=place,
        data=data,
        device=describe_device(device),
        done=int(state["epoch"]) if state is not None else 0,
        resized=data.size != config.size,
    )
    return start, pictures, state


def _trainer(pictures: Pictures, config: TrainConfig, state: State | None) -> Trainer:
    device = pick_device(config.device)
    trainer = Trainer(TrainingPictures(pictures, device), config, device)
    if state is not None:
        trainer.load_state(state)
    return trainer


def _train(
    trainer: Trainer,
    recorder: Recorder,
    progress: Callable[[TrainProgress], None] | None,
    should_stop: Callable[[], bool] | None,
) -> bool:
    """Epochs until all are done (True), or until asked to stop (False)."""
    config = trainer.config
    every = config.checkpoint_minutes * 60
    saved = reported = time.monotonic()
    while trainer.epoch < config.epochs:
        clock = _Clock(trainer)

        # The steps of one epoch, or what is left of it.
        while not trainer.epoch_is_over:
            trainer.step()
            now = time.monotonic()
            if should_stop is not None and should_stop():
                recorder.checkpoint(trainer.state())
                return False
            if 0 < every <= now - saved:
                recorder.checkpoint(trainer.state())
                saved = time.monotonic()
            if progress is not None and now - reported >= REPORT_SECONDS:
                progress(_progress(trainer, clock, trainer.means(), epoch_done=False))
                reported = now

        # The epoch's figures.
        means = trainer.end_epoch()
        rate = clock.images_per_second()
        lost = not all(math.isfinite(value) for value in means.values())
        sampled = trainer.epoch % config.sample_every == 0 or trainer.epoch in (1, config.epochs)
        recorder.epoch(
            {
                "epoch": trainer.epoch,
                "images_shown": trainer.images_shown,
                **means,
                "images_per_second": round(rate, 2),
            },
            trainer.sample_grid() if sampled and not lost else None,
        )
        if progress is not None:
            progress(_progress(trainer, clock, means, epoch_done=True))
        if lost:
            raise TrainingLost(
                f"The losses of {recorder.run.folder} are no numbers any more since epoch "
                f"{trainer.epoch}; train under another --name with a lower --lr-g and --lr-d."
            )

        # Everything up to here, safe on disk.
        done = trainer.epoch == config.epochs
        if done or time.monotonic() - saved >= every:
            recorder.checkpoint(trainer.state())
            saved = time.monotonic()
    return True


class _Clock:
    """How fast the epoch under way is going, in this process."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._started = time.monotonic()
        self._shown = trainer.images_shown

    def images_per_second(self) -> float:
        """Real pictures shown a second since the clock was started."""
        passed = max(time.monotonic() - self._started, 1e-9)
        return (self._trainer.images_shown - self._shown) / passed


def _progress(
    trainer: Trainer, clock: _Clock, means: dict[str, float], *, epoch_done: bool
) -> TrainProgress:
    rate = clock.images_per_second()
    total = trainer.config.epochs * trainer.pictures
    steps = trainer.steps_an_epoch
    return TrainProgress(
        epoch=trainer.epoch if epoch_done else trainer.epoch + 1,
        epochs=trainer.config.epochs,
        step=steps if epoch_done else trainer.step_of_epoch,
        steps=steps,
        means=means,
        images_per_second=rate,
        seconds_left=(total - trainer.images_shown) / max(rate, 1e-9),
        epoch_done=epoch_done,
    )


def _opened(dataset: DataSet | Path) -> DataSet:
    if isinstance(dataset, DataSet):
        return dataset
    if not dataset.is_dir():
        raise NoSuchFolder(f"{dataset} is no folder; name a folder of pictures.")
    found = open_dataset(dataset)
    if found is None:
        raise NoPictures(f"{dataset} holds no pictures; name a folder that does.")
    return found
