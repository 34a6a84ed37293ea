"""`full-body-kept`: the photos that have a face crop, whole; what the filter brings by itself.

It is a selection of `full-body` and no more: copies, made at the end of a run by its verdicts, so
that no photo is looked at again for it. Copies and not links: drives such as Colab's have none.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from catgan.core.datasets import FACE_CROP, FULL_BODY, FULL_BODY_KEPT
from catgan.core.files import write_picture
from catgan.curate.verdict import Finding


def select_kept(findings: Sequence[Finding]) -> list[Finding]:
    """Give each photo that has a picture in `face-crop` one in `full-body-kept`.

    Args:
        findings: As they were judged.

    Returns:
        As many, in the same order; `outputs` names the picture, which need not be there yet.
    """
    return [
        dataclasses.replace(finding, outputs=_with_copy(finding.outputs))
        if FULL_BODY in finding.outputs and FACE_CROP in finding.outputs
        else finding
        for finding in findings
    ]


def _with_copy(outputs: dict[str, str]) -> dict[str, str]:
    # the same name in every data set, so that each of them holds the same photos out
    copy = f"{FULL_BODY_KEPT}/{PurePosixPath(outputs[FULL_BODY]).name}"
    return {FULL_BODY: outputs[FULL_BODY], FULL_BODY_KEPT: copy, **outputs}


def copy_kept(root: Path, findings: Sequence[Finding]) -> None:
    """Put the pictures that `select_kept` named in place; those that are there stay.

    A copy of another length than its original is none: a power cut leaves empty files.

    Args:
        root: The curated folder, in which `full-body` is complete.
        findings: What `select_kept` gave.

    Raises:
        DiskFull: There is no room for a copy.
    """
    for finding in findings:
        if FULL_BODY_KEPT not in finding.outputs:
            continue
        original = root / finding.outputs[FULL_BODY]
        copy = root / finding.outputs[FULL_BODY_KEPT]
        if not (copy.is_file() and copy.stat().st_size == original.stat().st_size):
            write_picture(copy, original.read_bytes())


def forget_copy(root: Path, name: str) -> None:
    """Take the copy of a picture of `full-body` away before that is written anew.

    So no copy outlives its original, whenever a run is killed: with another `size` the picture
    has the same name.
    """
    (root / FULL_BODY_KEPT / name).unlink(missing_ok=True)
