"""Pictures changed a little and differently each time, with gradients passing through.

Differentiable augmentation (Zhao et al. 2020, arXiv:2006.10738): D sees real and fake pictures only
through the same random changes, so it can neither learn a few hundred real ones by heart nor
punish G for the changes. That holds only if every step of either net uses them.
"""

import dataclasses

import torch
from torch import Tensor
from torch.nn import functional as F

from catgan.train.config import COLOUR, CUTOUT, TRANSLATION

SHIFT = 1 / 8  # of the side: how far a picture moves at most, in either direction
HOLE = 1 / 2  # of the side: the square that cutout blanks

NUMBERS = 7
"""Random numbers a picture takes: three for colour, two each for translation and cutout."""


@dataclasses.dataclass(frozen=True, slots=True)
class Augment:
    """Which changes are made; none for an empty tuple."""

    kinds: tuple[str, ...] = ()
    """Of `colour`, `translation` and `cutout`."""

    def __bool__(self) -> bool:
        """Whether anything is changed."""
        return bool(self.kinds)

    def draw(self, count: int, random: torch.Generator) -> Tensor:
        """The random numbers for so many pictures: (count, 7) float32, 0 to 1, on the CPU.

        Drawn apart from their use, so that the same ones are drawn on every device.
        """
        return torch.rand(count, NUMBERS, generator=random)

    def __call__(self, images: Tensor, draws: Tensor) -> Tensor:
        """Changed pictures; each depends on its own row of `draws` alone.

        Args:
            images: (N, 3, H, W) float, -1 to 1.
            draws: (N, 7) float32, 0 to 1, on the same device.

        Returns:
            (N, 3, H, W) of the same type; colours may leave -1 to 1.
        """
        images = images.contiguous()  # what follows takes twice as long in another layout
        if COLOUR in self.kinds:
            images = colour(images, draws[:, 0:3])
        if TRANSLATION in self.kinds:
            images = translate(images, draws[:, 3:5])
        if CUTOUT in self.kinds:
            images = cut_out(images, draws[:, 5:7])
        return images


def colour(images: Tensor, draws: Tensor) -> Tensor:
    """Brightness by -0.5 to 0.5, saturation times 0 to 2, contrast times 0.5 to 1.5.

    Args:
        images: (N, 3, H, W).
        draws: (N, 3), 0 to 1; one half each leaves a picture as it is.
    """
    brightness, saturation, contrast = (
        column[:, None, None, None] for column in draws.to(images.dtype).unbind(1)
    )
    brightness, saturation, contrast = brightness - 0.5, saturation * 2, contrast + 0.5
    grey = images.mean(dim=1, keepdim=True)
    mean = grey.mean(dim=(2, 3), keepdim=True)
    # One change after the other would be three passes over all pictures, and one is enough:
    #     brighter = images + brightness             whose mean is mean + brightness
    #     coloured = grey + (brighter - grey) * saturation, grey of the brighter; the same mean
    #     result   = mean + (coloured - mean) * contrast,   mean of the coloured
    shift = contrast * brightness + (1 - contrast) * (mean + brightness)
    rest = grey * (contrast * (1 - saturation)) + shift
    return torch.addcmul(rest, images, contrast * saturation)


def translate(images: Tensor, draws: Tensor) -> Tensor:
    """Moved by whole pixels, up to an eighth of the side; what comes in is mid grey (0).

    Args:
        images: (N, C, H, W).
        draws: (N, 2), 0 to 1: down and right; one half leaves a picture where it is.
    """
    count, channels, height, width = images.shape
    down, right = int(height * SHIFT + 0.5), int(width * SHIFT + 0.5)
    # 0 to 2 down, each value equally likely
    rows = (draws[:, 0] * (2 * down + 1)).floor().clamp(max=2 * down).long()
    columns = (draws[:, 1] * (2 * right + 1)).floor().clamp(max=2 * right).long()
    padded = F.pad(images, (right, right, down, down))
    y = rows[:, None] + torch.arange(height, device=images.device)  # (N, H)
    x = columns[:, None] + torch.arange(width, device=images.device)  # (N, W)
    wide = width + 2 * right
    places = (y[:, :, None] * wide + x[:, None, :]).reshape(count, 1, height * width)
    taken = padded.flatten(2).gather(2, places.expand(count, channels, -1))
    return taken.reshape(images.shape)


def cut_out(images: Tensor, draws: Tensor) -> Tensor:
    """A square of half the side made mid grey; its centre lies anywhere in the picture.

    Args:
        images: (N, C, H, W).
        draws: (N, 2), 0 to 1: the centre, from the top and from the left.
    """
    height, width = images.shape[2:]

    def inside(centre: Tensor, side: int) -> Tensor:
        place = torch.arange(side, device=images.device) + 0.5
        return (place - centre[:, None] * side).abs() < side * HOLE / 2

    hole = inside(draws[:, 0], height)[:, None, :, None] & inside(draws[:, 1], width)[:, None, None]
    return images.masked_fill(hole, 0.0)


def flip(images: Tensor, draws: Tensor) -> Tensor:
    """Mirrored left to right where the draw is below one half.

    Args:
        images: (N, C, H, W).
        draws: (N,), 0 to 1, on the same device.
    """
    return torch.where(draws[:, None, None, None] < 0.5, images.flip(3), images)
