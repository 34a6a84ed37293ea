"""Our Adam is PyTorch's, whatever the layout of the weights, and takes over any state of it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch

from catgan.model.networks import Discriminator
from catgan.train.adam import Adam

LAYOUTS = (torch.contiguous_format, torch.channels_last)
STEPS = 4


def make_net(layout: torch.memory_format = torch.contiguous_format) -> Discriminator:
    torch.manual_seed(0)
    return Discriminator(ndf=8, size=16).to(memory_format=layout)


def give_gradients(net: Discriminator, seed: int) -> None:
    """The same numbers for every layout, lying as backward passes leave them."""
    random = torch.Generator().manual_seed(seed)
    for weight in net.parameters():
        weight.grad = torch.empty_like(weight)
        weight.grad.copy_(torch.randn(weight.shape, generator=random))


def weights(net: Discriminator) -> list[torch.Tensor]:
    return [weight.detach().contiguous() for weight in net.parameters()]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_is_pytorchs(layout: torch.memory_format) -> None:
    ours, theirs = make_net(layout), make_net()
    our_adam = Adam(ours, rate=1e-2, betas=(0.5, 0.999))
    their_adam = torch.optim.Adam(theirs.parameters(), lr=1e-2, betas=(0.5, 0.999), foreach=False)
    for step in range(STEPS):
        for net, adam in ((ours, our_adam), (theirs, their_adam)):
            give_gradients(net, step)
            adam.step()
    for one, other in zip(weights(ours), weights(theirs), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("before", LAYOUTS)
@pytest.mark.parametrize("after", LAYOUTS)
def test_a_state_fits_any_layout(before: torch.memory_format, after: torch.memory_format) -> None:
    """A run may go on with another layout, on another device: PyTorch's fused step would then pair
    each weight with the averages of others, and say nothing."""
    straight = make_net(before)
    adam = Adam(straight, rate=1e-2, betas=(0.5, 0.999))
    for step in range(STEPS):
        give_gradients(straight, step)
        adam.step()
    carried = make_net(after)
    carried.load_state_dict(straight.state_dict())
    other = Adam(carried, rate=1e-2, betas=(0.5, 0.999))
    other.load_state_dict(copy.deepcopy(adam.state_dict()))
    for step in range(STEPS):
        for net, optimizer in ((straight, adam), (carried, other)):
            give_gradients(net, 10 + step)
            optimizer.step()
    for one, theirs in zip(weights(straight), weights(carried), strict=True):
        torch.testing.assert_close(one, theirs, rtol=1e-6, atol=1e-7)


def test_a_state_from_another_device_steps_as_this_one_does() -> None:
    """Whether steps are fused or recorded is the machine's affair, not the checkpoint's."""
    net = make_net()
    elsewhere = torch.optim.Adam(net.parameters(), lr=1e-2, foreach=False)
    give_gradients(net, 0)
    elsewhere.step()
    state = copy.deepcopy(elsewhere.state_dict())
    state["param_groups"][0] |= {"capturable": True, "fused": False}
    here = Adam(net, rate=1e-3, betas=(0.5, 0.999))
    here.load_state_dict(state)
    assert here.param_groups[0]["fused"] is True
    assert here.param_groups[0]["capturable"] is False
    assert here.param_groups[0]["lr"] == 1e-3, "and the rate is the run's"
    give_gradients(net, 1)
    here.step()
    assert all(float(entry["step"]) == 2 for entry in here.state.values())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda saved: saved["state"][0].pop("exp_avg"),
        lambda saved: saved["state"][1].pop("step"),
        lambda saved: saved["state"].pop(0),
        lambda saved: saved["state"][0].update(exp_avg_sq=torch.zeros(1)),
        lambda saved: saved["state"][0].update(step=torch.zeros(2)),
        lambda saved: saved["state"][0].update(exp_avg="many"),
        lambda saved: saved["param_groups"].clear(),
        lambda saved: saved["param_groups"][0]["params"].reverse(),
        lambda saved: saved["state"].update({9_999: {}}),
    ],
)
def test_a_state_that_no_step_could_be_taken_with(spoil: Callable[[Any], object]) -> None:
    net = make_net()
    adam = Adam(net, rate=1e-2, betas=(0.5, 0.999))
    give_gradients(net, 0)
    adam.step()
    saved = copy.deepcopy(adam.state_dict())
    spoil(saved)
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        Adam(net, rate=1e-2, betas=(0.5, 0.999)).load_state_dict(saved)


def test_how_steps_are_taken_is_not_of_the_state() -> None:
    net = make_net()
    adam = Adam(net, rate=1e-2, betas=(0.5, 0.999))
    give_gradients(net, 0)
    adam.step()
    saved = copy.deepcopy(adam.state_dict())
    saved["param_groups"][0] |= {"lr": "fast", "betas": None, "eps": -1, "amsgrad": True}
    other = Adam(net, rate=1e-2, betas=(0.5, 0.999))
    other.load_state_dict(saved)
    other.step()
    assert other.param_groups[0]["lr"] == 1e-2
