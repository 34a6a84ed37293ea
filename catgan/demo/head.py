"""A head: a generated face on drawn fur, and the colours that the rest of the cat takes from it.

Places on a head are in widths of its face box, from the box's centre, right and down as the head
sees them upright. A generated face is what `curate` cuts out: the box and a quarter of its width
around it, lifted by a tenth.
"""

import dataclasses

import numpy as np
from PIL import Image, ImageFilter

from catgan.core.pictures import Picture
from catgan.demo.texture import Colours, Plane, resize_colours, smoothstep, to_colours, to_picture

REACH = 1.5  # side of a generated face, in widths of its box
CONTRAST = 1.15
LIFT = 0.10  # how much higher than the box it lies


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Coat:
    """Colours of a cat, each (3,) float32, 0 to 1."""

    back: Colours
    """Of its forehead, and so of its back."""
    dark: Colours
    """Of its stripes."""
    light: Colours
    """Of its chin, and so of its chest and paws."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A face ready to be put on a body."""

    colours: Colours
    """(64, 64, 3): the face, its colours carried on to all sides where it ends."""
    coat: Coat
    """What the body wears."""


def make_head(face: Picture) -> Head:
    """Take the face off its ground.

    Args:
        face: (S, S, 3) uint8, as the generator draws it.
    """
    colours = _crisp(to_colours(face))
    across, down = _places(len(face))
    mask = smoothstep(1.12, 0.86, np.hypot(across / 0.50, (down - 0.03) / 0.46))
    coat = _coat(colours, across, down)
    around = _carried_on(
        colours, smoothstep(1.0, 0.8, np.hypot(across / 0.5, (down - 0.03) / 0.46))
    )
    far = smoothstep(0.45, 0.75, np.hypot(across, down))[..., None]
    top = smoothstep(0.25, -0.1, down)[..., None]
    around = around * (1 - 0.6 * far) + 0.6 * far * (coat.back * top + coat.light * (1 - top))
    return Head(colours=colours * mask[..., None] + around * (1 - mask[..., None]), coat=coat)


def coat_of(face: Picture) -> Coat:
    """What a face wears: (S, S, 3) uint8, as the generator draws it."""
    return _coat(_crisp(to_colours(face)), *_places(len(face)))


def _crisp(colours: Colours) -> Colours:
    """A little more contrast: faces of a small net are paler than photos of cats."""
    middle = colours.mean(axis=(0, 1))
    crisp: Colours = np.clip(middle + CONTRAST * (colours - middle), 0, 1)
    return crisp


def _places(size: int) -> tuple[Plane, Plane]:
    """Where the pixels of a generated face are on the head."""
    steps = ((np.arange(size, dtype=np.float32) + 0.5) / size - 0.5) * REACH
    down, across = np.meshgrid(steps - LIFT, steps, indexing="ij")
    return across, down


def _coat(colours: Colours, across: Plane, down: Plane) -> Coat:
    forehead = (abs(across) < 0.34) & (down > -0.40) & (down < -0.18)
    cheeks = (abs(across) > 0.30) & (abs(across) < 0.44) & (abs(down - 0.05) < 0.14)
    chin = (abs(across) < 0.16) & (down > 0.34) & (down < 0.46)
    fur = colours[forehead | cheeks]
    luma = fur.mean(axis=1)
    order = np.argsort(luma)
    third = max(1, len(order) // 3)
    back, dark = np.median(fur, axis=0), fur[order[:third]].mean(axis=0)
    light = colours[chin].mean(axis=0)
    # a chin in shadow says little of the chest
    light = np.maximum(0.75 * light + 0.25 * back, back * 1.05)
    return Coat(back=back, dark=dark * 0.85, light=light)


def _carried_on(colours: Colours, mask: Plane) -> Colours:
    """The colours inside a mask, spread over everything outside it: the nearest count most."""
    size = len(mask)
    weighted = colours * mask[..., None]
    result = np.zeros_like(colours)
    weight = np.zeros_like(mask)[..., None]
    side = size
    while side >= 2:
        parts = resize_colours(weighted, side, side)
        share = resize_colours(np.repeat(mask[..., None], 3, axis=2), side, side)
        spread = np.clip(resize_colours(parts, size, size), 0, None)
        cover = np.clip(resize_colours(share, size, size), 0, None)
        trust = np.float32(0.02 if side < size else 1.0) * side / size
        result += spread * trust
        weight = weight + cover * trust
        side //= 2
    return result / np.maximum(weight, 1e-6)


def enlarge(head: Head, side: int) -> Picture:
    """The face at another side, as crisp as fur around it.

    Args:
        head: Whose face.
        side: Of the result, pixels.

    Returns:
        (side, side, 3) uint8.
    """
    image = Image.fromarray(to_picture(head.colours)).resize((side, side), Image.Resampling.BICUBIC)
    radius = max(0.8, side / len(head.colours) * 0.7)
    return np.asarray(image.filter(ImageFilter.UnsharpMask(radius=radius, percent=90, threshold=0)))
