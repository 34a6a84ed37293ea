"""Videos as pictures: the sharpest frame of each half second, upright and in sRGB.

PyAV is known here alone, which brings FFmpeg. One frame is held at a time, and the one that is the
sharpest so far.
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catgan.core.errors import UnreadablePhoto
from catgan.core.pictures import Picture
from catgan.curate.screens import sharpness

HALF_SECOND = 0.5
SHORT = 60.0  # seconds; a clip so long is looked at from end to end
MOST_KEYFRAMES = 240  # of a longer one, spread over it
MOST_FRAMES = 2000  # decoded of a longer one around the keyframes that are asked for
STRETCH = 10.0  # seconds decoded after a keyframe, at most
MOST_SIDE = 2560  # pixels of the longer side; a larger frame is reduced
MEASURED_SIDE = 160  # pixels of the longer side at which frames are compared for sharpness

PQ, HLG = 16, 18  # ITU-T H.273, table 3
_BT2020 = 9  # table 2; and table 4, without constant luminance
REFERENCE_WHITE = 203.0  # nits (ITU-R BT.2408)
HLG_PEAK = 1000.0  # nits of the display that HLG is made for
KNEE = 0.8  # of white, up to which nothing is compressed
# BT.2020 to BT.709, linear (ITU-R BT.2087).
_TO_709 = np.array(
    [
        (1.6605, -0.5876, -0.0728),
        (-0.1246, 1.1329, -0.0083),
        (-0.0182, -0.1006, 1.1187),
    ],
    dtype=np.float32,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """A frame of a clip."""

    seconds: float
    """Since its beginning."""
    pixels: Picture
    """(H, W, 3) uint8 sRGB, upright; perhaps reduced."""
    width: int
    """Of the whole upright frame, pixels."""
    height: int
    """Likewise."""


@functools.cache
def can_read_clips() -> bool:
    """Whether the package that reads videos is installed."""
    try:
        import av  # noqa: F401
    except (ImportError, OSError):  # OSError: a shared library of its does not load
        return False
    return True


def decoding_errors() -> tuple[type[Exception], ...]:
    """What decoding a spoiled video may raise: as of photos, whatever a parser stumbles over."""
    import av

    parsing = (ArithmeticError, AttributeError, EOFError, LookupError, OSError, ValueError)
    return (av.FFmpegError, MemoryError, *parsing)


class Clip:
    """A video that is open; a context manager."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            UnreadablePhoto: It cannot be opened, or has no picture.
        """
        import av

        av.logging.set_level(None)
        try:
            self._container = av.open(str(path), metadata_errors="ignore")
        except (av.FFmpegError, OSError, ValueError) as error:
            raise UnreadablePhoto(f"the video cannot be read ({_reason(error)})") from error
        if not self._container.streams.video:
            self._container.close()
            raise UnreadablePhoto("the file has sound, but no picture")
        self._stream = self._container.streams.video[0]
        if self._stream.codec_context is None:
            self._container.close()
            raise UnreadablePhoto("the video is in a format that cannot be decoded here")
        self._stream.codec_context.thread_count = 1  # the parallelism is over clips
        self._errors = (av.FFmpegError, OSError, ValueError)

    def __enter__(self) -> "Clip":
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def seconds(self) -> float | None:
        """How long it is; None where the file does not say, as one that was cut off may not."""
        if self._stream.duration and self._stream.time_base:
            return float(self._stream.duration * self._stream.time_base)
        duration = self._container.duration
        return None if duration is None else float(duration) / 1e6

    def stills(self) -> Iterator[Still]:
        """The sharpest frame of each half second, from the first to the last that can be decoded.

        Raises:
            UnreadablePhoto: There is none.
        """
        count = 0
        for still in self._sharpest(self._frames()):
            count += 1
            yield still
        if not count:
            raise UnreadablePhoto("the video holds no frame that can be decoded")

    def still_at(self, seconds: float) -> Still:
        """The frame nearest to a moment.

        Raises:
            UnreadablePhoto: There is none that can be decoded.
        """
        best: Any = None
        start = max(0.0, seconds - HALF_SECOND)
        for frame in self._frames(start, seconds + HALF_SECOND):
            far = abs((frame.time or 0.0) - seconds)
            if best is None or far < abs((best.time or 0.0) - seconds):
                best = frame
        if best is None:
            raise UnreadablePhoto("the video holds no frame there that can be decoded")
        return _still(best, self._stream)

    def keyframes(self) -> Iterator[Still]:
        """Frames that stand by themselves, spread over a long clip: cheap to come by.

        Raises:
            UnreadablePhoto: There is none.
        """
        seconds, last, count = self.seconds or 0.0, -1.0, 0
        for number in range(MOST_KEYFRAMES):
            frame = self._frame_at(seconds * number / MOST_KEYFRAMES)
            if frame is None or (frame.time or 0.0) <= last:
                continue
            last = frame.time or 0.0
            count += 1
            yield _still(frame, self._stream)
        if not count:
            raise UnreadablePhoto("the video holds no frame that can be decoded")

    def around(self, keyframes: list[float]) -> Iterator[Still]:
        """The sharpest frame of each half second after some keyframes.

        Args:
            keyframes: Their seconds, ascending.
        """
        yield from self._sharpest(itertools.islice(self._after(keyframes), MOST_FRAMES))

    def _after(self, keyframes: list[float]) -> Iterator[Any]:
        end = -1.0
        for start in keyframes:
            if start >= end:
                end = start + STRETCH
                yield from self._frames(start, end)

    def _frame_at(self, seconds: float) -> Any:
        try:
            self._container.seek(round(seconds * 1e6), backward=True)
            return next(iter(self._container.decode(self._stream)), None)
        except self._errors:
            return None

    def _frames(self, start: float | None = None, end: float = math.inf) -> Iterator[Any]:
        """Frames in order; a clip that was cut off ends where it is broken."""
        try:
            if start is not None:
                self._container.seek(round(start * 1e6), backward=True)
            for frame in self._container.decode(self._stream):
                seconds = frame.time or 0.0
                if seconds >= end:
                    return
                if start is None or seconds >= start:
                    yield frame
        except self._errors:
            return

    def _sharpest(self, frames: Iterator[Any]) -> Iterator[Still]:
        """One for each half second by the clock, whatever the rate of frames."""
        best: Any = None
        most, place = -1.0, -1
        for frame in frames:
            if frame.is_corrupt:
                continue
            here = int((frame.time or 0.0) // HALF_SECOND)
            if here != place and best is not None:
                yield _still(best, self._stream)
                best = None
            if best is None:
                most, place = -1.0, here
            sharp = _quick_sharpness(frame)
            if sharp > most:
                best, most = frame, sharp
        if best is not None:
            yield _still(best, self._stream)


def _reason(error: Exception) -> str:
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(words)[:100]


def _quick_sharpness(frame: Any) -> float:
    factor = MEASURED_SIDE / max(frame.width, frame.height)
    small = frame.reformat(
        width=max(16, round(frame.width * factor)),
        height=max(16, round(frame.height * factor)),
        format="gray",
    ).to_ndarray()
    return sharpness(np.repeat(small[..., None], 3, axis=2), own_size=True)


def _still(frame: Any, stream: Any) -> Still:
    """A frame as a picture: square pixels, upright, sRGB."""
    aspect = float(stream.sample_aspect_ratio or 1)
    width, height = max(1, round(frame.width * aspect)), frame.height
    factor = min(1.0, MOST_SIDE / max(width, height))
    shape = {"width": max(1, round(width * factor)), "height": max(1, round(height * factor))}
    how = {"src_colorspace": _matrix(frame), **shape}
    if frame.color_trc in (PQ, HLG):
        deep = frame.reformat(format="rgb48le", **how).to_ndarray()
        pixels = tone_map(deep, frame.color_trc, wide=frame.color_primaries == _BT2020)
    else:
        pixels = np.asarray(frame.reformat(format="rgb24", **how).to_ndarray(), dtype=np.uint8)
    turns = round((frame.rotation or 0) / 90) % 4
    if turns:
        pixels = np.ascontiguousarray(np.rot90(pixels, turns))
    if turns % 2:
        width, height = height, width
    return Still(seconds=float(frame.time or 0.0), pixels=pixels, width=width, height=height)


def _matrix(frame: Any) -> int:
    """Which numbers turn luma and chroma to RGB, as libswscale counts them."""
    stated = int(frame.colorspace)
    if stated in (1, 4, 5, 6, 7, 9):
        return 5 if stated == 6 else stated
    return 1 if frame.height >= 720 else 5  # what players take where nothing is stated


def tone_map(deep: NDArray[np.uint16], transfer: int, *, wide: bool) -> Picture:
    """A frame for brighter screens as one for sRGB: what is white there is white here.

    Args:
        deep: (H, W, 3) uint16, as coded.
        transfer: `PQ` or `HLG` (ITU-R BT.2100).
        wide: Whether its primaries are those of BT.2020.

    Returns:
        (H, W, 3) uint8 in sRGB; what is brighter than white is compressed into the last fifth.
    """
    coded = np.asarray(deep, dtype=np.float32) / np.float32(65535)
    light = (_pq(coded) if transfer == PQ else _hlg(coded)) / REFERENCE_WHITE
    if wide:
        light = np.clip(light @ _TO_709.T, 0, None).astype(np.float32)
    peak = light.max(axis=2, keepdims=True)
    over = np.maximum(peak - KNEE, 0) / (1 - KNEE)
    mapped = np.where(peak > KNEE, KNEE + (1 - KNEE) * over / (1 + over), peak)
    light *= mapped / np.maximum(peak, 1e-6)  # by one factor, which keeps the hue
    curved = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray((curved * 255).round().clip(0, 255), dtype=np.uint8)


def _pq(coded: NDArray[np.float32]) -> NDArray[np.float32]:
    """Nits (BT.2100, table 4)."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    root = coded ** np.float32(1 / m2)
    ratio = np.maximum(root - c1, 0) / (c2 - c3 * root)
    return np.asarray(10_000 * ratio ** (1 / m1), dtype=np.float32)


def _hlg(coded: NDArray[np.float32]) -> NDArray[np.float32]:
    """Nits on the display that it is made for (BT.2100, table 5)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
    luma = scene @ np.array([0.2627, 0.6780, 0.0593], dtype=np.float32)
    return np.asarray(HLG_PEAK * scene * np.maximum(luma, 1e-6)[..., None] ** 0.2, dtype=np.float32)
