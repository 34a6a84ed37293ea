"""Moving pictures as GIF files: one palette for all frames, steady colours, the same bytes."""

import dataclasses
import io
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catgan.core.pictures import Picture, spread_evenly
from catgan.sample.layout import GROUND
from catgan.sample.stamp import gif_comment

Colour = tuple[int, int, int]

PALETTES = (254, 128, 64)  # colours tried, one after the other, until the file is small enough
BUDGET = 5_000_000  # bytes of a file that can still be sent to a friend
LOOKED_AT = 12  # frames that the palette is made from
STEADY = 12.0  # how far a pixel may be from its colour before it changes: what a palette costs


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Movie:
    """Frames, and how long each is shown."""

    frames: Sequence[Picture]
    """(H, W, 3) uint8 each, all of one size; at least one."""
    durations: Sequence[int]
    """Hundredths of a second, one a frame."""

    @property
    def seconds(self) -> float:
        """From the first frame until it comes again."""
        return sum(self.durations) / 100


def hundredths(fps: int) -> int:
    """How long a frame is shown, in the unit that GIF counts in."""
    return round(100 / fps)


def encode_gif(movie: Movie, note: str) -> bytes:
    """A movie as the bytes of a GIF file that goes round for ever.

    With as many colours as a file of a few megabytes has room for. Frames that look the same are
    one frame, shown as long as both.

    Args:
        movie: The frames.
        note: What they were drawn from, a few words.
    """
    data = b""
    for colours in PALETTES:
        data = _encode(movie, choose_palette(movie.frames, colours), note)
        if len(data) <= BUDGET:
            break
    return data


def choose_palette(frames: Sequence[Picture], most: int) -> list[Colour]:
    """Up to so many colours for all frames, the ground first, each colour once."""
    chosen = spread_evenly(len(frames), LOOKED_AT)
    mosaic = np.concatenate([frames[index] for index in chosen])
    palette = Image.fromarray(mosaic).quantize(most - 1, method=Image.Quantize.MEDIANCUT)
    values = np.reshape(palette.getpalette() or [], (-1, 3)).tolist()
    return list(dict.fromkeys([(GROUND, GROUND, GROUND), *(tuple(value) for value in values)]))


def _encode(movie: Movie, palette: list[Colour], note: str) -> bytes:
    unchanged = len(palette)  # the index that lets the frame before shine through
    spare = next(colour for colour in _greys() if colour not in palette)
    table = [value for colour in [*palette, spare] for value in colour]
    images: list[Image.Image] = []
    durations: list[int] = []
    for frame, duration in zip(
        _steady_frames(movie.frames, palette, unchanged), movie.durations, strict=True
    ):
        if (frame == unchanged).all():
            durations[-1] += duration
            continue
        image = Image.fromarray(frame)
        image.putpalette(table)
        images.append(image)
        durations.append(duration)
    buffer = io.BytesIO()
    images[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=images[1:],
        duration=[10 * duration for duration in durations],
        loop=0,
        disposal=1,
        transparency=unchanged,
        palette=bytes(table),  # one table for all frames, where Pillow would give each its own
        optimize=False,
        comment=gif_comment(note),
    )
    return buffer.getvalue()


def _steady_frames(
    frames: Sequence[Picture], palette: list[Colour], unchanged: int
) -> Iterator[NDArray[np.uint8]]:
    """Frames in indices of the palette; a pixel that need not change is `unchanged`.

    A pixel keeps its colour until it is too far from what it should be. That takes the flicker
    out of colours that lie between two of the palette, and a quarter off the file. No dithering:
    its grain would be another one in each frame.
    """
    picker = Image.new("P", (1, 1))
    picker.putpalette([value for colour in palette for value in colour])
    colours = np.array(palette, dtype=np.int32)
    shown: NDArray[np.uint8] | None = None
    for frame in frames:
        nearest = Image.fromarray(frame).quantize(palette=picker, dither=Image.Dither.NONE)
        wanted = np.array(nearest, dtype=np.uint8)
        wanted[(frame == GROUND).all(axis=-1)] = 0  # Pillow picks to within a few levels
        if shown is None:
            shown = wanted
            yield wanted
            continue
        error = ((colours[shown] - frame) ** 2).sum(axis=-1)
        kept = (error <= STEADY**2) | (wanted == shown)
        shown = np.where(kept, shown, wanted)
        yield np.where(kept, np.uint8(unchanged), wanted)


def _greys() -> list[Colour]:
    """More different colours than a palette has."""
    return [(level, level, level) for level in range(256)]
