"""`catgan train`."""

import functools
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catgan.cli.interrupts import WORDS, StopFlag, stop_on_signal
from catgan.cli.options import ConfigOption, DryRunOption, JsonOption, takes
from catgan.core import words
from catgan.core.errors import BadUsage, CatganError, Interrupted, TrainingLost
from catgan.core.systems import command_line, is_plain_name
from catgan.core.version import program
from catgan.train.config import (
    BASE,
    DEFAULT_RECIPE,
    FEW_RECIPE,
    LEAST_PROJECTED,
    TrainConfig,
    check_each,
)

if TYPE_CHECKING:
    from catgan.console import Bar, Screen
    from catgan.formats.datasets import DataSet
    from catgan.formats.logs import RunLog
    from catgan.train.balance import Balance
    from catgan.train.device import Device
    from catgan.train.opening import OpenNetworks
    from catgan.train.progress import TrainProgress, TrainResult, TrainStart
    from catgan.train.ranks import Ranks
    from catgan.train.store import Storage


RANK_MINUTES = 10.0
MOST_MINUTES = 10_000  # a week


def _settings(recipe: str = DEFAULT_RECIPE, **named: Any) -> TrainConfig:
    """The settings of a new run."""
    return TrainConfig.of_recipe(recipe, **named)


@takes(TrainConfig.of_recipe(DEFAULT_RECIPE), _settings)
def train(
    folder: Annotated[Path, typer.Argument(help="What curate wrote, or any folder of images.")],
    named: dict[str, Any],
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the run; with several data sets it is added to theirs: --name tries "
            "makes full-body-tries and face-crop-tries. [default: that of the data set]"
        ),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("runs"),
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
    rank_minutes: Annotated[
        float,
        typer.Option(
            help="With torchrun: minutes to wait for a process that does not answer before all of "
            "them end.",
        ),
    ] = RANK_MINUTES,
) -> None:
    """Train a small GAN on each data set of a folder.

    One run for each data set found, or for the one folder named. Rerun the same command to resume
    after Ctrl-C, a crash or a lost session. A run keeps the settings it was started with: those
    not named need not be named again. For several GPUs, start it as torchrun --nproc-per-node 2 -m
    catgan train ...
    """
    from catgan.core.threads import wait_politely

    wait_politely()  # before PyTorch is loaded
    from catgan.console import quietly
    from catgan.train.launch import end_at_once, joined

    sound = 0 < rank_minutes <= MOST_MINUTES
    # one of them speaks for all, of what is wrong, too
    with (
        joined(rank_minutes if sound else RANK_MINUTES) as ranks,
        nullcontext() if ranks.is_first else quietly(),
    ):
        if not sound:
            raise BadUsage(
                f"--rank-minutes is {rank_minutes}; it must be above 0 and at most {MOST_MINUTES}."
            )
        _train_all(
            folder, named, name, runs, ranks, as_json=json and ranks.is_first, dry_run=dry_run
        )
    if ranks.joined:
        end_at_once(0)


def _train_all(
    folder: Path,
    named: dict[str, Any],
    name: str | None,
    runs: Path,
    ranks: "Ranks",
    *,
    as_json: bool,
    dry_run: bool,
) -> None:
    from catgan.console import Screen
    from catgan.formats.curated import check_finished
    from catgan.formats.datasets import find_datasets
    from catgan.train.loop import check_plan
    from catgan.train.opening import open_start

    if named.get("start_from", BASE) not in ("", BASE):
        named["start_from"] = str(Path(named["start_from"]).absolute())
    check_each(named)
    for place in (folder, folder.absolute().parent):
        check_finished(place)  # before one that is half made is called empty
    datasets = find_datasets(folder)
    if name is not None and not is_plain_name(name):
        raise BadUsage(f"--name is {name!r}; it must be a plain name, and --runs the folder.")
    # Whatever can be refused is, before the first run begins: hours later it would be late to say
    # that the second cannot be. Networks to start from are loaded once for all runs.
    networks = functools.cache(open_start)
    ranks.check_same(
        [dataset.name for dataset in datasets],
        f"finds other data sets in {folder} than rank 0; give all machines the same ones.",
    )
    jobs = []
    for dataset, run_name in zip(datasets, _names(datasets, name), strict=True):
        run = runs / run_name
        settings = _settle(run, named, networks, len(dataset.files), ranks)
        jobs.append((dataset, run, settings))
    for _, run, settings in jobs:
        check_plan(run, settings, networks, ranks)
    screen = Screen(as_json=as_json)
    for sentence in _few_words(jobs, named):
        screen.say(sentence)
    for sentence in _outlook_words(jobs, networks, ranks, dry_run=dry_run):
        screen.say(sentence)
    results = []
    lost: TrainingLost | None = None
    stopped, ended = WORDS, False
    with stop_on_signal() as should_stop:
        for number, job in enumerate(jobs):
            later = sum(_images(dataset, settings) for dataset, _, settings in jobs[number + 1 :])
            if dry_run:
                results.append(_plan_one(screen, *job, networks, should_stop, ranks))
                continue
            try:
                result = _train_one(screen, *job, networks, should_stop, ranks, later=later)
            except TrainingLost as error:  # no reason not to train the others
                if len(jobs) > 1:
                    screen.say(str(error))
                lost = lost or error
                continue
            results.append(_result_record(result))
            if ended := ranks.any(should_stop()):
                stopped = _stopped_words(result, settings=job[2])
                break
    screen.result({"runs": results})
    if lost is not None:
        raise lost
    if ended or should_stop():
        raise Interrupted(stopped)
    if not dry_run:
        names = _names(datasets, name)
        where = [] if runs == Path("runs") else ["--runs", str(runs)]
        then = "compare" if len(names) > 1 else "sample"
        screen.say(f"Next: {command_line(['catgan', then, *names, *where])}")


def _settle(
    run: Path, named: dict[str, Any], networks: "OpenNetworks", images: int, ranks: "Ranks"
) -> TrainConfig:
    """The settings of a run, of which the first rank alone has the folder for certain."""
    from catgan.formats.runs import Run
    from catgan.train.resume import settle

    settings = settle(Run(folder=run), named, networks, images=images) if ranks.is_first else None
    settings = ranks.from_first(settings)
    assert isinstance(settings, TrainConfig)
    return settings


def _names(datasets: "list[DataSet]", name: str | None) -> list[str]:
    """What the runs are called."""
    if name is None:
        return [dataset.name for dataset in datasets]
    return [name] if len(datasets) == 1 else [f"{dataset.name}-{name}" for dataset in datasets]


def _images(dataset: "DataSet", settings: TrainConfig) -> int:
    """Training images that a run on a data set shows over all its epochs."""
    count = len(dataset.files)
    return settings.epochs * max(0, count - settings.held_out_of(count))


def _few_words(
    jobs: "list[tuple[DataSet, Path, TrainConfig]]", named: dict[str, Any]
) -> Iterator[str]:
    """How new runs on few images differ from others, where nobody has named it."""
    from catgan.formats.runs import Run

    for _, place, settings in jobs:
        if "recipe" in named or Run(folder=place).config.exists():
            continue
        if settings.recipe == FEW_RECIPE and not settings.start_from:
            yield (
                f"{place.name}: recipe {FEW_RECIPE}, since {DEFAULT_RECIPE} needs "
                f"{LEAST_PROJECTED} images to train on."
            )
        small = "batch_size" not in named and settings.batch_size < LEAST_PROJECTED
        if settings.recipe == DEFAULT_RECIPE and small:
            yield (
                f"{place.name}: {settings.batch_size} images a step, since there are fewer than "
                f"{LEAST_PROJECTED}."
            )


def _outlook_words(
    jobs: "list[tuple[DataSet, Path, TrainConfig]]",
    networks: "OpenNetworks",
    ranks: "Ranks",
    *,
    dry_run: bool,
) -> Iterator[str]:
    """What to expect of new runs: how long they take here, and what they can come to."""
    from catgan.formats.runs import Run
    from catgan.train.outlook import look_ahead, probe_speed

    places = ranks.from_first([run for _, run, _ in jobs if not Run(folder=run).last.exists()])
    fresh = [job for job in jobs if job[1] in places]
    if not fresh:
        return
    dataset, place, settings = fresh[-1]  # of face crops, where there are both
    seen = 0
    if settings.start_from and ranks.is_first:
        seen = networks(settings.start_from).facts.images_shown
    count = len(dataset.files) - settings.held_out_of(len(dataset.files))
    outlook = look_ahead(settings, count, seen_before=seen)
    total = sum(_images(dataset, settings) for dataset, _, settings in fresh)
    epochs = words.count(settings.epochs, "epoch")
    sentence = f"{epochs} will show {words.count(total, 'training image')}"
    rate = None if dry_run else probe_speed(settings, ranks)
    if rate is not None:
        seconds = 1.1 * total / rate  # and a tenth for measuring
        sentence += f": about {words.duration(seconds)} on this machine"
    yield f"{sentence}."
    if not outlook.is_short:
        return
    better = ["catgan", "train", str(dataset.folder), "--name", "tries", "--start-from", BASE]
    better += [] if place.parent == Path("runs") else ["--runs", str(place.parent)]
    if outlook.half is None:
        yield (
            f"Samples of recipe {settings.recipe} are rarely recognised as cats; "
            f"{DEFAULT_RECIPE} is the better choice."
        )
    elif not seen:
        needed = -(-outlook.half // max(1, count))
        advice = ""
        if networks(BASE).facts.size == settings.size:
            advice = f" Fine-tuning the bundled cat-face model is faster: {command_line(better)}"
        yield (
            f"That is short: from scratch, the first samples are recognised as cats after about "
            f"{outlook.first:,} images and half of them after {outlook.half:,} "
            f"(--epochs {needed}).{advice}"
        )


def _plan_one(
    screen: "Screen",
    dataset: "DataSet",
    run: Path,
    settings: TrainConfig,
    networks: "OpenNetworks",
    should_stop: StopFlag,
    ranks: "Ranks",
) -> dict[str, Any]:
    from catgan.train.loop import plan_training

    with screen.progress(f"Reading {dataset.folder}") as bar:
        plan = plan_training(
            dataset,
            run,
            settings,
            reading=_reading(bar),
            should_stop=should_stop,
            open_networks=networks,
            ranks=ranks,
        )
    screen.say(f"{_start_words(plan)} Nothing was written.")
    return {"run": str(run), "epochs_before": plan.done, "dry_run": True}


def _train_one(
    screen: "Screen",
    dataset: "DataSet",
    run: Path,
    settings: TrainConfig,
    networks: "OpenNetworks",
    should_stop: StopFlag,
    ranks: "Ranks",
    *,
    later: int,
) -> "TrainResult":
    from catgan.formats.logs import RunLog
    from catgan.train.loop import train_gan

    if not ranks.is_first:  # which writes the log, too
        return train_gan(
            dataset, run, settings, should_stop=should_stop, open_networks=networks, ranks=ranks
        )
    log = RunLog(run)
    log.add(f"{program()}, Python {platform.python_version()} on {platform.platform()}")

    def say(sentence: str) -> None:
        screen.say(sentence)
        log.add(sentence)

    with screen.progress(f"Training {run.name}") as bar, _told(log):

        def show(progress: "TrainProgress") -> None:
            done = progress.epoch - 1 + progress.step / progress.steps
            bar.update(done, progress.epochs, _progress_words(progress, later))
            log.now_and_then(_progress_words(progress))

        result = train_gan(
            dataset,
            run,
            settings,
            reading=_reading(bar),
            on_start=lambda start: say(_start_words(start)),
            progress=show,
            should_stop=should_stop,
            open_networks=networks,
            ranks=ranks,
        )
    for sentence in _result_words(result, settings.epochs):
        say(sentence)
    for sentence in _brief_words(result, dataset, settings):
        say(sentence)
    if not result.finished:  # to the person it is said in the end, of all runs
        log.add(_stopped_words(result, settings=settings))
    return result


@contextmanager
def _told(log: "RunLog") -> Iterator[None]:
    """What ends a run before its time stands in its log, too."""
    try:
        yield
    except CatganError as error:
        log.add(str(error))
        raise


def _reading(bar: "Bar") -> Callable[[int, int], None]:
    return lambda done, total: bar.update(
        done, total, f"{done} of {words.count(total, 'image')} read"
    )


def _start_words(start: "TrainStart") -> str:
    config, data = start.config, start.data.record
    held_out = f" ({len(data.held_out)} held out)" if data.held_out else ""
    sentences = [
        f"Training {start.run.folder} on {words.count(data.train, 'image')}{held_out}, "
        f"{_device_words(start.device)}."
    ]
    if start.device.ranks > 1:
        each = words.count(config.batch_size // start.device.ranks, "image")
        sentences.append(f"{start.device.ranks} ranks train together, each on {each} per step.")
    if start.done >= config.epochs:
        sentences.append("All epochs are done.")
    elif start.done:
        sentences.append(
            f"Resuming after epoch {start.done}{_change_words(start)}{_ranks_words(start)}."
        )
    if start.begins_with is not None:
        sentences.append(f"It starts from {start.begins_with.from_}.")
    if data.resized:
        images = words.count(data.train + len(data.held_out), "image")
        parts = [f"{data.resized} of {images} resized to {config.size} x {config.size}"]
        parts += [f"{data.cut} cropped to a square"] if data.cut else []
        parts += [f"{data.enlarged} enlarged"] if data.enlarged else []
        sentences.append(f"{', '.join(parts)}.")
        if data.cut:
            sentences.append("If these are photos, catgan curate makes better images of them.")
    sentences += _storage_words(start.data.storage)
    return " ".join(sentences)


def _device_words(device: "Device") -> str:
    how = device.computing.precision
    if device.kind == "cpu":
        return f"on the CPU ({words.count(device.threads, 'thread')}, {how}; no GPU)"
    graphs = ", CUDA graphs" if device.computing.graphs else ""
    return f"on the GPU ({device.name}, {how}{graphs})"


def _change_words(start: "TrainStart") -> str:
    """That a run goes on in another precision, where it does."""
    precision = start.device.computing.precision
    if start.before is None or start.before.precision == precision:
        return ""
    return f", in {precision} from here on ({start.before.precision} before)"


def _ranks_words(start: "TrainStart") -> str:
    """That another number of processes goes on with a run, where it does."""
    if start.before is None or start.before.ranks == start.device.ranks:
        return ""
    now = words.count(start.device.ranks, "rank")
    return f", on {now} from here on ({start.before.ranks} before)"


def _storage_words(storage: "Storage") -> list[str]:
    if storage.folder is None:
        return []
    return [
        f"The images are kept in a temporary file in {storage.folder} "
        f"({words.amount(storage.bytes)}): only {words.amount(storage.free)} of memory is free."
    ]


def _progress_words(progress: "TrainProgress", later: int = 0) -> str:
    """Where a run stands, the most wanted first.

    Args:
        progress: Of the run.
        later: Training images of the runs that come after it.
    """
    means = progress.means
    parts = [f"epoch {progress.epoch}/{progress.epochs}"]
    if progress.seconds_left is not None and progress.images_per_second:
        left = progress.seconds_left + later / progress.images_per_second
        parts.append(f"{words.duration(left)} left{' in all' if later else ''}")
    parts.append("measuring" if progress.measuring else _balance_words(progress.balance))
    if progress.kid is not None:
        best = "" if progress.best_epoch is None else f" (best at {progress.best_epoch})"
        parts.append(f"KID {progress.kid:.3f}{best}")
    if progress.images_per_second is not None:
        parts.append(f"{progress.images_per_second:.0f} images/s")
    parts.append(f"loss D {means['loss_d']:.2f} G {means['loss_g']:.2f}")
    parts.append(f"D(x) {means['d_real']:.2f}, D(G(z)) {means['d_fake']:.2f}")
    return ", ".join(parts)


def _result_words(result: "TrainResult", epochs: int) -> Iterator[str]:
    run, balance = result.run, _balance_words(result.balance)
    if not result.finished:
        pass  # said in the end, as what kept the command from its end
    elif result.epochs_before >= epochs:
        done = words.count(result.epochs, "epoch")
        yield f"{run.folder} is finished already: {done}. To train it further, raise --epochs."
    elif result.epochs < epochs:
        yield (
            f"{run.folder} failed and was stopped after epoch {result.epochs} of {epochs}: "
            f"{balance}."
        )
    else:
        yield (
            f"{run.folder} is finished: {words.count(result.epochs, 'epoch')}, "
            f"{words.count(result.images_shown, 'image')} seen; {balance}; samples in {run.samples}"
        )
    if result.best_epoch is not None:
        against = "training" if result.against_training else "held-out"
        cats = ""
        if result.recognised is not None:
            cats = f"; {words.percent(result.recognised)} of its samples are recognised as cats"
        yield (
            f"Best epoch: {result.best_epoch} ({against} KID {result.best_kid:.3f}{cats}), saved "
            f"to {run.best}"
        )
    if result.copying and result.copies is not None:
        best = "an earlier one is called best" if result.best_epoch else "no epoch is called best"
        yield (
            f"It copies: {words.percent(result.copies)} of its samples are close to a training "
            f"image, so {best}. Train on more images, or for fewer epochs."
        )


def _brief_words(result: "TrainResult", dataset: "DataSet", settings: TrainConfig) -> list[str]:
    """What to do where hardly any sample is recognised as a cat yet."""
    from catgan.formats.runs import training_line
    from catgan.measure.metrics.recognised import LITTLE
    from catgan.train.outlook import look_ahead

    if result.recognised is None or result.recognised >= LITTLE or not result.finished:
        return []

    pictures = max(1, result.images_shown // max(1, result.epochs))
    half = look_ahead(settings, pictures).half
    enough = 4 * settings.epochs if half is None else -(-half // pictures)
    more = training_line(dataset, result.run, max(enough, 2 * result.epochs))
    return [
        f"{words.percent(result.recognised)} of its samples are recognised as cats: trained too "
        f"briefly. To go on: {command_line(more)}"
    ]


def _stopped_words(result: "TrainResult", *, settings: TrainConfig) -> str:
    if result.finished:
        return WORDS
    return (
        f"Interrupted in epoch {result.epochs + 1} of {settings.epochs} of {result.run.folder}. "
        "Progress is saved; rerun the same command to resume."
    )


def _balance_words(balance: "Balance") -> str:
    return words.balance(balance.state, balance.since)


def _result_record(result: "TrainResult") -> dict[str, Any]:
    return {
        "run": str(result.run.folder),
        "epochs_before": result.epochs_before,
        "epochs": result.epochs,
        "images_shown": result.images_shown,
        "finished": result.finished,
        "balance": result.balance.state,
        "since": result.balance.since,
        "best_epoch": result.best_epoch,
        "best_kid": result.best_kid,
        "against_training": result.against_training,
        "recognised": result.recognised,
        "copies": result.copies,
        "copying": result.copying,
    }
