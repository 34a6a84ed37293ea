"""The verdicts that need more than one photo, or that may be changed without looking again."""

import dataclasses
from collections.abc import Sequence

from catgan.core.datasets import FACE_CROP
from catgan.curate.config import CurateConfig
from catgan.curate.duplicates import find_repeats
from catgan.curate.screens import LEAST_BRIGHTNESS, LEAST_SHARPNESS
from catgan.curate.verdict import Crop, Finding, Verdict


def judge(findings: Sequence[Finding], config: CurateConfig) -> list[Finding]:
    """What becomes of each photo, once all are known.

    Copies of one file first, of which the first by path stays; then faces too blurred or too dark;
    then photos that are nearly the same, of which the best stays: one whose face is kept before
    one without, the sharper before the less sharp.

    Args:
        findings: By path, each as the photo gave it by itself.
        config: Says which screens are on.

    Returns:
        As many, in the same order.
    """
    judged = [_screened(finding, config) for finding in _without_copies(findings)]
    return _without_repeats(judged) if config.duplicate_screen else judged


def _without_copies(findings: Sequence[Finding]) -> list[Finding]:
    first: dict[str, str] = {}
    judged = []
    for finding in findings:
        original = first.setdefault(finding.sha256, finding.path) if finding.sha256 else None
        if original in (None, finding.path) or finding.verdict is Verdict.UNREADABLE:
            judged.append(finding)
        else:
            judged.append(_left_out(finding, f"the same file as {original}"))
    return judged


def _left_out(finding: Finding, reason: str) -> Finding:
    return dataclasses.replace(
        finding,
        verdict=Verdict.DUPLICATE,
        reason=reason,
        crops=tuple(dataclasses.replace(crop, file="") for crop in finding.crops),
        outputs={},
    )


def _screened(finding: Finding, config: CurateConfig) -> Finding:
    """The finding without the crops that a screen takes out."""
    if finding.verdict is not Verdict.KEPT:
        return finding
    faults = [_fault(crop, config) for crop in finding.crops]
    if not any(faults):
        return finding
    crops = tuple(
        crop if fault is None else dataclasses.replace(crop, file="")
        for crop, fault in zip(finding.crops, faults, strict=True)
    )
    kept = [crop.file for crop in crops if crop.file]
    outputs = {name: file for name, file in finding.outputs.items() if name != FACE_CROP}
    if kept:
        outputs[FACE_CROP] = f"{FACE_CROP}/{kept[0]}"
        return dataclasses.replace(finding, crops=crops, outputs=outputs)
    verdict, reason = next(fault for fault in faults if fault is not None)
    return dataclasses.replace(
        finding, verdict=verdict, reason=reason, crops=crops, outputs=outputs
    )


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


def _without_repeats(findings: list[Finding]) -> list[Finding]:
    there = [index for index, finding in enumerate(findings) if finding.outputs]
    # the best first, so that it is the one to stay; by path where nothing else tells
    there.sort(key=lambda index: (*_rank(findings[index]), findings[index].path))
    repeats = find_repeats([findings[index].fingerprint for index in there])
    judged = list(findings)
    for repeat, original in repeats.items():
        index, better = there[repeat], findings[there[original]].path
        judged[index] = _left_out(findings[index], f"nearly the same as {better}, which is better")
    return judged


def _rank(finding: Finding) -> tuple[int, float]:
    kept = [crop.sharpness for crop in finding.crops if crop.file]
    if finding.verdict is Verdict.KEPT and kept:
        return 0, -max(kept)
    return 1, -finding.sharpness
