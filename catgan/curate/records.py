"""What was found and judged as the records on disk, and back. File names get into records here."""

import dataclasses
import functools
import itertools
import sys
from collections.abc import Iterator, Sequence
from operator import itemgetter

from catgan.curate.finding import Crop, Face, Finding
from catgan.curate.judge import NONE, Judged, first_verdict
from catgan.curate.square import box_of, square_of
from catgan.formats.datasets import FACE_CROP, FULL_BODY_KEPT, SPLIT, PictureRecord
from catgan.formats.photos import FaceRecord, PhotoRecord, Verdict

BY_HAND = "by hand"  # for the recipe of a face that a person drew


def photo_record(judged: Judged, *, in_journal: bool = False) -> PhotoRecord:
    """A line of `photos.jsonl`; of the journal with what tells whether the file changes."""
    finding = judged.finding
    crops = judged.pictures.get(FACE_CROP, ())
    places = itertools.count()
    names = [None if face.crop is None else finding.file(next(places)) for face in finding.faces]
    return PhotoRecord(
        path=finding.path,
        sha256=finding.sha256,
        width=finding.width,
        height=finding.height,
        verdict=judged.verdict,
        reason=judged.reason,
        sharpness=finding.sharpness,
        fingerprint=finding.fingerprint,
        content=finding.content or None,
        clip=finding.clip or None,
        frames=finding.frames or None,
        faces=tuple(
            _face_record(face, finding.detector, name, kept=name in crops)
            for face, name in zip(finding.faces, names, strict=True)
        ),
        outputs={name: f"{name}/{SPLIT}/{files[0]}" for name, files in judged.pictures.items()},
        bytes=finding.bytes if in_journal else None,
        modified=finding.modified if in_journal else None,
        probe=finding.probe if in_journal else None,
    )


def picture_records(judged: Sequence[Judged], name: str) -> Iterator[PictureRecord]:
    """The lines of a data set's `metadata.jsonl`, by file name; one in memory at a time.

    Args:
        judged: All photos.
        name: The data set.
    """
    files = [
        (file, place) for place, photo in enumerate(judged) for file in photo.pictures.get(name, ())
    ]
    files.sort(key=itemgetter(0))
    for file, place in files:
        yield _picture_record(judged[place], name, file)


def journal_record(finding: Finding) -> PhotoRecord:
    """A line of the journal: what the photo gave by itself, and what tells whether it changes."""
    verdict, reason = first_verdict(finding)
    alone = Judged(finding=finding, verdict=verdict, reason=reason, pictures=NONE)
    return photo_record(alone, in_journal=True)


@functools.lru_cache(maxsize=1024)
def _same(number: int) -> int:
    """The same number, as one object where it comes often, as the sides of photos do."""
    return number


def finding_of(record: PhotoRecord) -> Finding | None:
    """The finding that a line of the journal is of; None where it is a line of `photos.jsonl`, or
    lacks what pictures are named and compared by."""
    if record.bytes is None or record.modified is None:
        return None
    if record.width > 0 and not (record.height and record.sha256 and record.fingerprint):
        return None
    # a million findings say the same few things, which are kept once
    shared = sys.intern
    without = record.verdict in (Verdict.UNREADABLE, Verdict.FACE_TOO_SMALL)
    return Finding(
        path=record.path,
        sha256=record.sha256,
        bytes=record.bytes,
        modified=record.modified,
        probe=record.probe or "",
        width=_same(record.width),
        height=_same(record.height),
        why_not=shared(record.reason) if without else "",
        detector=shared(next((face.recipe for face in record.faces if not face.by_hand), "")),
        faces=tuple(map(_face, record.faces)),
        sharpness=record.sharpness,
        fingerprint=record.fingerprint,
        content=record.content or "",
        clip=shared(record.clip or ""),
        frames=record.frames or 0,
    )


def _picture_record(judged: Judged, name: str, file: str) -> PictureRecord:
    finding = judged.finding
    origin = PictureRecord(
        file_name=file,
        photo=finding.path,
        sha256=finding.sha256,
        photo_width=finding.width,
        photo_height=finding.height,
        group=judged.group or None,
    )
    if name == FULL_BODY_KEPT and finding.faces:  # whole photos, chosen by their faces
        return dataclasses.replace(origin, proposer=finding.faces[0].square.proposer or None)
    if name != FACE_CROP:
        return origin
    faces = finding.cropped()
    face = faces[next(index for index in range(len(faces)) if finding.file(index) == file)]
    record = _face_record(face, finding.detector, file, kept=True)
    return dataclasses.replace(
        origin,
        box=record.box,
        roll=record.roll,
        score=record.score,
        proposer=record.proposer,
        sharpness=record.sharpness,
        brightness=record.brightness,
    )


def _face_record(face: Face, detector: str, name: str | None, *, kept: bool) -> FaceRecord:
    square, crop = face.square, face.crop
    box, roll = box_of(square)
    return FaceRecord(
        box=box,
        roll=roll,
        score=round(float(square.score), 3),
        recipe=BY_HAND if face.by_hand else detector,
        proposer=square.proposer or None,
        sharpness=None if crop is None else crop.sharpness,
        brightness=None if crop is None else crop.brightness,
        detail=None if crop is None else crop.detail,
        fingerprint=None if crop is None else crop.fingerprint,
        file=name if kept else None,
        left_out=None if kept else name,
        by_hand=True if face.by_hand else None,
    )


def _face(record: FaceRecord) -> Face:
    square = square_of(
        record.box, record.roll, record.score, proposer=sys.intern(record.proposer or "")
    )
    if record.sharpness is None or record.brightness is None:
        return Face(square=square, by_hand=bool(record.by_hand))
    crop = Crop(
        sharpness=record.sharpness,
        brightness=record.brightness,
        detail=record.detail or 0.0,
        fingerprint=record.fingerprint or "",
    )
    return Face(square=square, crop=crop, by_hand=bool(record.by_hand))
