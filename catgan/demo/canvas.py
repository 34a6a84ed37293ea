"""What rooms are painted on: rounded boxes, cushions and their shadows."""

import colorsys
import math

import numpy as np

from catgan.demo.texture import Colours, Plane, smoothstep

CALM = 0.75  # share of their colourfulness that rooms keep, so that the cat stands out


class Canvas:
    """Colours being painted, with x and y from 0 to 1 across the shorter side."""

    def __init__(self, height: int, width: int) -> None:
        """A black canvas of so many pixels."""
        self.height, self.width = height, width
        self.unit = min(height, width)
        self.colours = np.zeros((height, width, 3), dtype=np.float32)

    @property
    def right(self) -> float:
        """x of the right edge."""
        return self.width / self.unit

    @property
    def bottom(self) -> float:
        """y of the bottom edge."""
        return self.height / self.unit

    def places(self) -> tuple[Plane, Plane]:
        """x and y of every pixel, broadcastable."""
        y = (np.arange(self.height, dtype=np.float32) + 0.5)[:, None] / self.unit
        x = (np.arange(self.width, dtype=np.float32) + 0.5)[None] / self.unit
        return x, y

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        colour: Colours,
        *,
        radius: float = 0.0,
        puff: float = 0.0,
        soft: float = 0.0,
        opacity: float = 1.0,
        shadow: float = 0.0,
    ) -> None:
        """A rounded rectangle.

        Args:
            left: Edge; the other three likewise.
            top: Edge.
            right: Edge.
            bottom: Edge.
            colour: (3,) or (h, w, 3) as large as the rectangle's pixels would be.
            radius: Of its corners.
            puff: How much it darkens towards its edges, as a cushion does, 0 to 1.
            soft: How far its edge fades.
            opacity: 0 to 1.
            shadow: How dark a shadow it throws around itself, 0 to 1.
        """
        if shadow:
            self.box(
                left - 0.01,
                top,
                right + 0.01,
                bottom + 0.03,
                np.zeros(3, np.float32),
                radius=radius,
                soft=0.05,
                opacity=shadow,
            )
        reach = soft + 0.004
        x0, x1 = self._pixels(left - reach, right + reach, self.width)
        y0, y1 = self._pixels(top - reach, bottom + reach, self.height)
        if x0 >= x1 or y0 >= y1:
            return
        y = (np.arange(y0, y1, dtype=np.float32) + 0.5)[:, None] / self.unit
        x = (np.arange(x0, x1, dtype=np.float32) + 0.5)[None] / self.unit
        half_x, half_y = (right - left) / 2, (bottom - top) / 2
        radius = min(radius, half_x, half_y)
        dx = abs(x - (left + right) / 2) - (half_x - radius)
        dy = abs(y - (top + bottom) / 2) - (half_y - radius)
        distance = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(
            np.maximum(dx, dy), 0
        )
        distance = distance - radius
        edge = max(soft, 1 / self.unit)
        cover = smoothstep(edge / 2, -edge / 2, distance)[..., None] * opacity
        if puff:
            inside = smoothstep(0.0, -0.09, distance)[..., None]
            colour = colour * (1 - puff * (1 - inside))
        part = self.colours[y0:y1, x0:x1]
        part += cover * (colour - part)

    def _pixels(self, low: float, high: float, most: int) -> tuple[int, int]:
        return max(0, math.floor(low * self.unit)), min(most, math.ceil(high * self.unit))


def a_colour(
    rng: np.random.Generator,
    hue: tuple[float, float],
    saturation: tuple[float, float],
    value: tuple[float, float],
) -> Colours:
    """A colour between bounds of hue (0 to 1, round and round), saturation and value: (3,)."""
    parts = (rng.uniform(*hue) % 1, CALM * rng.uniform(*saturation), rng.uniform(*value))
    return np.array(colorsys.hsv_to_rgb(*parts), dtype=np.float32)
