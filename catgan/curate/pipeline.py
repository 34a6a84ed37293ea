"""`curate` from end to end: a folder of photos to data sets on disk."""

import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from catgan.core.config import Difference
from catgan.core.datasets import read_metadata
from catgan.core.errors import FolderRefused, NoPictures, UnreadablePhoto
from catgan.core.executors import ChunkMap
from catgan.core.files import Json, locked, sha256, write_picture
from catgan.core.images import encode_jpeg, read_pictures, sheet
from catgan.curate import worker
from catgan.curate.config import CurateConfig
from catgan.curate.detect import CascadeDetector, Detector
from catgan.curate.find import PhotoFile, check_raw, find_photos
from catgan.curate.folder import CuratedFolder, counts, data_sets
from catgan.curate.judge import judge
from catgan.curate.kept import select_kept
from catgan.curate.recipe import Recipe, load_recipe
from catgan.curate.verdict import Finding

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
    """Verdicts so far; copies of one file are told apart only at the end."""
    seconds_left: float | None
    """Until all photos are looked at, at the speed so far; None before the first."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CuratePlan:
    """What a run would have to do."""

    photos: int
    """Photos in the raw folder."""
    fresh: int
    """Photos that would be looked at; the others are known."""
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
    """Photos that this run looked at; the others were known."""
    gone: int
    """Photos of an earlier run that the raw folder no longer has; their pictures went too."""
    counts: dict[str, int]
    """Verdict -> photos."""
    data_sets: dict[str, int]
    """Data set -> pictures."""
    sheets: dict[str, Path]
    """Data set -> its contact sheet."""
    changed: tuple[Difference, ...]
    """Settings that differ from the run before; all was looked at again, but for those that judge
    or sort what was found (the screens, `ablation`)."""
    dropped: tuple[str, ...]
    """Data sets of an earlier run that were taken away, as these settings have them not."""


def curate_photos(
    raw: Path,
    curated: Path,
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
        BadRecipe: The recipe is missing or is none.
        NoPictures: `raw` holds no photo; nothing is written.
        DiskFull: There is no room; the same call carries on later.
    """
    config = config or CurateConfig()
    check_raw(raw)
    folder = CuratedFolder(curated)
    folder.check(raw, ablation=config.ablation)
    settings = recorded_settings(config, own_detector=make_detector is not None)
    if make_detector is None:
        make_detector = partial(make_recipe_detector, load_recipe(config.cascade))
    photos = _photos(raw)
    try:
        curated.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderRefused(
            f"{curated} cannot be made ({error.strerror}); name another folder."
        ) from error
    with locked(curated):
        dropped = folder.dropped(settings)
        changed = folder.prepare(settings)
        known = folder.known(settings)
        findings = _reuse(photos, known)
        fresh = _to_look_at(photos, findings, folder, config)
        findings = {path: f for path, f in findings.items() if path not in fresh}
        tally = Counter(str(finding.verdict) for finding in findings.values())

        started = time.monotonic()

        def report() -> None:
            if progress is None:
                return
            done = len(findings)
            new = done - (len(photos) - len(fresh))
            passed = time.monotonic() - started
            progress(
                CurateProgress(
                    done=done,
                    total=len(photos),
                    fresh=new,
                    counts=dict(tally),
                    seconds_left=passed / new * (len(fresh) - new) if new else None,
                )
            )

        report()
        looked_at = 0
        while fresh:
            for chunk in _looked_at(list(fresh.values()), make_detector, config, curated):
                folder.add(settings, chunk)
                findings |= {finding.path: finding for finding in chunk}
                tally.update(str(finding.verdict) for finding in chunk)
                report()
            looked_at += len(fresh)
            # A picture that was taken away may be the one to keep now: its better copy is gone,
            # or a screen was turned off.
            again = _to_look_at(photos, findings, folder, config)
            fresh = {path: photo for path, photo in again.items() if path not in fresh}
        looked = [findings[photo.name] for photo in photos]
        judged = judge(looked, config)
        if config.ablation:
            judged = select_kept(judged)
        folder.settle(settings, looked, judged)
        sheets = _contact_sheets(folder, data_sets(settings))
        folder.finish(settings, judged)
    return CurateResult(
        curated=curated,
        photos=len(photos),
        fresh=looked_at,
        gone=_gone(known, findings),
        counts=counts(judged),
        data_sets={name: len(read_metadata(curated / name)) for name in data_sets(settings)},
        sheets=sheets,
        changed=tuple(changed),
        dropped=dropped,
    )


def make_recipe_detector(recipe: Recipe) -> Detector:
    """The detector that a recipe asks for.

    Raises:
        MissingPackage: A package that it needs is missing or broken.
        BadRecipe: Its fitted parts are broken.
    """
    if recipe.verifier is None:
        return CascadeDetector(recipe)
    from catgan.curate.verified import VerifiedDetector  # PyTorch: a second and 300 MB

    return VerifiedDetector(recipe)


def plan_curation(raw: Path, curated: Path, config: CurateConfig | None = None) -> CuratePlan:
    """What `curate_photos` would have to do with the same arguments; nothing is written.

    Raises:
        What `curate_photos` does, but for `DiskFull`.
    """
    config = config or CurateConfig()
    check_raw(raw)
    folder = CuratedFolder(curated)
    folder.check(raw, ablation=config.ablation)
    photos = _photos(raw)
    settings = recorded_settings(config)
    findings = _reuse(photos, folder.known(settings))
    fresh = _to_look_at(photos, findings, folder, config)
    return CuratePlan(photos=len(photos), fresh=len(fresh), dropped=folder.dropped(settings))


def _photos(raw: Path) -> list[PhotoFile]:
    photos = list(find_photos(raw))
    if not photos:
        raise NoPictures(
            f"There are no photos in {raw}, nor in the folders inside it; "
            "put some there (JPEG, PNG, WebP, TIFF, BMP or GIF)."
        )
    return photos


def recorded_settings(config: CurateConfig, *, own_detector: bool = False) -> Json:
    """The settings that change what is written, as `catgan.json` has them.

    Raises:
        BadRecipe: The recipe is missing or is none.
    """
    record = {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(config)
        if field.name != "workers"
    }
    if own_detector:
        return record | {"cascade": "the caller's own"}
    recipe = load_recipe(config.cascade)
    return record | {"cascade": recipe.name, "cascade_digest": recipe.digest()}


def _to_look_at(
    photos: list[PhotoFile],
    findings: dict[str, Finding],
    folder: CuratedFolder,
    config: CurateConfig,
) -> dict[str, PhotoFile]:
    """The photos of which nothing is known, or whose pictures are wanted and missing, by path."""
    known = [findings[photo.name] for photo in photos if photo.name in findings]
    there = folder.pictures()
    whole = {finding.path for finding in judge(known, config) if finding.pictures() <= there}
    return {photo.name: photo for photo in photos if photo.name not in whole}


def _reuse(photos: list[PhotoFile], known: dict[str, Finding]) -> dict[str, Finding]:
    """The findings that still hold: of files that have not changed.

    A file of another path, size or time is opened once to see whether its contents are known; so
    a renamed folder costs a read, not a search.
    """
    by_content = {
        (finding.sha256, worker.picture_name(PurePosixPath(finding.path).stem, finding.sha256)): (
            finding
        )
        for finding in known.values()
        if finding.sha256
    }
    reused: dict[str, Finding] = {}
    for photo in photos:
        finding = known.get(photo.name)
        if finding is None or (finding.bytes, finding.modified) != (photo.bytes, photo.modified):
            finding = _same_content(photo, by_content)
        if finding is None or not finding.sha256:
            continue
        reused[photo.name] = finding
    return reused


def _same_content(photo: PhotoFile, by_content: dict[tuple[str, str], Finding]) -> Finding | None:
    """What is known of the same contents under the same name, in whatever folder."""
    if not by_content:
        return None
    try:
        digest = sha256(photo.read())
    except UnreadablePhoto:
        return None
    # Under another name its pictures are to be called after that.
    finding = by_content.get((digest, worker.picture_name(photo.path.stem, digest)))
    if finding is None:
        return None
    return dataclasses.replace(finding, path=photo.name, bytes=photo.bytes, modified=photo.modified)


def _gone(known: dict[str, Finding], findings: dict[str, Finding]) -> int:
    """How many photos of earlier runs are no longer there, under whatever name."""
    contents = {finding.sha256 for finding in findings.values()}
    return sum(
        path not in findings and finding.sha256 not in contents for path, finding in known.items()
    )


def _looked_at(
    photos: list[PhotoFile],
    make_detector: Callable[[], Detector],
    config: CurateConfig,
    curated: Path,
) -> Iterator[list[Finding]]:
    if not photos:
        return
    chunks = ChunkMap[PhotoFile, Finding](
        worker.look,
        lost=worker.lost,
        initializer=worker.start,
        arguments=(make_detector, config, curated),
        workers=config.workers,
    )
    yield from chunks.run(photos)


def _contact_sheets(folder: CuratedFolder, names: tuple[str, ...]) -> dict[str, Path]:
    """One sheet a data set: up to 200 of its pictures, spread evenly over it."""
    sheets = {}
    for name in names:
        path = folder.sheet(name)
        files = sorted(read_metadata(folder.root / name))
        if not files:
            path.unlink(missing_ok=True)
            continue
        count = len(files)
        chosen = np.linspace(0, count - 1, min(SHEET_PICTURES, count)).round().astype(int)
        pictures = read_pictures([folder.root / name / files[index] for index in chosen])
        write_picture(path, encode_jpeg(sheet(pictures, columns=SHEET_COLUMNS)))
        sheets[name] = path
    return sheets
