"""Columns, scale and room."""

import numpy as np
import pytest

from catgan.core.errors import BadSettings
from catgan.core.pictures import cut_sheet
from catgan.sample.layout import (
    arrange,
    auto_scale,
    check_room,
    columns_of,
    enlarge,
    gap_of,
    grid_shape,
)


def test_columns() -> None:
    for count in range(1, 300):
        columns = columns_of(count)
        rows = -(-count // columns)
        assert rows <= columns <= count
        assert columns <= 2 * rows + 1, "not a strip"
        # a grid as square as can be leaves this many empty, so that none is left with more
        square = int(np.ceil(np.sqrt(count)))
        assert columns * rows - count <= -count % square
    assert [columns_of(count) for count in (1, 2, 6, 7, 10, 12, 64, 100)] == [
        1, 2, 3, 4, 5, 4, 8, 10,
    ]  # fmt: skip


@pytest.mark.parametrize(("count", "scale"), [(1, 1), (5, 1), (7, 3), (64, 2)])
def test_the_shape_is_known_beforehand_and_the_pictures_are_where_they_should_be(
    count: int, scale: int
) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    grid = arrange(pictures, scale)
    assert grid.shape[:2] == grid_shape(count, 8, scale)
    cut = cut_sheet(grid, 8 * scale, gap_of(scale))
    for picture, found in zip(pictures, cut, strict=False):
        np.testing.assert_array_equal(found, enlarge(picture, scale))
    assert (cut[count:] == 255).all()


def test_enlarging() -> None:
    ramp = np.repeat(np.arange(0, 160, 10, dtype=np.uint8)[None, :, None], 16, axis=0)
    picture = np.repeat(ramp, 3, axis=2)
    assert enlarge(picture, 1) is picture
    large = enlarge(picture, 4)
    assert large.shape == (64, 64, 3)
    # smooth: no step of the enlarged ramp is as high as a step of the ramp (but for rounding)
    steps = np.diff(large[32, 8:-8, 0].astype(int))
    assert steps.min() >= 0
    assert steps.max() <= 5
    flat = np.full((8, 8, 3), 77, dtype=np.uint8)
    assert (enlarge(flat, 3) == 77).all()


def test_what_is_comfortable_to_look_at() -> None:
    assert [auto_scale(size) for size in (16, 32, 64, 128, 256)] == [8, 4, 2, 1, 1]


def test_too_large_is_refused() -> None:
    check_room(1000, 1000, 100, "fewer --frames")
    with pytest.raises(BadSettings, match=r"1000 x 1001 pixels in 100 frames.*fewer --frames"):
        check_room(1001, 1000, 100, "fewer --frames")
