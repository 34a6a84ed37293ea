"""A square on a picture, and how the two squares of a face lie to each other."""

import math

import numpy as np
import pytest

from catgan.curate.square import EAR_TO_EAR, LIFT, Square, ears_of, head_of

ROLLS = [-170.0, -90.0, -33.0, 0.0, 12.5, 90.0, 180.0]


@pytest.mark.parametrize("roll", ROLLS)
class TestTheTwoSquaresOfAFace:
    def test_there_and_back_is_the_same_square(self, roll: float) -> None:
        square = Square(cx=310.5, cy=127.25, side=83.0, roll=roll, score=1.5)
        for back in (ears_of(head_of(square)), head_of(ears_of(square))):
            assert (back.cx, back.cy, back.side) == pytest.approx((310.5, 127.25, 83.0))
            assert (back.roll, back.score) == (roll, 1.5)

    def test_the_head_is_larger_and_higher_along_itself(self, roll: float) -> None:
        ears = Square(cx=200, cy=100, side=60, roll=roll)
        head = head_of(ears)
        assert head.side == pytest.approx(60 / EAR_TO_EAR) == pytest.approx(72)
        away = (head.cx - ears.cx, head.cy - ears.cy)
        assert math.hypot(*away) == pytest.approx(60 * LIFT)
        # upwards is the way that the top of a head points, turned anticlockwise by `roll`
        up = (-math.sin(math.radians(roll)), -math.cos(math.radians(roll)))
        assert np.dot(away, up) == pytest.approx(60 * LIFT)

    def test_scaling_the_picture_scales_both(self, roll: float) -> None:
        head = Square(cx=20, cy=30, side=40, roll=roll)
        once, other = ears_of(head.scaled(2.5)), ears_of(head).scaled(2.5)
        assert (once.cx, once.cy, once.side) == pytest.approx((other.cx, other.cy, other.side))


def test_the_box_is_the_square_as_it_would_lie_upright() -> None:
    assert Square(cx=100, cy=50, side=40, roll=77).box == (80, 30, 40, 40)


@pytest.mark.parametrize("roll", ROLLS)
def test_moving_is_along_its_own_directions(roll: float) -> None:
    """There and back again by the same way, and round a square of four moves."""
    square = Square(cx=10, cy=20, side=30, roll=roll)
    moved = square.moved(0.5, 0.0).moved(0.0, 0.5).moved(-0.5, 0.0).moved(0.0, -0.5)
    assert (moved.cx, moved.cy) == pytest.approx((10, 20))
    assert math.dist((10, 20), (square.moved(1, 0).cx, square.moved(1, 0).cy)) == pytest.approx(30)


@pytest.mark.parametrize("roll", ROLLS)
def test_levelled_takes_the_corners_to_the_corners(roll: float) -> None:
    """Half a pixel beside the first and the last pixel's middle are the square's own edges."""
    square = Square(cx=50, cy=60, side=20, roll=roll)
    ends = np.array([[-0.5, -0.5, 1], [9.5, 9.5, 1]]) @ square.levelled(10).T + 0.5
    first, last = square.moved(-0.5, -0.5), square.moved(0.5, 0.5)
    assert ends == pytest.approx(np.array([[first.cx, first.cy], [last.cx, last.cy]]))
    mirrored = np.array([9.5, -0.5, 1]) @ square.levelled(10, mirrored=True).T + 0.5
    assert mirrored == pytest.approx(ends[0])
