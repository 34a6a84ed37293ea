"""`train` from end to end: a data set to a run that can be stopped at any moment and carried on."""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from catgan.core.datasets import DataSet, open_dataset
from catgan.core.errors import Interrupted, NoPictures, NoSuchFolder, TrainingLost
from catgan.core.files import Json, check_place, locked
from catgan.core.images import Pictures
from catgan.core.runs import Run
from catgan.measure.features import EfficientNetLite0, Extractor
from catgan.model.checkpoint import State
from catgan.train.balance import Balance, is_lost, judge_balance
from catgan.train.best import best_record
from catgan.train.config import DEFAULT_RECIPE, TrainConfig
from catgan.train.data import RunData, check_data, load_data
from catgan.train.device import check_device, describe_device, pick_device
from catgan.train.evaluate import Evaluation, Evaluator
from catgan.train.pictures import TrainingPictures
from catgan.train.record import Recorder, check_run, check_settings, mark_finished
from catgan.train.start import StartNets, check_start, open_start
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
    images_per_second: float | None
    """Real pictures shown a second, in this epoch; None where this call has shown none of them."""
    seconds_left: float | None
    """Until the last epoch is done, at this speed."""
    epoch_done: bool
    """Whether the epoch is complete."""
    balance: Balance
    """The state of the run after the last complete epoch."""
    kid: float | None
    """KID against held-out pictures where it was last measured."""
    best_epoch: int | None
    """The best epoch so far, where one is known."""


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
    begins_with: str | None
    """The nets that it begins with, in words; None where they are drawn anew or the run is
    carried on."""


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
    """Whether the run is over: all epochs done, or lost and told to stop then; False where
    `should_stop` said so."""
    balance: Balance
    """The state of the run after its last epoch."""
    best_epoch: int | None
    """The epoch kept in `best.pt`; None where none is known."""
    best_kid: float | None
    """Its KID against held-out pictures."""


def train_gan(
    dataset: DataSet | Path,
    run: Path,
    config: TrainConfig | None = None,
    *,
    reading: Callable[[int, int], None] | None = None,
    on_start: Callable[[TrainStart], None] | None = None,
    progress: Callable[[TrainProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    extractor: Extractor | None = None,
) -> TrainResult:
    """Train a DCGAN on one data set, or carry a run on where it stopped.

    On the CPU the weights after so many epochs depend on the pictures and the settings alone, not
    on how often the run was stopped, killed and carried on.

    Args:
        dataset: A data set, or the folder that is one.
        run: The run's folder; made if missing.
        config: Settings.
        reading: Called with the pictures read and all there are, where reading takes some seconds.
        on_start: Called once, before the first step.
        progress: Called about twice a second, and after each epoch.
        should_stop: Asked after each step; True ends the call with a checkpoint in place.
        extractor: What tells pictures apart when the run is measured; catgan's own by default.

    Raises:
        NoSuchFolder, NoPictures, TooFewPictures, UnreadablePhoto: The data set cannot be trained
            on, or there is nothing of the name in `start_from`; nothing was written.
        Interrupted: `should_stop` said so while the pictures were read; nothing was written.
        BadSettings: A setting does not fit the data, the machine or the nets to begin with;
            nothing was written.
        FolderRefused, SettingsDiffer, CheckpointRefused: `run` is something else, or of other
            settings, pictures or version, or `start_from` holds no nets; nothing was changed.
        MissingPackage: The base model is missing or broken.
        TrainingLost: A loss is no number any more; the last checkpoint stays.
        DiskFull: There is no room; the same call carries on later.
    """
    config = config or TrainConfig.of_recipe(DEFAULT_RECIPE)

    # Everything that can be refused, before anything is written; what is quick to see, first.
    device, place = check_plan(run, config)
    nets = _nets(place, config)
    data, pictures, held_out = load_data(
        _opened(dataset), config, report=_reading_report(reading, should_stop)
    )
    state = check_run(place, config, data)
    if state is not None:
        nets = None
    start = _start(place, data, device, state, nets)
    trainer = Trainer(TrainingPictures(pictures, device), config, device, nets)
    if state is not None:
        trainer.load_state(state)
    before = trainer.epoch
    records: Sequence[Json] = place.read_stats()[:before]
    given_up = config.stop_when_lost and is_lost(records, config.epochs)
    finished = given_up or before >= config.epochs
    if on_start is not None:
        on_start(start)
    if finished:
        mark_finished(place)
    else:
        evaluator = _LazyEvaluator(pictures, held_out, config, device, extractor)
        run.mkdir(parents=True, exist_ok=True)
        with locked(run), Recorder(place, config, data, done=before, start=nets) as recorder:
            finished = _train(trainer, recorder, evaluator, progress, should_stop)
            if finished:
                recorder.write_config(finished=True)
            records = recorder.records
    best = best_record(records)
    return TrainResult(
        run=place,
        epochs_before=before,
        epochs=trainer.epoch,
        images_shown=trainer.images_shown,
        finished=finished,
        balance=judge_balance(records),
        best_epoch=None if best is None else int(best["epoch"]),
        best_kid=None if best is None else float(best["kid"]),
    )


def plan_training(
    dataset: DataSet | Path,
    run: Path,
    config: TrainConfig,
    *,
    reading: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TrainStart:
    """What `train_gan` would do with the same arguments; nothing is written.

    Raises:
        What `train_gan` does, but for `TrainingLost` and `DiskFull`.
    """
    device, place = check_plan(run, config)
    data = check_data(_opened(dataset), config, report=_reading_report(reading, should_stop))
    return _start(place, data, device, check_run(place, config, data), _nets(place, config))


def check_plan(run: Path, config: TrainConfig) -> tuple[torch.device, Run]:
    """What can be refused without a look at the pictures.

    Args:
        run: The run's folder, there or not.
        config: Settings.

    Returns:
        The device to compute on, and the run.

    Raises:
        BadUsage: The folder cannot be written to.
        BadSettings, NoSuchFolder, MissingPackage: The machine cannot do what the settings say, or
            the nets to begin with are missing or do not fit.
        FolderRefused, SettingsDiffer, CheckpointRefused: See `train_gan`.
    """
    device, place = pick_device(config.device), Run(folder=run)
    check_device(device, precision=config.precision, graphs=config.graphs)
    check_place(run)
    check_settings(place, config)
    _nets(place, config)
    return device, place


def _nets(place: Run, config: TrainConfig) -> StartNets | None:
    """The nets that the settings say to begin with, unless the run is past its beginning.

    Raises:
        BadSettings, NoSuchFolder, CheckpointRefused, MissingPackage: See `train_gan`.
    """
    if not config.start_from or place.last.exists():
        return None
    nets = open_start(config.start_from)
    check_start(nets, config)
    return nets


def _start(
    place: Run,
    data: RunData,
    device: torch.device,
    state: State | None,
    nets: StartNets | None,
) -> TrainStart:
    return TrainStart(
        begins_with=None if nets is None else nets.words,
        run=place,
        data=data,
        device=describe_device(device),
        done=int(state["epoch"]) if state is not None else 0,
    )


def _reading_report(
    reading: Callable[[int, int], None] | None, should_stop: Callable[[], bool] | None
) -> Callable[[int, int], None]:
    """Passed on while many pictures are read, and the moment to stop if that is asked for."""

    def report(done: int, total: int) -> None:
        if should_stop is not None and should_stop():
            raise Interrupted("Stopped while reading the pictures; the same line begins anew.")
        if reading is not None:
            reading(done, total)

    return report


class _LazyEvaluator:
    """The evaluator, once it is needed: its net takes some seconds to load."""

    def __init__(
        self,
        pictures: Pictures,
        held_out: Pictures,
        config: TrainConfig,
        device: torch.device,
        extractor: Extractor | None,
    ) -> None:
        self._pictures = pictures
        self._held_out = held_out
        self._config = config
        self._device = device
        self._extractor = extractor
        self._evaluator: Evaluator | None = None

    def is_due(self, epoch: int) -> bool:
        """Whether the run is to be measured after an epoch."""
        return self._config.evaluates_after(
            epoch, pictures=len(self._pictures), held_out=len(self._held_out)
        )

    def evaluate(self, trainer: Trainer) -> Evaluation:
        """Measure the run as it stands."""
        if self._evaluator is None:
            self._evaluator = Evaluator(
                train=self._pictures,
                held_out=self._held_out,
                config=self._config,
                extractor=self._extractor or EfficientNetLite0(device=str(self._device)),
                device=self._device,
            )
        return self._evaluator.evaluate(
            generator=trainer.generator,
            sampler=trainer.sampler,
            discriminator=trainer.discriminator,
            epoch=trainer.epoch,
        )


def _train(
    trainer: Trainer,
    recorder: Recorder,
    evaluator: _LazyEvaluator,
    progress: Callable[[TrainProgress], None] | None,
    should_stop: Callable[[], bool] | None,
) -> bool:
    """Epochs until the run is over (True), or until asked to stop (False)."""
    config = trainer.config
    every = config.checkpoint_minutes * 60
    saved = reported = time.monotonic()
    view = _View(recorder.records)
    while trainer.epoch < config.epochs:
        clock = _Clock(trainer)

        # The steps of one epoch, or what is left of it.
        while not trainer.epoch_is_over:
            trainer.step()
            now = time.monotonic()
            if should_stop is not None and should_stop():
                _checkpoint(trainer, recorder)
                return False
            if 0 < every <= now - saved:
                _checkpoint(trainer, recorder)
                saved = time.monotonic()
            if progress is not None and now - reported >= REPORT_SECONDS:
                rate = clock.images_per_second()
                progress(view.progress(trainer, rate, trainer.means(), epoch_done=False))
                reported = now

        # The epoch's figures.
        rate = clock.images_per_second()
        means = trainer.end_epoch()
        record: Json = {"epoch": trainer.epoch, "images_shown": trainer.images_shown, **means}
        if rate is not None:
            record["images_per_second"] = round(rate, 2)
        # the step that spoils the weights still has losses of its own
        lost = not (all(map(math.isfinite, means.values())) and trainer.is_sound())
        if lost:
            record["lost"] = True
        measured = not lost and evaluator.is_due(trainer.epoch)
        if measured:
            began = time.monotonic()
            record |= evaluator.evaluate(trainer).to_json()
            record["evaluation_seconds"] = round(time.monotonic() - began, 2)
        sampled = trainer.epoch % config.sample_every == 0 or trainer.epoch in (1, config.epochs)
        recorder.epoch(record, trainer.sample_grid() if sampled and not lost else None)
        view = _View(recorder.records)
        if progress is not None:
            progress(view.progress(trainer, rate, means, epoch_done=True))
        if lost:
            raise TrainingLost(
                f"The losses of {recorder.run.folder} are no numbers any more since epoch "
                f"{trainer.epoch}; train its data set by itself, under another --name, with a "
                "lower --lr-g and --lr-d."
            )

        # Everything up to here, safe on disk; the best nets first, so that no checkpoint of a later
        # moment stands beside those of an earlier best.
        best = measured and view.best_epoch == trainer.epoch
        if best:
            recorder.best(trainer.state())
        ended = trainer.epoch == config.epochs or (
            config.stop_when_lost and is_lost(recorder.records, config.epochs)
        )
        if best or ended or time.monotonic() - saved >= every:
            recorder.checkpoint(trainer.state())
            saved = time.monotonic()
        if ended:
            break
    return True


def _checkpoint(trainer: Trainer, recorder: Recorder) -> None:
    """One in the middle of an epoch; none where it would keep numbers that have run off."""
    if all(map(math.isfinite, trainer.means().values())) and trainer.is_sound():
        recorder.checkpoint(trainer.state())


class _Clock:
    """How fast the epoch under way is going, in this process."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._started = time.monotonic()
        self._shown = trainer.images_shown

    def images_per_second(self) -> float | None:
        """Real pictures shown a second since the clock was started; None where none was."""
        shown = self._trainer.images_shown - self._shown
        return shown / max(time.monotonic() - self._started, 1e-9) if shown else None


class _View:
    """What the epochs so far say of a run, worked out once an epoch."""

    def __init__(self, records: Sequence[Json]) -> None:
        best = best_record(records)
        self.balance = judge_balance(records)
        self.best_epoch = None if best is None else int(best["epoch"])
        self.kid = next((float(r["kid"]) for r in reversed(records) if r.get("kid")), None)

    def progress(
        self, trainer: Trainer, rate: float | None, means: dict[str, float], *, epoch_done: bool
    ) -> TrainProgress:
        """Where the run stands."""
        total = trainer.config.epochs * trainer.pictures
        steps = trainer.steps_an_epoch
        return TrainProgress(
            epoch=trainer.epoch if epoch_done else trainer.epoch + 1,
            epochs=trainer.config.epochs,
            step=steps if epoch_done else trainer.step_of_epoch,
            steps=steps,
            means=means,
            images_per_second=rate,
            seconds_left=None if rate is None else (total - trainer.images_shown) / rate,
            epoch_done=epoch_done,
            balance=self.balance,
            kid=self.kid,
            best_epoch=self.best_epoch,
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
