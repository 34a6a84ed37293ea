"""Latents: beginnings, arcs and closed walks."""

import math

import pytest
import torch

from catgan.model.sample import draw_latents
from catgan.sample.latents import fixed_latents, slerp, walk_latents


@pytest.mark.parametrize("latent_dim", [1, 3, 100])
def test_fewer_latents_are_the_beginning_of_more(latent_dim: int) -> None:
    many = fixed_latents(500, latent_dim, 7)
    for count in (1, 5, 16, 17, 64, 499):
        assert torch.equal(fixed_latents(count, latent_dim, 7), many[:count])
    assert not torch.equal(fixed_latents(5, latent_dim, 8), many[:5])


def test_sixty_four_latents_are_those_of_the_rest_of_catgan() -> None:
    assert torch.equal(fixed_latents(64, 100, 3), draw_latents(64, 100, 3))


def test_an_arc_begins_and_ends_exactly_where_it_should() -> None:
    start, end = draw_latents(20, 100, 0), draw_latents(20, 100, 1)
    assert torch.equal(slerp(start, end, 0.0), start)
    assert torch.equal(slerp(start, end, 1.0), end)


def test_an_arc_stays_on_its_sphere_at_one_speed() -> None:
    generator = torch.Generator().manual_seed(0)
    start, end = torch.randn(2, 50, 100, generator=generator, dtype=torch.float64)
    start, end = (10 * side / side.norm(dim=1, keepdim=True) for side in (start, end))

    def angle(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return torch.arccos((one * other).sum(dim=1) / 100)

    whole = angle(start, end)
    for share in (0.1, 0.25, 0.5, 0.9):
        point = slerp(start, end, share)
        # of double precision, which loses half its digits in an arccosine near 1
        torch.testing.assert_close(point.norm(dim=1), torch.full((50,), 10.0).double())
        torch.testing.assert_close(angle(start, point), share * whole, rtol=0, atol=1e-7)
        torch.testing.assert_close(point, slerp(end, start, 1 - share))


def test_a_quarter_circle_in_closed_form() -> None:
    point = slerp(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]]), 1 / 3)
    expected = torch.tensor([[2 * math.cos(math.pi / 6), 2 * math.sin(math.pi / 6)]])
    torch.testing.assert_close(point, expected)


def test_no_arc_is_a_straight_line_and_never_undefined() -> None:
    same = draw_latents(4, 100, 0)
    torch.testing.assert_close(slerp(same, same, 0.3), same)
    opposite = slerp(same, -same, 0.25)
    torch.testing.assert_close(opposite, 0.5 * same)
    assert slerp(torch.zeros(1, 8), torch.zeros(1, 8), 0.5).isfinite().all()
    for seed in range(5):  # with one number, every two latents lie on a line through the origin
        assert walk_latents(3, 1, seed, frames=12, stops=4).isfinite().all()


def test_a_walk_goes_through_the_pictures_of_its_seed_and_closes() -> None:
    walk = walk_latents(3, 100, 9, frames=60, stops=5)
    assert walk.shape == (60, 3, 100)
    stops = fixed_latents(15, 100, 9).view(5, 3, 100)
    for stop in range(5):
        assert torch.equal(walk[12 * stop], stops[stop])
    following = torch.cat([walk[1:], walk[:1]])
    steps = (following - walk).norm(dim=2)
    # A step is 1/12 of an arc of about a right angle on a sphere of radius 10: 1.31. Angles and
    # radii of random latents of 100 numbers differ by a tenth or two; a jump would be 14.
    assert steps.min() > 0.8
    assert steps.max() < 2.0


def test_a_walk_stays_where_latents_lie() -> None:
    """The norm of 100 normal numbers is 10 to within 0.71; a straight line's middle lies at 7."""
    norms = walk_latents(50, 100, 2, frames=24, stops=4).norm(dim=2)
    middles = norms[3::6]
    assert abs(float(middles.mean()) - 10) < 0.3
    assert float(middles.min()) > 8


def test_frames_need_not_divide_evenly() -> None:
    walk = walk_latents(1, 8, 0, frames=7, stops=3)
    assert len(walk) == 7
    assert len({tuple(point.flatten().tolist()) for point in walk}) == 7
