"""`train` from end to end: a data set to a run that can be stopped at any moment and carried on."""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from catgan.core.errors import Interrupted, NoPictures, NoSuchFolder, TrainingLost
from catgan.core.files import AnyPath, check_place
from catgan.core.pictures import Pictures
from catgan.formats.curated import check_finished
from catgan.formats.datasets import DataSet, open_dataset
from catgan.formats.runs import ComputedRecord, Run, StartRecord
from catgan.formats.stats import EpochStats
from catgan.measure.extractors.base import Extractor
from catgan.model.checkpoint import State
from catgan.model.choices import PROJECTED
from catgan.model.device import pick_device
from catgan.train.balance import is_lost, judge_balance
from catgan.train.best import best_of
from catgan.train.config import TrainConfig
from catgan.train.data import RunData, check_data, load_data
from catgan.train.device import (
    Device,
    describe_device,
    explain_memory,
    own_device,
    pick_computing,
)
from catgan.train.evaluate import Evaluator
from catgan.train.eyes import OpenEyes, check_eyes, open_eyes
from catgan.train.opening import OpenNetworks, open_start, record_start
from catgan.train.pictures import TrainingPictures
from catgan.train.progress import TrainProgress, TrainResult, TrainStart
from catgan.train.ranks import ALONE, Ranks
from catgan.train.record import Recorder
from catgan.train.resume import (
    check_run,
    check_settings,
    locked_at,
    mark_finished,
    settle,
    stamp_of,
)
from catgan.train.start import StartNetworks, check_start
from catgan.train.trainer import Trainer

REPORT_SECONDS = 0.5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """A run that nothing speaks against, as far as can be told without its images."""

    run: Run
    """Its folder, there or not."""
    config: TrainConfig
    """Its settings."""
    device: torch.device
    """What it computes on."""
    computer: Device
    """The same in words, and how it computes."""
    networks: StartNetworks | None
    """What it begins with; None where that is new or the run is past its beginning."""


def train_gan(
    dataset: DataSet | AnyPath,
    run: AnyPath,
    config: TrainConfig | None = None,
    *,
    reading: Callable[[int, int], None] | None = None,
    on_start: Callable[[TrainStart], None] | None = None,
    progress: Callable[[TrainProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    extractor: Extractor | None = None,
    open_networks: OpenNetworks = open_start,
    open_eyes: OpenEyes = open_eyes,
    ranks: Ranks = ALONE,
) -> TrainResult:
    """Train a DCGAN on one data set, or carry a run on where it stopped.

    On the CPU the weights after so many epochs depend on the images and the settings alone, not
    on how often the run was stopped, killed and carried on.

    Args:
        dataset: A data set, or the folder that is one.
        run: The run's folder; made if missing.
        config: All settings; for a run that is there they have to be its own, but for those in
            `config.FREE`. By default the run's own, or the default recipe's: see `settle`.
        reading: Called with the images read and all there are, where reading takes some seconds.
        on_start: Called once, before the first step.
        progress: Called about twice a second, and after each epoch.
        should_stop: Asked after each step, and while the run is measured; True ends the call with a
            checkpoint in place.
        extractor: What tells images apart when the run is measured; catgan's own by default.
        open_networks: Finds the networks that `start_from` names, for who has them already.
        open_eyes: Loads what a discriminator on features looks through; catgan's own by default.
        ranks: Who trains the run together; see `launch.joined`. All of them make the same call.
            The first one writes and measures, and its callbacks alone are called, but for
            `should_stop`: whichever rank is to stop, all do.

    Raises:
        NoSuchFolder, NoPictures, TooFewPictures, UnreadablePhoto: The data set cannot be trained
            on, or there is nothing of the name in `start_from`; nothing was written.
        Interrupted: `should_stop` said so while the images were read; nothing was written.
        BadSettings: A setting does not fit the data, the machine or the networks to begin with;
            nothing was written.
        FolderRefused, SettingsDiffer, BadRecord, CheckpointRefused: `run` is something else, or of
            other settings, images or version, or `start_from` holds no networks; nothing was
            changed.
        MissingPackage: The base model, or what the discriminator looks through, is missing or
            broken.
        TrainingLost: The losses are not finite any more; the last checkpoint stays.
        OutOfMemory: The GPU has too little memory; the last checkpoint stays.
        DiskFull: There is no room; the same call carries on later.
        RankLost: Another rank has ended or does not answer; the last checkpoint stays.
    """
    # Everything that can be refused, before anything is written; what is quick to see, first.
    run = Path(run)
    if config is None:
        config = settle(Run(folder=run), {}, open_networks) if ranks.is_first else None
        config = ranks.from_first(config)
    plan = check_plan(run, config, open_networks, ranks)
    data, pictures, held_out = load_data(
        _opened(dataset),
        config,
        report=_reading_report(reading if ranks.is_first else None, should_stop),
        processes=ranks.local_count,
    )
    ranks.check_same(
        data.record.digest,
        f"finds other images in {data.record.folder} than rank 0; give all machines the same ones.",
    )
    if not ranks.is_first:
        return _follow(plan, pictures, should_stop, open_eyes, ranks)
    stamp = stamp_of(plan.run)
    state = check_run(plan.run, config, data)
    networks = plan.networks if state is None else None
    start = _start(plan, data, state)
    with explain_memory(run, config):
        trainer = Trainer(
            TrainingPictures(pictures, plan.device),
            config,
            plan.device,
            networks,
            open_eyes,
            ranks,
        )
        if state is not None:
            trainer.load_state(state)
    before = trainer.epoch
    stats: Sequence[EpochStats] = plan.run.read_stats()[:before]
    given_up = config.stop_when_lost and is_lost(stats, config.epochs)
    finished = given_up or before >= config.epochs
    if on_start is not None:
        on_start(start)
    if ranks.joined:
        ranks.from_first(None if finished else trainer.state())
    if finished:
        mark_finished(plan.run, config)
    else:
        evaluator = Evaluator(
            train=pictures,
            held_out=held_out,
            config=config,
            device=plan.device,
            extractor=extractor,
        )
        run.mkdir(parents=True, exist_ok=True)
        begun = start.begins_with
        with (
            locked_at(plan.run, stamp),
            explain_memory(run, config),
            Recorder(
                plan.run,
                config,
                data.record,
                done=before,
                start=begun,
                computed=_computed(plan.computer, after=before),
            ) as recorder,
        ):
            try:
                finished = _train(trainer, recorder, evaluator, progress, should_stop, ranks)
            except TrainingLost as error:
                ranks.from_first(error)
                raise
            if finished:
                recorder.write_config(finished=True)
            stats = recorder.stats
    best = best_of(stats)
    judged = next((epoch for epoch in reversed(stats) if epoch.copies is not None), None)
    seen = best or next((one for one in reversed(stats) if one.recognised is not None), None)
    result = TrainResult(
        run=plan.run,
        epochs_before=before,
        epochs=trainer.epoch,
        images_shown=trainer.images_shown,
        finished=finished,
        balance=judge_balance(stats),
        best_epoch=None if best is None else best.epoch,
        best_kid=None if best is None else best.distance,
        against_training=best is not None and best.kid is None,
        recognised=None if seen is None else seen.recognised,
        copies=None if judged is None else judged.copies,
        copying=judged is not None and judged.copying is True,
    )
    ranks.from_first(result)
    return result


def plan_training(
    dataset: DataSet | AnyPath,
    run: AnyPath,
    config: TrainConfig,
    *,
    reading: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    open_networks: OpenNetworks = open_start,
    ranks: Ranks = ALONE,
) -> TrainStart:
    """What `train_gan` would do with the same arguments; nothing is written.

    Raises:
        What `train_gan` does, but for `TrainingLost` and `DiskFull`.
    """
    plan = check_plan(Path(run), config, open_networks, ranks)
    data = check_data(_opened(dataset), config, report=_reading_report(reading, should_stop))
    return _start(plan, data, check_run(plan.run, config, data) if ranks.is_first else None)


def check_plan(
    run: Path,
    config: TrainConfig,
    open_networks: OpenNetworks = open_start,
    ranks: Ranks = ALONE,
) -> Plan:
    """What can be refused without a look at the images.

    Args:
        run: The run's folder, there or not.
        config: Settings.
        open_networks: See `train_gan`.
        ranks: Who trains together. The first one alone looks at the run's folder, which the others
            may not have.

    Raises:
        BadUsage: The folder cannot be written to.
        BadSettings, NoSuchFolder, MissingPackage: The machine cannot do what the settings say, or
            the networks to begin with are missing or do not fit.
        FolderRefused, SettingsDiffer, BadRecord, CheckpointRefused: See `train_gan`.
    """
    device, place = own_device(pick_device(config.device), ranks), Run(folder=run)
    computing = pick_computing(config, device, ranks)
    ranks.check_batch(config.batch_size)
    ranks.check_same(
        (device.type, computing.precision),
        f"computes on {device.type} in {computing.precision}, but rank 0 does not; set --device "
        "and --precision.",
    )
    if ranks.is_first:
        check_place(run)
        check_settings(place, config)
    if config.discriminator == PROJECTED:
        check_eyes()
    networks = None
    if config.start_from and ranks.is_first and not place.last.exists():
        networks = open_networks(config.start_from)
        check_start(networks, config)
    return Plan(
        run=place,
        config=config,
        device=device,
        computer=describe_device(device, computing, ranks),
        networks=networks,
    )


def _start(plan: Plan, data: RunData, state: State | None) -> TrainStart:
    begins_with: StartRecord | None = None
    if plan.networks is not None and state is None:
        begins_with = record_start(plan.networks)
    return TrainStart(
        run=plan.run,
        config=plan.config,
        data=data,
        device=plan.computer,
        before=_computed_before(plan.run),
        done=0 if state is None else int(state["epoch"]),
        begins_with=begins_with,
    )


def _computed(device: Device, *, after: int) -> ComputedRecord:
    """What `config.json` says of the device that a run goes on with after so many epochs."""
    return ComputedRecord(
        after_epoch=after,
        device=device.kind,
        name=device.name,
        precision=device.computing.precision,
        graphs=device.computing.graphs,
        ranks=device.ranks,
    )


def _computed_before(run: Run) -> ComputedRecord | None:
    record = run.read_config()
    return record.computed[-1] if record is not None and record.computed else None


def _reading_report(
    reading: Callable[[int, int], None] | None, should_stop: Callable[[], bool] | None
) -> Callable[[int, int], None]:
    """Passed on while many images are read, and the moment to stop if that is asked for."""

    def report(done: int, total: int) -> None:
        if should_stop is not None and should_stop():
            raise Interrupted("Interrupted while reading the images; rerun the same command.")
        if reading is not None:
            reading(done, total)

    return report


def _train(
    trainer: Trainer,
    recorder: Recorder,
    evaluator: Evaluator,
    progress: Callable[[TrainProgress], None] | None,
    should_stop: Callable[[], bool] | None,
    ranks: Ranks,
) -> bool:
    """Epochs until the run is over (True), or until asked to stop (False)."""
    config = trainer.config
    asked = should_stop or _never
    every = config.checkpoint_minutes * 60
    saved = reported = time.monotonic()
    view = _View(recorder.stats)
    while trainer.epoch < config.epochs:
        clock = _Clock(trainer)

        # The steps of one epoch, or what is left of it.
        while not trainer.epoch_is_over:
            trainer.step()
            now = time.monotonic()
            if ranks.any(asked()):
                _checkpoint(trainer, recorder)
                return False
            if 0 < every <= now - saved:
                _checkpoint(trainer, recorder)
                saved = time.monotonic()
            if progress is not None and now - reported >= REPORT_SECONDS:
                means = trainer.means()  # waits for a GPU, so that its speed is known
                rate = clock.images_per_second()
                progress(view.progress(trainer, rate, means, epoch_done=False))
                reported = now

        # The epoch's figures; it ends with them, so that a measurement broken off is begun anew.
        means, epoch = trainer.means(), trainer.epoch + 1
        rate = clock.images_per_second()
        # the step that spoils the weights still has losses of its own
        lost = not (all(map(math.isfinite, means.values())) and trainer.is_sound())
        trainer.check_alike()
        measured = not lost and evaluator.is_due(epoch)
        figures: dict[str, Any] = dict(means)
        if measured:
            if progress is not None:
                progress(view.progress(trainer, rate, means, epoch_done=True, measuring=True))
            began = time.monotonic()
            try:
                evaluation = evaluator.evaluate(
                    generator=trainer.generator,
                    sampler=trainer.sampler,
                    discriminator=trainer.discriminator,
                    epoch=epoch,
                    should_stop=lambda: ranks.busy(asked()),
                )
            except Interrupted:
                _checkpoint(trainer, recorder)
                return False
            figures |= evaluation.figures()
            figures["evaluation_seconds"] = round(time.monotonic() - began, 2)
        trainer.end_epoch()
        stats = EpochStats(
            epoch=trainer.epoch,
            images_shown=trainer.images_shown,
            images_per_second=None if rate is None else round(rate, 2),
            lost=lost or None,
            hinge=config.discriminator == PROJECTED or None,
            **figures,
        )
        sampled = trainer.epoch % config.sample_every == 0 or trainer.epoch in (1, config.epochs)
        recorder.epoch(stats, trainer.sample_grid() if sampled and not lost else None)
        view = _View(recorder.stats)
        if progress is not None:
            progress(view.progress(trainer, rate, means, epoch_done=True))
        if lost:
            ranks.tell(ended=True)
            raise TrainingLost(
                f"{recorder.run.folder} diverged: its losses have been NaN or infinite since epoch "
                f"{trainer.epoch}. Train its data set by itself, under another --name, with a "
                "lower --lr-g and --lr-d."
            )

        # Everything up to here, safe on disk; the best networks first, so that no checkpoint of a
        # later moment stands beside those of an earlier best.
        best = measured and view.best_epoch == trainer.epoch
        if best:
            recorder.best(trainer.state())
        ended = trainer.epoch == config.epochs or (
            config.stop_when_lost and is_lost(recorder.stats, config.epochs)
        )
        if best or ended or time.monotonic() - saved >= every:
            recorder.checkpoint(trainer.state())
            saved = time.monotonic()
        stop = ranks.tell(ended=ended)
        if ended:
            break
        if stop:
            _checkpoint(trainer, recorder)
            return False
    return True


def _follow(
    plan: Plan,
    pictures: Pictures,
    should_stop: Callable[[], bool] | None,
    open_eyes: OpenEyes,
    ranks: Ranks,
) -> TrainResult:
    """What every rank but the first one does of a training, all of it in step with that one.

    Returns:
        What came of it, as the first rank knows it.

    Raises:
        TrainingLost: The first rank has found that; see `train_gan`.
    """
    config, asked = plan.config, should_stop or _never
    with explain_memory(plan.run.folder, config):
        trainer = Trainer(
            TrainingPictures(pictures, plan.device),
            config,
            plan.device,
            eyes=open_eyes,
            ranks=ranks,
        )
        state: State | None = ranks.from_first(None)
        if state is not None:
            trainer.load_state(state)
            _keep_step(trainer, asked, ranks)
    result: TrainResult | TrainingLost = ranks.from_first(None)
    if isinstance(result, TrainingLost):
        raise result
    return result


def _keep_step(trainer: Trainer, asked: Callable[[], bool], ranks: Ranks) -> None:
    """Train until the first rank says that it is over, or any rank that all are to stop."""
    while True:
        while not trainer.epoch_is_over:
            trainer.step()
            if ranks.any(asked()):
                return
        trainer.check_alike()
        if ranks.wait(asked) is not False:
            return
        trainer.end_epoch()


def _never() -> bool:
    return False


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
        """Real images shown a second since the clock was started; None where none was."""
        shown = self._trainer.images_shown - self._shown
        return shown / max(time.monotonic() - self._started, 1e-9) if shown else None


class _View:
    """What the epochs so far say of a run, worked out once an epoch."""

    def __init__(self, stats: Sequence[EpochStats]) -> None:
        best = best_of(stats)
        self.balance = judge_balance(stats)
        self.best_epoch = None if best is None else best.epoch
        found = (epoch.distance for epoch in reversed(stats))
        self.kid = next((distance for distance in found if distance is not None), None)

    def progress(
        self,
        trainer: Trainer,
        rate: float | None,
        means: dict[str, float],
        *,
        epoch_done: bool,
        measuring: bool = False,
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
            measuring=measuring,
            balance=self.balance,
            kid=self.kid,
            best_epoch=self.best_epoch,
        )


def _opened(dataset: DataSet | AnyPath) -> DataSet:
    """The data set, if nobody is at work on it.

    Raises:
        NoSuchFolder, NoPictures: There is none.
        FolderRefused: It is being made, or was left half made.
    """
    folder = dataset.folder if isinstance(dataset, DataSet) else Path(dataset)
    check_finished(folder.resolve().parent)
    if isinstance(dataset, DataSet):
        return dataset
    if not folder.is_dir():
        raise NoSuchFolder(f"{folder} is not a folder; name a folder of images.")
    found = open_dataset(folder)
    if found is None:
        raise NoPictures(f"{folder} holds no images; name a folder that does.")
    return found
