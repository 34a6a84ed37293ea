"""`catgan train`."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catgan.cli.options import ConfigOption, DryRunOption, JsonOption, given
from catgan.core.errors import BadUsage, Interrupted, TrainingLost

if TYPE_CHECKING:
    from catgan.console import Bar, Screen
    from catgan.core.datasets import DataSet
    from catgan.train import TrainConfig, TrainProgress, TrainResult, TrainStart


def train(
    folder: Annotated[Path, typer.Argument(help="What curate wrote, or any folder of pictures.")],
    recipe: Annotated[
        str | None,
        typer.Option(
            help="Where the settings start from: balanced, or article, the plain DCGAN. "
            "[default: balanced]"
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Times every picture is shown. [default: 400]")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Pictures in one step. [default: 8]")
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Side of the pictures, pixels. [default: 64]")
    ] = None,
    latent_dim: Annotated[
        int | None, typer.Option(help="Numbers a picture is made from. [default: 100]")
    ] = None,
    ngf: Annotated[int | None, typer.Option(help="Width of the generator. [default: 64]")] = None,
    ndf: Annotated[
        int | None, typer.Option(help="Width of the discriminator. [default: 64]")
    ] = None,
    lr_g: Annotated[
        float | None, typer.Option(help="Learning rate of the generator. [default: 0.0004]")
    ] = None,
    lr_d: Annotated[
        float | None,
        typer.Option(
            help="Learning rate of the discriminator. [default: 0.001, above width 32 less: 0.0005 "
            "at 64]"
        ),
    ] = None,
    beta1: Annotated[float | None, typer.Option(help="Adam's first decay. [default: 0.5]")] = None,
    beta2: Annotated[
        float | None, typer.Option(help="Adam's second decay. [default: 0.999]")
    ] = None,
    norm: Annotated[
        str | None,
        typer.Option(help="Norm in the discriminator: batch, group or none. [default: none]"),
    ] = None,
    start_d: Annotated[
        str | None,
        typer.Option(help="Start of the discriminator's weights: dcgan or he. [default: he]"),
    ] = None,
    start_from: Annotated[
        str | None,
        typer.Option(
            help="Begin with nets that have learned already: base, the model of many cats' faces "
            "that comes with catgan, or a run's folder. [default: nets drawn anew]"
        ),
    ] = None,
    r1: Annotated[
        float | None,
        typer.Option(help="Weight of R1, which keeps the discriminator smooth. [default: 0.01]"),
    ] = None,
    r1_every: Annotated[
        int | None, typer.Option(help="Steps between two with R1. [default: 8]")
    ] = None,
    flip: Annotated[
        bool | None,
        typer.Option("--flip/--no-flip", help="Show half of the pictures mirrored. [default: yes]"),
    ] = None,
    augment: Annotated[
        str | None,
        typer.Option(
            help="What the discriminator sees pictures through, of colour, translation and cutout; "
            '"" for nothing. [default: colour,translation]'
        ),
    ] = None,
    average_kimg: Annotated[
        float | None,
        typer.Option(help="Half-life of the average, in thousand pictures; 0: none. [default: 10]"),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="float32, or bfloat16 for less exact and faster; on NVIDIA cards also tf32 and "
            "float16. [default: float32]"
        ),
    ] = None,
    graphs: Annotated[
        bool | None,
        typer.Option(
            "--graphs/--no-graphs",
            help="Give an NVIDIA card whole steps to repeat: faster at small batches. "
            "[default: no]",
        ),
    ] = None,
    evaluate_every: Annotated[
        int | None,
        typer.Option(help="Epochs between measurements; 0: none. [default: chosen to cost little]"),
    ] = None,
    evaluate_samples: Annotated[
        int | None, typer.Option(help="Samples measured each time. [default: 500]")
    ] = None,
    stop_when_lost: Annotated[
        bool | None,
        typer.Option(
            "--stop-when-lost/--never-stop",
            help="End a run that is past saving by itself. [default: no]",
        ),
    ] = None,
    held_out: Annotated[
        int | None,
        typer.Option(help="Pictures kept for measuring. [default: a fifth of 250 and more]"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Where randomness starts. [default: 0]")] = None,
    sample_every: Annotated[
        int | None, typer.Option(help="Epochs between sample grids. [default: 5]")
    ] = None,
    checkpoint_minutes: Annotated[
        float | None,
        typer.Option(help="Minutes between checkpoints; 0: every epoch. [default: 1]"),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, mps or auto. [default: auto]")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the run. [default: that of the data set]")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder that runs lie in.")] = Path("runs"),
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Train a small GAN on each data set of a folder.

    One run for each data set found, or for the one folder named. The same line again carries on
    where it stopped: after Ctrl-C, a crash or a lost session.
    """
    from catgan.console import Screen
    from catgan.core.datasets import find_datasets
    from catgan.core.runs import Run
    from catgan.train import BASE, DEFAULT_RECIPE, TrainConfig, check_plan, shape_of_start

    if start_from:
        start_from = start_from if start_from == BASE else str(Path(start_from).absolute())
    flags = given(
        start_from=start_from,
        epochs=epochs,
        batch_size=batch_size,
        size=size,
        latent_dim=latent_dim,
        ngf=ngf,
        ndf=ndf,
        lr_g=lr_g,
        lr_d=lr_d,
        beta1=beta1,
        beta2=beta2,
        norm=norm,
        start_d=start_d,
        r1=r1,
        r1_every=r1_every,
        flip=flip,
        augment=augment,
        average_kimg=average_kimg,
        precision=precision,
        graphs=graphs,
        evaluate_every=evaluate_every,
        evaluate_samples=evaluate_samples,
        stop_when_lost=stop_when_lost,
        held_out=held_out,
        seed=seed,
        sample_every=sample_every,
        checkpoint_minutes=checkpoint_minutes,
        device=device,
    )
    recipe = recipe or DEFAULT_RECIPE
    settings = TrainConfig.of_recipe(recipe, **flags)
    datasets = find_datasets(folder)
    if name is not None and len(datasets) > 1:
        raise BadUsage(
            f"--name names one run, but {folder} holds {len(datasets)} data sets; "
            f"name one of them: catgan train {datasets[0].folder} --name {name}"
        )
    if name is not None and (not name or Path(name).name != name or name.startswith(".")):
        raise BadUsage(f"--name is {name!r}; it must be a plain name, and --runs the folder.")
    places = [(dataset, runs / (name or dataset.name)) for dataset in datasets]
    if start_from:  # widths and size follow from it; flags win over them
        shape = shape_of_start(start_from, [Run(folder=run) for _, run in places])
        settings = TrainConfig.of_recipe(recipe, **shape | flags)
    for _, run in places:
        check_plan(run, settings)  # hours later it would be late to say that the second cannot be
    screen = Screen(as_json=json)
    results = []
    lost: TrainingLost | None = None
    with _stop_on_signal() as should_stop:
        for dataset, run in places:
            if dry_run:
                results.append(_plan_one(screen, dataset, run, settings, should_stop))
                continue
            try:
                result = _train_one(screen, dataset, run, settings, should_stop)
            except TrainingLost as error:  # no reason not to train the others
                if len(places) > 1:
                    screen.say(str(error))
                lost = lost or error
                continue
            results.append(_result_record(result))
            if should_stop():
                break
    screen.result({"runs": results})
    if lost is not None:
        raise lost
    if should_stop():
        raise typer.Exit(Interrupted.exit_code)
    if not dry_run:
        names = " ".join(name or dataset.name for dataset in datasets)
        where = "" if runs == Path("runs") else f" --runs {runs}"
        screen.say(f"To see what came of it: catgan compare {names}{where}")


def _plan_one(
    screen: "Screen",
    dataset: "DataSet",
    run: Path,
    settings: "TrainConfig",
    should_stop: "StopFlag",
) -> dict[str, Any]:
    from catgan.train import plan_training

    with screen.progress(f"Reading {dataset.folder}") as bar:
        plan = plan_training(dataset, run, settings, reading=_reading(bar), should_stop=should_stop)
    screen.say(_start_words(plan, settings) + " Nothing was written.")
    return {"run": str(run), "epochs_before": plan.done, "dry_run": True}


def _train_one(
    screen: "Screen",
    dataset: "DataSet",
    run: Path,
    settings: "TrainConfig",
    should_stop: "StopFlag",
) -> "TrainResult":
    from catgan.train import train_gan

    with screen.progress(f"Training {run.name}") as bar:

        def show(progress: "TrainProgress") -> None:
            done = progress.epoch - 1 + progress.step / progress.steps
            bar.update(done, progress.epochs, _progress_words(progress))

        result = train_gan(
            dataset,
            run,
            settings,
            reading=_reading(bar),
            on_start=lambda start: screen.say(_start_words(start, settings)),
            progress=show,
            should_stop=should_stop,
        )
    if not result.finished:
        screen.say(
            f"Stopped in epoch {result.epochs + 1} of {settings.epochs} of {run}; everything is "
            "kept, and the same line carries on."
        )
    elif result.epochs_before >= settings.epochs:
        screen.say(f"{run} is finished already: {result.epochs} epochs. To go on: more --epochs.")
    elif result.epochs < settings.epochs:
        screen.say(
            f"{run} was past saving and ended after epoch {result.epochs} of {settings.epochs}: "
            f"{result.balance.words}."
        )
    else:
        screen.say(
            f"{run} is finished: {result.epochs} epochs, {result.images_shown} pictures shown; "
            f"{result.balance.words}; samples in {result.run.samples}"
        )
    if result.best_epoch is not None:
        screen.say(
            f"Its best epoch is {result.best_epoch} (distance from the pictures held out: KID "
            f"{result.best_kid:.3f}); kept in {result.run.best}"
        )
    return result


def _reading(bar: "Bar") -> Callable[[int, int], None]:
    return lambda done, total: bar.update(done, total, f"{done} of {total} pictures read")


def _start_words(start: "TrainStart", settings: "TrainConfig") -> str:
    data = start.data
    held_out = f", {len(data.held_out)} held out to measure against" if data.held_out else ""
    sentences = [
        f"{start.run.folder}: {len(data.train)} pictures of {data.folder.name} to train on"
        f"{held_out}; computing on {start.device}."
    ]
    if start.done:
        over = start.done >= settings.epochs
        sentences.append(
            f"All {start.done} epochs are done."
            if over
            else f"Carrying on after epoch {start.done}."
        )
    if start.begins_with is not None:
        sentences.append(f"It begins with {start.begins_with}.")
    if resizing := data.resizing(settings.size):
        sentences.append(resizing)
    if not data.storage.startswith("in memory"):
        sentences.append(f"The pictures are kept {data.storage}.")
    return " ".join(sentences)


def _progress_words(progress: "TrainProgress") -> str:
    from catgan.console import duration

    means = progress.means
    kid = ""
    if progress.kid is not None:
        kid = f", KID {progress.kid:.3f}"
        if progress.best_epoch is not None:
            kid += f" (best at {progress.best_epoch})"
    speed = ""
    if progress.images_per_second is not None and progress.seconds_left is not None:
        left = duration(progress.seconds_left)
        speed = f", {progress.images_per_second:.0f} images/s, {left} left"
    return (
        f"epoch {progress.epoch}/{progress.epochs}, loss D {means['loss_d']:.2f} "
        f"G {means['loss_g']:.2f}, D(x) {means['d_real']:.2f}, D(G(z)) {means['d_fake']:.2f} "
        f"then {means['d_fake_after']:.2f}{kid}, {progress.balance.words}{speed}"
    )


def _result_record(result: "TrainResult") -> dict[str, Any]:
    return {
        "run": str(result.run.folder),
        "epochs_before": result.epochs_before,
        "epochs": result.epochs,
        "images_shown": result.images_shown,
        "finished": result.finished,
        "balance": result.balance.words,
        "best_epoch": result.best_epoch,
        "best_kid": result.best_kid,
    }


class StopFlag:
    """Whether somebody has asked to stop."""

    def __init__(self) -> None:
        """Nobody has yet."""
        self.raised = False

    def __call__(self) -> bool:
        """Whether somebody has."""
        return self.raised


@contextmanager
def _stop_on_signal() -> Iterator[StopFlag]:
    """The first Ctrl-C (or a polite kill) lets the step end and is answered; the second is not."""
    flag = StopFlag()
    before: dict[int, Any] = {}  # what the signals did

    def stop(number: int, _: FrameType | None) -> None:
        flag.raised = True
        signal.signal(number, before[number])

    for caught in (signal.SIGINT, signal.SIGTERM):
        before[caught] = signal.signal(caught, stop)
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
