"""Numbers drawn for several steps at once: the same as one by one, wherever they are sent."""

import dataclasses

import pytest
import torch
from torch import Tensor

from catgan.train.ahead import Ahead, StepNumbers
from catgan.train.augment import Augment

CPU = torch.device("cpu")
COUNTS = (4, 4, 3)  # the last step of an epoch is short
WEIGHTS = (0.5, 0.25, 0.125)


def orders() -> list[Tensor]:
    return list(torch.split(torch.randperm(sum(COUNTS)), list(COUNTS)))


def make_ahead(*, fixed: bool, flip: bool = True, kinds: tuple[str, ...] = ("colour",)) -> Ahead:
    return Ahead(
        steps=len(COUNTS),
        batch_size=4,
        latent_dim=5,
        flip=flip,
        augment=Augment(kinds),
        device=CPU,
        fixed=fixed,
    )


def values(numbers: StepNumbers) -> dict[str, Tensor]:
    found = {field.name: getattr(numbers, field.name) for field in dataclasses.fields(numbers)}
    return {name: torch.as_tensor(value) for name, value in found.items() if value is not None}


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("kinds", [(), ("colour",)])
def test_at_once_or_one_by_one(flip: bool, kinds: tuple[str, ...]) -> None:
    coming = orders()
    single, random = [], torch.Generator().manual_seed(3)
    for order, weight in zip(coming, WEIGHTS, strict=True):
        one = make_ahead(fixed=False, flip=flip, kinds=kinds)
        one.draw([order], [weight], random)
        single.append(values(one[0]))
    for fixed in (False, True):
        again = torch.Generator().manual_seed(3)
        ahead = make_ahead(fixed=fixed, flip=flip, kinds=kinds)
        ahead.draw(coming, WEIGHTS, again)
        for step, expected in enumerate(single):
            found = values(ahead[step])
            assert found.keys() == expected.keys()
            assert ("flips" in found, "draws" in found) == (flip, bool(kinds))
            for name, value in expected.items():
                assert torch.equal(found[name].to(value.dtype), value), name
        assert again.get_state().equal(random.get_state())


def test_the_places_stay() -> None:
    """What a recording reads from: later numbers, at the addresses of the first."""
    ahead, random = make_ahead(fixed=True), torch.Generator().manual_seed(0)
    ahead.draw(orders(), WEIGHTS, random)
    before = [values(ahead[step]) for step in range(3)]
    ahead.draw(orders(), WEIGHTS, random)
    for step in range(3):
        for name, value in values(ahead[step]).items():
            assert value.data_ptr() == before[step][name].data_ptr()
            assert torch.equal(value, before[step][name])
    assert ahead.sent == 2


def test_images_far_down_are_told_apart() -> None:
    """Their numbers pass through places for floats, and are more than a float32 tells apart."""
    ahead = make_ahead(fixed=True)
    far = torch.tensor([2**24, 2**24 + 1, 2**40, 3])
    ahead.draw([far], [0.5], torch.Generator())
    assert torch.equal(ahead[0].order, far)
