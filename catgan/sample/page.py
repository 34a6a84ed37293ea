"""One HTML page in which the pointer moves over maps of latent space, and the cat follows.

No network runs in the browser: the page has samples at the points of a grid, and mixes the four
around the pointer.
"""

import io
import itertools
from collections.abc import Callable

import numpy as np
from PIL import Image
from torch import Tensor

from catgan.core.pages import data_uri, page_environment
from catgan.core.pictures import Picture, sheet
from catgan.model.networks import Generator
from catgan.sample.config import SampleConfig
from catgan.sample.draw import draw_pictures
from catgan.sample.slices import Slice, make_slices

BUDGET = 2_900_000  # bytes of the page: what an e-mail or a phone takes without complaint
SIDES = (24, 20, 16, 12, 8, 6, 4)  # points of a map on each side, tried in this order
LARGEST = 3072  # pixels of a side of what the browser has to keep decoded
QUALITIES = (90, 85, 80, 75, 70)  # of WebP; below, blocks show


def make_page(
    generator: Generator,
    config: SampleConfig,
    *,
    size: int,
    name: str,
    epoch: int,
    progress: Callable[[str], None],
) -> str:
    """The page, smaller than `BUDGET` in UTF-8.

    Args:
        generator: In evaluation mode, on the CPU.
        config: Settings: `seed`, `truncate`.
        size: Side of the images, pixels.
        name: The run's.
        epoch: Complete epochs.
        progress: Told what is being done, a few words at a time.
    """
    sides = [side for side in SIDES if side * size <= LARGEST] or [SIDES[-1]]
    for side in sides:
        slices = make_slices(generator, config.seed, side=side, truncate=config.truncate)
        sheets = []
        for number, one in enumerate(slices, start=1):
            progress(f"drawing map {number} of {len(slices)}")
            sheets.append(sprite_sheet(generator, one.latents))
        for quality in QUALITIES:
            files = [encode_webp(picture, quality) for picture in sheets]
            page = _render(slices, files, size=size, side=side, name=name, epoch=epoch)
            if len(page.encode()) <= BUDGET or (side, quality) == (sides[-1], QUALITIES[-1]):
                return page
    raise AssertionError("the last try is taken as it is")


def sprite_sheet(generator: Generator, latents: Tensor) -> Picture:
    """The samples of a map side by side, without gaps.

    Args:
        generator: In evaluation mode, on the CPU.
        latents: (side, side, latent_dim).

    Returns:
        (side * size, side * size, 3) uint8.
    """
    pictures = np.stack(list(draw_pictures(generator, latents.flatten(0, 1))))
    return sheet(pictures, columns=latents.shape[1], gap=0)


def encode_webp(picture: Picture, quality: int) -> bytes:
    """A picture as the bytes of a WebP file, which all browsers since 2020 show."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()


def _render(
    slices: list[Slice], files: list[bytes], *, size: int, side: int, name: str, epoch: int
) -> str:
    maps = [
        {"name": one.name, "about": one.about, "sheet": data_uri("webp", data)}
        for one, data in zip(slices, files, strict=True)
    ]
    template = page_environment("catgan.sample", "sample").get_template("map.html.j2")
    numbers = itertools.chain.from_iterable(one.latents.shape[-1:] for one in slices)
    return template.render(
        maps=maps,
        size=size,
        side=side,
        name=name,
        epoch=epoch,
        latent_dim=max(numbers),
    )
