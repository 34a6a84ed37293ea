"""What becomes of each photo: its verdict, the reason, and which data sets its pictures are in."""

import dataclasses
import math
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import final

import numpy as np

from catgan.core.words import count
from catgan.curate.bitindex import Places
from catgan.curate.config import CurateConfig
from catgan.curate.duplicates import PrintCodes, Prints, find_repeats, near_to
from catgan.curate.finding import Crop, Finding
from catgan.curate.screens import LEAST_BRIGHTNESS, LEAST_SHARPNESS
from catgan.formats.datasets import FACE_CROP, FULL_BODY, FULL_BODY_KEPT
from catgan.formats.photos import Verdict

WIDER = 1.5  # times the others' width from which a face is worth more than a sharper one


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A photo once all are known."""

    finding: Finding
    """What looking at it found."""
    verdict: Verdict
    """What became of it."""
    reason: str
    """Why, in words."""
    pictures: Mapping[str, tuple[str, ...]]
    """Data set -> file names of the photo's pictures in it, the best face's first; a data set that
    has none is left out."""
    detail: float = 0.0
    """Sharpness at its own size of its sharpest crop that is in `face-crop`; 0 where none is."""
    face: float = 0.0
    """Width of the widest face that has a crop there, pixels of the photo; likewise."""
    group: str = ""
    """What is held out together with it: the frames of its video, the rest of its burst."""


def judge(findings: Sequence[Finding], config: CurateConfig) -> list[Judged]:
    """What becomes of each photo, once all are known.

    Copies of one file first, of which the first by path stays; then faces too blurred or too dark;
    then photos that are nearly the same, of which the best stays: one whose face is kept before
    one without; one whose face is half as wide again; the sharpest at its own size.

    Args:
        findings: By path.
        config: Says which screens are on, and whether there is a `full-body-kept`.

    Returns:
        As many, in the same order.
    """
    judged = _without_copies(findings, config)
    return _without_repeats(judged) if config.duplicate_screen else together(judged)


def _without_copies(findings: Sequence[Finding], config: CurateConfig) -> list[Judged]:
    """Every photo by itself, but for copies of one file."""
    originals: dict[str | tuple[str, str], str] = {}
    judged = []
    for finding in findings:
        moment = finding.path.removeprefix(finding.clip) if finding.clip else ""
        contents = (finding.sha256, moment) if moment else finding.sha256
        original = originals.setdefault(contents, finding.path)
        if finding.readable and original != finding.path:
            judged.append(_left_out(finding, f"the same file as {original}"))
        else:
            judged.append(_judged(finding, config))
    return judged


def first_verdict(finding: Finding) -> tuple[Verdict, str]:
    """The verdict on a photo by itself, before any screen, and the reason."""
    if not finding.readable:
        return Verdict.UNREADABLE, finding.why_not
    if not finding.faces:
        return Verdict.NO_FACE, "no cat face found"
    if not finding.crops():
        return Verdict.FACE_TOO_SMALL, finding.why_not
    return Verdict.KEPT, sys.intern(f"{count(len(finding.faces), 'face')} found")


def _judged(finding: Finding, config: CurateConfig) -> Judged:
    """A photo by itself, without the crops that a screen takes out."""
    verdict, reason = first_verdict(finding)
    crops = finding.crops()
    faults = [_fault(crop, config) for crop in crops]
    kept = [index for index, fault in enumerate(faults) if fault is None]
    if crops and not kept:
        verdict, reason = next(fault for fault in faults if fault is not None)
    return Judged(
        finding=finding,
        verdict=verdict,
        reason=reason,
        pictures=pictures_of(finding, kept, config),
        detail=max((crops[index].detail for index in kept), default=0.0),
        group=finding.sha256[:16] if finding.clip else "",
        face=max((finding.cropped()[index].square.side for index in kept), default=0.0),
    )


def pictures_of(
    finding: Finding, kept: Collection[int], config: CurateConfig
) -> Mapping[str, tuple[str, ...]]:
    """A photo's pictures in each data set, if these of its crops (by place) are to be in one."""
    whole = (finding.file(),) if finding.readable else ()
    # the same name in every data set, so that each of them holds the same photos out
    return _Chosen(
        whole=whole,
        copied=bool(kept) and config.ablation,
        # of a million photos it counts that most have one tuple and one name, and not two
        crops=whole if list(kept) == [0] else tuple(finding.file(index) for index in kept),
    )


def _fault(crop: Crop, config: CurateConfig) -> tuple[Verdict, str] | None:
    if config.dark_screen and crop.brightness < LEAST_BRIGHTNESS:
        return Verdict.TOO_DARK, (
            f"the face is nearly black (its brightest tenth reaches {crop.brightness:.0f} of 255; "
            f"{LEAST_BRIGHTNESS:.0f} is enough)"
        )
    if config.blur_screen and crop.sharpness < LEAST_SHARPNESS:
        return Verdict.BLURRY, (
            # rounded down, or 0.5499 would read as if it were enough
            f"the face is blurred (sharpness {math.floor(crop.sharpness * 1000) / 1000:.3f}; "
            f"{LEAST_SHARPNESS} is enough)"
        )
    return None


def _left_out(finding: Finding, reason: str) -> Judged:
    return Judged(finding=finding, verdict=Verdict.DUPLICATE, reason=reason, pictures=NONE)


def _without_repeats(judged: list[Judged]) -> list[Judged]:
    result = list(judged)
    for best, *others in _heaps(judged):
        reason = f"nearly the same as {judged[best].finding.path}, which is better"
        for index in others:
            result[index] = _left_out(judged[index].finding, reason)
    return result


def together(judged: Sequence[Judged]) -> list[Judged]:
    """All of them, each burst as one group."""
    result = list(judged)
    for members in _heaps(judged):
        clips = [result[index].group for index in members if result[index].group]
        group = min(clips or [result[index].finding.sha256[:16] for index in members])
        for index in members:
            result[index] = dataclasses.replace(result[index], group=result[index].group or group)
    return result


def _heaps(judged: Sequence[Judged]) -> Iterator[list[int]]:
    """Photos that are nearly the same, by index, the one to stay first; heaps of one left out.

    Those without a picture are no matter.

    Args:
        judged: By path.
    """
    photos = _sharpest_first(judged)
    codes = PrintCodes.of(_prints(judged[index]) for index in photos.tolist())
    everyone = np.arange(len(photos))
    open_ = [everyone]  # places among `photos`, each time in their order
    while open_:
        among = open_.pop()
        heaps: dict[int, list[int]] = {}
        repeats = find_repeats(codes if among is everyone else codes[among])
        for repeat, original in repeats.items():
            heaps.setdefault(original, [original]).append(repeat)
        for heap in heaps.values():
            places = among[heap]
            best = _best([judged[index] for index in photos[places].tolist()])
            if best == 0:
                yield photos[places].tolist()
                continue
            # What is not near to the wider one is judged among itself: chains do not form.
            wider, others = places[best], np.delete(places, best)
            near = near_to(codes[places[best : best + 1]], codes[others])
            yield photos[[wider, *others[near]]].tolist()
            if not near.all():
                open_.append(others[~near])


def _sharpest_first(judged: Sequence[Judged]) -> Places:
    """Indices of the photos that have a picture, in the order in which they are to stay: the
    sharpest first of those whose face is kept, then of the others; by path where equal."""
    there = np.array([at for at, photo in enumerate(judged) if photo.pictures], dtype=np.int64)
    kept = np.array([judged[at].verdict is Verdict.KEPT for at in there.tolist()], dtype=np.bool_)
    sharp = np.array(
        [
            photo.detail if photo.verdict is Verdict.KEPT else photo.finding.sharpness
            for photo in (judged[at] for at in there.tolist())
        ],
        dtype=np.float64,
    )
    return there[np.lexsort((-sharp, ~kept))]


def _best(photos: Sequence[Judged]) -> int:
    """Which of nearly equal photos is to stay: the sharpest of those that are not much smaller."""
    kept = [index for index, photo in enumerate(photos) if photo.verdict is Verdict.KEPT]
    among = kept or range(len(photos))
    widest = max(_width(photos[index]) for index in among)
    return next(index for index in among if _width(photos[index]) * WIDER > widest)


def _width(photo: Judged) -> float:
    return photo.face or min(photo.finding.width, photo.finding.height)


def _prints(photo: Judged) -> Prints:
    finding = photo.finding
    crops = finding.crops()
    return Prints(
        frame=finding.fingerprint,
        content=finding.content,
        crop=crops[0].fingerprint if crops else "",
        clip=finding.sha256 if finding.clip else "",
    )


@final
class _Chosen(Mapping[str, tuple[str, ...]]):
    """The pictures of a photo, as `Judged` has them: a dictionary each would be three times as
    large."""

    __slots__ = ("_copied", "_crops", "_whole")

    def __init__(
        self, *, whole: tuple[str, ...] = (), copied: bool = False, crops: tuple[str, ...] = ()
    ) -> None:
        self._whole, self._copied, self._crops = whole, copied, crops

    def __getitem__(self, name: str) -> tuple[str, ...]:
        files = self._files(name)
        if not files:
            raise KeyError(name)
        return files

    def __iter__(self) -> Iterator[str]:
        return (name for name in (FULL_BODY, FULL_BODY_KEPT, FACE_CROP) if self._files(name))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return bool(self._whole or self._crops)

    def _files(self, name: str) -> tuple[str, ...]:
        if name == FULL_BODY or (name == FULL_BODY_KEPT and self._copied):
            return self._whole
        return self._crops if name == FACE_CROP else ()


NONE = _Chosen()  # the pictures of a photo that has none
