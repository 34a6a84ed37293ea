"""What a run is worth: measured without changing it, and copies are no merit."""

import math
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from catgan.core.errors import Interrupted
from catgan.core.pictures import Pictures
from catgan.formats.runs import Run
from catgan.formats.stats import EpochStats
from catgan.measure.extractors.base import Features
from catgan.measure.metrics.diversity import diversity
from catgan.measure.metrics.kid import kid_estimate
from catgan.model.checkpoint import load_checkpoint, load_generator
from catgan.train.best import best_of
from catgan.train.config import TrainConfig
from catgan.train.evaluate import Evaluation, Evaluator, whole_batches
from catgan.train.loop import train_gan
from tests.train.conftest import MakeDataSet, PixelExtractor, draw_blob
from tests.train.test_run import assert_equal_runs

SIZE, LATENT, SAMPLES = 16, 8, 200
CPU = torch.device("cpu")


def blobs(count: int, seed: int) -> Pictures:
    rng = np.random.default_rng(seed)
    return np.stack([draw_blob(rng, SIZE) for _ in range(count)])


def images(pictures: Pictures) -> Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


class Gallery(nn.Module):
    """Draws given pictures, one after the other."""

    def __init__(self, pictures: Pictures) -> None:
        super().__init__()
        self.pictures = images(pictures)
        self.next = 0

    def forward(self, latents: Tensor) -> Tensor:
        places = torch.arange(self.next, self.next + len(latents)) % len(self.pictures)
        self.next += len(latents)
        return self.pictures[places]


class Judge(nn.Module):
    """Calls exactly these pictures real."""

    def __init__(self, known: Pictures) -> None:
        super().__init__()
        self.known = images(known).flatten(1)

    def forward(self, shown: Tensor) -> Tensor:
        # the other way of computing distances is not exact near 0
        distance = torch.cdist(
            shown.flatten(1), self.known, compute_mode="donot_use_mm_for_euclid_dist"
        )
        near = distance.amin(dim=1) < 1e-3
        return torch.where(near, 5.0, -5.0)


TRAIN, HELD_OUT = blobs(100, 1), blobs(80, 2)
CONFIG = TrainConfig(
    recipe="article",
    size=SIZE,
    latent_dim=LATENT,
    batch_size=10,
    evaluate_samples=SAMPLES,
    device="cpu",
)


def evaluate(drawn: Pictures, known: Pictures = TRAIN, held_out: Pictures = HELD_OUT) -> Evaluation:
    evaluator = Evaluator(
        train=TRAIN, held_out=held_out, config=CONFIG, extractor=PixelExtractor(), device=CPU
    )
    gallery: Any = Gallery(drawn)
    judge: Any = Judge(known)
    return evaluator.evaluate(generator=gallery, sampler=gallery, discriminator=judge, epoch=1)


def test_new_pictures_of_the_same_kind_are_as_good_as_real_ones() -> None:
    found = evaluate(blobs(SAMPLES, 3))
    assert found.kid is not None
    assert found.kid_error is not None
    assert abs(found.kid) < 4 * found.kid_error  # KID of equal distributions is 0 on average
    assert found.diversity == pytest.approx(1, abs=0.3)  # two samples of one distribution
    assert not found.copying


def test_copies_of_training_pictures_are_caught() -> None:
    found = evaluate(TRAIN)
    assert found.copies == 1.0
    assert found.copying


def test_noise_is_far_off_and_one_picture_has_no_diversity() -> None:
    good = evaluate(blobs(SAMPLES, 3))
    noise = np.random.default_rng(0).integers(0, 256, (SAMPLES, SIZE, SIZE, 3), dtype=np.uint8)
    found = evaluate(noise)
    assert found.kid is not None
    assert good.kid is not None
    assert found.kid > good.kid + 0.01
    assert evaluate(np.repeat(blobs(1, 4), SAMPLES, axis=0)).diversity == pytest.approx(0, abs=1e-9)


def test_diversity_is_the_one_that_compare_gives_and_unknown_beside_equal_pictures() -> None:
    drawn, look = blobs(SAMPLES, 3), PixelExtractor().extract
    found = evaluate(drawn)
    assert found.diversity == diversity(look(drawn).pooled, look(HELD_OUT).pooled).value
    alike = evaluate(drawn, held_out=np.repeat(HELD_OUT[:1], 60, axis=0))
    assert alike.diversity is None
    assert "diversity" not in alike.figures()


def test_the_gap_is_what_d_knows_by_heart() -> None:
    fakes = blobs(SAMPLES, 3)
    by_heart = evaluate(fakes, known=TRAIN)
    fair = evaluate(fakes, known=np.concatenate([TRAIN, HELD_OUT]))
    blind = evaluate(fakes, known=fakes[:1])
    assert by_heart.gap == pytest.approx(1)
    assert fair.gap == pytest.approx(0)
    assert blind.gap == 0


@pytest.mark.parametrize("held_out", [0, 12, 49])
def test_with_too_few_held_out_training_pictures_are_measured_against(held_out: int) -> None:
    new, copies = (
        evaluate(drawn, held_out=HELD_OUT[:held_out]) for drawn in (blobs(SAMPLES, 3), TRAIN)
    )
    for found in (new, copies):
        assert (found.kid, found.kid_error) == (None, None)
        assert "kid" not in found.figures()
        assert found.kid_train is not None
        assert found.kid_train_error is not None
        assert found.figures()["recognised"] == found.recognised
    assert abs(new.kid_train) < 4 * new.kid_train_error  # type: ignore[operator,arg-type]
    assert copies.kid_train < new.kid_train  # type: ignore[operator]
    assert (copies.copies, copies.copying) == (1.0, True)
    assert new.copies is not None
    assert new.copies < 0.25
    fair = evaluate(blobs(SAMPLES, 3))
    assert (fair.kid_train, fair.kid_train_error) == (None, None)


def test_batches_are_whole() -> None:
    assert [len(batch) for batch in whole_batches(torch.zeros(10, 1), 4)] == [4, 4]
    assert [len(batch) for batch in whole_batches(torch.zeros(3, 1), 4)] == [3]


def epoch_of(epoch: int, kid: float | None = None, **figures: Any) -> EpochStats:
    return EpochStats(epoch=epoch, images_shown=epoch, kid=kid, **figures)


def test_the_best_epoch_has_the_lowest_kid_and_is_no_copy() -> None:
    assert best_of([epoch_of(1)]) is None
    stats = [epoch_of(2, 0.5), epoch_of(3), epoch_of(4, 0.3), epoch_of(6, 0.3), epoch_of(8, 0.4)]
    assert best_of(stats) == stats[2]  # the earlier of two equal ones
    assert best_of([*stats, epoch_of(10, 0.01, copying=True)]) == stats[2]
    assert best_of([epoch_of(2, 0.5, copying=True)]) is None
    by_training = [epoch_of(2, kid_train=0.5), epoch_of(4, kid_train=0.3, copying=False)]
    assert best_of([*by_training, epoch_of(6, kid_train=-0.1, copying=True)]) == by_training[1]


def small(**changes: Any) -> TrainConfig:
    settings: dict[str, Any] = {
        "size": 16, "ngf": 4, "ndf": 4, "latent_dim": 8, "device": "cpu", "epochs": 4,
        "held_out": 60, "evaluate_samples": 50, "checkpoint_minutes": 0,
    }  # fmt: skip
    return TrainConfig.of_recipe("balanced", **settings | changes)


@pytest.mark.parametrize("average_kimg", [0.0, 10.0])
def test_measuring_changes_nothing(
    average_kimg: float, make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    """Not even the batch norm of a generator that has no average to be measured in its place."""
    data = make_data_set(130)
    for every in (0, 1):
        config = small(evaluate_every=every, average_kimg=average_kimg)
        train_gan(data, tmp_path / str(every), config, extractor=PixelExtractor())
    never, always = (load_checkpoint(Run(folder=tmp_path / name).last) for name in "01")
    for net in {"generator", "average", "discriminator"} & never.keys():
        for name, tensor in never[net].items():
            assert torch.equal(tensor, always[net][name]), name
    assert torch.equal(never["random"], always["random"])
    assert not Run(folder=tmp_path / "0").best.exists()


def test_the_best_checkpoint_is_that_of_the_best_epoch(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    data = make_data_set(130)
    result = train_gan(
        data, tmp_path / "run", small(evaluate_every=1, lr_g=5e-3), extractor=PixelExtractor()
    )
    best = best_of(result.run.read_stats())
    assert best is not None
    assert (result.best_epoch, result.best_kid) == (best.epoch, best.kid)
    generator, state = load_generator(result.run.best)
    assert state["epoch"] == best.epoch
    # the average it holds is the one that a run of so many epochs ends with
    shorter = small(evaluate_every=0, lr_g=5e-3, epochs=best.epoch)
    train_gan(data, tmp_path / "short", shorter)
    expected, _ = load_generator(Run(folder=tmp_path / "short").last)
    for name, tensor in expected.state_dict().items():
        assert torch.equal(generator.state_dict()[name], tensor), name


def test_measuring_is_rarer_where_training_is_faster() -> None:
    """The cost of measuring is the same; at most a tenth of the time may go to it."""

    def every(**changes: Any) -> int:
        settings: dict[str, Any] = {"recipe": "balanced", "epochs": 10_000}
        config = TrainConfig(**settings | changes)
        return next(
            epoch for epoch in range(1, 10_000) if config.evaluates_after(epoch, pictures=500)
        )

    assert every() <= every(ngf=32, ndf=32) <= every(ngf=16, ndf=16)
    assert every(evaluate_samples=250) <= every()
    assert every() < every(precision="bfloat16")
    assert every(evaluate_every=3) == 3


def test_a_run_that_starts_from_networks_is_measured_early() -> None:
    """Its best epoch is among the first, and few regular ones come before it is past that."""
    settings: dict[str, Any] = {"recipe": "balanced", "epochs": 400, "ngf": 32, "ndf": 32}
    anew, started = TrainConfig(**settings), TrainConfig(**settings, start_from="base")
    plain, early = (
        [epoch for epoch in range(1, 401) if config.evaluates_after(epoch, pictures=120)]
        for config in (anew, started)
    )
    assert early == [1, 2, 4, 8, 16, 32, 64, *plain]
    assert plain[0] > 64
    every = TrainConfig(**settings, start_from="base", evaluate_every=100)
    assert [e for e in range(1, 401) if every.evaluates_after(e, pictures=120)] == [
        100,
        200,
        300,
        400,
    ]


def test_the_last_epoch_is_measured_and_never_means_never() -> None:
    config = TrainConfig(epochs=7, evaluate_every=3)
    due = [e for e in range(1, 8) if config.evaluates_after(e, pictures=500)]
    assert due == [3, 6, 7]
    never = TrainConfig(epochs=7, evaluate_every=0)
    assert not any(never.evaluates_after(e, pictures=500) for e in range(1, 8))
    # of a handful nothing can be told but by who asks for it
    assert TrainConfig(epochs=7).evaluates_after(7, pictures=20)
    assert not TrainConfig(epochs=7).evaluates_after(7, pictures=19)
    assert config.evaluates_after(7, pictures=19)


@pytest.mark.parametrize("held_out", [80, 0])
def test_a_share_of_close_samples_that_chance_explains_is_no_copying(held_out: int) -> None:
    """Five per cent of new pictures are "close" by definition, more or less."""
    alarms = 0
    for seed in range(20):
        evaluator = Evaluator(
            train=blobs(100, 100 + seed), held_out=blobs(80, 200 + seed)[:held_out],
            config=CONFIG, extractor=PixelExtractor(), device=CPU,
        )  # fmt: skip
        gallery: Any = Gallery(blobs(SAMPLES, 300 + seed))
        judge: Any = Judge(TRAIN)
        found = evaluator.evaluate(generator=gallery, sampler=gallery, discriminator=judge, epoch=1)
        assert found.copies is not None
        assert not math.isnan(found.copies)
        alarms += found.copying
    assert alarms <= 1  # two standard errors of the limit and the interval's: far below 5%


@pytest.mark.parametrize("looks", [1, 2, 3])
def test_a_measurement_broken_off_is_begun_anew(
    make_data_set: MakeDataSet, tmp_path: Path, looks: int
) -> None:
    """Asked to stop while it goes on: nothing of it is kept, and no epoch is lost by it."""
    data = make_data_set(150)
    config = TrainConfig(
        recipe="article", size=SIZE, latent_dim=LATENT, ngf=4, ndf=4, batch_size=30, epochs=3,
        held_out=60, evaluate_every=2, evaluate_samples=250, device="cpu", average_kimg=0.1,
    )  # fmt: skip
    whole = train_gan(data, tmp_path / "whole", config, extractor=PixelExtractor())

    class Watched(PixelExtractor):
        looked = 0

        def extract(self, pictures: Pictures) -> Features:
            self.looked += 1
            return super().extract(pictures)

    watched, run = Watched(), Run(folder=tmp_path / "run")
    stopped = train_gan(
        data, run.folder, config, extractor=watched, should_stop=lambda: watched.looked >= looks
    )
    assert (stopped.finished, watched.looked) == (False, looks), "at once"
    assert [line.epoch for line in run.read_stats()] == [1]
    assert not run.best.exists()
    again = train_gan(data, run.folder, config, extractor=PixelExtractor())
    assert again.best_epoch == whole.best_epoch is not None
    assert_equal_runs(run.folder, tmp_path / "whole")


def test_kid_of_many_samples_can_be_broken_off() -> None:
    def stop() -> NoReturn:
        raise Interrupted

    features = np.random.default_rng(0).standard_normal((60, 5))
    with pytest.raises(Interrupted):
        kid_estimate(features, features + 1, between=stop)
