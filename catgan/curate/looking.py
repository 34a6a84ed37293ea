"""Looking at photos: over processes or a cluster, with how far it is."""

import dataclasses
import functools
import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from multiprocessing.sharedctypes import Synchronized

from catgan.core.cluster import Cluster
from catgan.core.executors import ChunkMap
from catgan.curate import worker
from catgan.curate.config import CurateConfig
from catgan.curate.detector import Detector
from catgan.curate.find import PhotoFile
from catgan.curate.finding import Finding
from catgan.curate.folder import CuratedFolder
from catgan.curate.judge import first_verdict
from catgan.curate.site import FolderSite, meeting

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
    """Frames of videos looked at by this run; 0 on a cluster, whose workers keep count alone."""
    seconds_left: float | None
    """Until all photos are looked at, at the speed so far; None before the first."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Looker:
    """How photos are looked at."""

    make_detector: Callable[[], Detector]
    """Makes the face finder of each process."""
    config: CurateConfig
    """All settings."""
    cluster: Cluster | None = None
    """Whose workers do it; None for processes here."""
    progress: Callable[[CurateProgress], None] | None = None
    """Called after every few photos, and every second while videos are looked at."""

    def look(
        self, fresh: Sequence[PhotoFile], found: dict[str, Finding], folder: CuratedFolder
    ) -> None:
        """Look at photos; what each gave goes into the journal once its pictures are in place.

        Args:
            fresh: The photos and videos to be looked at.
            found: What is known of others, by path; what was found is added.
            folder: Gets the pictures and the journal's lines.

        Raises:
            CatganError: There is no room, or whatever else ends a run.
        """
        clips = any(photo.is_clip for photo in fresh)
        total = len({finding.clip or path for path, finding in found.items()}) + len(fresh)
        left = len(fresh)
        tally = Counter(map(_first_verdict, found.values()))
        pace = _Pace()
        # what is shared costs a process beside this one, so only where it is wanted
        here = clips and self.cluster is None
        frames = multiprocessing.get_context("spawn").Value("L", 0) if here else None

        def report() -> None:
            if self.progress is None:
                return
            new = len(fresh) - left
            self.progress(
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
            _every_second(report if clips else None),
            closing(self._looked_at(fresh, folder, frames)) as looked_at,
        ):
            for number, chunk in looked_at:
                left -= number
                folder.add(chunk)
                found |= {finding.path: finding for finding in chunk}
                tally.update(map(_first_verdict, chunk))
                report()

    def _looked_at(
        self,
        photos: Sequence[PhotoFile],
        folder: CuratedFolder,
        frames: "Synchronized[int] | None",
    ) -> Generator[tuple[int, list[Finding]], None, None]:
        """How many files were looked at, and what was found: photos first, videos take longer."""
        stills = [photo for photo in photos if not photo.is_clip]
        clips = [photo for photo in photos if photo.is_clip]
        seconds, clip_seconds = self.config.photo_seconds, CLIP_TIMES * self.config.photo_seconds
        selection = folder.selection
        site: FolderSite | None = None
        with ExitStack() as stack:
            stack.callback(worker.end)  # with one worker it is this process
            if self.cluster is not None and photos:
                site = stack.enter_context(meeting(folder.root, folder.raw))
                self.cluster.check_all(site.check_place)
                selection = dataclasses.replace(selection, root=site.root, shared=site.token)
            arguments = (self.make_detector, self.config, selection)
            if stills:
                chunks = ChunkMap[PhotoFile, Finding](
                    worker.look,
                    lost=worker.lost,
                    initializer=worker.start,
                    arguments=arguments,
                    workers=self.config.workers,
                    seconds=seconds,
                    slow=functools.partial(worker.slow, seconds),
                    cluster=self.cluster,
                    site=site,
                    task=1 if self.cluster is None else self.cluster.task_size(len(stills)),
                )
                for chunk in chunks.run(stills):
                    yield len(chunk), chunk
            if clips:
                films = ChunkMap[PhotoFile, list[Finding]](
                    worker.watch,
                    lost=worker.lost_clip,
                    initializer=worker.start,
                    arguments=(*arguments, frames),
                    workers=self.config.workers,
                    chunk=1,
                    seconds=clip_seconds,
                    slow=functools.partial(worker.slow_clip, clip_seconds),
                    cluster=self.cluster,
                    site=site,
                )
                for results in films.run(clips):
                    for found in results:
                        yield 1, found


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
