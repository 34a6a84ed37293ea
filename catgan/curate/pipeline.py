"""`curate` from end to end: a folder of photos to data sets on disk."""

import dataclasses
import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing, contextmanager
from functools import partial
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path, PurePosixPath

from catgan.core.errors import BadUsage, NoPictures, UnreadablePhoto
from catgan.core.executors import ChunkMap
from catgan.core.files import AnyPath, Json, locked, make_folder, read_there
from catgan.core.kinds import READ
from catgan.core.pages import for_notebook
from catgan.core.settings import Change, to_json
from catgan.core.words import count
from catgan.curate import worker
from catgan.curate.byhand import cut_by_hand
from catgan.curate.clip import can_read_clips
from catgan.curate.config import HOW, CurateConfig
from catgan.curate.decisions import (
    DecisionCounts,
    count_decisions,
    decide,
    lacks_usual,
    standings,
)
from catgan.curate.detector import Detector, make_recipe_detector
from catgan.curate.find import Found, PhotoFile, Unlisted, check_raw, find_photos
from catgan.curate.finding import Drawn, Finding
from catgan.curate.folder import CuratedFolder, counts, sizes
from catgan.curate.judge import first_verdict, judge
from catgan.curate.recipe import Recipe, load_recipe
from catgan.curate.sheets import contact_sheets
from catgan.curate.unused import Unused, reasons, sentences
from catgan.formats.decisions import Decision, merge_decisions, read_decisions

LEAST_SECONDS = 2.0  # after the first photos, before the time that is left is guessed
CLIP_TIMES = 20  # times as long as a photo a video may take


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CurateProgress:
    """Where a run stands."""

    done: int
    """Photos dealt with, those of earlier runs included."""
    total: int
    """Photos in the folder."""
    fresh: int
    """Photos looked at by this run."""
    counts: dict[str, int]
    """Verdicts so far, on each photo by itself; screens and copies are told only at the end."""
    frames: int
    """Frames of videos looked at by this run."""
    seconds_left: float | None
    """Until all photos are looked at, at the speed so far; None before the first."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CuratePlan:
    """What a run would have to do."""

    photos: int
    """Photos in the raw folder."""
    fresh: int
    """Photos that would be looked at for the first time; the others are known."""
    dropped: tuple[str, ...]
    """Data sets of an earlier run that would be taken away, as these settings have them not."""
    unlisted: tuple[Unlisted, ...]
    """Folders that could not be looked into."""
    unused: Mapping[Unused, int]
    """What is passed over, and how much of it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CurateResult:
    """What a finished run leaves."""

    curated: Path
    """The folder."""
    photos: int
    """Photos and videos in the raw folder."""
    frames: int
    """Frames of videos that are used; each has a verdict of its own, as a photo has."""
    fresh: int
    """Photos that this run looked at for the first time. Those known to be unreadable it looked at
    again; all others were known."""
    gone: int
    """Photos of an earlier run that the raw folder no longer has; their pictures went too."""
    counts: dict[str, int]
    """Verdict -> photos."""
    data_sets: dict[str, int]
    """Data set -> pictures."""
    sheets: dict[str, Path]
    """Data set -> its contact sheet."""
    changed: tuple[Change, ...]
    """Settings that differ from the run before; all was looked at again, but for those that judge
    or sort what was found (the screens, `ablation`)."""
    dropped: tuple[str, ...]
    """Data sets of an earlier run that were taken away, as these settings have them not."""
    unlisted: tuple[Unlisted, ...]
    """Folders that could not be looked into; what is known of their photos still holds."""
    unused: Mapping[Unused, int]
    """What was passed over, and how much of it."""
    unreadable: Mapping[str, int]
    """Why photos could not be read -> how many of them."""
    decisions: DecisionCounts = dataclasses.field(default_factory=DecisionCounts)
    """What a person decided in `catgan review`, and holds."""

    def __repr__(self) -> str:
        """One line."""
        made = ", ".join(f"{name} {images:,}" for name, images in self.data_sets.items())
        return f"CurateResult({self.curated}: {count(self.photos, 'photo')}; {made})"

    def _repr_html_(self) -> str:
        """For a notebook: the contact sheets as well."""
        sheets = [
            (name, "jpeg", data)
            for name, path in self.sheets.items()
            if (data := read_there(path)) is not None
        ]
        return for_notebook(repr(self), sheets)


def curate_photos(
    raw: AnyPath,
    curated: AnyPath,
    config: CurateConfig | None = None,
    *,
    decisions: AnyPath | None = None,
    make_detector: Callable[[], Detector] | None = None,
    progress: Callable[[CurateProgress], None] | None = None,
) -> CurateResult:
    """Turn a folder of photos into the data sets `full-body` and `face-crop`.

    With `ablation` there is one between them, `full-body-kept`: the photos of `face-crop` as they
    are in `full-body`, so that what the filter brings can be told from what the crop brings.

    What ends up in `curated` depends on the photos, the settings and the decisions of a person
    alone, not on how often the run was stopped and started, how many processes it had, or what was
    there before.

    Args:
        raw: Photos, at any depth; never written to.
        curated: New, empty, or made by an earlier call.
        config: Settings.
        decisions: A file of decisions that `catgan review` wrote elsewhere; those that `curated`
            does not have yet are added to its own, `decisions.jsonl`, and hold from then on.
        make_detector: Makes the face finder of each process, instead of the recipe that the
            settings name; must be picklable unless `workers` is 1, which then works in this process
            and has no limit of time for a photo.
        progress: Called after every few photos, and every second while videos are looked at, then
            from another thread.

    Raises:
        NoSuchFolder: `raw` is missing or is no folder.
        FolderRefused: `curated` is not catgan's, nor is a folder in it that is to be written to, or
            one folder lies inside the other.
        BadRecord: The `catgan.json` in `curated` is damaged, or a file of decisions is.
        BadUsage: There is no such file of decisions.
        BadRecipe: The recipe is missing or is none.
        NoPictures: `raw` holds no photo, and nothing is written; or none that can be read, which is
            on record.
        DiskFull: There is no room; the same call carries on later.
    """
    raw, curated = Path(raw), Path(curated)
    config = config or CurateConfig()
    if make_detector is not None and config.workers == 1:
        config = dataclasses.replace(config, photo_seconds=0)
    others = _other_decisions(decisions)
    folder, make_detector = _open(raw, curated, config, make_detector)
    there = _find(raw, config)
    photos = [*there.photos, *there.clips]
    _check_any(raw, there, folder)
    make_folder(curated)
    with locked(curated):
        if others:
            merge_decisions(folder.decisions, others)
        decided = read_decisions(folder.decisions)
        dropped = folder.dropped()
        changed = folder.prepare()
        known = folder.known()
        found = still_known(photos, known, folder, there=there)
        new_photos = _not_in(photos, found)
        # what was cut by hand and is no longer wanted: what was found has to be cut again
        standing = standings((found[name] for name in sorted(found)), decided)
        listed = {photo.name for photo in photos}
        found = _without_clips_of(
            [
                path
                for path, finding in found.items()
                if (finding.clip or path) in listed
                and lacks_usual(finding, standing.get(path), config)
            ],
            found,
        )
        # Why a photo could not be read may be gone by now: a package is there, or more memory.
        found = {
            path: finding
            for path, finding in found.items()
            if finding.readable or (finding.clip or path) not in listed
        }
        fresh = _not_in(photos, found)
        total = len({finding.clip or path for path, finding in found.items()}) + len(fresh)
        left = len(fresh)
        tally = Counter(_first_verdict(finding) for finding in found.values())
        pace = _Pace()
        # what is shared costs a process beside this one, so only where it is wanted
        frames = multiprocessing.get_context("spawn").Value("L", 0) if there.clips else None

        def report() -> None:
            if progress is None:
                return
            new = len(fresh) - left
            progress(
                CurateProgress(
                    done=total - left,
                    total=total,
                    fresh=new,
                    counts=dict(tally),
                    frames=0 if frames is None else frames.value,
                    seconds_left=pace.seconds_left(new, left),
                )
            )

        report()
        with (
            _every_second(report if there.clips else None),
            closing(_looked_at(fresh, make_detector, config, folder, frames)) as looked_at,
        ):
            for number, chunk in looked_at:
                left -= number
                folder.add(chunk)
                found |= {finding.path: finding for finding in chunk}
                tally.update(map(_first_verdict, chunk))
                report()
        findings = [found[name] for name in sorted(found)]
        standing = standings(findings, decided)
        findings = cut_by_hand(findings, standing, photos, folder, config)
        judged = decide(judge(findings, config), standing, config)
        folder.settle(findings, judged)
        sheets = contact_sheets(folder, judged)
        folder.finish(judged)
    unreadable = Counter(finding.why_not for finding in findings if not finding.readable)
    if unreadable.total() == len(findings):
        raise NoPictures(_none_readable(raw, unreadable, there))
    return CurateResult(
        curated=curated,
        photos=len({finding.clip or finding.path for finding in findings}),
        frames=sum(bool(finding.clip) for finding in findings),
        fresh=len(new_photos),
        gone=_gone(known, findings),
        counts=counts(judged),
        data_sets=sizes(judged, folder.names),
        sheets=sheets,
        changed=tuple(changed),
        dropped=dropped,
        unlisted=there.unlisted,
        unused=there.unused,
        unreadable=dict(unreadable),
        decisions=count_decisions(findings, decided, standing, config),
    )


def _other_decisions(path: AnyPath | None) -> list[Decision]:
    """The decisions of a file that a person names."""
    if path is None:
        return []
    if not Path(path).is_file():
        raise BadUsage(f"There is no file {path}; name the decisions.jsonl that review saved.")
    return read_decisions(Path(path))


def plan_curation(raw: AnyPath, curated: AnyPath, config: CurateConfig | None = None) -> CuratePlan:
    """What `curate_photos` would have to do with the same arguments; nothing is written.

    Raises:
        What `curate_photos` does, but for `DiskFull`.
    """
    raw, curated = Path(raw), Path(curated)
    folder, _ = _open(raw, curated, config or CurateConfig())
    there = _find(raw, config or CurateConfig())
    _check_any(raw, there, folder)
    photos = [*there.photos, *there.clips]
    found = still_known(photos, folder.known(), folder, there=there)
    done = {finding.clip or path for path, finding in found.items()}
    fresh = len(_not_in(photos, found))
    return CuratePlan(
        photos=len(done) + fresh,
        fresh=fresh,
        dropped=folder.dropped(),
        unlisted=there.unlisted,
        unused=there.unused,
    )


def _without_clips_of(paths: Collection[str], found: Mapping[str, Finding]) -> dict[str, Finding]:
    """The findings but for those of some photos; of videos without all of their frames."""
    files = {found[path].clip or path for path in paths}
    return {path: one for path, one in found.items() if (one.clip or path) not in files}


def _not_in(photos: Sequence[PhotoFile], found: Mapping[str, Finding]) -> list[PhotoFile]:
    """The photos and videos that nothing is known of."""
    done = {finding.clip or path for path, finding in found.items()}
    return [photo for photo in photos if photo.name not in done]


def _open(
    raw: Path,
    curated: Path,
    config: CurateConfig,
    make_detector: Callable[[], Detector] | None = None,
) -> tuple[CuratedFolder, Callable[[], Detector]]:
    """The folder to be written to, checked, and what makes the face finder; nothing is changed."""
    check_raw(raw)
    recipe = None
    if make_detector is None:
        recipe = load_recipe(config.cascade, config.strictness)
        make_detector = partial(make_recipe_detector, recipe)
    folder = CuratedFolder(root=curated, raw=raw, settings=recorded_settings(config, recipe))
    folder.check()
    return folder, make_detector


def recorded_settings(config: CurateConfig, recipe: Recipe | None) -> Json:
    """The settings that change what is written, as `catgan.json` has them.

    Args:
        config: All settings.
        recipe: The one that they name; None where the caller brings a detector.
    """
    record = {name: value for name, value in to_json(config).items() if name not in HOW}
    if recipe is None:
        return record | {"cascade": "the caller's own"}
    return record | {"cascade": recipe.name, "cascade_digest": recipe.digest()}


def _find(raw: Path, config: CurateConfig) -> Found:
    """What is in the folder; videos, where they are wanted and can be read."""
    found = find_photos(raw, clips=config.clip_frames > 0 and can_read_clips())
    # frames that are not wanted go; those that only cannot be read just now stay
    return found if config.clip_frames > 0 else dataclasses.replace(found, unseen=frozenset())


def _check_any(raw: Path, there: Found, folder: CuratedFolder) -> None:
    """Refuse a folder without photos, naming what else is in it."""
    if there.photos or there.clips:
        return
    if there.unlisted and any(_inside(path, there.unlisted) for path in folder.known()):
        return
    told = [f"{raw / one.name}/ could not be listed ({one.why})." for one in there.unlisted]
    raise NoPictures(
        " ".join(
            [
                f"There are no photos in {raw}, nor in the folders inside it; "
                f"put some there ({READ}).",
                *told,
                *sentences(there.unused),
            ]
        )
    )


def _none_readable(raw: Path, unreadable: Mapping[str, int], there: Found) -> str:
    number = sum(unreadable.values())
    what = f"None of the {number:,} files in {raw} could be read: {reasons(unreadable)}."
    if number == 1:
        what = f"The only file in {raw} could not be read: {next(iter(unreadable))}."
    return " ".join(
        [
            f"{what} Put photos there that can ({READ}).",
            *sentences(there.unused),
        ]
    )


def _inside(path: str, unlisted: Collection[Unlisted]) -> bool:
    return any(path.startswith(folder.name) for folder in unlisted)


def still_known(
    photos: Sequence[PhotoFile],
    known: Mapping[str, Finding],
    folder: CuratedFolder,
    *,
    there: Found | None = None,
) -> dict[str, Finding]:
    """The findings that still hold: of files that have not changed, whose pictures are all there.

    A file of another path, size, time or probe is opened once to see whether its contents are
    known; so a renamed folder costs a read, not a search. What cannot be looked at just now counts
    as unchanged: a drive that is away takes nothing along. All other photos are to be looked at.

    Args:
        photos: The photos there are.
        known: What earlier runs found, by path.
        folder: Has the pictures.
        there: What was found, and where nothing could be looked at just now.

    Returns:
        Findings of some of the photos, and of those in the folders not listed, by path.
    """
    drawn = folder.selection.drawn()
    by_content = {(f.sha256, f.file()): f for f in known.values() if f.sha256}
    found = {
        path: finding
        for path, finding in known.items()
        if there is not None
        and (_inside(path, there.unlisted) or (finding.clip or path) in there.unseen)
        and finding.sha256
        and finding.drawn() <= drawn
    }
    frames: dict[str, list[Finding]] = {}
    for one in known.values():
        frames.setdefault(one.clip or one.path, []).append(one)
    for photo in photos:
        if photo.is_clip:
            found |= _frames_known(photo, frames, drawn)
            continue
        finding = known.get(photo.name)
        if finding is None or _has_changed(photo, finding):
            finding = _same_content(photo, by_content)
        if finding is not None and finding.sha256 and finding.drawn() <= drawn:
            found[photo.name] = finding
    return found


def _frames_known(
    clip: PhotoFile,
    known: Mapping[str, Sequence[Finding]],
    drawn: AbstractSet[Drawn],
) -> dict[str, Finding]:
    """The findings of a video's frames, if all of them are known and none has changed.

    Args:
        clip: The video.
        known: The findings of each video's frames, by its path.
        drawn: The pictures there are.
    """
    findings = known.get(clip.name, ())
    if not findings or _has_changed(clip, findings[0]):
        findings = _same_frames(clip, known)
    whole = (
        bool(findings)
        and len(findings) == max(1, findings[0].frames)
        and all(one.sha256 and one.drawn() <= drawn for one in findings)
    )
    return {one.path: one for one in findings} if whole else {}


def _same_frames(clip: PhotoFile, known: Mapping[str, Sequence[Finding]]) -> list[Finding]:
    """What is known of the same contents under the same name, in whatever folder."""
    name = PurePosixPath(clip.name).name
    alike = [one for path, one in known.items() if PurePosixPath(path).name == name and one]
    if not alike:
        return []
    try:
        digest, probe = clip.digest(), clip.probe()
    except UnreadablePhoto:
        return []
    for findings in alike:
        if findings[0].sha256 == digest:
            return [
                dataclasses.replace(
                    one,
                    path=clip.name + one.path.removeprefix(one.clip or one.path),
                    clip=clip.name if one.clip else "",
                    bytes=clip.bytes,
                    modified=clip.modified,
                    probe=probe,
                )
                for one in findings
            ]
    return []


def _has_changed(photo: PhotoFile, finding: Finding) -> bool:
    if not photo.seen:
        return False
    if (finding.bytes, finding.modified) != (photo.bytes, photo.modified):
        return True
    try:
        return finding.probe != photo.probe()
    except UnreadablePhoto:
        return False


def _same_content(
    photo: PhotoFile, by_content: Mapping[tuple[str, str], Finding]
) -> Finding | None:
    """What is known of the same contents under the same name, in whatever folder."""
    if not by_content:
        return None
    try:
        digest, probe = photo.digest(), photo.probe()
    except UnreadablePhoto:
        return None
    # Under another name its pictures are to be called after that.
    own = Finding(path=photo.name, sha256=digest, bytes=photo.bytes, modified=photo.modified)
    finding = by_content.get((digest, own.file()))
    if finding is None:
        return None
    return dataclasses.replace(
        finding, path=photo.name, bytes=photo.bytes, modified=photo.modified, probe=probe
    )


def _gone(known: Mapping[str, Finding], findings: Sequence[Finding]) -> int:
    """How many photos of earlier runs are no longer there, under whatever name."""
    paths = {finding.clip or finding.path for finding in findings}
    contents = {finding.sha256 for finding in findings}
    gone = {
        finding.clip or path for path, finding in known.items() if finding.sha256 not in contents
    }
    return len(gone - paths)


def _looked_at(
    photos: Sequence[PhotoFile],
    make_detector: Callable[[], Detector],
    config: CurateConfig,
    folder: CuratedFolder,
    frames: "Synchronized[int] | None",
) -> Generator[tuple[int, list[Finding]], None, None]:
    """How many files were looked at, and what was found: photos first, since videos take longer."""
    try:
        arguments = (make_detector, config, folder.selection)
        stills = [photo for photo in photos if not photo.is_clip]
        if stills:
            chunks = ChunkMap[PhotoFile, Finding](
                worker.look,
                lost=worker.lost,
                initializer=worker.start,
                arguments=arguments,
                workers=config.workers,
                seconds=config.photo_seconds,
                slow=partial(worker.slow, config.photo_seconds),
            )
            for chunk in chunks.run(stills):
                yield len(chunk), chunk
        clips = [photo for photo in photos if photo.is_clip]
        if clips:
            seconds = CLIP_TIMES * config.photo_seconds
            films = ChunkMap[PhotoFile, list[Finding]](
                worker.watch,
                lost=worker.lost_clip,
                initializer=worker.start,
                arguments=(*arguments, frames),
                workers=config.workers,
                chunk=1,
                seconds=seconds,
                slow=partial(worker.slow_clip, seconds),
            )
            for results in films.run(clips):
                for found in results:
                    yield 1, found
    finally:
        worker.end()  # with one worker it is this process


class _Pace:
    """How long the rest takes, once there is something to tell it by.

    Processes take seconds to start, and their first photos come all at once: time is counted from
    then on.
    """

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._first: tuple[float, int] | None = None

    def seconds_left(self, new: int, left: int) -> float | None:
        """Seconds for what is left; None where that would be a guess in the dark.

        Args:
            new: Photos looked at by now.
            left: Photos to look at.
        """
        if not left:
            return 0.0
        now = time.monotonic()
        if self._first is None:
            self._first = (now, new) if new else None
            return None
        began, before = self._first
        if new - before < max(4, (new + left) // 50) or now - began < LEAST_SECONDS:
            return None
        return (now - began) / (new - before) * left


@contextmanager
def _every_second(report: Callable[[], None] | None) -> Iterator[None]:
    """Report while the block runs, which may wait for a video for minutes."""
    if report is None:
        yield
        return
    done = threading.Event()

    def tick() -> None:
        while not done.wait(1.0):
            report()

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()


def _first_verdict(finding: Finding) -> str:
    return str(first_verdict(finding)[0])
