"""What one process does: examine photos and put their pictures in place."""

import dataclasses
import sys
from collections.abc import Callable, Sequence
from multiprocessing.sharedctypes import Synchronized

from catgan.core.errors import CatganError
from catgan.core.remote import Remote
from catgan.curate.config import CurateConfig
from catgan.curate.detector import Detector
from catgan.curate.examine import examine, unreadable
from catgan.curate.find import PhotoFile
from catgan.curate.finding import Finding
from catgan.curate.footage import examine_clip
from catgan.curate.opencv import cv2
from catgan.curate.selection import Selection


@dataclasses.dataclass(frozen=True, slots=True)
class _Bench:
    """What a process keeps from chunk to chunk."""

    detector: Detector
    config: CurateConfig
    selection: Selection
    frames: "Synchronized[int] | None"


_bench: _Bench | CatganError | None = None  # one a process, set up by `start`
_threads: tuple[int, int | None] | None = None  # those of OpenCV and of PyTorch before that


def start(
    make_detector: Callable[[], Detector],
    config: CurateConfig,
    selection: Selection,
    frames: "Synchronized[int] | None" = None,
) -> None:
    """Set this process up; the parallelism is over photos, so libraries get one thread.

    Frames of videos that were looked at are counted in `frames`, for whoever waits.

    A detector that cannot be made is kept for `look` to raise: an error here would only break the
    pool, and nobody would learn what to install. In a process that goes on to other things, `end`
    comes last.
    """
    global _bench, _threads
    opencv, torch = cv2.getNumThreads(), None
    cv2.setNumThreads(1)
    try:
        _bench = _Bench(make_detector(), config, selection, frames)
    except CatganError as error:
        _bench = error
    if "torch" in sys.modules:  # a detector of the caller's own may need it
        torch = sys.modules["torch"].get_num_threads()
        sys.modules["torch"].set_num_threads(1)
    _threads = opencv, torch


def end() -> None:
    """Leave this process as `start` found it; nothing where there was none."""
    global _bench, _threads
    if _threads is not None:
        opencv, torch = _threads
        cv2.setNumThreads(opencv)
        if torch is not None:
            sys.modules["torch"].set_num_threads(torch)
    _bench = _threads = None


def look(photos: Sequence[PhotoFile]) -> list[Finding]:
    """Examine photos and write their pictures; the findings, in order.

    Raises:
        CatganError: The detector could not be made, or the disk is full.
    """
    assert _bench is not None, "start() comes first"
    if isinstance(_bench, CatganError):
        raise _bench
    findings = []
    for photo in photos:
        finding, pictures = examine(photo, _bench.detector, _bench.config)
        if pictures is not None:
            _bench.selection.write(finding, pictures)
        findings.append(finding)
    return findings


def watch(clips: Sequence[PhotoFile]) -> list[list[Finding]]:
    """Examine videos and write their frames' pictures; the findings of each, in order.

    Raises:
        CatganError: The detector could not be made, or the disk is full.
    """
    assert _bench is not None, "start() comes first"
    if isinstance(_bench, CatganError):
        raise _bench
    results = []
    for clip in clips:
        findings = []
        for finding, pictures in examine_clip(
            clip, _bench.detector, _bench.config, on_frame=_count
        ):
            if pictures is not None:
                _bench.selection.write(finding, pictures)
            findings.append(finding)
        results.append(findings)
    return results


def _count() -> None:
    if isinstance(_bench, _Bench) and _bench.frames is not None:
        with _bench.frames.get_lock():
            _bench.frames.value += 1


def slow(seconds: float, photo: PhotoFile) -> Finding:
    """The finding for a photo that took too long; without a hash, so that it is tried again.

    Raises:
        NotReached: It lies at an address that does not answer, which is no fault of the photo.
    """
    if isinstance(photo.path, Remote):
        photo.path.check()
    return unreadable(photo, f"reading it took more than {seconds:g} s, and was given up")


def lost(photo: PhotoFile) -> Finding:
    """The finding for a photo that ended the process reading it."""
    return unreadable(photo, "reading it crashed the reader")


def slow_clip(seconds: float, clip: PhotoFile) -> list[Finding]:
    """The same for a video."""
    return [slow(seconds, clip)]


def lost_clip(clip: PhotoFile) -> list[Finding]:
    """The same for a video."""
    return [lost(clip)]
