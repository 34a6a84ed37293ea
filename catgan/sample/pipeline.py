"""`sample` from end to end: a run to pictures of cats that never were."""

import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from catgan.core.files import AnyPath, read_there, write_bytes, write_picture, write_text
from catgan.core.pages import for_notebook
from catgan.core.pictures import Picture
from catgan.formats.runs import Run, resolve_run
from catgan.sample.config import SampleConfig
from catgan.sample.draw import draw_pictures
from catgan.sample.films import Clip, write_film
from catgan.sample.generator import TrainedGenerator, open_generator
from catgan.sample.latents import fixed_latents
from catgan.sample.layout import arrange, auto_scale, check_room, enlarge, grid_shape
from catgan.sample.outputs import DRAWN, Outputs, file_names, is_video, left_over
from catgan.sample.page import make_page
from catgan.sample.stamp import stamped_png
from catgan.sample.timelapse import FPS as TIMELAPSE_FPS
from catgan.sample.timelapse import EpochGrid, caption_height, make_timelapse, read_grids
from catgan.sample.walk import make_walk, walk_fps, walk_frames


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SamplePlan:
    """What is to be drawn; everything about it is checked."""

    run: Run
    """The run."""
    generator: TrainedGenerator | None
    """What draws; None where only the training is shown."""
    outputs: Outputs
    """What is to be made, and where."""
    grids: tuple[EpochGrid, ...]
    """The sample grids of the time-lapse; empty where none was asked for."""
    config: SampleConfig
    """The settings."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SampleResult:
    """What was written; None for what was not asked for."""

    plan: SamplePlan
    """What was to be done."""
    grid: Path | None
    """The grid."""
    files: Path | None
    """The folder of single pictures."""
    replaced: int
    """Pictures that an earlier call had left in that folder beyond the new ones; they are gone."""
    walk: Clip | None
    """The walk."""
    timelapse: Clip | None
    """The time-lapse."""
    page: Path | None
    """The page."""

    def __repr__(self) -> str:
        """One line."""
        written = ", ".join(str(path) for _, path in self._written())
        return f"SampleResult({written})"

    def _repr_html_(self) -> str:
        """For a notebook: the grid and the GIFs as well."""
        shown = [
            (str(path), kind, data)
            for kind, path in self._written()
            if kind and (data := read_there(path)) is not None
        ]
        return for_notebook(repr(self), shown)

    def _written(self) -> list[tuple[str, Path]]:
        """What was written: its kind of picture ("" for anything else), and where."""
        clips = [None if clip is None else clip.path for clip in (self.walk, self.timelapse)]
        films = [("" if is_video(path) else "gif", path) for path in clips]
        written = [("png", self.grid), ("", self.files), *films, ("", self.page)]
        return [(kind, path) for kind, path in written if path is not None]


def plan_samples(
    name: AnyPath,
    config: SampleConfig | None = None,
    outputs: Outputs | None = None,
    *,
    runs: AnyPath = "runs",
) -> SamplePlan:
    """What `sample_run` would do with the same arguments; nothing is written.

    Raises:
        What `sample_run` does, but for `DiskFull`.
    """
    config, outputs = config or SampleConfig(), outputs or Outputs()
    run = resolve_run(os.fspath(name), Path(runs))
    outputs.check(config.count)
    generator = open_generator(run, config.checkpoint) if outputs.drawn else None
    if generator is not None and outputs.nothing:
        stem = f"{generator.checkpoint.stem}-epoch-{generator.epoch:04d}-seed-{config.seed}"
        stem += "" if config.truncate == 1 else f"-truncate-{config.truncate:g}"
        outputs = Outputs(grid=run.folder / DRAWN / f"{stem}.png")
        outputs.check(config.count)
    grids = read_grids(run, config.tiles) if outputs.timelapse is not None else []
    _check_sizes(generator, outputs, grids, config)
    return SamplePlan(
        run=run, generator=generator, outputs=outputs, grids=tuple(grids), config=config
    )


def sample_run(
    name: AnyPath,
    config: SampleConfig | None = None,
    outputs: Outputs | None = None,
    *,
    runs: AnyPath = "runs",
    progress: Callable[[str], None] | None = None,
) -> SampleResult:
    """Draw from a trained generator: a grid, pictures, a walk, a page; or show its training.

    The same checkpoint, seed and settings give the same files, byte for byte, on the same machine.

    Args:
        name: A run's name under `runs`, or the path of its folder.
        config: Settings.
        outputs: What to make; nothing named: a grid in the folder `drawn` of the run.
        runs: The folder of runs.
        progress: Told what is being done, a few words at a time.

    Raises:
        UnknownRun: There is no such run; lists those there are.
        CheckpointRefused: It has no such checkpoint, or a broken one; nothing was written.
        NoPictures: It has no sample grids to make a time-lapse of; nothing was written.
        BadUsage: A path cannot be what it is wanted for; nothing was written.
        BadSettings: The pictures would be too large; nothing was written.
        FileRefused: A file of somebody else's is in the way; nothing was written.
        MissingPackage: A video is wanted, and the package for it is missing.
        DiskFull: There is no room.
    """
    say = progress or (lambda words: None)
    plan = plan_samples(name, config, outputs, runs=runs)
    where, settings, generator = plan.outputs, plan.config, plan.generator
    replaced = 0
    walk = timelapse = None
    if generator is not None and where.grid is not None:
        say("drawing the grid")
        _write_grid(generator, settings, where.grid)
    if generator is not None and where.files is not None:
        say("sampling")
        replaced = _write_files(generator, settings, where.files)
    if generator is not None and where.walk is not None:
        say("drawing the walk")
        video = is_video(where.walk)
        scale = _scale(settings, generator.size)
        movie = make_walk(generator.network, settings, scale, video=video)
        fps = walk_fps(settings, video=video)
        walk = write_film(movie, where.walk, fps, f"walk, {_note(generator, settings)}")
    if generator is not None and where.page is not None:
        page = make_page(
            generator.network,
            settings,
            size=generator.size,
            name=plan.run.name,
            epoch=generator.epoch,
            progress=say,
        )
        write_text(where.page, page)
    if where.timelapse is not None:
        say("building the time-lapse")
        scale = _scale(settings, plan.grids[0].pictures.shape[1])
        movie = make_timelapse(plan.grids, settings, scale)
        note = f"training to epoch {plan.grids[-1].epoch}"
        timelapse = write_film(movie, where.timelapse, settings.fps or TIMELAPSE_FPS, note)
    return SampleResult(
        plan=plan,
        grid=where.grid,
        files=where.files,
        replaced=replaced,
        walk=walk,
        timelapse=timelapse,
        page=where.page,
    )


def _scale(config: SampleConfig, size: int) -> int:
    return config.scale or auto_scale(size)


def _check_sizes(
    generator: TrainedGenerator | None,
    outputs: Outputs,
    grids: list[EpochGrid],
    config: SampleConfig,
) -> None:
    """Refuse what would be too large, before anything is drawn."""
    if generator is not None:
        scale = _scale(config, generator.size)
        if outputs.grid is not None:
            check_room(*grid_shape(config.count, generator.size, scale), 1, "a smaller --count")
        if outputs.files is not None:
            side = generator.size * (config.scale or 1)
            check_room(side, side, 1, "a run with smaller images")
        if outputs.walk is not None:
            shape = grid_shape(config.tiles, generator.size, scale)
            frames = walk_frames(config, video=is_video(outputs.walk))
            check_room(*shape, frames, "a smaller --tiles or --frames")
    if grids:
        count, height, width = grids[0].pictures.shape[:3]
        scale = _scale(config, height)
        rows, columns = grid_shape(count, max(height, width), scale)
        check_room(rows + caption_height(), columns, len(grids), "a smaller --tiles")


def _note(generator: TrainedGenerator, config: SampleConfig) -> str:
    truncated = "" if config.truncate == 1 else f", truncated to {config.truncate:g}"
    return f"epoch {generator.epoch}, seed {config.seed}{truncated}"


def _pictures(generator: TrainedGenerator, config: SampleConfig) -> Iterator[Picture]:
    """The pictures of the seed, as they come out of the generator."""
    network = generator.network
    latents = fixed_latents(config.count, network.latent_dim, config.seed)
    return draw_pictures(network, latents * config.truncate)


def _write_grid(generator: TrainedGenerator, config: SampleConfig, path: Path) -> None:
    pictures = np.stack(list(_pictures(generator, config)))
    grid = arrange(pictures, _scale(config, generator.size))
    write_bytes(path, stamped_png(grid, _note(generator, config)))


def _write_files(generator: TrainedGenerator, config: SampleConfig, folder: Path) -> int:
    """Write single pictures; how many of an earlier call had to go, so that none are mixed."""
    folder.mkdir(parents=True, exist_ok=True)
    old = left_over(folder, config.count)
    for name, picture in zip(file_names(config.count), _pictures(generator, config), strict=True):
        data = stamped_png(enlarge(picture, config.scale or 1), _note(generator, config))
        write_picture(folder / name, data)
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
