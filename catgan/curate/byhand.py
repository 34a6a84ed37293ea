"""Cutting what a person drew or chose out of photos that were looked at before."""

import dataclasses
from collections.abc import Mapping, Sequence

from catgan.core.errors import UnreadablePhoto
from catgan.core.photos import Photo, read_photo
from catgan.core.pictures import Picture
from catgan.curate.clip import Clip, decoding_errors
from catgan.curate.config import CurateConfig
from catgan.curate.crop import side_needed, square_around
from catgan.curate.decisions import Wanted, is_cut, place_of, squares_wanted
from catgan.curate.examine import crop_by_hand, unreadable
from catgan.curate.find import PhotoFile
from catgan.curate.finding import Finding
from catgan.curate.folder import CuratedFolder
from catgan.formats.standing import PhotoStanding


def cut_by_hand(
    findings: Sequence[Finding],
    standing: Mapping[str, PhotoStanding],
    photos: Sequence[PhotoFile],
    folder: CuratedFolder,
    config: CurateConfig,
) -> list[Finding]:
    """Bring the crops of photos in line with what was drawn or chosen by hand.

    A photo that cannot be read just now keeps what it has, and its decisions wait.

    Args:
        findings: By path.
        standing: What was decided about photos, by path.
        photos: The photos and videos there are.
        folder: Has the pictures and the journal.
        config: Size, margin, what is cropped without that.

    Returns:
        The findings, in the same order.

    Raises:
        DiskFull: There is no room for a picture.
    """
    files = {photo.name: photo for photo in photos}
    return [
        _cut(finding, standing[finding.path], files, folder, config)
        if finding.path in standing
        else finding
        for finding in findings
    ]


def _cut(
    finding: Finding,
    standing: PhotoStanding,
    files: Mapping[str, PhotoFile],
    folder: CuratedFolder,
    config: CurateConfig,
) -> Finding:
    wanted = squares_wanted(finding, standing, config)
    file = files.get(finding.clip or finding.path)
    if wanted is None or file is None or is_cut(finding, standing, config):
        return finding
    try:
        new, crops = _crop(file, finding, wanted, config)
    except UnreadablePhoto:
        return finding
    # a kill from here on has the photo looked at anew: a picture of the same name may be another
    folder.add([unreadable(file_of(finding, file), "its squares were being cut")])
    folder.selection.write_crops(new, crops)
    folder.add([new])
    return new


def file_of(finding: Finding, file: PhotoFile) -> PhotoFile:
    """The file under the name of the finding, as of a frame of a video."""
    return dataclasses.replace(file, name=finding.path)


def _crop(
    file: PhotoFile, finding: Finding, wanted: Sequence[Wanted], config: CurateConfig
) -> tuple[Finding, tuple[Picture, ...]]:
    width, height = finding.width, finding.height
    around = [
        square_around(square, margin=config.margin, width=width, height=height)
        for square, _ in wanted
    ]
    side = max(side_needed(one, config.size, width=width, height=height) for one in around)
    moment = place_of(finding)[1]
    if moment is None:
        limit = round(config.max_megapixels * 1e6)
        photo = read_photo(file.read(), side=side, max_pixels=limit)
    else:
        photo = frame_at(file, moment)
    return crop_by_hand(photo, finding, wanted, config)


def frame_at(file: PhotoFile, seconds: float) -> Photo:
    """A frame of a video, as a photo.

    Raises:
        UnreadablePhoto: It cannot be decoded.
    """
    try:
        with file.on_disk() as path, Clip(path) as clip:
            still = clip.still_at(seconds)
    except decoding_errors() as error:
        raise UnreadablePhoto(f"the video cannot be read ({type(error).__name__})") from error
    return Photo(pixels=still.pixels, width=still.width, height=still.height, profile=None)
