"""What D sees pictures through: what it may change, by how much, and what it may not."""

import pytest
import torch
from torch import Tensor

from catgan.train.augment import Augment, colour, cut_out, flip, translate
from catgan.train.config import KINDS

SIDE = 16
EDGE = SIDE // 8  # pixels that a picture moves at most
HALF = 0.5  # the draw that changes nothing


def make_pictures(count: int = 5) -> Tensor:
    """Noise, -1 to 1: no two pixels alike."""
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 2 - 1


def make_draws(count: int = 5) -> Tensor:
    return Augment(KINDS).draw(count, torch.Generator().manual_seed(1))


def test_half_leaves_a_picture_as_it_is() -> None:
    pictures = make_pictures()
    draws = torch.full((len(pictures), 7), HALF)
    assert torch.equal(translate(pictures, draws[:, 3:5]), pictures)
    # a mean is taken away and added again
    torch.testing.assert_close(colour(pictures, draws[:, :3]), pictures, rtol=0, atol=1e-6)


def test_no_kinds_change_nothing() -> None:
    pictures = make_pictures()
    assert not Augment()
    assert torch.equal(Augment()(pictures, make_draws()), pictures)


@pytest.mark.parametrize("kind", KINDS)
def test_each_picture_depends_on_its_own_row_alone(kind: str) -> None:
    augment, pictures, draws = Augment((kind,)), make_pictures(), make_draws()
    together = augment(pictures, draws)
    assert not torch.equal(together, pictures)
    for index in range(len(pictures)):
        alone = augment(pictures[index : index + 1], draws[index : index + 1])
        torch.testing.assert_close(alone[0], together[index], rtol=0, atol=1e-6)
    others = draws.clone()
    others[1:] = 1 - others[1:]
    torch.testing.assert_close(augment(pictures, others)[0], together[0], rtol=0, atol=1e-6)


def test_the_layout_of_pictures_changes_nothing() -> None:
    pictures, draws = make_pictures(), make_draws()
    other = pictures.contiguous(memory_format=torch.channels_last)
    assert torch.equal(Augment(KINDS)(other, draws), Augment(KINDS)(pictures, draws))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_pass_through(kind: str) -> None:
    """Each kind is a linear map plus a constant: the gradient agrees with a difference of any size,
    and it sees exactly the pixels that the result was made of."""
    augment, draws = Augment((kind,)), make_draws()
    pictures = make_pictures().double().requires_grad_(True)
    weights = torch.randn(
        pictures.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64
    )
    (gradient,) = torch.autograd.grad((augment(pictures, draws) * weights).sum(), pictures)
    step = torch.randn(
        pictures.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64
    )
    with torch.no_grad():
        difference = ((augment(pictures + step, draws) - augment(pictures, draws)) * weights).sum()
    torch.testing.assert_close((gradient * step).sum(), difference)
    assert gradient.abs().amax(dim=(1, 2, 3)).min() > 0  # of every picture


def test_pictures_move_by_whole_pixels_and_everywhere() -> None:
    """Every offset from -1/8 to 1/8 of the side, each about as often, and grey comes in."""
    each = 40
    span = 2 * EDGE + 1
    count = each * span * span
    picture = make_pictures(1)
    random = torch.Generator().manual_seed(0)
    moved = translate(picture.expand(count, -1, -1, -1), torch.rand(count, 2, generator=random))
    padded = torch.zeros(3, SIDE + 2 * EDGE, SIDE + 2 * EDGE)
    padded[:, EDGE:-EDGE, EDGE:-EDGE] = picture[0]
    found = 0
    for y in range(span):
        for x in range(span):
            expected = padded[:, y : y + SIDE, x : x + SIDE]
            same = int((moved == expected).flatten(1).all(dim=1).sum())
            # 40 of 1000 each: one deviation is 6.2
            assert abs(same - each) < 5 * 6.2, (y, x, same)
            found += same
    assert found == count


def test_the_ends_of_the_draw_are_the_ends_of_the_way() -> None:
    picture = make_pictures(1)
    low = translate(picture, torch.tensor([[0.0, 0.0]]))
    high = translate(picture, torch.tensor([[1.0, 1.0]]))  # never drawn; must not lie outside
    assert torch.equal(low[..., EDGE:, EDGE:], picture[..., :-EDGE, :-EDGE])
    assert torch.equal(high[..., :-EDGE, :-EDGE], picture[..., EDGE:, EDGE:])
    assert low[..., :EDGE, :].abs().max() == 0
    assert high[..., -EDGE:].abs().max() == 0


def one_colour_change(brightness: float, saturation: float, contrast: float) -> Tensor:
    return colour(make_pictures(1), torch.tensor([[brightness, saturation, contrast]]))


def test_colours_change_within_their_range() -> None:
    """Each end of each draw, by its definition (DiffAugment's): the other two left alone."""
    picture = make_pictures(1)
    grey = picture.mean(dim=1, keepdim=True)
    mean = picture.mean()
    for draw in (0.0, 0.25, 1.0):
        brighter = picture + (draw - 0.5)
        fuller = grey + (picture - grey) * 2 * draw
        stronger = mean + (picture - mean) * (0.5 + draw)
        for found, expected in (
            (one_colour_change(draw, HALF, HALF), brighter),
            (one_colour_change(HALF, draw, HALF), fuller),
            (one_colour_change(HALF, HALF, draw), stronger),
        ):
            torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_colour_changes_are_made_one_after_the_other() -> None:
    """Brightness, then saturation, then contrast, written out."""
    pictures, draws = make_pictures().double(), make_draws()[:, :3].double()
    brightness, saturation, contrast = (draws[:, i, None, None, None] for i in range(3))
    expected = pictures + (brightness - 0.5)
    grey = expected.mean(dim=1, keepdim=True)
    expected = grey + (expected - grey) * (saturation * 2)
    mean = expected.mean(dim=(1, 2, 3), keepdim=True)
    expected = mean + (expected - mean) * (contrast + 0.5)
    torch.testing.assert_close(colour(pictures, draws), expected)


def test_the_hole_is_half_a_side_and_moves_everywhere() -> None:
    count = 2000
    pictures = torch.ones(count, 3, SIDE, SIDE)
    draws = torch.rand(count, 2, generator=torch.Generator().manual_seed(0))
    cut = cut_out(pictures, draws)
    assert torch.equal(cut[:, 0], cut[:, 1])  # all channels alike
    assert ((cut == 0) | (cut == 1)).all()
    holes = cut[:, 0] == 0
    rows, columns = holes.any(dim=2).sum(dim=1), holes.any(dim=1).sum(dim=1)
    assert torch.equal(holes.sum(dim=(1, 2)), rows * columns)  # a rectangle
    whole = ((draws > 0.25) & (draws < 0.75)).all(dim=1)  # its centre far enough from the edges
    assert (rows[whole] == SIDE // 2).all()
    assert (columns[whole] == SIDE // 2).all()
    assert rows.min() >= SIDE // 4  # cut off by an edge, half of it is left
    # At the corners a pixel is blank where both centres lie in the outer quarter: 1 in 16; one
    # deviation is 0.5%.
    share = holes.float().mean(dim=0)
    assert abs(float(share[0, 0]) - 1 / 16) < 0.03
    assert abs(float(share[SIDE // 2, SIDE // 2]) - 1 / 4) < 0.05


def test_flips_mirror_left_to_right_where_they_say() -> None:
    pictures = make_pictures(4)
    flipped = flip(pictures, torch.tensor([0.0, 0.49, 0.5, 0.99]))
    assert torch.equal(flipped[:2], pictures[:2].flip(3))
    assert torch.equal(flipped[2:], pictures[2:])
