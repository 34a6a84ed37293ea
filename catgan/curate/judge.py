"""What becomes of each photo: its verdict, the reason, and which data sets its pictures are in."""

import dataclasses
from collections.abc import Collection, Sequence

from catgan.core.words import count
from catgan.curate.config import CurateConfig
from catgan.curate.duplicates import find_repeats
from catgan.curate.finding import Crop, Drawn, Finding
from catgan.curate.screens import LEAST_BRIGHTNESS, LEAST_SHARPNESS
from catgan.formats.datasets import FACE_CROP, FULL_BODY, FULL_BODY_KEPT
from catgan.formats.photos import Verdict


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A photo once all are known."""

    finding: Finding
    """What looking at it found."""
    verdict: Verdict
    """What became of it."""
    reason: str
    """Why, in words."""
    pictures: dict[str, tuple[str, ...]]
    """Data set -> file names of the photo's pictures in it, the best face's first; a data set that
    has none is left out."""
    best: float = 0.0
    """Sharpness of its sharpest crop that is in `face-crop`; 0 where none is."""

    def wanted(self) -> set[Drawn]:
        """Its pictures that the data sets are to hold."""
        return {(name, file) for name, files in self.pictures.items() for file in files}


def judge(findings: Sequence[Finding], config: CurateConfig) -> list[Judged]:
    """What becomes of each photo, once all are known.

    Copies of one file first, of which the first by path stays; then faces too blurred or too dark;
    then photos that are nearly the same, of which the best stays: one whose face is kept before
    one without, the sharper before the less sharp.

    Args:
        findings: By path.
        config: Says which screens are on, and whether there is a `full-body-kept`.

    Returns:
        As many, in the same order.
    """
    originals: dict[str, str] = {}
    judged = []
    for finding in findings:
        original = originals.setdefault(finding.sha256, finding.path)
        if finding.readable and original != finding.path:
            judged.append(_left_out(finding, f"the same file as {original}"))
        else:
            judged.append(_judged(finding, config))
    return _without_repeats(judged) if config.duplicate_screen else judged


def first_verdict(finding: Finding) -> tuple[Verdict, str]:
    """The verdict on a photo by itself, before any screen, and the reason."""
    if not finding.readable:
        return Verdict.UNREADABLE, finding.why_not
    if not finding.faces:
        return Verdict.NO_FACE, "no cat face found"
    if not finding.crops():
        return Verdict.FACE_TOO_SMALL, finding.why_not
    return Verdict.KEPT, f"{count(len(finding.faces), 'face')} found"


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
        pictures=_pictures(finding, kept, config),
        best=max((crops[index].sharpness for index in kept), default=0.0),
    )


def _pictures(
    finding: Finding, kept: Collection[int], config: CurateConfig
) -> dict[str, tuple[str, ...]]:
    whole = (finding.file(),) if finding.readable else ()
    pictures = {
        FULL_BODY: whole,
        # the same name in every data set, so that each of them holds the same photos out
        FULL_BODY_KEPT: whole if kept and config.ablation else (),
        FACE_CROP: tuple(finding.file(index) for index in kept),
    }
    return {name: files for name, files in pictures.items() if files}


def _fault(crop: Crop, config: CurateConfig) -> tuple[Verdict, str] | None:
    if config.dark_screen and crop.brightness < LEAST_BRIGHTNESS:
        return Verdict.TOO_DARK, (
            f"the face is nearly black (its brightest tenth reaches {crop.brightness:.0f} of 255; "
            f"{LEAST_BRIGHTNESS:.0f} is enough)"
        )
    if config.blur_screen and crop.sharpness < LEAST_SHARPNESS:
        return Verdict.BLURRY, (
            f"the face is blurred (sharpness {crop.sharpness:.2f}; {LEAST_SHARPNESS} is enough)"
        )
    return None


def _left_out(finding: Finding, reason: str) -> Judged:
    return Judged(finding=finding, verdict=Verdict.DUPLICATE, reason=reason, pictures={})


def _without_repeats(judged: list[Judged]) -> list[Judged]:
    there = [index for index, photo in enumerate(judged) if photo.pictures]
    # the best first, so that it is the one to stay; by path where nothing else tells
    there.sort(key=lambda index: _rank(judged[index]))
    repeats = find_repeats([judged[index].finding.fingerprint for index in there])
    result = list(judged)
    for repeat, original in repeats.items():
        index, better = there[repeat], judged[there[original]].finding.path
        reason = f"nearly the same as {better}, which is better"
        result[index] = _left_out(judged[index].finding, reason)
    return result


def _rank(photo: Judged) -> tuple[int, float, str]:
    if photo.verdict is Verdict.KEPT:
        return 0, -photo.best, photo.finding.path
    return 1, -photo.finding.sharpness, photo.finding.path
