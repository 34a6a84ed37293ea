"""Photos without a face, made of photos with one: nothing but the face goes."""

import numpy as np
import pytest

from benchmarks.labels import Box
from benchmarks.mined import LEAST_SHARE, beside, mine, painted_over
from catgan.core.pictures import Picture

FACE = Box(cx=120, cy=80, w=80, h=80)


def noise(height: int = 240, width: int = 320) -> Picture:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("ears", [True, False])
def test_what_is_painted_over_is_the_face_and_nothing_else(ears: bool) -> None:
    photo = noise()
    painted = painted_over(photo, FACE, [FACE], np.random.default_rng(0), ears=ears)
    assert painted is not None
    changed = (painted != photo).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert changed[80:100, 110:130].mean() > 0.9, "eyes, nose and mouth"
    assert max(abs(columns - 120)) <= 0.68 * 80 and max(abs(rows - 80)) <= 0.68 * 80
    assert changed[: 80 - 27].any() is not np.True_ if ears else changed[: 80 - 27].any()


def test_a_face_that_fills_the_photo_cannot_be_painted_over() -> None:
    all_of_it = Box(cx=50, cy=50, w=98, h=98)
    rng = np.random.default_rng(0)
    assert painted_over(noise(100, 100), all_of_it, [all_of_it], rng, ears=False) is None
    assert list(mine(noise(100, 100), [all_of_it], rng, ["hidden", "body"])) == []


def test_the_part_beside_faces_has_none_of_them() -> None:
    """Each pixel says where it comes from."""
    height, width = 240, 320
    photo = np.zeros((height, width, 3), np.uint8)
    photo[..., 0] = (np.arange(width) // 2)[None, :]
    photo[..., 1] = np.arange(height)[:, None]
    part = beside(photo, [FACE])
    assert part is not None
    assert min(part.shape[:2]) >= LEAST_SHARE * min(height, width)
    across, down = 2 * part[..., 0].astype(int), part[..., 1].astype(int)
    on_it = (abs(across - FACE.cx) < FACE.w / 2) & (abs(down - FACE.cy) < FACE.h / 2)
    assert not on_it.any()


def test_faces_everywhere_leave_no_part() -> None:
    faces = [Box(cx=x, cy=y, w=70, h=70) for x in (60, 160, 260) for y in (60, 180)]
    assert beside(noise(), faces) is None


def test_the_same_numbers_give_the_same_photo() -> None:
    kinds = ["back", "hidden", "body"]
    one, two = (list(mine(noise(), [FACE], np.random.default_rng(5), kinds)) for _ in range(2))
    assert [made.kind for made in one] == kinds
    assert all((a.pixels == b.pixels).all() for a, b in zip(one, two, strict=True))
    assert [len(made.boxes) for made in one] == [1, 1, 0]


def test_small_faces_are_let_alone() -> None:
    tiny = Box(cx=100, cy=100, w=20, h=20)
    assert list(mine(noise(), [tiny], np.random.default_rng(0), ["back", "hidden"])) == []
