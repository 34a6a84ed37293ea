"""What one process does: examine photos and put their pictures in place."""

import dataclasses
import sys
from collections.abc import Callable, Sequence

from catgan.core.errors import CatganError
from catgan.curate.config import CurateConfig
from catgan.curate.detector import Detector
from catgan.curate.examine import examine, unreadable
from catgan.curate.find import PhotoFile
from catgan.curate.finding import Finding
from catgan.curate.opencv import cv2
from catgan.curate.selection import Selection


@dataclasses.dataclass(frozen=True, slots=True)
class _Bench:
    """What a process keeps from chunk to chunk."""

    detector: Detector
    config: CurateConfig
    selection: Selection


_bench: _Bench | CatganError | None = None  # one a process, set up by `start`
_threads: tuple[int, int | None] | None = None  # those of OpenCV and of PyTorch before that


def start(
    make_detector: Callable[[], Detector], config: CurateConfig, selection: Selection
) -> None:
    """Set this process up; the parallelism is over photos, so libraries get one thread.

    A detector that cannot be made is kept for `look` to raise: an error here would only break the
    pool, and nobody would learn what to install. In a process that goes on to other things, `end`
    comes last.
    """
    global _bench, _threads
    opencv, torch = cv2.getNumThreads(), None
    cv2.setNumThreads(1)
    try:
        _bench = _Bench(make_detector(), config, selection)
    except CatganError as error:
        _bench = error
    if "torch" in sys.modules:  # a detector needs it
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


def lost(photo: PhotoFile) -> Finding:
    """The finding for a photo that ended the process reading it."""
    return unreadable(photo, "reading it crashed the reader")
