"""One photo, from its file to what was found on it and the pictures drawn of it."""

import dataclasses
from collections.abc import Callable, Sequence

from catgan.core.colours import to_srgb
from catgan.core.errors import FaceTooSmall, UnreadablePhoto
from catgan.core.files import sha256
from catgan.core.kinds import looks_like_picture
from catgan.core.photos import Photo, read_photo, why_none
from catgan.core.pictures import Picture, resize_shorter_side
from catgan.curate.config import CurateConfig
from catgan.curate.crop import OVERSAMPLE, cut_face, reduced, side_needed, square_around
from catgan.curate.detector import Detector
from catgan.curate.find import PhotoFile, probe_of
from catgan.curate.finding import Crop, Face, Finding
from catgan.curate.screens import brightness, content_of, fingerprint, sharpness
from catgan.curate.square import Square, box_of


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """The pictures drawn of a photo, (size, size, 3) uint8 each."""

    whole: Picture
    """The photo whole."""
    crops: tuple[Picture, ...]
    """The faces cropped, in the order of the finding's."""


def examine(
    file: PhotoFile, detector: Detector, config: CurateConfig
) -> tuple[Finding, Pictures | None]:
    """Read a photo, look for faces, and cut its pictures.

    Never raises for what a file may hold: an unreadable photo is a finding, too.

    Args:
        file: The photo.
        detector: Finds the faces.
        config: Size, margin, smallest face, how many faces.

    Returns:
        What was found, and the pictures; None where it cannot be read.
    """
    digest = probe = ""
    try:
        head = file.head()
        if not looks_like_picture(head):  # hashed without being held: it may be anything
            return unreadable(file, why_none(head), file.digest(), file.probe()), None
        data = file.read()
        digest, probe = sha256(data), file.tag or probe_of(data)
        limit = round(config.max_megapixels * 1e6)
        photo = read_photo(
            data,
            side=detector.side,
            short=2 * config.size,
            short_if_long=detector.side,
            max_pixels=limit,
        )
        unnamed, pictures = look_at(
            photo,
            detector,
            config,
            reread=lambda side: read_photo(data, side=side, max_pixels=limit),
        )
    except UnreadablePhoto as error:
        return unreadable(file, str(error), digest, probe), None
    finding = dataclasses.replace(
        unnamed,
        path=file.name,
        sha256=digest,
        bytes=file.bytes,
        modified=file.modified,
        probe=probe,
    )
    return finding, pictures


def look_at(
    photo: Photo,
    detector: Detector,
    config: CurateConfig,
    *,
    reread: Callable[[int], Photo] | None = None,
) -> tuple[Finding, Pictures]:
    """Look for faces on a photo that is decoded, and cut its pictures.

    Args:
        photo: The photo.
        detector: Finds the faces.
        config: Size, margin, smallest face, how many faces.
        reread: Decodes it again, to a longer side of no less than so many pixels; None where it is
            decoded whole.

    Returns:
        What was found, without a path, and the pictures.

    Raises:
        UnreadablePhoto: `reread` does.
    """
    whole = to_srgb(resize_shorter_side(photo.pixels, config.size), photo.profile)
    squares = detector.find(photo)
    cropped, why_not = _crop(photo, squares, config, reread)
    faces = [Face(square=squares[index], crop=crop) for index, (crop, _) in cropped.items()]
    faces += [Face(square=square) for i, square in enumerate(squares) if i not in cropped]
    content = content_of(photo.pixels)
    finding = Finding(
        path="",
        sha256="",
        bytes=0,
        modified=0,
        width=photo.width,
        height=photo.height,
        why_not="" if cropped else why_not,
        detector=detector.name,
        faces=tuple(faces),
        sharpness=round(sharpness(whole), 4),
        fingerprint=fingerprint(photo.pixels),
        content="" if content is photo.pixels else fingerprint(content),
    )
    return finding, Pictures(whole=whole, crops=tuple(crop for _, crop in cropped.values()))


def crop_by_hand(
    photo: Photo, finding: Finding, wanted: Sequence[tuple[Square, bool]], config: CurateConfig
) -> tuple[Finding, tuple[Picture, ...]]:
    """Cut other squares out of a photo than it had.

    Args:
        photo: Decoded as large as `side_needed` says for all of them.
        finding: Of the photo.
        wanted: Ears' squares in pixels of the whole photo, and whether a person chose them; the
            others are among those found.
        config: Size and margin.

    Returns:
        The finding with these crops, and the crops; a square that would have to be enlarged has
        none.
    """
    found = {box_of(face.square): face.square for face in finding.faces if not face.by_hand}
    crops: dict[int, tuple[Crop, Picture]] = {}
    why_not = ""
    for index, (square, _) in enumerate(wanted):
        try:
            cut = cut_face(photo, square, size=config.size, margin=config.margin)
        except FaceTooSmall as error:
            why_not = why_not or str(error)
            continue
        crops[index] = _measured(cut, photo.profile, config.size)
    usual = {
        box_of(square): crops[index][0]
        for index, (square, by_hand) in enumerate(wanted)
        if not by_hand and index in crops
    }
    faces = [Face(square=square, crop=usual.get(box)) for box, square in found.items()]
    hands = [index for index, (_, by_hand) in enumerate(wanted) if by_hand]
    faces += [
        Face(
            square=wanted[index][0],
            crop=crops[index][0] if index in crops else None,
            by_hand=True,
        )
        for index in hands
    ]
    new = dataclasses.replace(finding, faces=tuple(faces), why_not="" if crops else why_not)
    # crops follow the order of the faces: those found, then those chosen
    order = sorted(crops, key=lambda index: wanted[index][1])
    return new, tuple(crops[index][1] for index in order)


def unreadable(file: PhotoFile, why: str, digest: str = "", probe: str = "") -> Finding:
    """The finding for a file of which there is no picture; without a digest it is not kept."""
    return Finding(
        path=file.name,
        sha256=digest,
        bytes=file.bytes,
        modified=file.modified,
        probe=probe,
        why_not=why,
    )


def _crop(
    photo: Photo,
    squares: Sequence[Square],
    config: CurateConfig,
    reread: Callable[[int], Photo] | None,
) -> tuple[dict[int, tuple[Crop, Picture]], str]:
    """The crops by the index of their square, and why the first of the others has none."""
    crops: dict[int, tuple[Crop, Picture]] = {}
    why_not = ""
    for index, ears in enumerate(squares):
        if ears.side < config.min_face:
            why_not = why_not or (
                f"the face is {ears.side:.0f} pixels wide, fewer than the {config.min_face} "
                "asked for"
            )
            continue
        square = square_around(ears, margin=config.margin, width=photo.width, height=photo.height)
        side = side_needed(square, config.size, width=photo.width, height=photo.height)
        if reread is not None and side > max(photo.pixels.shape[:2]):
            photo = reread(side)
        try:
            cut = cut_face(photo, ears, size=config.size, margin=config.margin)
        except FaceTooSmall as error:
            why_not = why_not or str(error)
            continue
        crops[index] = _measured(cut, photo.profile, config.size)
        if config.faces == "best":
            break
    return crops, why_not


def _measured(cut: Picture, profile: bytes | None, size: int) -> tuple[Crop, Picture]:
    picture = to_srgb(reduced(cut, size), profile)
    # Numbers are rounded as the records are, so that a run carried on judges by the same ones.
    crop = Crop(
        sharpness=round(sharpness(picture), 4),
        brightness=round(brightness(picture), 1),
        detail=round(sharpness(reduced(cut, OVERSAMPLE * size), own_size=True), 4),
        fingerprint=fingerprint(picture),
    )
    return crop, picture
