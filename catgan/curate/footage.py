"""One video, from its file to the frames that are used of it."""

import dataclasses
from collections.abc import Callable

from catgan.core.errors import UnreadablePhoto
from catgan.core.photos import Photo
from catgan.curate.clip import SHORT, Clip, Still, decoding_errors
from catgan.curate.config import CurateConfig
from catgan.curate.detector import Detector
from catgan.curate.duplicates import NEAR_CROP
from catgan.curate.examine import Pictures, look_at, unreadable
from catgan.curate.find import PhotoFile
from catgan.curate.finding import Finding, frame_path

Seen = tuple[Finding, Pictures]


def examine_clip(
    file: PhotoFile,
    detector: Detector,
    config: CurateConfig,
    *,
    on_frame: Callable[[], None] | None = None,
) -> list[tuple[Finding, Pictures | None]]:
    """Look for faces on a video, and choose the frames that are used of it.

    A clip of up to a minute is looked at twice a second. Of a longer one the keyframes are, and
    then what follows those with a face. Never raises for what a file may hold.

    Args:
        file: The video.
        detector: Finds the faces.
        config: As for photos, and how many frames are used at most.
        on_frame: Called after each frame that was looked at.

    Returns:
        For each frame used, by time, what was found and the pictures: the sharpest, and of the
        others those on which the face looks another; of a video without a face its sharpest frame.
        For a video that cannot be read one finding that says so.
    """
    digest = probe = ""
    try:
        digest, probe = file.digest(), file.probe()
        with file.on_disk() as path, Clip(path) as clip:
            seen = _look_through(clip, detector, config, on_frame or (lambda: None))
    except UnreadablePhoto as error:
        return [(unreadable(file, str(error), digest, probe), None)]
    except (
        decoding_errors()
    ) as error:  # as of photos: decoders raise what their parsers stumble over
        why = f"the video cannot be read ({type(error).__name__})"
        return [(unreadable(file, why, digest, probe), None)]
    chosen = choose(seen, config.clip_frames)
    return [
        (
            dataclasses.replace(
                finding,
                path=frame_path(file.name, seconds),
                clip=file.name,
                frames=len(chosen),
                sha256=digest,
                bytes=file.bytes,
                modified=file.modified,
                probe=probe,
            ),
            pictures,
        )
        for seconds, (finding, pictures) in sorted(chosen.items())
    ]


def _look_through(
    clip: Clip, detector: Detector, config: CurateConfig, on_frame: Callable[[], None]
) -> dict[float, Seen]:
    """What was seen, by seconds to a tenth."""

    def look(still: Still) -> Seen:
        photo = Photo(pixels=still.pixels, width=still.width, height=still.height, profile=None)
        seen = look_at(photo, detector, config)
        on_frame()
        return seen

    if clip.seconds is None or clip.seconds <= SHORT:
        return {round(still.seconds, 1): look(still) for still in clip.stills()}
    keyframes = {still.seconds: look(still) for still in clip.keyframes()}
    seen = {round(seconds, 1): one for seconds, one in keyframes.items()}
    with_face = [seconds for seconds, (finding, _) in keyframes.items() if finding.crops()]
    seen |= {round(still.seconds, 1): look(still) for still in clip.around(with_face)}
    return seen


def choose(seen: dict[float, Seen], most: int) -> dict[float, Seen]:
    """The frames that are used: the sharpest faces first, each unlike those before it.

    Args:
        seen: By seconds; not empty.
        most: How many to use.
    """
    chosen: dict[float, Seen] = {}
    prints: list[int] = []
    with_face = {seconds: one for seconds, one in seen.items() if one[0].crops()}
    for seconds, one in sorted(with_face.items(), key=lambda item: (-_detail(item[1]), item[0])):
        code = int(one[0].crops()[0].fingerprint or "0", 16)
        if all((code ^ other).bit_count() > NEAR_CROP for other in prints):
            chosen[seconds] = one
            prints.append(code)
        if len(chosen) == most:
            break
    if not chosen:
        sharpest = max(seen, key=lambda seconds: (seen[seconds][0].sharpness, -seconds))
        chosen[sharpest] = seen[sharpest]
    return chosen


def _detail(seen: Seen) -> float:
    return max(crop.detail for crop in seen[0].crops())
