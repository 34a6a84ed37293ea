"""What was found and judged as the records on disk, and back. File names get into records here."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from catgan.curate.finding import Crop, Face, Finding
from catgan.curate.judge import Judged, first_verdict
from catgan.curate.square import Square
from catgan.formats.datasets import FACE_CROP, SPLIT, PictureRecord
from catgan.formats.photos import FaceRecord, PhotoRecord, Verdict


def photo_record(judged: Judged) -> PhotoRecord:
    """A line of `photos.jsonl`."""
    finding = judged.finding
    crops = judged.pictures.get(FACE_CROP, ())
    names = [finding.file(index) for index in range(len(finding.faces))]
    return PhotoRecord(
        path=finding.path,
        sha256=finding.sha256,
        width=finding.width,
        height=finding.height,
        verdict=judged.verdict,
        reason=judged.reason,
        sharpness=finding.sharpness,
        fingerprint=finding.fingerprint,
        faces=tuple(
            _face_record(face, finding.detector, name if name in crops else None)
            for face, name in zip(finding.faces, names, strict=True)
        ),
        outputs={name: f"{name}/{SPLIT}/{files[0]}" for name, files in judged.pictures.items()},
    )


def picture_records(photos: Sequence[PhotoRecord], name: str) -> list[PictureRecord]:
    """The lines of a data set's `metadata.jsonl`, by file name.

    Args:
        photos: The lines of `photos.jsonl`.
        name: The data set.
    """
    records = [record for photo in photos for record in _picture_records(photo, name)]
    return sorted(records, key=lambda record: record.file_name)


def journal_record(finding: Finding) -> PhotoRecord:
    """A line of the journal: what the photo gave by itself, and what tells whether it changes."""
    verdict, reason = first_verdict(finding)
    alone = Judged(finding=finding, verdict=verdict, reason=reason, pictures={})
    return dataclasses.replace(photo_record(alone), bytes=finding.bytes, modified=finding.modified)


def finding_of(record: PhotoRecord) -> Finding | None:
    """The finding that a line of the journal is of; None where it is a line of `photos.jsonl`, or
    lacks what pictures are named and compared by."""
    if record.bytes is None or record.modified is None:
        return None
    if record.width > 0 and not (record.height and record.sha256 and record.fingerprint):
        return None
    without = record.verdict in (Verdict.UNREADABLE, Verdict.FACE_TOO_SMALL)
    return Finding(
        path=record.path,
        sha256=record.sha256,
        bytes=record.bytes,
        modified=record.modified,
        width=record.width,
        height=record.height,
        why_not=record.reason if without else "",
        detector=record.faces[0].cascade if record.faces else "",
        faces=tuple(map(_face, record.faces)),
        sharpness=record.sharpness,
        fingerprint=record.fingerprint,
    )


def _picture_records(photo: PhotoRecord, name: str) -> Iterator[PictureRecord]:
    origin = PictureRecord(
        file_name=PurePosixPath(photo.outputs.get(name, "")).name,
        photo=photo.path,
        sha256=photo.sha256,
        photo_width=photo.width,
        photo_height=photo.height,
    )
    if name != FACE_CROP and name in photo.outputs:
        yield origin
    for face in photo.faces if name == FACE_CROP else ():
        if face.file is not None:
            yield dataclasses.replace(
                origin,
                file_name=face.file,
                box=face.box,
                roll=face.roll,
                score=face.score,
                sharpness=face.sharpness,
                brightness=face.brightness,
            )


def _face_record(face: Face, detector: str, file: str | None) -> FaceRecord:
    square, crop = face.square, face.crop
    # a detector of the caller's own may count in whole numbers
    x, y, w, h = (round(float(value), 1) for value in square.box)
    return FaceRecord(
        box=(x, y, w, h),
        roll=round(float(square.roll), 1),
        score=round(float(square.score), 3),
        cascade=detector,
        sharpness=None if crop is None else crop.sharpness,
        brightness=None if crop is None else crop.brightness,
        file=file,
    )


def _face(record: FaceRecord) -> Face:
    x, y, w, h = record.box
    square = Square(cx=x + w / 2, cy=y + h / 2, side=w, roll=record.roll, score=record.score)
    if record.sharpness is None or record.brightness is None:
        return Face(square=square)
    return Face(square=square, crop=Crop(sharpness=record.sharpness, brightness=record.brightness))
