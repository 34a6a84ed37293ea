"""The averaged generator: closed forms."""

import copy

import torch

from catgan.model.networks import Generator
from catgan.train.average import RAMP, AveragedGenerator


def make_generator(seed: int = 0) -> Generator:
    torch.manual_seed(seed)
    return Generator(latent_dim=4, ngf=4, size=16)


def set_all(generator: Generator, value: float) -> Generator:
    """Every weight and every statistic the same."""
    with torch.no_grad():
        for tensor in generator.state_dict().values():
            if tensor.is_floating_point():
                tensor.fill_(value)
    return generator


def values(generator: Generator) -> torch.Tensor:
    return torch.cat(
        [
            tensor.flatten()
            for tensor in generator.state_dict().values()
            if tensor.is_floating_point()
        ]
    )


def test_a_generator_that_stays_is_its_own_average() -> None:
    generator = make_generator()
    average = AveragedGenerator(generator, half_life=100)
    for shown in range(4, 400, 4):
        average.update(generator, average.weight(shown=shown, batch_size=4))
    # every update moves by weight * 0
    assert torch.equal(values(average.generator), values(generator))


def test_after_a_half_life_half_is_new() -> None:
    """From 0 to 1 in batches of 5, with a half-life of 50: 1 - 0.5^(n / 50) after n pictures."""
    generator = set_all(make_generator(), 0.0)
    average = AveragedGenerator(generator, half_life=50)
    set_all(generator, 1.0)
    start = int(50 / RAMP)  # from there on the ramp is over
    for done in range(5, 155, 5):
        average.update(generator, average.weight(shown=start + done, batch_size=5))
        expected = 1 - 0.5 ** (done / 50)
        found = values(average.generator)
        # thirty roundings of float32
        torch.testing.assert_close(found, torch.full_like(found, expected), rtol=0, atol=1e-5)


def test_early_on_the_half_life_is_a_twentieth_of_what_was_shown() -> None:
    generator = set_all(make_generator(), 0.0)
    average = AveragedGenerator(generator, half_life=1e9)
    set_all(generator, 1.0)
    average.update(generator, average.weight(shown=1000, batch_size=10))
    found = values(average.generator)
    expected = 1 - 0.5 ** (10 / (RAMP * 1000))
    torch.testing.assert_close(found, torch.full_like(found, expected), rtol=0, atol=1e-6)


def test_the_first_step_all_but_replaces_it() -> None:
    """Nothing of the random weights that training began with lingers: 0.5^20 of them is left."""
    generator = set_all(make_generator(), 0.0)
    average = AveragedGenerator(generator, half_life=10_000)
    set_all(generator, 1.0)
    average.update(generator, average.weight(shown=4, batch_size=4))
    left = 1 - values(average.generator)
    assert left.abs().max() < 2e-6


def test_what_batch_norm_keeps_is_averaged_with_the_weights() -> None:
    generator = set_all(make_generator(), 0.0)
    average = AveragedGenerator(generator, half_life=50)
    set_all(generator, 1.0)
    for module in generator.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            assert module.num_batches_tracked is not None
            module.num_batches_tracked.fill_(7)
    average.update(generator, average.weight(shown=2000, batch_size=50))
    names = [name for name, _ in generator.named_buffers()]
    assert any(name.endswith("running_var") for name in names)
    for name in names:
        kept = average.generator.get_buffer(name)
        expected = 7.0 if name.endswith("num_batches_tracked") else 0.5
        torch.testing.assert_close(kept.float(), torch.full_like(kept.float(), expected))


def test_it_draws_in_evaluation_and_leaves_the_other_alone() -> None:
    generator = make_generator()
    before = copy.deepcopy(generator.state_dict())
    average = AveragedGenerator(generator, half_life=10)
    assert generator.training
    assert not average.generator.training
    assert not any(parameter.requires_grad for parameter in average.generator.parameters())
    other = make_generator(1)
    average.update(other, average.weight(shown=100, batch_size=4))
    assert all(torch.equal(tensor, before[name]) for name, tensor in generator.state_dict().items())
    assert not torch.equal(values(average.generator), values(generator))
