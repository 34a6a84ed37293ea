"""`catgan sample`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catgan.cli.options import ConfigOption, DryRunOption, JsonOption, takes
from catgan.cli.privacy import contains_photos
from catgan.core.errors import BadUsage
from catgan.core.words import amount, count
from catgan.sample.config import SampleConfig

if TYPE_CHECKING:
    from catgan.console import Screen
    from catgan.sample.films import Clip
    from catgan.sample.like import LikePlan, LikeResult
    from catgan.sample.likeness import Match
    from catgan.sample.outputs import Outputs
    from catgan.sample.pipeline import SamplePlan, SampleResult


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
        typer.Option(
            help="A looping walk: cats that turn into other cats. A GIF or an MP4 video.",
            metavar="FILE.gif",
        ),
    ] = None,
    timelapse: Annotated[
        Path | None,
        typer.Option(
            help="A time-lapse of the training, from its sample grids. A GIF or an MP4 video.",
            metavar="FILE.gif",
        ),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            help="An offline page: move the pointer over a map of cats.", metavar="FILE.html"
        ),
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option(
            help="The cat that is nearest to the face in a photo, and how near it is.",
            metavar="PHOTO",
        ),
    ] = None,
    between: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            help="A walk between the cats that are nearest to two photos.", metavar="PHOTO PHOTO"
        ),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("runs"),
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Sample cats from a trained run.

    By default, writes a grid of 64 samples to the run's folder. The same seed gives the same cats.
    """
    from catgan.console import Screen
    from catgan.sample.outputs import Outputs
    from catgan.sample.pipeline import plan_samples, sample_run

    settings = SampleConfig(**named)
    outputs = Outputs(grid=out, files=files, walk=walk, timelapse=timelapse, page=page)
    screen = Screen(as_json=json)
    if like is not None and between is not None:
        raise BadUsage("--like and --between exclude each other; use one of them.")
    if like is not None or between is not None:
        photos = list(between) if between is not None else [like] if like is not None else []
        _like(run, photos, settings, outputs, runs, screen, dry_run=dry_run)
        return
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
    from catgan.sample.outputs import is_video
    from catgan.sample.walk import walk_frames

    where, images = plan.outputs, count(plan.config.count, "image")
    said = []
    if where.grid is not None:
        said.append(f"a grid of {images} to {where.grid}")
    if where.files is not None:
        said.append(f"{images} into {where.files}")
    if where.walk is not None:
        frames = walk_frames(plan.config, video=is_video(where.walk))
        said.append(f"a walk of {count(frames, 'frame')} to {where.walk}")
    if where.timelapse is not None:
        grids = count(len(plan.grids), "sample grid")
        said.append(f"a time-lapse of {grids} to {where.timelapse}")
    if where.page is not None:
        said.append(f"a page to {where.page}")
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
    if result.page is not None:
        size = amount(result.page.stat().st_size)
        said.append(f"The page, to open in a browser: {result.page.resolve()} ({size})")
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
        "page": str(where.page) if where.page is not None else None,
        "truncate": plan.config.truncate,
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


def _like(
    run: str,
    photos: list[Path],
    settings: SampleConfig,
    outputs: "Outputs",
    runs: Path,
    screen: "Screen",
    *,
    dry_run: bool,
) -> None:
    from catgan.sample.like import find_likeness, plan_likeness

    if dry_run:
        plan = plan_likeness(run, photos, settings, outputs, runs=runs)
        screen.say(_origin_words_of(plan))
        for path in (plan.outputs.grid, plan.outputs.walk):
            if path is not None:
                screen.say(f"Would write {path}.")
        screen.say("Nothing was written.")
        screen.result({**_like_record(plan), "dry_run": True})
        return
    from catgan.cli.cutter import CurateCutter

    with screen.progress("Sampling") as bar:
        result = find_likeness(
            run,
            photos,
            CurateCutter(),
            settings,
            outputs,
            runs=runs,
            progress=lambda share, words: bar.update(share, 1.0, words),
        )
    screen.say(_origin_words_of(result.plan))
    for match in result.matches:
        screen.say(_match_words(match))
    if result.pairs is not None:
        what = "The face and the cat, side by side" if len(photos) == 1 else "Faces and cats"
        screen.say(f"{what}: {result.pairs}")
        screen.say(contains_photos("It"))
    if result.walk is not None:
        screen.say(f"The walk: {_clip_words(result.walk)}")
    screen.result(_like_record(result.plan) | _found_record(result))


def _origin_words_of(plan: "LikePlan") -> str:
    where = plan.generator
    return f"{plan.run.folder}: searched in {where.checkpoint}, epoch {where.epoch}."


def _match_words(match: "Match") -> str:
    """How near a cat came, beside what chance would give."""
    from catgan.sample.likeness import COMPARED

    return (
        f"{match.name}: similarity {match.similarity:.2f}; {COMPARED} random samples have "
        f"{match.usual:.2f} on average, and {match.more_similar} of them come nearer (1 is "
        f"identical).\n  Pixels differ by {match.off:.0f} of 255; those of the random samples by "
        f"{match.usual_off:.0f}, and {match.less_off} of them come nearer."
    )


def _like_record(plan: "LikePlan") -> dict[str, Any]:
    where = plan.outputs
    return {
        "run": str(plan.run.folder),
        "checkpoint": str(plan.generator.checkpoint),
        "epoch": plan.generator.epoch,
        "seed": plan.config.seed,
        "photos": [str(path) for path in plan.photos],
        "grid": str(where.grid) if where.grid is not None else None,
        "walk": str(where.walk) if where.walk is not None else None,
    }


def _found_record(result: "LikeResult") -> dict[str, Any]:
    return {
        "walk": _clip_record(result.walk),
        "matches": [
            {
                "photo": str(path),
                "similarity": match.similarity,
                "similarity_at_random": match.usual,
                "random_more_similar": match.more_similar,
                "difference": match.off,
                "difference_at_random": match.usual_off,
                "random_less_different": match.less_off,
                "latent": match.latent.tolist(),
            }
            for path, match in zip(result.plan.photos, result.matches, strict=True)
        ],
    }
