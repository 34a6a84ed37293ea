"""Several ranks train one run: the same run as one process trains, to rounding."""

import io
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from catgan.core.errors import BadSettings, RankLost
from catgan.model.networks import Generator
from catgan.train.augment import Augment
from catgan.train.config import RECIPES, TrainConfig
from catgan.train.device import own_device, pick_computing
from catgan.train.nets import AnyDiscriminator, new_nets
from catgan.train.norms import share_norms
from catgan.train.pictures import TrainingPictures
from catgan.train.projected import projected_step
from catgan.train.ranks import ALONE, Ranks, SharedBatch
from catgan.train.step import StepTerms, train_step
from catgan.train.trainer import TERMS, Trainer
from tests.train.conftest import draw_blob, tiny_eyes
from tests.train.together import Table, ThreadLink, together

CPU = torch.device("cpu")
SMALL: dict[str, Any] = {
    "size": 16, "ngf": 4, "ndf": 4, "latent_dim": 8, "batch_size": 8, "r1_every": 3,
    "precision": "float32",
}  # fmt: skip


def make_trainer(recipe: str, ranks: Ranks = ALONE, count: int = 22, **changes: Any) -> Trainer:
    """Of 22 images, so that every epoch has two steps of 8 images and one of 6."""
    rng = np.random.default_rng(0)
    pictures = np.stack([draw_blob(rng, 16) for _ in range(count)])
    config = TrainConfig.of_recipe(recipe, **(SMALL | changes))
    return Trainer(TrainingPictures(pictures, CPU), config, CPU, eyes=tiny_eyes, ranks=ranks)


def weights(trainer: Trainer) -> Tensor:
    """All that is trained or averaged, one after the other."""
    nets = (trainer.generator, trainer.sampler, trainer.discriminator)
    values = [value for net in nets for value in net.state_dict().values()]
    return torch.cat([value.double().flatten() for value in values])


def epochs(trainer: Trainer, count: int) -> list[dict[str, float]]:
    """The means of so many epochs."""
    means = []
    for _ in range(count):
        while not trainer.epoch_is_over:
            trainer.step()
        trainer.check_alike()
        means.append(trainer.end_epoch())
    return means


# --- the step, in float64 ---

STEPS = 4


def steps(recipe: str, ranks: Ranks, *, norms: bool = True) -> tuple[Tensor, list[StepTerms]]:
    """Some steps on a stream of inputs that all ranks share; the weights, and what was seen."""
    config = TrainConfig.of_recipe(recipe, **SMALL)
    generator, discriminator = new_nets(config, torch.Generator().manual_seed(1), tiny_eyes)
    nets: tuple[Generator, AnyDiscriminator] = (generator, discriminator)
    if ranks.joined and norms:
        for net in nets:
            share_norms(net, ranks)
    optimizers = [
        torch.optim.Adam(net.double().parameters(), lr=rate, betas=(0.5, 0.999))
        for net, rate in zip(nets, (config.lr_g, config.lr_d), strict=True)
    ]
    random = torch.Generator().manual_seed(2)
    changes = Augment(config.augmentations)
    seen = []
    for number in range(STEPS):
        count = 8 if number % 3 else 5  # uneven shares, too
        real = torch.rand(count, 3, 16, 16, generator=random).double() * 2 - 1
        latents = torch.randn(count, 8, generator=random).double()
        draws = changes.draw(3 * count, random).view(3, count, 7)
        step: Any = projected_step if recipe == "projected" else train_step
        terms = step(
            generator=generator,
            discriminator=discriminator,
            optimizer_g=optimizers[0],
            optimizer_d=optimizers[1],
            real=ranks.own(real),
            latents=ranks.own(latents),
            augment=changes,
            draws=ranks.own(draws.transpose(0, 1)).transpose(0, 1),
            penalty=0.08 if config.r1 and number % 3 == 0 else 0.0,
            shared=SharedBatch(ranks=ranks, images=count) if ranks.joined else None,
        )
        seen.append(terms)
    values = [value for net in nets for value in net.state_dict().values()]
    return torch.cat([value.double().flatten() for value in values]), seen


@pytest.mark.parametrize("recipe", RECIPES)
def test_two_at_batch_4_take_the_steps_of_one_at_batch_8(recipe: str) -> None:
    """In float64 to 1e-12: a rounding is 1e-16, and a step makes up to ten of one; four of them
    came to 3e-16. Where batch norm is left to each rank they are apart ten million times as far."""
    whole, saw = steps(recipe, ALONE)
    done = together(2, lambda ranks: steps(recipe, ranks))
    for values, terms in done:
        assert float((values - whole).abs().max()) < 1e-12
        assert torch.equal(values, done[0][0])
        for ours, theirs in zip(terms, saw, strict=True):
            for name in TERMS:
                assert float(getattr(ours, name)) == pytest.approx(
                    float(getattr(theirs, name)), abs=1e-12
                ), name
    if recipe == "projected":  # whose generator has the same norms
        return
    apart = together(2, lambda ranks: steps(recipe, ranks, norms=False))
    assert float((apart[0][0] - whole).abs().max()) > 1e-5


# --- the trainer, as a run uses it ---


@pytest.mark.parametrize(("recipe", "count"), [*((name, 2) for name in RECIPES), ("balanced", 4)])
def test_a_run_is_the_same_on_however_many_ranks(recipe: str, count: int) -> None:
    """Two epochs of two whole batches and one of 6: the same images, latents and changes, and the
    same weights to rounding in float32, which is told by how far training moved them."""
    start, whole = weights(make_trainer(recipe)), make_trainer(recipe)
    means = epochs(whole, 2)

    def work(ranks: Ranks) -> tuple[Trainer, list[dict[str, float]]]:
        trainer = make_trainer(recipe, ranks)
        return trainer, epochs(trainer, 2)

    done = together(count, work)
    moved = float((weights(whole) - start).abs().mean())
    for trainer, own in done:
        assert torch.equal(weights(trainer), weights(done[0][0]))  # the average among them
        apart = float((weights(trainer) - weights(whole)).abs().mean())
        assert apart < 0.02 * moved  # of what float32 makes of rounding, as in test_cuda
        state, wanted = trainer.state(), whole.state()
        for name in ("random", "order"):
            assert torch.equal(state[name], wanted[name])
        for name in ("epoch", "position", "images_shown"):
            assert state[name] == wanted[name]
        for ours, theirs in zip(own, means, strict=True):
            for name, value in ours.items():
                share = recipe == "projected" and name.startswith("d_")
                assert value == pytest.approx(theirs[name], abs=2 / 22 if share else 1e-4), name


@pytest.mark.parametrize(("images", "count"), [(22, 2), (17, 2), (17, 4), (24, 8), (9, 8)])
def test_every_picture_is_one_ranks_once_an_epoch(images: int, count: int) -> None:
    """Whatever is left for the last step: ranks without an image of it take part all the same."""

    def work(ranks: Ranks) -> list[list[int]]:
        trainer = make_trainer("balanced", ranks, images)
        shown = []
        for _ in range(2):
            own: list[int] = []
            while not trainer.epoch_is_over:
                trainer.step()
                own += trainer._ahead[0].order.tolist()
            trainer.end_epoch()
            shown.append(own)
        assert trainer.is_sound()
        return shown

    done = together(count, work)
    for epoch in range(2):
        shown = [image for own in done for image in own[epoch]]
        assert sorted(shown) == list(range(images))
        parts = [len(own[epoch]) for own in done]
        assert max(parts) - min(parts) <= 1


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_run_goes_on_exactly_and_on_another_number_of_ranks(recipe: str) -> None:
    """From the middle of an epoch. On as many ranks to the bit; on others to rounding."""

    def whole(ranks: Ranks) -> tuple[Any, Tensor]:
        trainer = make_trainer(recipe, ranks)
        trainer.step()
        state = copied(trainer.state())
        epochs(trainer, 2)
        return state, weights(trainer)

    def carried(ranks: Ranks) -> Tensor:
        trainer = make_trainer(recipe, ranks, seed=5)  # nothing of its own is left
        trainer.load_state(copied(ranks.from_first(state)))
        epochs(trainer, 2)
        return weights(trainer)

    (state, wanted), (other, _) = together(2, whole)
    for name in ("random", "order", "sums"):
        assert torch.equal(state[name], other[name])
    for values in together(2, carried):
        assert torch.equal(values, wanted)
    moved = float((wanted - weights(make_trainer(recipe))).abs().mean())
    for count in (1, 4):
        values = together(count, carried)[0] if count > 1 else carried(ALONE)
        assert float((values - wanted).abs().mean()) < 0.02 * moved


def copied(state: Any) -> Any:
    """A state as a file would keep it: with nothing of the trainer's own in it."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return torch.load(io.BytesIO(buffer.getvalue()), weights_only=True)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_on_one_rank_is_so_on_all(value: float) -> None:
    """As on one process, where it spoils the weights and the run says at the epoch's end that it
    diverged. None of the ranks goes on as if nothing had been."""

    def work(ranks: Ranks) -> tuple[bool, Tensor]:
        trainer = make_trainer("balanced", ranks)
        trainer.step()
        if ranks.rank == 1:
            take = trainer._pictures.batch
            spoiled = {"batch": lambda indices: take(indices) * value}
            vars(trainer._pictures).update(spoiled)
        means = epochs(trainer, 1)[0]
        assert not all(map(math.isfinite, means.values()))
        return trainer.is_sound(), weights(trainer).isfinite()

    done = together(2, work)
    assert [sound for sound, _ in done] == [False, False]
    assert torch.equal(done[0][1], done[1][1])


def test_gradients_keep_the_layout_of_their_weights() -> None:
    """Adam's fused step walks through memory."""

    def work(ranks: Ranks) -> None:
        net = torch.nn.Conv2d(2, 3, 3).to(memory_format=torch.channels_last)
        images = torch.ones(2, 2, 4, 4).contiguous(memory_format=torch.channels_last)
        net(images * (ranks.rank + 1)).sum().backward()
        assert net.weight.grad is not None
        layout = net.weight.grad.stride()
        alone = net.weight.grad.clone() / (ranks.rank + 1)
        SharedBatch(ranks=ranks, images=4).add_gradients(torch.optim.Adam(net.parameters()))
        assert net.weight.grad.stride() == layout
        torch.testing.assert_close(net.weight.grad, alone * 3)

    together(2, work)


# --- what ranks say to each other ---


def test_networks_that_have_come_apart_are_noticed() -> None:
    def work(ranks: Ranks) -> None:
        trainer = make_trainer("balanced", ranks)
        trainer.check_alike()
        if ranks.rank == 1:
            weight = next(trainer.discriminator.parameters())
            with torch.no_grad():
                weight.flatten()[0] *= 1 + 2e-7
        with pytest.raises(RankLost, match="compute differently"):
            trainer.check_alike()

    together(2, work)


def test_whichever_rank_is_to_stop_all_do() -> None:
    def work(ranks: Ranks) -> list[object]:
        said: list[object] = [ranks.any(False), ranks.any(ranks.rank == 1)]
        if ranks.is_first:
            said += [ranks.busy(False), ranks.busy(False), ranks.tell(ended=False)]
            said += [ranks.busy(False), ranks.tell(ended=True)]
            said += [ranks.busy(False), ranks.busy(True)]
            said += [ranks.busy(False)]
        else:
            said += [ranks.wait(lambda: False), ranks.wait(lambda: False)]
            said += [ranks.wait(lambda: False), ranks.wait(lambda: ranks.rank == 1)]
        return said

    first, other = together(2, work)
    assert first == [False, True, False, False, False, False, False, False, True, True]
    assert other == [False, True, False, True, None, None]


def test_a_process_by_itself_exchanges_nothing() -> None:
    assert ALONE.any(True) and not ALONE.any(False)
    assert ALONE.busy(True) and not ALONE.busy(False)
    assert not ALONE.tell(ended=True)
    assert ALONE.from_first("this") == "this"
    assert ALONE.total(2.5) == 2.5
    assert torch.equal(ALONE.own(torch.arange(5)), torch.arange(5))
    assert ALONE.part(5) == 5
    ALONE.check_alike([torch.nn.Linear(1, 1)])


def test_what_ranks_cannot_share_is_refused() -> None:
    link = ThreadLink(Table(3), 0)
    three = Ranks(count=3, local_count=3, link=link)
    three.check_batch(6)
    with pytest.raises(BadSettings, match=r"--batch-size is 8 for all ranks .* --batch-size 6,"):
        three.check_batch(8)
    with pytest.raises(BadSettings, match=r"--batch-size is 2 for all .* --batch-size 3,"):
        three.check_batch(2)
    with pytest.raises(BadSettings, match="--graphs on does not work with torchrun"):
        pick_computing(TrainConfig(graphs="on", precision="float32"), torch.device("cuda"), three)


def test_every_rank_of_a_machine_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    link = ThreadLink(Table(4), 0)
    chosen: list[torch.device] = []
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.set_device", chosen.append)
    cuda = torch.device("cuda")
    ranks = [
        Ranks(rank=rank, count=4, local=rank % 2, local_count=2, link=link) for rank in range(4)
    ]
    assert [own_device(cuda, one).index for one in ranks] == [0, 1, 0, 1]
    assert [one.index for one in chosen] == [0, 1, 0, 1]
    assert own_device(CPU, ranks[1]) == CPU
    assert own_device(cuda, ALONE) == cuda
    crowded = Ranks(count=3, local_count=3, link=link)
    with pytest.raises(BadSettings, match=r"3 ranks on a machine with 2 GPUs; .* 2, or"):
        own_device(cuda, crowded)
    with pytest.raises(BadSettings, match="each on a GPU of its own"):
        own_device(torch.device("cuda:1"), ranks[0])
    with pytest.raises(BadSettings, match="on mps; use --device cpu"):
        own_device(torch.device("mps"), ranks[0])


def test_ranks_that_find_something_else_say_so() -> None:
    def work(ranks: Ranks) -> None:
        ranks.check_same("alike", "differs; mend it.")
        ranks.check_same(ranks.rank // 2, "differs; mend it.")

    with pytest.raises(BadSettings, match=r"Rank 2 differs; mend it\."):
        together(3, work)
