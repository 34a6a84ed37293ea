"""What one process does: read photos, examine them, put their pictures in place."""

import dataclasses
import multiprocessing
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2

from catgan.core.datasets import FACE_CROP, FULL_BODY
from catgan.core.errors import CatganError, UnreadablePhoto
from catgan.core.files import sha256, write_picture
from catgan.core.images import encode_png
from catgan.curate.config import CurateConfig
from catgan.curate.detect import Detector
from catgan.curate.examine import Examined, examine
from catgan.curate.find import PhotoFile
from catgan.curate.kept import forget_copy
from catgan.curate.screens import brightness, sharpness
from catgan.curate.verdict import Crop, Finding, Verdict


@dataclasses.dataclass(frozen=True, slots=True)
class _Bench:
    """What a process keeps from chunk to chunk."""

    detector: Detector
    config: CurateConfig
    curated: Path


_bench: _Bench | CatganError | None = None  # one a process, set up by `start`


def start(make_detector: Callable[[], Detector], config: CurateConfig, curated: Path) -> None:
    """Set this process up; the parallelism is over photos, so OpenCV gets one thread.

    A detector that cannot be made is kept for `look` to raise: an error here would only break the
    pool, and nobody would learn what to install.
    """
    global _bench
    cv2.setNumThreads(1)
    try:
        _bench = _Bench(make_detector(), config, curated)
    except CatganError as error:
        _bench = error
    if multiprocessing.parent_process() is not None:
        # libtiff and its like write remarks on broken files past Python, into the progress bar;
        # what matters comes back as a verdict or an exception.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def look(photos: Sequence[PhotoFile]) -> list[Finding]:
    """Examine photos and write their pictures; the findings, in order.

    Raises:
        CatganError: The detector could not be made.
    """
    assert _bench is not None, "start() comes first"
    if isinstance(_bench, CatganError):
        raise _bench
    return [_look_at(photo, _bench) for photo in photos]


def _look_at(photo: PhotoFile, bench: _Bench) -> Finding:
    try:
        data = photo.read()
    except UnreadablePhoto as error:
        return unreadable(photo, str(error))
    digest = sha256(data)
    seen = examine(data, bench.detector, bench.config)
    crops = tuple(
        Crop(
            file=picture_name(photo.path.stem, digest, index),
            # rounded as the records are, so that a run carried on judges by the same numbers
            sharpness=round(sharpness(picture), 4),
            brightness=round(brightness(picture), 1),
        )
        for index, picture in enumerate(seen.crops)
    )
    return Finding(
        path=photo.name,
        sha256=digest,
        bytes=photo.bytes,
        modified=photo.modified,
        width=seen.width,
        height=seen.height,
        verdict=seen.verdict,
        reason=seen.reason,
        faces=seen.faces,
        crops=crops,
        sharpness=round(seen.sharpness, 4),
        fingerprint=seen.fingerprint,
        outputs=_write(seen, crops, picture_name(photo.path.stem, digest), bench),
    )


def _write(seen: Examined, crops: tuple[Crop, ...], name: str, bench: _Bench) -> dict[str, str]:
    outputs = {}
    curated = bench.curated
    if seen.whole is not None:
        outputs[FULL_BODY] = f"{FULL_BODY}/{name}"
        if bench.config.ablation:  # else the folder is not there, or somebody else's
            forget_copy(curated, name)
        write_picture(curated / FULL_BODY / name, encode_png(seen.whole))
    for crop, picture in zip(crops, seen.crops, strict=True):
        write_picture(curated / FACE_CROP / crop.file, encode_png(picture))
    if crops:
        outputs[FACE_CROP] = f"{FACE_CROP}/{crops[0].file}"
    return outputs


def unreadable(photo: PhotoFile, reason: str) -> Finding:
    """The finding for a file whose contents were never seen."""
    return Finding(
        path=photo.name,
        sha256="",
        bytes=photo.bytes,
        modified=photo.modified,
        width=0,
        height=0,
        verdict=Verdict.UNREADABLE,
        reason=reason,
        faces=(),
        crops=(),
        sharpness=0.0,
        fingerprint="",
        outputs={},
    )


def lost(photo: PhotoFile) -> Finding:
    """The finding for a photo that ended the process reading it."""
    return unreadable(photo, "reading it ended the program that reads photos")


PICTURE_NAME = re.compile(r".*-[0-9a-f]{10}(-\d+)?\.png")


def picture_name(stem: str, digest: str, index: int = 0) -> str:
    """The file name of a photo's picture: its own name, ten digits of its hash, its place.

    Args:
        stem: The photo's file name without suffix; what may trouble a file system is replaced.
        digest: SHA-256 of the photo, hexadecimal.
        index: 0 for the best face (and the whole photo), 1 for the next ...
    """
    safe = re.sub(r"[^\w.+-]+", "_", stem, flags=re.ASCII).strip("._-")[:60] or "photo"
    return f"{safe}-{digest[:10]}" + (f"-{index + 1}" if index else "") + ".png"
