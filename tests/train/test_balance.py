"""The state of the balance: on figures made up, and on runs made to fail at a known moment."""

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch

from catgan.core.errors import TrainingLost
from catgan.formats.runs import Run
from catgan.formats.stats import HEALTHY, STATES, EpochStats
from catgan.train import trainer
from catgan.train.balance import Balance, is_lost, judge_balance
from catgan.train.config import TrainConfig
from catgan.train.loop import train_gan
from catgan.train.step import StepTerms, train_step
from tests.train.conftest import MakeDataSet

PICTURES = 500  # shown in an epoch that is made up

Figures = dict[str, Any]


def epoch_of(epoch: int, **changes: Any) -> EpochStats:
    """An epoch in good order."""
    good: Figures = {
        "images_shown": epoch * PICTURES,
        "loss_d": 1.2,
        "loss_g": 1.1,
        "d_real": 0.6,
        "d_fake": 0.4,
        "spread_real": 0.2,
        "spread_fake": 0.15,
    }
    return EpochStats(epoch=epoch, **good | changes)


def history(epochs: int, **since: tuple[int, Figures]) -> list[EpochStats]:
    """Epochs in good order, with changes from some epoch on."""
    stats = []
    for epoch in range(1, epochs + 1):
        changes: Figures = {}
        for start, change in since.values():
            if epoch >= start:
                changes |= change
        stats.append(epoch_of(epoch, **changes))
    return stats


def change(stats: list[EpochStats], epochs: Iterable[int], **figures: Any) -> None:
    """Give some epochs other figures."""
    for epoch in epochs:
        stats[epoch - 1] = dataclasses.replace(stats[epoch - 1], **figures)


WINNING: Figures = {"d_real": 0.97, "d_fake": 0.03, "loss_g": 6.0}
COLLAPSED: Figures = {"spread_fake": 0.01}
AT_CHANCE: Figures = {"d_real": 0.501, "d_fake": 0.499}
UNSTABLE: Figures = {"loss_d": 17.0, "d_real": 0.75, "d_fake": 0.25}
DIVERGED: Figures = {"loss_g": None}


def test_nothing_yet_is_healthy() -> None:
    balance = judge_balance([])
    assert (balance.state, balance.since) == (HEALTHY, None)


def test_good_order_is_healthy() -> None:
    assert judge_balance(history(100)).state == "healthy"


@pytest.mark.parametrize(
    ("state", "figures"),
    [
        ("winning", WINNING),
        ("collapsed", COLLAPSED),
        ("at-chance", AT_CHANCE),
        ("unstable", UNSTABLE),
    ],
)
def test_each_state_is_named_with_its_first_epoch(state: str, figures: Figures) -> None:
    balance = judge_balance(history(60, it=(41, figures)))
    assert (balance.state, balance.since) == (state, 41)
    assert state in STATES


def test_one_bad_epoch_is_no_state() -> None:
    stats = history(60)
    change(stats, (30, 59, 60), **COLLAPSED)
    assert judge_balance(stats).state == "healthy"


def test_what_is_over_is_over() -> None:
    stats = history(60, it=(20, WINNING))
    stats[-2:] = [epoch_of(59), epoch_of(60)]
    assert judge_balance(stats).since == 20  # two good epochs may be chance
    stats[-3] = epoch_of(58)
    assert judge_balance(stats).state == "healthy"


def test_the_grey_of_the_first_pictures_is_no_collapse() -> None:
    assert judge_balance(history(20, it=(1, COLLAPSED))).state == "healthy"
    assert judge_balance(history(40, it=(1, COLLAPSED))).state == "collapsed"  # still grey


def test_grey_to_the_end_is_a_collapse_in_a_short_run_too() -> None:
    stats = [epoch_of(epoch, images_shown=60 * epoch, **COLLAPSED) for epoch in range(1, 301)]
    assert judge_balance(stats).state == "collapsed"


def test_a_d_that_wins_by_a_little_less_has_not_stopped_winning() -> None:
    """Seen in a real run: 0.80 to 0.86 for a long time."""
    stats = history(60, it=(31, WINNING))
    change(stats, range(41, 61, 2), d_real=0.90, d_fake=0.10)
    change(stats, range(42, 61, 2), d_real=0.90, d_fake=0.04)
    balance = judge_balance(stats)
    assert (balance.state, balance.since) == ("winning", 31)
    change(stats, range(41, 61), d_fake=0.30)
    assert judge_balance(stats).state == "healthy"


def test_samples_that_become_fewer_are_a_collapse_under_way() -> None:
    def diversity(epoch: int) -> float:
        return 0.8 if epoch < 70 else 0.3

    stats = history(100)
    with_measurements(stats, 10, diversity=diversity)
    balance = judge_balance(stats)
    assert (balance.state, balance.since) == ("collapsing", 70)
    assert judge_balance(stats[:79]).state == "healthy"  # once only so far
    grey = history(100)  # nothing has unfolded yet: that is how a run begins
    with_measurements(grey, 10, diversity=lambda epoch: 0.2 if epoch < 70 else 0.05)
    assert judge_balance(grey).state == "healthy"


def test_copies_are_no_best_epoch_to_wait_for() -> None:
    """KID that falls because training images are copied does not save a run."""
    stats = history(200)
    with_measurements(
        stats,
        10,
        kid=lambda epoch: 0.9 - 0.004 * epoch,
        kid_error=lambda _: 0.01,
        gap=lambda epoch: 0.7 if epoch >= 110 else 0.2,
    )
    assert not is_lost(stats, 200)  # out of balance, and better each time
    change(stats, range(110, 201, 10), copying=True)
    assert is_lost(stats, 200)


def test_numbers_that_ran_off_count_at_once_and_first() -> None:
    balance = judge_balance(history(60, a=(30, WINNING), b=(59, DIVERGED)))
    assert (balance.state, balance.since) == ("diverged", 59)


def test_the_worst_is_said_first() -> None:
    assert judge_balance(history(60, a=(30, WINNING), b=(40, COLLAPSED))).state == "collapsed"


def with_measurements(
    stats: list[EpochStats], every: int, **values: Callable[[int], float]
) -> None:
    for epoch in range(every, len(stats) + 1, every):
        change(stats, [epoch], **{name: value(epoch) for name, value in values.items()})


def test_a_gap_twice_in_a_row_is_overfitting() -> None:
    stats = history(100)
    with_measurements(stats, 10, gap=lambda epoch: 0.6 if epoch >= 70 else 0.2)
    balance = judge_balance(stats)
    assert (balance.state, balance.since) == ("overfitted", 70)
    assert judge_balance(stats[:79]).state == "healthy"  # once only so far
    change(stats, [90], gap=0.4)
    assert judge_balance(stats).state == "healthy"


def test_copies_twice_in_a_row_are_copying() -> None:
    stats = history(100)
    with_measurements(stats, 10, kid_train=lambda _: 0.3, copies=lambda _: 0.1)
    change(stats, range(10, 101, 10), copying=False)
    assert judge_balance(stats).state == HEALTHY
    change(stats, [80, 90, 100], copying=True)
    balance = judge_balance(stats)
    assert (balance.state, balance.since) == ("copying", 80)
    assert "copying" in STATES
    assert judge_balance(stats[:89]).state == HEALTHY  # once only so far


@pytest.mark.parametrize("name", ["kid", "kid_train"])
def test_past_its_best_is_worse_by_more_than_chance(name: str) -> None:
    def kid(epoch: int) -> float:
        return 0.8 - 0.01 * epoch if epoch <= 50 else 0.3 + 0.01 * (epoch - 50)

    stats = history(100)
    with_measurements(stats, 10, **{name: kid, f"{name}_error": lambda _: 0.01})
    balance = judge_balance(stats)
    assert balance.state == "past-best"
    assert balance.since == 60  # 0.40 against 0.30 at epoch 50
    with_measurements(stats, 10, **{f"{name}_error": lambda _: 0.1})
    assert judge_balance(stats).since == 80  # 0.30 above it is above 2 errors of 0.14 each


def test_failed_is_long_out_of_balance_and_not_better() -> None:
    stats = history(60, it=(41, WINNING))
    assert not is_lost(stats[:44], 100)
    assert is_lost(stats, 100)
    assert not is_lost(stats, 1000)  # a tenth of the run has not gone by
    assert not is_lost(history(60), 100)
    # a best epoch found meanwhile: it gets better all the same
    with_measurements(stats, 1, kid=lambda epoch: 1 - 0.01 * epoch, kid_error=lambda _: 0.0)
    assert not is_lost(stats, 100)


# Runs made to fail.

EPOCHS = 60
FAILS = 30
TENTH = EPOCHS // 10
SMALL: Figures = {
    "size": 16, "ngf": 8, "ndf": 8, "latent_dim": 8, "batch_size": 10, "device": "cpu",
    "checkpoint_minutes": 60, "sample_every": EPOCHS, "epochs": EPOCHS, "held_out": 0,
    "evaluate_every": 0,
    "lr_g": 1e-3, "lr_d": 1e-3,  # so small a net has learnt to draw blobs by epoch 20
}  # fmt: skip
Parts = dict[str, Any]


def run_with(
    monkeypatch: pytest.MonkeyPatch,
    data: Path,
    run: Path,
    spoil: Callable[[Parts], StepTerms],
    **changes: Any,
) -> list[EpochStats]:
    """Train, every step from epoch `FAILS` on spoiled; what the run says of itself."""
    steps = iter(range(10**9))
    first = (FAILS - 1) * 15  # 150 pictures in batches of 10

    def step(**parts: Any) -> StepTerms:
        return spoil(parts) if next(steps) >= first else train_step(**parts)

    monkeypatch.setattr(trainer, "train_step", step)
    try:
        train_gan(data, run, TrainConfig.of_recipe("balanced", **SMALL | changes))
    except TrainingLost as error:
        assert f"since epoch {FAILS}" in str(error)
    return Run(folder=run).read_stats()


def strong_d(parts: Parts) -> StepTerms:
    """D sees pictures as they are and learns four times as fast, G hardly."""
    parts["draws"] = None
    parts["optimizer_d"].param_groups[0]["lr"] = 4e-3
    parts["optimizer_g"].param_groups[0]["lr"] = 2e-5
    return train_step(**parts)


def wild_d(parts: Parts) -> StepTerms:
    """D takes steps of a hundred times the rate."""
    parts["optimizer_d"].param_groups[0]["lr"] = 0.1
    return train_step(**parts)


def collapse(parts: Parts) -> StepTerms:
    """G no longer looks at its latents."""
    parts["latents"] = torch.full_like(parts["latents"], 0.5)
    return train_step(**parts)


def run_off(parts: Parts) -> StepTerms:
    """A weight is no number any more."""
    parts["generator"].main[0].weight.data.fill_(float("nan"))
    return train_step(**parts)


@pytest.mark.parametrize(
    ("spoil", "state"),
    [
        (strong_d, "winning"),
        (wild_d, "unstable"),
        (collapse, "collapsed"),
        (run_off, "diverged"),
    ],
)
def test_a_run_made_to_fail_is_named_within_a_tenth(
    spoil: Callable[[Parts], StepTerms],
    state: str,
    make_data_set: MakeDataSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = run_with(monkeypatch, make_data_set(150), tmp_path / "run", spoil)
    states = {line.epoch: line.balance for line in lines}
    assert all(states[epoch] == "healthy" for epoch in range(1, FAILS)), states
    named = [line for line in lines if line.balance == state]
    assert named, states
    # it is said in time, and the epoch that it names is the one
    assert FAILS <= named[0].epoch <= FAILS + TENTH
    assert named[-1].since is not None
    assert abs(named[-1].since - FAILS) <= TENTH
    assert all((line.since is None) == (line.balance == HEALTHY) for line in lines)


HINGE: Figures = {"hinge": True, "loss_d": 1.5, "loss_g": 1.0, "d_real": 0.9, "d_fake": 0.1}


@pytest.mark.parametrize(
    "figures",
    [
        {"loss_d": 8.0, "loss_g": 0.0},  # what guessing costs on four scales
        {"d_real": 1.0, "d_fake": 0.0, "loss_g": 8.0},
        {"d_real": 0.5, "d_fake": 0.5},
    ],
)
def test_hinge_losses_are_not_read_as_cross_entropies(figures: Figures) -> None:
    stats = history(40, hinge=(1, HINGE), then=(10, figures))
    assert judge_balance(stats).state == HEALTHY
    crossed = history(40, hinge=(1, HINGE | {"hinge": None}), then=(10, figures))
    assert judge_balance(crossed).state != HEALTHY


@pytest.mark.parametrize(
    ("state", "figures"),
    [
        ("collapsed", COLLAPSED),
        ("diverged", {"lost": True}),
        ("overfitted", {"gap": 0.7}),
        ("collapsing", {"diversity": 0.1}),
        ("past-best", {"kid": 0.3, "kid_error": 0.001}),
    ],
)
def test_samples_tell_of_hinge_losses_what_they_tell_of_others(
    state: str, figures: Figures
) -> None:
    good: Figures = {"diversity": 0.9, "kid": 0.1, "kid_error": 0.001, "gap": 0.1}
    stats = history(40, hinge=(1, HINGE | good), then=(25, figures))
    assert judge_balance(stats) == Balance(state=state, since=25)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_false_alarm_in_a_healthy_run(
    seed: int, make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    config = TrainConfig.of_recipe("balanced", **SMALL | {"seed": seed})
    result = train_gan(make_data_set(150), tmp_path / "run", config)
    assert result.balance.state == "healthy"
    assert {line.balance for line in result.run.read_stats()} == {"healthy"}


def test_stop_when_lost_ends_a_run_that_failed_and_only_that(
    make_data_set: MakeDataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make_data_set(150)
    lines = run_with(monkeypatch, data, tmp_path / "run", collapse, stop_when_lost=True)
    assert FAILS + TENTH <= len(lines) <= FAILS + 2 * TENTH
    again = train_gan(
        data, tmp_path / "run", TrainConfig.of_recipe("balanced", **SMALL, stop_when_lost=True)
    )
    assert again.finished
    assert again.epochs == again.epochs_before == len(lines)
