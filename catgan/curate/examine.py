"""One photo, from the bytes of its file to its verdict and its pictures."""

import dataclasses

from catgan.core.errors import FaceTooSmall, UnreadablePhoto
from catgan.core.images import Photo, Picture, read_photo, resize_shorter_side, to_srgb
from catgan.curate.config import CurateConfig
from catgan.curate.crop import crop_face, side_needed, square_around
from catgan.curate.detect import Detector, Face
from catgan.curate.screens import fingerprint, sharpness
from catgan.curate.verdict import Verdict


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What one photo gives."""

    verdict: Verdict
    """What becomes of it."""
    reason: str
    """Why, in words."""
    width: int = 0
    """Of the upright photo, pixels; 0 where unreadable."""
    height: int = 0
    """Likewise."""
    faces: tuple[Face, ...] = ()
    """Faces found, the best first; those of `crops` ahead of the rest."""
    whole: Picture | None = None
    """(size, size, 3) uint8: the photo whole; None where unreadable."""
    crops: tuple[Picture, ...] = ()
    """(size, size, 3) uint8 each: the faces cropped, as many of the first `faces`."""
    sharpness: float = 0.0
    """Of `whole`; see `screens.sharpness`."""
    fingerprint: str = ""
    """Of the whole photo, edges included; see `screens.fingerprint`."""


def examine(data: bytes, detector: Detector, config: CurateConfig) -> Examined:
    """Decode a photo, look for faces, and cut its pictures.

    Never raises for what a file may hold: that is what `UNREADABLE` is for.

    Args:
        data: The whole file.
        detector: Finds the faces.
        config: Size, margin, smallest face, how many faces.
    """
    limit = round(config.max_megapixels * 1e6)
    try:
        photo = read_photo(data, side=detector.side, short=2 * config.size, max_pixels=limit)
    except UnreadablePhoto as error:
        return Examined(verdict=Verdict.UNREADABLE, reason=str(error))
    whole = to_srgb(resize_shorter_side(photo.pixels, config.size), photo.profile)
    faces = tuple(detector.find(photo))
    seen = Examined(
        verdict=Verdict.NO_FACE,
        reason="no cat face found",
        width=photo.width,
        height=photo.height,
        faces=faces,
        whole=whole,
        sharpness=sharpness(whole),
        fingerprint=fingerprint(photo.pixels),
    )
    if not faces:
        return seen
    try:
        cropped, crops, why_not = _crop(data, photo, faces, config)
    except UnreadablePhoto as error:  # the reduced decode went well, the full one did not
        return Examined(verdict=Verdict.UNREADABLE, reason=str(error))
    if not crops:
        return dataclasses.replace(seen, verdict=Verdict.FACE_TOO_SMALL, reason=why_not)
    others = tuple(face for face in faces if face not in cropped)
    found = "1 face found" if len(faces) == 1 else f"{len(faces)} faces found"
    return dataclasses.replace(
        seen, verdict=Verdict.KEPT, reason=found, faces=cropped + others, crops=crops
    )


def _crop(
    data: bytes, photo: Photo, faces: tuple[Face, ...], config: CurateConfig
) -> tuple[tuple[Face, ...], tuple[Picture, ...], str]:
    """The faces that can be cropped, their crops, and why the first of the others cannot."""
    cropped: list[Face] = []
    crops: list[Picture] = []
    why_not = ""
    for face in faces:
        if face.w < config.min_face:
            why_not = why_not or (
                f"the face is {face.w:.0f} pixels wide, fewer than the {config.min_face} asked for"
            )
            continue
        square = square_around(face, margin=config.margin, width=photo.width, height=photo.height)
        side = side_needed(square, config.size, width=photo.width, height=photo.height)
        if side > max(photo.pixels.shape[:2]):
            photo = read_photo(data, side=side, max_pixels=round(config.max_megapixels * 1e6))
        try:
            crops.append(crop_face(photo, face, size=config.size, margin=config.margin))
        except FaceTooSmall as error:
            why_not = why_not or str(error)
            continue
        cropped.append(face)
        if config.faces == "best":
            break
    return tuple(cropped), tuple(crops), why_not
