"""What a person decided in `catgan review`, as labels: photos, and where the faces on them are."""

from pathlib import Path

from benchmarks.labels import Fractions, Labelled
from catgan.curate.square import head_of, square_of
from catgan.formats.curated import find_raw, read_note
from catgan.formats.decisions import NAME, Choice, read_decisions
from catgan.formats.photos import PhotoRecord, find_photo, read_photos
from catgan.formats.standing import PhotoStanding, by_place, stand


def decided_photos(curated: Path, *, rejected: bool = False) -> list[Labelled]:
    """The photos of a curated folder that a person decided about, by path.

    A photo counts once a face of it was kept or drawn by hand. Its other faces count as found, but
    for those rejected. A rejection alone says little: it may be a face, of a cat that was not
    wanted. Frames of videos are passed over.

    Args:
        curated: The folder; its photos must be there.
        rejected: Whether a rejected crop is no face: then a photo of which nothing else was found
            or kept counts as one without a cat.

    Raises:
        NoSuchFolder: Its photos are not there.
    """
    note = read_note(curated)
    if note is None:
        raise SystemExit(f"{curated} was not made by catgan curate.")
    raw = find_raw(curated, note)
    places = by_place(read_decisions(curated / NAME))
    found: dict[str, Labelled] = {}
    for photo in read_photos(curated):
        made = places.get((photo.sha256, None))
        if not made or photo.clip or not photo.width or photo.sha256 in found:
            continue
        own = [(face.box, face.roll) for face in photo.faces if not face.by_hand]
        standing = stand(own, made)
        faces = _faces(photo, standing)
        sure = any(face.choice is Choice.KEPT for face in standing.faces)
        refused = any(face.choice is Choice.REJECTED for face in standing.faces)
        if sure or (rejected and refused and not faces):
            found[photo.sha256] = Labelled(
                path=find_photo(raw, photo),
                measuring=False,
                fractions=faces,
                label="F" if faces else "N",
            )
    return list(found.values())


def _faces(photo: PhotoRecord, standing: PhotoStanding) -> Fractions:
    """The heads, as label files have them: centre, width and height as fractions."""
    heads = [
        head_of(square_of(*face.shown))
        for face in standing.faces
        if face.choice is not Choice.REJECTED
    ]
    return tuple(
        (
            head.cx / photo.width,
            head.cy / photo.height,
            head.side / photo.width,
            head.side / photo.height,
        )
        for head in heads
    )
