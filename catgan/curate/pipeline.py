"""`curate` from end to end: a folder of photos to data sets on disk."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import cache, partial
from pathlib import Path, PurePosixPath

from catgan.core.cluster import Cluster, connected
from catgan.core.errors import BadUsage, NoPictures, UnreadablePhoto
from catgan.core.executors import in_chunks
from catgan.core.files import AnyPath, Json, locked, make_folder, read_there
from catgan.core.kinds import READ
from catgan.core.pages import for_notebook
from catgan.core.remote import Remote, place_of
from catgan.core.settings import Change, to_json
from catgan.core.words import count
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
from catgan.curate.folder import CuratedFolder, counts, curated_path, sizes
from catgan.curate.judge import first_verdict, judge
from catgan.curate.looking import CurateProgress as CurateProgress
from catgan.curate.looking import Looker
from catgan.curate.recipe import Recipe, load_recipe
from catgan.curate.shards import Parts, Shard, still_unreadable
from catgan.curate.sheets import contact_sheets
from catgan.curate.unused import Unused, reasons, sentences
from catgan.formats.decisions import Decision, merge_decisions, read_decisions
from catgan.formats.photos import Verdict

AT_ONCE = 16  # known files looked into at a time
BATCH = 256  # of them that a thread is handed


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
    merge: bool = False,
) -> CurateResult:
    """Turn a folder of photos into the data sets `full-body` and `face-crop`.

    With `ablation` there is one between them, `full-body-kept`: the photos of `face-crop` as they
    are in `full-body`, so that what the filter brings can be told from what the crop brings.

    What ends up in `curated` depends on the photos, the settings and the decisions of a person
    alone, not on how often the run was stopped and started, how many processes it had, or what was
    there before.

    Args:
        raw: Photos, at any depth; never written to. A folder, or an address that fsspec knows.
        curated: New, empty, or made by an earlier call; a folder, and no address.
        config: Settings.
        decisions: A file of decisions that `catgan review` wrote elsewhere; those that `curated`
            does not have yet are added to its own, `decisions.jsonl`, and hold from then on.
        make_detector: Makes the face finder of each process, instead of the recipe that the
            settings name; must be picklable unless `workers` is 1, which then works in this process
            and has no limit of time for a photo.
        progress: Called after every few photos, and every second while videos are looked at, then
            from another thread.
        merge: Whether to take over the parts that `curate_shard` made of the same folders first.

    Raises:
        NoSuchFolder: `raw` is missing or is no folder.
        FolderRefused: `curated` is not catgan's, nor is a folder in it that is to be written to, or
            one folder lies inside the other; or a part to be merged is missing.
        NotReached: The scheduler, or the address of the photos, does not answer.
        WorkerUnfit: A worker of the cluster does not see the folders, or has other versions.
        BadRecord: The `catgan.json` in `curated` is damaged, or a file of decisions is.
        BadUsage: There is no such file of decisions; or `curated` is an address.
        BadRecipe: The recipe is missing or is none.
        NoPictures: `raw` holds no photo, and nothing is written; or none that can be read, which is
            on record.
        DiskFull: There is no room; the same call carries on later.
    """
    photos_at, curated = place_of(raw), curated_path(curated)
    config = _as_possible(config or CurateConfig(), photos_at, make_detector)
    if config.scheduler and isinstance(photos_at, Path):
        photos_at = photos_at.absolute()  # workers stand in folders of their own
    others = _other_decisions(decisions)
    folder, make_detector = _open(photos_at, curated, config, make_detector)
    parts = Parts(main=folder)
    if merge:
        parts.ready(photos_at)
    there = _find(photos_at, config)
    photos = [*there.photos, *there.clips]
    _check_any(photos_at, there, folder)
    make_folder(curated)
    with _cluster(config) as cluster, locked(curated), ExitStack() as stack:
        shards = parts.ready(photos_at) if merge else []
        stack.enter_context(parts.held(shards))
        if others:
            merge_decisions(folder.decisions, others)
        decided = read_decisions(folder.decisions)
        dropped = folder.dropped()
        changed = folder.prepare()
        unreadable_in_parts = parts.adopt(shards)
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
        found = _without_unreadable(found, listed) | still_unreadable(photos, unreadable_in_parts)
        fresh = _not_in(photos, found)
        looker = Looker(
            make_detector=make_detector, config=config, cluster=cluster, progress=progress
        )
        looker.look(fresh, found, folder)
        findings = [found[name] for name in sorted(found)]
        standing = standings(findings, decided)
        findings = cut_by_hand(findings, standing, photos, folder, config)
        judged = decide(judge(findings, config), standing, config)
        folder.settle(findings, judged)
        sheets = contact_sheets(folder, judged)
        folder.finish(judged)
        if merge:
            parts.retire()
        stack.close()  # Windows removes no file that is open, as a lock is
        if merge:
            parts.retire()
        parts.clear()
    unreadable = Counter(finding.why_not for finding in findings if not finding.readable)
    if unreadable.total() == len(findings):
        raise NoPictures(_none_readable(photos_at, unreadable, there))
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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ShardResult:
    """What a finished part leaves."""

    shard: Shard
    """Which one it is."""
    photos: int
    """Photos and videos that belong to it."""
    fresh: int
    """Those that this run looked at for the first time."""
    counts: dict[str, int]
    """Verdict -> photos and frames, each by itself; screens and copies are told when all parts are
    merged."""
    missing: tuple[Shard, ...]
    """The other parts that are not finished yet."""

    def __repr__(self) -> str:
        """One line."""
        return f"ShardResult({self.shard}: {count(self.photos, 'photo')})"


def curate_shard(
    raw: AnyPath,
    curated: AnyPath,
    shard: str,
    config: CurateConfig | None = None,
    *,
    make_detector: Callable[[], Detector] | None = None,
    progress: Callable[[CurateProgress], None] | None = None,
) -> ShardResult:
    """Look at one part of a folder of photos: one of several calls, on whatever machines.

    All parts need the same arguments but for `shard`. `curate_photos` with `merge` then makes of
    them what it would have made by itself. Nothing but the part's own folder in `curated` is
    written to, so that parts do not disturb each other, nor what an earlier run left.

    Args:
        raw: As for `curate_photos`.
        curated: Likewise; on a drive that all machines share.
        shard: Which part, and of how many: `3/16`.
        config: Settings.
        make_detector: As for `curate_photos`.
        progress: Likewise.

    Raises:
        BadUsage: There is no such shard; or a scheduler is named, too.
        What `curate_photos` does.
    """
    photos_at, curated, part = place_of(raw), curated_path(curated), Shard.of(shard)
    config = _as_possible(config or CurateConfig(), photos_at, make_detector)
    _check_alone(part, config)
    main, make_detector = _open(photos_at, curated, config, make_detector)
    parts = Parts(main=main)
    parts.check_count(part)
    there = _find(photos_at, config)
    _check_any(photos_at, there, main)
    photos = [photo for photo in (*there.photos, *there.clips) if part.holds(photo.name)]
    folder = parts.folder(part)
    folder.check()
    make_folder(folder.root)
    with locked(folder.root):
        folder.prepare()
        listed = {photo.name for photo in photos}
        found = still_known(photos, main.known(), main) | still_known(
            photos, folder.known(), folder
        )
        new_photos = _not_in(photos, found)
        found = _without_unreadable(found, listed)
        fresh = _not_in(photos, found)
        looker = Looker(make_detector=make_detector, config=config, progress=progress)
        looker.look(fresh, found, folder)
        folder.finish_part()
    verdicts = Counter(first_verdict(finding)[0] for finding in found.values())
    return ShardResult(
        shard=part,
        photos=len(photos),
        fresh=len(new_photos),
        counts={str(verdict): verdicts[verdict] for verdict in Verdict},
        missing=tuple(parts.missing(part.count)),
    )


def _as_possible(
    config: CurateConfig, raw: Path | Remote, make_detector: Callable[[], Detector] | None
) -> CurateConfig:
    """The settings, with one process where no other could do it."""
    if isinstance(raw, Remote) and raw.is_of_this_process:
        if config.scheduler:
            raise BadUsage(
                f"{raw} exists in this process alone; a worker of a cluster cannot see it."
            )
        return dataclasses.replace(config, workers=1, photo_seconds=0)
    if make_detector is not None and config.workers == 1:
        return dataclasses.replace(config, photo_seconds=0)
    return config


def _check_alone(part: Shard, config: CurateConfig) -> None:
    if config.scheduler:
        raise BadUsage(
            f"--shard and --scheduler do not go together: --shard {part} is work for one machine, "
            "and a scheduler hands out all of it."
        )


def _cluster(config: CurateConfig) -> AbstractContextManager[Cluster | None]:
    return connected(config.scheduler) if config.scheduler else nullcontext()


def _without_unreadable(
    found: Mapping[str, Finding], listed: Collection[str]
) -> dict[str, Finding]:
    """Without what could not be read: why may be gone by now, as a package is there, or memory."""
    return {
        path: finding
        for path, finding in found.items()
        if finding.readable or (finding.clip or path) not in listed
    }


def _other_decisions(path: AnyPath | None) -> list[Decision]:
    """The decisions of a file that a person names."""
    if path is None:
        return []
    if not Path(path).is_file():
        raise BadUsage(f"There is no file {path}; name the decisions.jsonl that review saved.")
    return read_decisions(Path(path))


def plan_curation(
    raw: AnyPath,
    curated: AnyPath,
    config: CurateConfig | None = None,
    *,
    shard: str | None = None,
    merge: bool = False,
) -> CuratePlan:
    """What `curate_photos` would have to do with the same arguments; nothing is written.

    Args:
        raw: As for `curate_photos`.
        curated: Likewise.
        config: Likewise.
        shard: The part that `curate_shard` would be asked for; None for all.
        merge: Whether parts are to be merged.

    Raises:
        What `curate_photos` does, but for `DiskFull`.
    """
    photos_at, curated = place_of(raw), curated_path(curated)
    config = _as_possible(config or CurateConfig(), photos_at, None)
    part = None if shard is None else Shard.of(shard)
    if part is not None:
        _check_alone(part, config)
    folder, _ = _open(photos_at, curated, config)
    parts = Parts(main=folder)
    if part is not None:
        parts.check_count(part)
    shards = parts.ready(photos_at) if merge else []
    there = _find(photos_at, config)
    _check_any(photos_at, there, folder)
    photos = [*there.photos, *there.clips]
    if part is not None:
        photos = [photo for photo in photos if part.holds(photo.name)]
        # what cannot be looked at just now is left to the merge
        there = dataclasses.replace(there, unlisted=(), unseen=frozenset())
    found = still_known(photos, folder.known(), folder, there=there)
    for one in shards if part is None else [part]:
        found |= still_known(photos, parts.folder(one).known(), parts.folder(one))
    done = {finding.clip or path for path, finding in found.items()}
    fresh = len(_not_in(photos, found))
    return CuratePlan(
        photos=len(done) + fresh,
        fresh=fresh,
        dropped=() if part is not None else folder.dropped(),
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
    raw: Path | Remote,
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


def _find(raw: Path | Remote, config: CurateConfig) -> Found:
    """What is in the folder; videos, where they are wanted and can be read."""
    found = find_photos(raw, clips=config.clip_frames > 0 and can_read_clips())
    # frames that are not wanted go; those that only cannot be read just now stay
    return found if config.clip_frames > 0 else dataclasses.replace(found, unseen=frozenset())


def _check_any(raw: Path | Remote, there: Found, folder: CuratedFolder) -> None:
    """Refuse a folder without photos, naming what else is in it."""
    if there.photos or there.clips:
        return
    if there.unlisted and any(_inside(path, there.unlisted) for path in folder.known()):
        return
    told = [f"{raw}/{one.name} could not be listed ({one.why})." for one in there.unlisted]
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


def _none_readable(raw: Path | Remote, unreadable: Mapping[str, int], there: Found) -> str:
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

    A file of another path, size, time or probe is read once to see whether its contents are known,
    unless its size already says that they are not; so a renamed folder costs a read, not a search,
    and new photos cost nothing here. What cannot be looked at just now counts
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
    contents = cache(partial(_Contents, known))  # made once a file has to be looked up
    found = {
        path: finding
        for path, finding in known.items()
        if there is not None
        and (_inside(path, there.unlisted) or (finding.clip or path) in there.unseen)
        and finding.sha256
        and finding.drawn() <= drawn
    }
    clips = cache(partial(_Clips, known))
    changed = _changed(photos, known)
    for photo in photos:
        if photo.is_clip:
            found |= _frames_known(photo, clips(), drawn)
            continue
        finding = known.get(photo.name)
        if finding is None or photo.name in changed:
            finding = _same_content(photo, contents if known else None)
        if finding is not None and finding.sha256 and finding.drawn() <= drawn:
            found[photo.name] = finding
    return found


class _Clips:
    """The findings of each video's frames: by its path, and by its name in whatever folder."""

    def __init__(self, known: Mapping[str, Finding]) -> None:
        self.frames: dict[str, list[Finding]] = {}
        for one in known.values():
            self.frames.setdefault(one.clip or one.path, []).append(one)
        self.called: dict[str, list[list[Finding]]] = {}
        for path, findings in self.frames.items():
            self.called.setdefault(PurePosixPath(path).name, []).append(findings)


class _Contents:
    """What is known, by the contents of a file and what its pictures are called."""

    def __init__(self, known: Mapping[str, Finding]) -> None:
        self._sizes = {finding.bytes for finding in known.values()}
        self._first: dict[str, Finding] = {}
        self._copies: dict[tuple[str, str], Finding] = {}
        for finding in known.values():
            if finding.sha256 and self._first.setdefault(finding.sha256, finding) is not finding:
                self._copies[finding.sha256, finding.file()] = finding

    def may_have(self, photo: PhotoFile) -> bool:
        """Whether the contents of a file may be known: they are not where their size is not."""
        return photo.bytes in self._sizes

    def find(self, digest: str, file: str) -> Finding | None:
        """The last of those that are equal in both."""
        first = self._first.get(digest)
        if first is not None and first.file() != file:
            first = None
        return self._copies.get((digest, file), first)


def _frames_known(clip: PhotoFile, known: _Clips, drawn: AbstractSet[Drawn]) -> dict[str, Finding]:
    """The findings of a video's frames, if all of them are known and none has changed.

    Args:
        clip: The video.
        known: The findings of each video's frames.
        drawn: The pictures there are.
    """
    findings: Sequence[Finding] = known.frames.get(clip.name, ())
    if not findings or _has_changed(clip, findings[0]):
        findings = _same_frames(clip, known)
    whole = (
        bool(findings)
        and len(findings) == max(1, findings[0].frames)
        and all(one.sha256 and one.drawn() <= drawn for one in findings)
    )
    return {one.path: one for one in findings} if whole else {}


def _same_frames(clip: PhotoFile, known: _Clips) -> list[Finding]:
    """What is known of the same contents under the same name, in whatever folder."""
    alike = known.called.get(PurePosixPath(clip.name).name, [])
    alike = [findings for findings in alike if findings[0].bytes == clip.bytes]
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


def _changed(photos: Sequence[PhotoFile], known: Mapping[str, Finding]) -> set[str]:
    """The names of photos that are known and have changed, many of them looked into at a time.

    Most of that is waiting for a drive.
    """

    def among(some: Sequence[PhotoFile]) -> list[str]:
        return [photo.name for photo in some if _has_changed(photo, known[photo.name])]

    there = (photo for photo in photos if not photo.is_clip and photo.name in known)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {name for names in pool.map(among, in_chunks(there, BATCH)) for name in names}


def _has_changed(photo: PhotoFile, finding: Finding) -> bool:
    if not photo.seen:
        return False
    if (finding.bytes, finding.modified) != (photo.bytes, photo.modified):
        return True
    try:
        return finding.probe != photo.probe()
    except UnreadablePhoto:
        return False


def _same_content(photo: PhotoFile, contents: Callable[[], _Contents] | None) -> Finding | None:
    """What is known of the same contents under the same name, in whatever folder."""
    if contents is None or not contents().may_have(photo):
        return None
    try:
        digest, probe = photo.digest(), photo.probe()
    except UnreadablePhoto:
        return None
    # Under another name its pictures are to be called after that.
    own = Finding(path=photo.name, sha256=digest, bytes=photo.bytes, modified=photo.modified)
    finding = contents().find(digest, own.file())
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
