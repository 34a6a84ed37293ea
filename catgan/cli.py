"""The command line: parse, call, render. Errors are caught here and nowhere else."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from catgan import __version__
from catgan.core.errors import BadUsage, CatganError, Interrupted

if TYPE_CHECKING:
    from catgan.console import Screen
    from catgan.core.datasets import DataSet
    from catgan.train import TrainConfig, TrainProgress, TrainResult, TrainStart

app = typer.Typer(
    name="catgan",
    help="From a folder of cat photos to a small GAN of your cat.",
    epilog="Example: catgan curate raw/ curated/ && catgan train curated/ && "
    "catgan compare full-body face-crop",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 could not, 2 wrong usage, 130 interrupted."""
    before = signal.signal(signal.SIGINT, _interrupt)
    try:
        app(args=arguments, prog_name="catgan")
    except CatganError as error:
        _complain(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of a pipe has seen enough
        sys.stderr.close()
        sys.exit(0)
    finally:
        signal.signal(signal.SIGINT, before)
    sys.exit(0)


def _interrupt(_: int, __: FrameType | None) -> NoReturn:
    # not KeyboardInterrupt, for which typer ends the program without a word
    raise Interrupted("Stopped; everything done so far is kept, and the same line carries on.")


def _complain(sentence: str) -> None:
    from catgan.console import complain

    complain(sentence)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"catgan {__version__}")
        raise typer.Exit


@app.callback()
def _catgan(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    pass


def _settings_file(context: typer.Context, path: Path | None) -> Path | None:
    """Put a TOML file's values under the flags: a flag that is given wins."""
    if path is None:
        return None
    from catgan.core.config import load_toml

    table = load_toml(path)
    known = {name for name in (parameter.name for parameter in context.command.params) if name}
    unknown = sorted(set(table) - (known - {"config"}))
    if unknown:
        raise BadUsage(
            f"{path} sets {unknown[0].replace('_', '-')}, which {context.info_name} does not have; "
            f"see catgan {context.info_name} --help."
        )
    context.default_map = {**(context.default_map or {}), **table}
    return path


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        callback=_settings_file,
        is_eager=True,
        help="Settings from a TOML file, named like the flags; flags win over it.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON document on standard output, words on the other.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
]


def _set(**flags: Any) -> dict[str, Any]:
    """The flags that were given; the others keep the defaults of the settings class."""
    return {name: value for name, value in flags.items() if value is not None}


@app.command(epilog="Example: catgan curate raw/ curated/")
def curate(
    raw: Annotated[Path, typer.Argument(help="Folder of photos, at any depth; never written to.")],
    curated: Annotated[Path, typer.Argument(help="Folder for the data sets; made if missing.")],
    size: Annotated[
        int | None, typer.Option(help="Side of the pictures, pixels. [default: 64]")
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(help="Room around the face box, in widths of the box. [default: 0.25]"),
    ] = None,
    cascade: Annotated[
        str | None,
        typer.Option(help="Recipe by name, or a .toml or .xml file. [default: verified]"),
    ] = None,
    min_face: Annotated[
        int | None,
        typer.Option(help="Narrower faces are left out, pixels. [default: those to be enlarged]"),
    ] = None,
    faces: Annotated[
        str | None, typer.Option(help="best: one face a photo; all: every one. [default: best]")
    ] = None,
    blur_screen: Annotated[
        bool, typer.Option(help="Leave blurred faces out of face-crop, or not.")
    ] = True,
    dark_screen: Annotated[
        bool, typer.Option(help="Leave nearly black faces out of face-crop, or not.")
    ] = True,
    duplicate_screen: Annotated[
        bool, typer.Option(help="Of nearly equal photos keep the sharpest only, or all.")
    ] = True,
    max_megapixels: Annotated[
        float | None, typer.Option(help="Larger photos are not opened. [default: 250]")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes. [default: one a processor]")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Turn cat photos into clean data sets.

    Writes full-body (every readable photo whole) and face-crop (the best face of each photo that
    has one), 64 x 64 pixels each, with a record of every photo and why it was kept or not. The
    same line again does only what is new.
    """
    from catgan.console import Screen, duration
    from catgan.curate import CurateConfig, CurateProgress, curate_photos, plan_curation
    from catgan.curate.verdict import MEANING

    settings = CurateConfig(
        **_set(
            size=size,
            margin=margin,
            cascade=cascade,
            min_face=min_face,
            faces=faces,
            blur_screen=blur_screen,
            dark_screen=dark_screen,
            duplicate_screen=duplicate_screen,
            max_megapixels=max_megapixels,
            workers=workers,
        )
    )
    screen = Screen(as_json=json)
    if dry_run:
        plan = plan_curation(raw, curated, settings)
        screen.say(
            f"{raw} holds {plan.photos} photos, {plan.fresh} of them not looked at yet with these "
            f"settings; {curated} would get their pictures. Nothing was written."
        )
        screen.result({"photos": plan.photos, "fresh": plan.fresh, "dry_run": True})
        return
    with screen.progress(f"Looking at {raw}") as bar:

        def show(progress: CurateProgress) -> None:
            kept = progress.counts.get("kept", 0)
            words = f"{progress.done} of {progress.total} photos, {kept} with a face"
            if progress.seconds_left is not None:
                words += f", {duration(progress.seconds_left)} left"
            bar.update(progress.done, progress.total, words)

        result = curate_photos(raw, curated, settings, progress=show)
    for difference in result.changed:
        screen.say(f"Other settings than the last time: {difference}.")
    if result.gone:
        screen.say(f"Photos that are gone since the last time: {result.gone}; their pictures too.")
    rows = [
        (str(verdict), str(result.counts[verdict]), meaning)
        for verdict, meaning in MEANING.items()
        if result.counts[verdict]
    ]
    screen.table(
        f"{result.photos} photos, {result.fresh} of them new",
        ("verdict", "photos", "meaning"),
        rows,
    )
    for name, count in result.data_sets.items():
        where = f"; to look at: {result.sheets[name]}" if name in result.sheets else ""
        screen.say(f"{curated / name}: {count} pictures{where}")
    if not result.data_sets.get("face-crop"):
        screen.say(
            "No cat face was found in any photo, so there is no face-crop data set; "
            "look at contact-full-body.jpg, or try another recipe: --cascade turned."
        )
    screen.result(
        {
            "curated": str(curated),
            "photos": result.photos,
            "fresh": result.fresh,
            "gone": result.gone,
            "verdicts": result.counts,
            "data_sets": result.data_sets,
            "sheets": {name: str(path) for name, path in result.sheets.items()},
        }
    )


@app.command(epilog="Example: catgan inspect curated/")
def inspect(
    curated: Annotated[
        Path, typer.Argument(help="What curate wrote, or any folder of equal pictures.")
    ],
    page: Annotated[
        Path | None, typer.Option(help="Write one HTML page to look at, too.", metavar="FILE.html")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Say what is in the data sets: verdicts, faces, sharpness, near-equal pictures."""
    from catgan.console import Screen
    from catgan.inspect import inspect_curated, write_page

    screen = Screen(as_json=json)
    inspection = inspect_curated(curated)
    if page is not None:
        write_page(inspection, page)
    if inspection.verdicts:
        screen.table(
            f"{inspection.photos} photos",
            ("verdict", "photos", "commonest reason"),
            [(count.verdict, str(count.photos), count.reason) for count in inspection.verdicts],
        )
    headers, rows = inspection.table()
    if rows:
        screen.table("The faces", headers, rows)
    for found in inspection.sets:
        width, height = found.side
        screen.say(f"{found.name}: {found.pictures} pictures of {width} x {height} pixels")
        for pair, first, second, _ in found.pairs[:3]:
            screen.say(f"  most alike: {first} and {second} ({pair.alike:.3f}; 1 is the same)")
    if not inspection.finished:
        screen.say("The last curation was stopped before its end; the same line carries on.")
    if page is not None:
        screen.say(f"The page, to open in a browser: {page.resolve()}")
    else:
        screen.say(f"To look at it: catgan inspect {curated} --page inspect.html")
    screen.result(inspection.to_json())


@app.command(epilog="Example: catgan train curated/ --epochs 200")
def train(
    folder: Annotated[
        Path, typer.Argument(help="What curate wrote, or any folder of equal pictures.")
    ],
    recipe: Annotated[
        str | None, typer.Option(help="Where the settings start from: article. [default: article]")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Times every picture is shown. [default: 400]")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Pictures in one step. [default: 4]")
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
        float | None, typer.Option(help="Learning rate of the generator. [default: 0.0002]")
    ] = None,
    lr_d: Annotated[
        float | None, typer.Option(help="Learning rate of the discriminator. [default: 0.0002]")
    ] = None,
    beta1: Annotated[float | None, typer.Option(help="Adam's first decay. [default: 0.5]")] = None,
    beta2: Annotated[
        float | None, typer.Option(help="Adam's second decay. [default: 0.999]")
    ] = None,
    held_out: Annotated[
        int | None,
        typer.Option(help="Pictures kept for measuring; -1: a fifth of 250 and more."),
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
    from catgan.train import TrainConfig

    start = recipe or "article"
    settings = TrainConfig.of_recipe(
        start,
        **_set(
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
            held_out=held_out,
            seed=seed,
            sample_every=sample_every,
            checkpoint_minutes=checkpoint_minutes,
            device=device,
        ),
    )
    datasets = find_datasets(folder)
    if name is not None and len(datasets) > 1:
        raise BadUsage(
            f"--name names one run, but {folder} holds {len(datasets)} data sets; "
            f"name one of them: catgan train {datasets[0].folder} --name {name}"
        )
    if name is not None and (not name or Path(name).name != name or name.startswith(".")):
        raise BadUsage(f"--name is {name!r}; it must be a plain name, and --runs the folder.")
    screen = Screen(as_json=json)
    results = []
    with _stop_on_signal() as should_stop:
        for dataset in datasets:
            run = runs / (name or dataset.name)
            if dry_run:
                results.append(_plan_one(screen, dataset, run, settings))
                continue
            result = _train_one(screen, dataset, run, settings, should_stop)
            results.append(_result_record(result))
            if should_stop():
                break
    screen.result({"runs": results})
    if should_stop():
        raise typer.Exit(Interrupted.exit_code)
    if not dry_run:
        names = " ".join(name or dataset.name for dataset in datasets)
        where = "" if runs == Path("runs") else f" --runs {runs}"
        screen.say(f"To see what came of it: catgan compare {names}{where}")


def _plan_one(
    screen: "Screen", dataset: "DataSet", run: Path, settings: "TrainConfig"
) -> dict[str, Any]:
    from catgan.train import plan_training

    plan = plan_training(dataset, run, settings)
    screen.say(_start_words(plan) + " Nothing was written.")
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
            on_start=lambda start: screen.say(_start_words(start)),
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
    else:
        screen.say(
            f"{run} is finished: {result.epochs} epochs, {result.images_shown} pictures shown; "
            f"samples in {result.run.samples}"
        )
    return result


def _start_words(start: "TrainStart") -> str:
    data = start.data
    held_out = f", {len(data.held_out)} held out to measure against" if data.held_out else ""
    resized = ", resized" if start.resized else ""
    carried = f" Carrying on after epoch {start.done}." if start.done else ""
    return (
        f"{start.run.folder}: {len(data.train)} pictures of {data.folder.name} to train on"
        f"{resized}{held_out}; computing on {start.device}.{carried}"
    )


def _progress_words(progress: "TrainProgress") -> str:
    from catgan.console import duration

    means = progress.means
    return (
        f"epoch {progress.epoch}/{progress.epochs}, loss D {means['loss_d']:.2f} "
        f"G {means['loss_g']:.2f}, D(x) {means['d_real']:.2f}, D(G(z)) {means['d_fake']:.2f} "
        f"then {means['d_fake_after']:.2f}, {progress.images_per_second:.0f} images/s, "
        f"{duration(progress.seconds_left)} left"
    )


def _result_record(result: "TrainResult") -> dict[str, Any]:
    return {
        "run": str(result.run.folder),
        "epochs_before": result.epochs_before,
        "epochs": result.epochs,
        "images_shown": result.images_shown,
        "finished": result.finished,
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


@app.command(epilog="Example: catgan compare full-body face-crop")
def compare(
    names: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Runs, by name under --runs or by path.")
    ],
    report: Annotated[Path, typer.Option(help="The report to write, one HTML file.")] = Path(
        "report.html"
    ),
    samples: Annotated[
        int | None, typer.Option(help="Pictures drawn from each run. [default: 500]")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Where randomness starts. [default: 0]")] = None,
    runs: Annotated[Path, typer.Option(help="Folder that runs lie in.")] = Path("runs"),
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Show what the cleaning changed: a table here, and a report with pictures.

    Each run is measured against pictures of its own data set that it was not trained on.
    """
    from catgan.compare import CompareConfig, compare_runs, write_report
    from catgan.console import Screen
    from catgan.core.runs import resolve_run

    settings = CompareConfig(**_set(samples=samples, seed=seed))
    screen = Screen(as_json=json)
    if dry_run:
        found = [resolve_run(name, runs) for name in names]
        listed = ", ".join(str(run.folder) for run in found)
        screen.say(f"Would compare {listed} and write {report}. Nothing was written.")
        screen.result({"runs": [str(run.folder) for run in found], "dry_run": True})
        return
    with screen.progress("Comparing") as bar:
        steps = iter(range(1, 10_000))
        comparison = compare_runs(
            names,
            settings,
            runs=runs,
            progress=lambda words: bar.update(next(steps), 0, words),
        )
        write_report(comparison, report)
    headers, rows = comparison.table()
    screen.table("What the runs came to", headers, rows)
    for sentence in comparison.sentences():
        screen.say(sentence)
    screen.say(f"The report, to open in a browser: {report.resolve()}")
    screen.result({**comparison.to_json(), "report": str(report.resolve())})
