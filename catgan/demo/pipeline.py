"""`demo` from end to end: an album drawn into a folder, with the truth about it."""

import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from catgan.core.config import differences, to_json
from catgan.core.errors import CatganError, FileRefused, FolderRefused, SettingsDiffer
from catgan.core.executors import ChunkMap
from catgan.core.files import (
    Json,
    append_jsonl,
    drop_torn_line,
    locked,
    read_jsonl,
    sweep_partials,
    write_jsonl,
    write_picture,
)
from catgan.demo.album import faces_needed, kinds_of, name_of, plan_shots
from catgan.demo.config import DemoConfig
from catgan.demo.face import draw_faces
from catgan.demo.photo import Shot, Taken, take
from catgan.demo.truth import FORMAT, KIND, NAME, Truth, read_truth
from catgan.measure.features import EfficientNetLite0, Extractor
from catgan.model.base import base_digest, load_base_generator, load_base_seen
from catgan.model.networks import Generator

CHUNK = 8  # photos handed over at a time
PASSED_OVER = frozenset({"README.md"})  # beside the photos of an album that may be drawn


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DemoProgress:
    """Where a run stands."""

    done: int
    """Photos that are there."""
    total: int
    """Photos of the album."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlan:
    """What a run would have to do."""

    raw: Path
    """The folder."""
    photos: int
    """Photos of the album."""
    missing: tuple[str, ...]
    """Those that are not there yet, in order."""
    kinds: dict[str, int]
    """What the photos are -> how many."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What a finished run leaves."""

    raw: Path
    """The folder."""
    truth: Path
    """What is on each photo."""
    photos: int
    """Photos of the album."""
    fresh: int
    """Those that this run drew."""
    kinds: dict[str, int]
    """What the photos are -> how many."""


def draw_album(
    raw: Path,
    config: DemoConfig | None = None,
    *,
    generator: Generator | None = None,
    judge: Extractor | None = None,
    progress: Callable[[DemoProgress], None] | None = None,
) -> DemoResult:
    """Draw an album of one cat: photos, and in `demo.jsonl` what is on each of them.

    The same settings draw the same photos, byte for byte on the same machine, however often the run
    was stopped and whatever number of processes it has. Nothing that is there is written over.

    Args:
        raw: New, empty but for a README.md, or with an album of the same settings.
        config: Settings.
        generator: Draws the faces; the base model where None.
        judge: Says how much a face is a cat's; the net that comes with catgan where None.
        progress: Called after every few photos.

    Raises:
        FolderRefused: `raw` holds something else, or cannot be made.
        FileRefused: A file of somebody else's has the name of a photo that is missing.
        SettingsDiffer: `raw` holds an album of other settings.
        MissingPackage: The base model or the judge's net is missing or broken.
        DiskFull: There is no room; the same call carries on later.
    """
    config = config or DemoConfig()
    plan = plan_album(raw, config)
    if plan.missing:
        try:
            raw.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FolderRefused(
                f"{raw} cannot be made ({error.strerror}); name another folder."
            ) from error
        with locked(raw):
            _check_model(raw, generator)
            sweep_partials(raw)
            _draw(raw, config, plan, generator, judge, progress)
    return DemoResult(
        raw=raw,
        truth=raw / NAME,
        photos=plan.photos,
        fresh=len(plan.missing),
        kinds=plan.kinds,
    )


def plan_album(raw: Path, config: DemoConfig | None = None) -> DemoPlan:
    """What `draw_album` would have to do with the same arguments; nothing is written.

    Raises:
        FolderRefused: `raw` holds something else than an album of `demo`.
        FileRefused: A file of somebody else's has the name of a photo that is missing.
        SettingsDiffer: It holds one of other settings.
    """
    config = config or DemoConfig()
    kinds = kinds_of(config)
    known = _known(raw, config)
    names = [name_of(number) for number in range(1, config.photos + 1)]
    missing = tuple(name for name in names if name not in known)
    strange = next((raw / name for name in missing if (raw / name).exists()), None)
    if strange is not None:
        raise FileRefused(
            f"{strange} is there already and was not drawn by catgan demo; move it away."
        )
    return DemoPlan(
        raw=raw,
        photos=config.photos,
        missing=missing,
        kinds=dict(Counter(kinds).most_common()),
    )


def _known(raw: Path, config: DemoConfig) -> dict[str, Truth]:
    """The photos of this album that are there, by name.

    Raises:
        FolderRefused, SettingsDiffer: See `plan_album`.
    """
    if not raw.exists():
        return {}
    if not raw.is_dir():
        raise FolderRefused(f"{raw} is a file, not a folder; name a folder for the album.")
    then = _settings(raw)
    if then is None:
        others = sorted(
            entry.name
            for entry in os.scandir(raw)
            if entry.name not in PASSED_OVER and not entry.name.startswith(".")
        )
        if others:
            raise FolderRefused(
                f"{raw} holds files that catgan demo did not draw ({others[0]}); "
                "name another folder, where there is nothing yet."
            )
        return {}
    changed = differences(then, _recorded(config))
    if changed:
        raise SettingsDiffer(
            f"{raw} holds an album of other settings ({changed[0]}); "
            "name another folder, or take those settings."
        )
    return {truth.file: truth for truth in read_truth(raw) if (raw / truth.file).is_file()}


def _settings(raw: Path) -> Json | None:
    """The settings of the album in a folder; None where there is none."""
    header = next(read_jsonl(raw / NAME), None)
    if header is None or header.get("kind") != KIND:
        return None
    return header.get("settings") if header.get("format") == FORMAT else {"format": "another"}


def _recorded(config: DemoConfig) -> Json:
    """The settings that change what is drawn."""
    return {name: value for name, value in to_json(config).items() if name != "workers"}


def _check_model(raw: Path, generator: Generator | None) -> None:
    """An album half drawn by another base model would be of two cats."""
    header = next(read_jsonl(raw / NAME), None)
    if header is not None and header["model"] != _model(generator):
        raise SettingsDiffer(
            f"{raw} holds a part of an album that another version of catgan drew; "
            "name another folder, or take that one away."
        )


def _model(generator: Generator | None) -> str:
    return base_digest() if generator is None else "the caller's own"


def _draw(
    raw: Path,
    config: DemoConfig,
    plan: DemoPlan,
    generator: Generator | None,
    judge: Extractor | None,
    progress: Callable[[DemoProgress], None] | None,
) -> None:
    done = plan.photos - len(plan.missing)

    def report() -> None:
        if progress is not None:
            progress(DemoProgress(done=done, total=plan.photos))

    report()
    faces = draw_faces(
        generator or load_base_generator(),
        judge or EfficientNetLite0(),
        count=faces_needed(config),
        seed=config.seed,
        seen=load_base_seen() if generator is None else None,
    )
    header = {
        "kind": KIND,
        "format": FORMAT,
        "settings": _recorded(config),
        "model": _model(generator),
        "anchors": list(faces.anchors),
        "refused": faces.refused,
    }
    truth_file = raw / NAME
    if not truth_file.exists():
        write_jsonl(truth_file, [header])
    drop_torn_line(truth_file)
    missing = frozenset(plan.missing)
    shots = [shot for shot in plan_shots(config, faces) if shot.file in missing]
    workers = 1 if len(shots) < 2 * CHUNK else config.workers  # two seconds to start a process
    drawn = ChunkMap[Shot, Taken](
        take_all, lost=_lost, initializer=_start, workers=workers, chunk=CHUNK
    )
    for chunk in drawn.run(shots):
        # the truth first: a photo without it would be somebody else's
        append_jsonl(truth_file, [taken.truth.to_json() for taken in chunk])
        for taken in chunk:
            write_picture(raw / taken.truth.file, taken.data)
        done += len(chunk)
        report()
    # in order, and each photo once, however often the run was stopped
    known = {truth.file: truth for truth in read_truth(raw)}
    write_jsonl(truth_file, [header, *(known[name].to_json() for name in sorted(known))])


def take_all(shots: Sequence[Shot]) -> list[Taken]:
    """Take photos, in order."""
    return [take(shot) for shot in shots]


def _start() -> None:
    """Nothing to set up in a process that draws."""


def _lost(shot: Shot) -> Taken:
    raise CatganError(
        f"Drawing {shot.file} ended the program, perhaps for want of memory; "
        "run the same line again with --workers 1."
    )
