"""`curate` from end to end: a folder of photos to data sets on disk."""

import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from catgan.core.errors import NoPictures, UnreadablePhoto
from catgan.core.executors import ChunkMap
from catgan.core.files import AnyPath, Json, locked, make_folder, read_there, sha256, write_picture
from catgan.core.loading import load_pictures
from catgan.core.pages import for_notebook
from catgan.core.pictures import encode_jpeg, sheet, spread_evenly
from catgan.core.settings import Change, to_json
from catgan.core.words import count
from catgan.curate import worker
from catgan.curate.config import CurateConfig
from catgan.curate.detector import Detector, make_recipe_detector
from catgan.curate.find import PhotoFile, check_raw, find_photos
from catgan.curate.finding import Finding
from catgan.curate.folder import CuratedFolder, counts, sizes
from catgan.curate.judge import Judged, first_verdict, judge
from catgan.curate.recipe import Recipe, load_recipe

SHEET_PICTURES = 200
SHEET_COLUMNS = 20


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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CurateResult:
    """What a finished run leaves."""

    curated: Path
    """The folder."""
    photos: int
    """Photos in the raw folder."""
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
    make_detector: Callable[[], Detector] | None = None,
    progress: Callable[[CurateProgress], None] | None = None,
) -> CurateResult:
    """Turn a folder of photos into the data sets `full-body` and `face-crop`.

    With `ablation` there is one between them, `full-body-kept`: the photos of `face-crop` as they
    are in `full-body`, so that what the filter brings can be told from what the crop brings.

    What ends up in `curated` depends on the photos and the settings alone, not on how often the
    run was stopped and started, how many processes it had, or what was there before.

    Args:
        raw: Photos, at any depth; never written to.
        curated: New, empty, or made by an earlier call.
        config: Settings.
        make_detector: Makes the face finder of each process, instead of the recipe that the
            settings name; must be picklable unless `workers` is 1.
        progress: Called after every few photos.

    Raises:
        NoSuchFolder: `raw` is missing or is no folder.
        FolderRefused: `curated` is not catgan's, nor is a folder in it that is to be written to, or
            one folder lies inside the other.
        BadRecord: The `catgan.json` in `curated` is damaged.
        BadRecipe: The recipe is missing or is none.
        NoPictures: `raw` holds no photo; nothing is written.
        DiskFull: There is no room; the same call carries on later.
    """
    raw, curated = Path(raw), Path(curated)
    config = config or CurateConfig()
    folder, make_detector = _open(raw, curated, config, make_detector)
    photos = _photos(raw)
    make_folder(curated)
    with locked(curated):
        dropped = folder.dropped()
        changed = folder.prepare()
        known = folder.known()
        found = still_known(photos, known, folder)
        fresh = sum(photo.name not in found for photo in photos)
        # Why a photo could not be read may be gone by now: a package is there, or more memory.
        found = {name: finding for name, finding in found.items() if finding.readable}
        to_look = [photo for photo in photos if photo.name not in found]
        tally = Counter(_first_verdict(finding) for finding in found.values())
        started = time.monotonic()

        def report() -> None:
            if progress is None:
                return
            left = len(photos) - len(found)
            new = len(to_look) - left
            passed = time.monotonic() - started
            progress(
                CurateProgress(
                    done=len(found),
                    total=len(photos),
                    fresh=new,
                    counts=dict(tally),
                    seconds_left=passed / new * left if new else None,
                )
            )

        report()
        with closing(_looked_at(to_look, make_detector, config, folder)) as looked_at:
            for chunk in looked_at:
                folder.add(chunk)
                found |= {finding.path: finding for finding in chunk}
                tally.update(map(_first_verdict, chunk))
                report()
        findings = [found[photo.name] for photo in photos]
        judged = judge(findings, config)
        folder.settle(findings, judged)
        sheets = _contact_sheets(folder, judged)
        folder.finish(judged)
    return CurateResult(
        curated=curated,
        photos=len(photos),
        fresh=fresh,
        gone=_gone(known, findings),
        counts=counts(judged),
        data_sets=sizes(judged, folder.names),
        sheets=sheets,
        changed=tuple(changed),
        dropped=dropped,
    )


def plan_curation(raw: AnyPath, curated: AnyPath, config: CurateConfig | None = None) -> CuratePlan:
    """What `curate_photos` would have to do with the same arguments; nothing is written.

    Raises:
        What `curate_photos` does, but for `DiskFull`.
    """
    raw, curated = Path(raw), Path(curated)
    folder, _ = _open(raw, curated, config or CurateConfig())
    photos = _photos(raw)
    found = still_known(photos, folder.known(), folder)
    return CuratePlan(photos=len(photos), fresh=len(photos) - len(found), dropped=folder.dropped())


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
        recipe = load_recipe(config.cascade)
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
    record = {name: value for name, value in to_json(config).items() if name != "workers"}
    if recipe is None:
        return record | {"cascade": "the caller's own"}
    return record | {"cascade": recipe.name, "cascade_digest": recipe.digest()}


def _photos(raw: Path) -> list[PhotoFile]:
    photos = list(find_photos(raw))
    if not photos:
        raise NoPictures(
            f"There are no photos in {raw}, nor in the folders inside it; "
            "put some there (JPEG, PNG, WebP, TIFF, BMP or GIF)."
        )
    return photos


def still_known(
    photos: Sequence[PhotoFile], known: Mapping[str, Finding], folder: CuratedFolder
) -> dict[str, Finding]:
    """The findings that still hold: of files that have not changed, whose pictures are all there.

    A file of another path, size or time is opened once to see whether its contents are known; so
    a renamed folder costs a read, not a search. All other photos are to be looked at.

    Args:
        photos: The photos there are.
        known: What earlier runs found, by path.
        folder: Has the pictures.

    Returns:
        Findings of some of the photos, by path.
    """
    drawn = folder.selection.drawn()
    by_content = {(f.sha256, f.file()): f for f in known.values() if f.sha256}
    found = {}
    for photo in photos:
        finding = known.get(photo.name)
        if finding is None or (finding.bytes, finding.modified) != (photo.bytes, photo.modified):
            finding = _same_content(photo, by_content)
        if finding is not None and finding.sha256 and finding.drawn() <= drawn:
            found[photo.name] = finding
    return found


def _same_content(
    photo: PhotoFile, by_content: Mapping[tuple[str, str], Finding]
) -> Finding | None:
    """What is known of the same contents under the same name, in whatever folder."""
    if not by_content:
        return None
    try:
        digest = sha256(photo.read())
    except UnreadablePhoto:
        return None
    # Under another name its pictures are to be called after that.
    own = Finding(path=photo.name, sha256=digest, bytes=photo.bytes, modified=photo.modified)
    finding = by_content.get((digest, own.file()))
    if finding is None:
        return None
    return dataclasses.replace(finding, path=photo.name, bytes=photo.bytes, modified=photo.modified)


def _gone(known: Mapping[str, Finding], findings: Sequence[Finding]) -> int:
    """How many photos of earlier runs are no longer there, under whatever name."""
    paths = {finding.path for finding in findings}
    contents = {finding.sha256 for finding in findings}
    return sum(
        path not in paths and finding.sha256 not in contents for path, finding in known.items()
    )


def _looked_at(
    photos: Sequence[PhotoFile],
    make_detector: Callable[[], Detector],
    config: CurateConfig,
    folder: CuratedFolder,
) -> Generator[list[Finding], None, None]:
    if not photos:
        return
    chunks = ChunkMap[PhotoFile, Finding](
        worker.look,
        lost=worker.lost,
        initializer=worker.start,
        arguments=(make_detector, config, folder.selection),
        workers=config.workers,
    )
    try:
        yield from chunks.run(photos)
    finally:
        worker.end()  # with one worker it is this process


def _first_verdict(finding: Finding) -> str:
    return str(first_verdict(finding)[0])


def _contact_sheets(folder: CuratedFolder, judged: Sequence[Judged]) -> dict[str, Path]:
    """One sheet a data set: up to 200 of its pictures, spread evenly over it."""
    sheets = {}
    for name in folder.names:
        path = folder.sheet(name)
        files = sorted(file for photo in judged for file in photo.pictures.get(name, ()))
        if not files:
            path.unlink(missing_ok=True)
            continue
        chosen = [files[index] for index in spread_evenly(len(files), SHEET_PICTURES)]
        pictures = load_pictures([folder.selection.folder(name) / file for file in chosen])
        write_picture(path, encode_jpeg(sheet(pictures, columns=SHEET_COLUMNS)))
        sheets[name] = path
    return sheets
