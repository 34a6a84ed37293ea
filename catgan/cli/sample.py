"""`catgan sample`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catgan.cli.options import ConfigOption, DryRunOption, JsonOption, takes
from catgan.core.words import count
from catgan.sample.config import SampleConfig

if TYPE_CHECKING:
    from catgan.sample.pipeline import Clip, SamplePlan, SampleResult


@takes(SampleConfig())
def sample(
    run: Annotated[str, typer.Argument(help="A run, by name under --runs or by path.")],
    named: dict[str, Any],
    out: Annotated[
        Path | None,
        typer.Option(help="The grid. [default: in drawn/ of the run]", metavar="FILE.png"),
    ] = None,
    files: Annotated[
        Path | None, typer.Option(help="A folder for single images.", metavar="FOLDER")
    ] = None,
    walk: Annotated[
        Path | None,
        typer.Option(help="A looping walk: cats that turn into other cats.", metavar="FILE.gif"),
    ] = None,
    timelapse: Annotated[
        Path | None,
        typer.Option(
            help="A time-lapse of the training, from its sample grids.", metavar="FILE.gif"
        ),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("runs"),
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Draw cats with a trained run.

    By default, writes a grid of 64 samples to the run's folder. The same seed draws the same cats.
    """
    from catgan.console import Screen
    from catgan.sample.outputs import Outputs
    from catgan.sample.pipeline import plan_samples, sample_run

    settings = SampleConfig(**named)
    outputs = Outputs(grid=out, files=files, walk=walk, timelapse=timelapse)
    screen = Screen(as_json=json)
    if dry_run:
        plan = plan_samples(run, settings, outputs, runs=runs)
        screen.say(_origin_words(plan))
        for words in _plan_words(plan):
            screen.say(f"Would write {words}.")
        screen.say("Nothing was written.")
        screen.result({**_plan_record(plan), "dry_run": True})
        return
    with screen.progress("Sampling") as bar:
        steps = iter(range(1, 10_000))
        result = sample_run(
            run,
            settings,
            outputs,
            runs=runs,
            progress=lambda words: bar.update(next(steps), 0, words),
        )
    screen.say(_origin_words(result.plan))
    for sentence in _result_words(result):
        screen.say(sentence)
    screen.result(_plan_record(result.plan) | _result_record(result))


def _origin_words(plan: "SamplePlan") -> str:
    if plan.generator is None:
        return f"{plan.run.folder}: {count(len(plan.grids), 'sample grid')}."
    where = plan.generator.checkpoint
    return f"{plan.run.folder}: sampled from {where}, epoch {plan.generator.epoch}."


def _plan_words(plan: "SamplePlan") -> list[str]:
    where, images = plan.outputs, count(plan.config.count, "image")
    said = []
    if where.grid is not None:
        said.append(f"a grid of {images} to {where.grid}")
    if where.files is not None:
        said.append(f"{images} into {where.files}")
    if where.walk is not None:
        said.append(f"a walk of {count(plan.config.frames, 'frame')} to {where.walk}")
    if where.timelapse is not None:
        grids = count(len(plan.grids), "sample grid")
        said.append(f"a time-lapse of {grids} to {where.timelapse}")
    return said


def _result_words(result: "SampleResult") -> list[str]:
    images = count(result.plan.config.count, "image")
    said = []
    if result.grid is not None:
        said.append(f"The grid of {images}: {result.grid}")
    if result.files is not None:
        older = f"; {result.replaced:,} left by an earlier call removed" if result.replaced else ""
        said.append(f"{images} in {result.files}{older}")
    if result.walk is not None:
        said.append(f"The walk: {_clip_words(result.walk)}")
    if result.timelapse is not None:
        said.append(f"The time-lapse: {_clip_words(result.timelapse)}")
    return said


def _clip_words(clip: "Clip") -> str:
    return f"{clip.path}, {clip.seconds:.1f} s, {clip.size / 1e6:.1f} MB"


def _plan_record(plan: "SamplePlan") -> dict[str, Any]:
    where, generator = plan.outputs, plan.generator
    return {
        "run": str(plan.run.folder),
        "checkpoint": str(generator.checkpoint) if generator is not None else None,
        "epoch": generator.epoch if generator is not None else None,
        "seed": plan.config.seed,
        "count": plan.config.count,
        "grid": str(where.grid) if where.grid is not None else None,
        "files": str(where.files) if where.files is not None else None,
        "walk": str(where.walk) if where.walk is not None else None,
        "timelapse": str(where.timelapse) if where.timelapse is not None else None,
    }


def _result_record(result: "SampleResult") -> dict[str, Any]:
    return {
        "walk": _clip_record(result.walk),
        "timelapse": _clip_record(result.timelapse),
    }


def _clip_record(clip: "Clip | None") -> dict[str, Any] | None:
    if clip is None:
        return None
    return {
        "path": str(clip.path),
        "frames": clip.frames,
        "seconds": clip.seconds,
        "bytes": clip.size,
    }
