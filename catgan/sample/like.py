"""`sample --like` and `--between` from end to end: photos to the cats that are nearest to them."""

import dataclasses
import math
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from catgan.core.errors import BadUsage, UnreadablePhoto
from catgan.core.files import AnyPath, read_file, write_bytes
from catgan.core.photos import read_photo
from catgan.core.pictures import Picture, resize_shorter_side, sheet
from catgan.formats.datasets import FULL_BODY, FULL_BODY_KEPT
from catgan.formats.runs import Run, resolve_run
from catgan.measure.extractors.base import Extractor
from catgan.measure.extractors.opening import open_second
from catgan.sample.config import SampleConfig
from catgan.sample.films import Clip, write_film
from catgan.sample.generator import TrainedGenerator, open_generator
from catgan.sample.latents import slerp
from catgan.sample.layout import GROUND, auto_scale, check_room, enlarge, gap_of, grid_shape
from catgan.sample.likeness import FaceCutter, Likeness, Match
from catgan.sample.outputs import DRAWN, Outputs, is_video
from catgan.sample.stamp import stamped_png
from catgan.sample.walk import film_of, walk_fps, walk_frames

MOST_NAME = 40  # characters of a photo's name in that of a file


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LikePlan:
    """What is to be searched for; everything but the photos is checked."""

    run: Run
    """The run."""
    generator: TrainedGenerator
    """What draws."""
    photos: tuple[Path, ...]
    """One, or two to walk between."""
    whole: bool
    """Whether whole photos are searched for: the run was trained on such."""
    outputs: Outputs
    """What is to be made, and where."""
    config: SampleConfig
    """The settings."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LikeResult:
    """What was found and written."""

    plan: LikePlan
    """What was to be done."""
    matches: tuple[Match, ...]
    """One a photo."""
    pairs: Path | None
    """Each photo's face beside its cat; contains the faces."""
    walk: Clip | None
    """The walk from the one cat to the other and back."""


def plan_likeness(
    name: AnyPath,
    photos: Sequence[AnyPath],
    config: SampleConfig | None = None,
    outputs: Outputs | None = None,
    *,
    runs: AnyPath = "runs",
) -> LikePlan:
    """What `find_likeness` would do with the same arguments; nothing is written.

    Raises:
        What `find_likeness` does of the run, the outputs and missing photos.
    """
    config, outputs = config or SampleConfig(), outputs or Outputs()
    paths = tuple(Path(photo) for photo in photos)
    flag = "--like" if len(paths) == 1 else "--between"
    if not 1 <= len(paths) <= 2:
        raise BadUsage(f"{len(paths)} photos were named; name one, or two to walk between.")
    if outputs.files or outputs.timelapse or outputs.page:
        raise BadUsage(f"{flag} writes only --out and --walk; use a separate command for the rest.")
    if len(paths) == 1 and outputs.walk is not None:
        raise BadUsage("A walk needs two photos to lead from one to the other: --between A B.")
    for path in paths:
        if not path.is_file():
            raise BadUsage(f"There is no photo {path}; {flag} needs a file.")
    run = resolve_run(os.fspath(name), Path(runs))
    outputs.check(1)
    generator = open_generator(run, config.checkpoint)
    if outputs.nothing:
        stems = "-".join(_plain(path.stem) for path in paths)
        stem = f"{flag[2:]}-{stems}-{generator.checkpoint.stem}-epoch-{generator.epoch:04d}"
        folder = run.folder / DRAWN
        if len(paths) == 1:
            outputs = Outputs(grid=folder / f"{stem}.png")
        else:
            outputs = Outputs(walk=folder / f"{stem}.gif")
        outputs.check(1)
    scale = config.scale or auto_scale(generator.size)
    check_room(*grid_shape(2 * len(paths), generator.size, scale), 1, "one photo")
    if outputs.walk is not None:
        frames = walk_frames(config, video=is_video(outputs.walk))
        check_room(*grid_shape(1, generator.size, scale), frames, "a smaller --frames")
    record = run.read_config()
    whole = record is not None and record.data.name in (FULL_BODY, FULL_BODY_KEPT)
    return LikePlan(
        run=run, generator=generator, photos=paths, whole=whole, outputs=outputs, config=config
    )


def find_likeness(
    name: AnyPath,
    photos: Sequence[AnyPath],
    cutter: FaceCutter,
    config: SampleConfig | None = None,
    outputs: Outputs | None = None,
    *,
    runs: AnyPath = "runs",
    judge: Extractor | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> LikeResult:
    """Find the cat that a run draws which is nearest to a photo; of two, also walk between them.

    Args:
        name: A run's name under `runs`, or the path of its folder.
        photos: One or two files.
        cutter: Cuts faces out of photos; not asked where the run was trained on whole photos.
        config: Settings.
        outputs: `grid` for the faces beside their cats, `walk` for the walk; nothing named: the one
            or the other, in the folder `drawn` of the run.
        runs: The folder of runs.
        judge: Measures how near they came; by default a second pretrained network.
        progress: Told the share that is done, and a few words.

    Raises:
        UnknownRun, CheckpointRefused: See `sample_run`.
        UnreadablePhoto: A photo cannot be read, or has no face that is large enough.
        BadUsage: There are other outputs, or more photos.
        FileRefused: A file of somebody else's is in the way.
        MissingPackage: A network or an encoder is missing.
        DiskFull: There is no room.
    """
    say = progress or (lambda share, words: None)
    plan = plan_likeness(name, photos, config, outputs, runs=runs)
    size, network = plan.generator.size, plan.generator.network
    say(0.0, "looking for the face")
    faces = [_whole(path, size) if plan.whole else cutter.cut(path, size) for path in plan.photos]
    likeness = Likeness(network, judge or open_second(), seed=plan.config.seed)
    matches = []
    for number, (path, face) in enumerate(zip(plan.photos, faces, strict=True)):

        def tell(share: float, number: int = number, words: str = path.name) -> None:
            say((number + share) / len(faces), f"searching for {words}")

        matches.append(likeness.find(face, path.name, tell))
    scale = plan.config.scale or auto_scale(size)
    note = f"epoch {plan.generator.epoch}, nearest to a photo"
    where = plan.outputs
    if where.grid is not None:
        write_bytes(where.grid, stamped_png(pair_sheet(matches, scale), note))
    walk = None
    if where.walk is not None:
        say(1.0, "drawing the walk")
        video = is_video(where.walk)
        fps, frames = walk_fps(plan.config, video=video), walk_frames(plan.config, video=video)
        latents = there_and_back(matches[0].latent, matches[1].latent, frames)
        walk = write_film(film_of(network, latents[:, None], fps, scale), where.walk, fps, note)
    return LikeResult(plan=plan, matches=tuple(matches), pairs=where.grid, walk=walk)


def there_and_back(start: Tensor, end: Tensor, frames: int) -> Tensor:
    """A walk from one latent to another and back, slow at both; the last frame leads to the first.

    Args:
        start: (latent_dim,).
        end: (latent_dim,).
        frames: Points of the walk, from 2.

    Returns:
        (frames, latent_dim) float32.
    """
    shares = [(1 - math.cos(2 * math.pi * frame / frames)) / 2 for frame in range(frames)]
    return torch.cat([slerp(start[None], end[None], share) for share in shares])


def pair_sheet(matches: Sequence[Match], scale: int) -> Picture:
    """A row for each photo: its face on the left, the cat on the right."""
    tiles = [enlarge(one, scale) for match in matches for one in (match.face, match.cat)]
    return sheet(np.stack(tiles), columns=2, gap=gap_of(scale), ground=GROUND)


def _whole(path: Path, size: int) -> Picture:
    try:
        photo = read_photo(read_file(path))
    except (OSError, UnreadablePhoto) as error:
        raise UnreadablePhoto(f"{path} cannot be read ({error}); name another photo.") from error
    return resize_shorter_side(photo.pixels, size)


def _plain(stem: str) -> str:
    """A photo's name as part of another file's."""
    return re.sub(r"[^A-Za-z0-9_.]+", "_", stem)[:MOST_NAME].strip("_.") or "photo"
