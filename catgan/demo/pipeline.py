"""`demo` from end to end: an album drawn into a folder, with the truth about it."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from catgan.core.errors import CatganError, FolderRefused, SettingsDiffer
from catgan.core.executors import ChunkMap
from catgan.core.files import (
    AnyPath,
    Json,
    check_place,
    drop_torn_line,
    locked,
    make_folder,
    write_picture,
)
from catgan.core.settings import changes, to_json
from catgan.core.systems import LITTER
from catgan.core.words import count
from catgan.demo.album import faces_needed, kinds_of, name_of, plan_shots
from catgan.demo.config import DemoConfig
from catgan.demo.face import draw_faces
from catgan.demo.photo import Shot, Taken, take
from catgan.demo.truth import (
    BROKEN,
    FORMAT,
    NAME,
    Header,
    Truth,
    append_truth,
    read_header,
    read_truth,
    write_truth,
)
from catgan.measure.extractors.base import Extractor
from catgan.measure.extractors.efficientnet import EfficientNetLite0
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

    def __repr__(self) -> str:
        """One line."""
        return f"DemoResult({self.raw}: {count(self.photos, 'photo')}, {self.fresh:,} of them new)"


def draw_album(
    raw: AnyPath,
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
        BadUsage: `raw` may not be written to.
        FolderRefused: `raw` holds something else, or cannot be made.
        SettingsDiffer: `raw` holds an album of other settings.
        MissingPackage: The base model or the judge's net is missing or broken.
        DiskFull: There is no room; the same call carries on later.
    """
    raw, config = Path(raw), config or DemoConfig()
    plan = plan_album(raw, config)
    if plan.missing:
        make_folder(raw)
        with locked(raw):
            plan = plan_album(raw, config)  # another catgan may have been at work in it until now
            if plan.missing:
                _check_model(raw, generator)
                _draw(raw, config, plan, generator, judge, progress)
    return DemoResult(
        raw=raw,
        truth=raw / NAME,
        photos=plan.photos,
        fresh=len(plan.missing),
        kinds=plan.kinds,
    )


def plan_album(raw: AnyPath, config: DemoConfig | None = None) -> DemoPlan:
    """What `draw_album` would have to do with the same arguments; nothing is written.

    Raises:
        BadUsage: There is something to draw, and `raw` may not be written to.
        FolderRefused: There is, and `raw` holds files of somebody else's; or it is a file.
        BadRecord: It holds a damaged album.
        SettingsDiffer: It holds one of other settings.
    """
    raw, config = Path(raw), config or DemoConfig()
    kinds = kinds_of(config)
    known = _known(raw, config)
    names = [name_of(number) for number in range(1, config.photos + 1)]
    missing = tuple(name for name in names if not (known and _is_there(raw, known.get(name))))
    if missing:
        _check_others(raw, PASSED_OVER if known is None else {*PASSED_OVER, NAME, *known})
        check_place(raw / NAME)
    return DemoPlan(
        raw=raw,
        photos=config.photos,
        missing=missing,
        kinds=dict(Counter(kinds).most_common()),
    )


def _known(raw: Path, config: DemoConfig) -> dict[str, Truth] | None:
    """The photos of this album that are on record, by name; None where no album was begun.

    Raises:
        FolderRefused, SettingsDiffer, BadRecord: See `plan_album`.
    """
    if not raw.exists():
        return None
    if not raw.is_dir():
        raise FolderRefused(f"{raw} is a file, not a folder; name a folder for the album.")
    header = read_header(raw)
    if header is None:
        return None
    then = header.settings if header.format == FORMAT else {"format": "another"}
    changed = changes(then, _recorded(config))
    if changed:
        raise SettingsDiffer(
            f"{raw} holds an album of other settings ({changed[0]}); "
            "name another folder, or use those settings."
        )
    return {truth.file: truth for truth in read_truth(raw)}


def _is_there(raw: Path, truth: Truth | None) -> bool:
    """Whether a photo lies in its place, whole: a power cut leaves empty files."""
    if truth is None:
        return False
    try:
        size = (raw / truth.file).stat().st_size
    except FileNotFoundError:
        return False
    return size > 0 or truth.kind == BROKEN


def _check_others(raw: Path, ours: Collection[str]) -> None:
    """That nothing lies in a folder but what is ours, and hidden files."""
    found = sorted(entry.name for entry in raw.iterdir()) if raw.exists() else []
    others = [name for name in found if name not in {*ours, *LITTER} and not name.startswith(".")]
    if others:
        raise FolderRefused(
            f"{raw} holds files that catgan demo did not draw ({others[0]}); "
            "move them away, or name a folder where there is nothing yet."
        )


def _recorded(config: DemoConfig) -> Json:
    """The settings that change what is drawn."""
    return {name: value for name, value in to_json(config).items() if name != "workers"}


def _check_model(raw: Path, generator: Generator | None) -> None:
    """An album half drawn by another base model would be of two cats."""
    header = read_header(raw)
    if header is not None and header.model != _model(generator):
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
    header = Header(
        settings=_recorded(config),
        model=_model(generator),
        anchors=faces.anchors,
        refused=faces.refused,
    )
    if not (raw / NAME).exists():
        write_truth(raw, header, [])
    drop_torn_line(raw / NAME)
    missing = frozenset(plan.missing)
    shots = [shot for shot in plan_shots(config, faces) if shot.file in missing]
    workers = 1 if len(shots) < 2 * CHUNK else config.workers  # two seconds to start a process
    drawn = ChunkMap[Shot, Taken](
        take_all, lost=_lost, initializer=_start, workers=workers, chunk=CHUNK
    )
    for chunk in drawn.run(shots):
        # the truth first: a photo without it would be somebody else's
        append_truth(raw, [taken.truth for taken in chunk])
        for taken in chunk:
            write_picture(raw / taken.truth.file, taken.data)
        done += len(chunk)
        report()
    # in order, and each photo once, however often the run was stopped
    known = {truth.file: truth for truth in read_truth(raw)}
    write_truth(raw, header, [known[name] for name in sorted(known)])


def take_all(shots: Sequence[Shot]) -> list[Taken]:
    """Take photos, in order."""
    return [take(shot) for shot in shots]


def _start() -> None:
    """Nothing to set up in a process that draws."""


def _lost(shot: Shot) -> Taken:
    raise CatganError(
        f"Drawing {shot.file} ended the program, perhaps for want of memory; "
        "rerun the same command with --workers 1."
    )
