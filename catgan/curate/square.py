"""A square on a picture, turned: a face on its way from the detector to the crop.

Of every face there are two, turned with the head. The ears' square runs from ear base to ear base:
the cascades find it, `photos.jsonl` has it as `box`, and face widths and margins are measured by
it. The head's square is drawn around the whole head: the fitted parts find it, and a crop has its
centre. Only this module knows how the two lie to each other.
"""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

# Side of the ears' square, in sides of the head's.
EAR_TO_EAR = 1 / 1.2
# The ears' square has the eyes at 0.4 of its height, so that the ears stand above it while the chin
# ends inside: the head's centre lies this much higher than its own, in sides of the ears' square.
LIFT = 0.10

MAP = "map"  # what proposed a face, where it was no cascade


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """A turned square on an upright picture."""

    cx: float
    """Centre from the left edge, pixels of the picture."""
    cy: float
    """Centre from the top edge, likewise."""
    side: float
    """Side, likewise."""
    roll: float = 0.0
    """Turn about the centre, degrees anticlockwise."""
    score: float = 0.0
    """How sure the finder is that it is a face; each recipe has a scale of its own."""
    proposer: str = ""
    """What proposed it: `MAP` or `datasets.CASCADE`; "" where that does not matter."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left edge, top edge, width and height of the square as it would lie upright, pixels."""
        return self.cx - self.side / 2, self.cy - self.side / 2, self.side, self.side

    def scaled(self, factor: float) -> "Square":
        """The same square on the picture enlarged by a factor."""
        return dataclasses.replace(
            self, cx=self.cx * factor, cy=self.cy * factor, side=self.side * factor
        )

    def moved(self, across: float, down: float) -> "Square":
        """The square moved along its own directions.

        Args:
            across: To its right, in sides.
            down: Downwards for a head that stands upright in it, in sides.
        """
        turn = math.radians(self.roll)
        cos, sin = math.cos(turn), math.sin(turn)
        across, down = across * self.side, down * self.side
        return dataclasses.replace(
            self, cx=self.cx + across * cos + down * sin, cy=self.cy - across * sin + down * cos
        )

    def levelled(self, pixels: int, *, mirrored: bool = False) -> NDArray[np.float64]:
        """Where the pixels of the square are on the picture, once it is cut out upright.

        Args:
            pixels: Side of what is cut out.
            mirrored: Left and right exchanged.

        Returns:
            (2, 3) float64, for OpenCV's `warpAffine` with `WARP_INVERSE_MAP`: the matrix that takes
            a pixel's column and row to the picture's.
        """
        turn, step = math.radians(self.roll), self.side / pixels
        right = np.array([math.cos(turn), -math.sin(turn)]) * step
        down = np.array([math.sin(turn), math.cos(turn)]) * step
        if mirrored:
            right = -right
        # Squares count from the picture's corner, OpenCV from the middle of its first pixel.
        corner = np.array([self.cx, self.cy]) + (right + down) * (0.5 - pixels / 2) - 0.5
        return np.column_stack([right, down, corner])


def head_of(ears: Square) -> Square:
    """The head's square for the ears'."""
    return dataclasses.replace(ears.moved(0, -LIFT), side=ears.side / EAR_TO_EAR)


def ears_of(head: Square) -> Square:
    """The ears' square for the head's."""
    return dataclasses.replace(head, side=head.side * EAR_TO_EAR).moved(0, LIFT)


def box_of(square: Square) -> tuple[tuple[float, float, float, float], float]:
    """A square as the records have it: its box in pixels and its turn, rounded to a tenth."""
    # a detector of the caller's own may count in whole numbers
    x, y, w, h = (round(float(value), 1) for value in square.box)
    return (x, y, w, h), round(float(square.roll), 1)


def square_of(
    box: tuple[float, float, float, float], roll: float, score: float = 0.0, *, proposer: str = ""
) -> Square:
    """The square of a box and a turn as the records have them."""
    x, y, w, h = box
    return Square(cx=x + w / 2, cy=y + h / 2, side=w, roll=roll, score=score, proposer=proposer)
