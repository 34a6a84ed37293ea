"""Which settings a run is trained with: those named, its own, or a recipe's."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from catgan.core.errors import (
    BadRecord,
    BadSettings,
    CheckpointRefused,
    FolderRefused,
    SettingsDiffer,
)
from catgan.core.files import locked
from catgan.formats.datasets import PictureRecord, write_metadata
from catgan.formats.runs import DataRecord, Run, RunConfig, training_line
from catgan.model.checkpoint import load_checkpoint
from catgan.train.config import FREE, MACHINE, RECIPES, TrainConfig
from catgan.train.loop import train_gan
from catgan.train.progress import TrainStart
from catgan.train.resume import settle
from tests.train.conftest import MakeDataSet
from tests.train.test_run import SMALL, small

OWN: dict[str, Any] = {
    "recipe": "balanced",
    "ngf": 8,
    "lr_g": 1e-3,
    "beta2": 0.99,
    "epochs": 30,
    "sample_every": 7,
}


def run_of(folder: Path, **settings: Any) -> Run:
    """A run that was started with some settings that no default or recipe has."""
    run = Run(folder=folder)
    folder.mkdir(parents=True)
    own = OWN | settings
    config = TrainConfig.of_recipe(**own)
    data = DataRecord(name="blobs", folder="/somewhere/blobs", train=10)
    run.write_config(RunConfig(settings=dataclasses.asdict(config), data=data))
    return run


def forget(run: Run, *names: str) -> None:
    """Take settings out of a run's record, as if it had been written before there were any."""
    record = run.read_config()
    assert record is not None
    kept = {name: value for name, value in record.settings.items() if name not in names}
    run.write_config(dataclasses.replace(record, settings=kept))


def test_a_new_run_follows_its_recipe(tmp_path: Path) -> None:
    new = Run(folder=tmp_path / "new")
    assert settle(new, {}) == TrainConfig.of_recipe("projected")
    assert settle(new, {"recipe": "article"}) == TrainConfig.of_recipe("article")
    assert settle(new, {"ndf": 128}) == TrainConfig.of_recipe("projected", ndf=128)
    with pytest.raises(BadSettings, match="--recipe is soup"):
        settle(new, {"recipe": "soup"})


def test_a_run_keeps_its_own_settings_whatever_the_defaults_are_by_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(tmp_path / "run")
    own = TrainConfig.of_recipe(**OWN)
    assert settle(run, {}) == own
    monkeypatch.setitem(RECIPES, "balanced", {"lr_d": 0.5, "flip": False})
    for named in ({}, {"recipe": "balanced"}, {"ngf": 8, "beta2": 0.99, "flip": True}):
        assert settle(run, named) == own


def test_a_named_setting_that_differs_is_refused_and_named_with_both_values(
    tmp_path: Path,
) -> None:
    run = run_of(tmp_path / "run")
    with pytest.raises(SettingsDiffer) as refused:
        settle(run, {"ngf": 16, "start_from": "base", "flip": False, "sample_every": 1})
    assert str(refused.value) == (
        f"{run.folder} was started with different settings (ngf 8, now 16; start-from none, "
        "now base; flip yes, now no). Use those settings, or --name tries for a run beside it; "
        "nothing is deleted."
    )


def test_another_recipe_is_refused(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    with pytest.raises(SettingsDiffer, match="recipe balanced, now article"):
        settle(run, {"recipe": "article"})


def test_named_settings_that_change_no_epoch_win(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    named: dict[str, Any] = {
        "epochs": 50,
        "sample_every": 1,
        "checkpoint_minutes": 5.0,
        "stop_when_lost": True,
        "device": "cpu",
        "graphs": "off",
    }
    assert named.keys() == FREE - {"recipe"}
    settled = settle(run, named)
    assert settled == dataclasses.replace(TrainConfig.of_recipe(**OWN), **named)


def test_settings_of_the_machine_never_come_from_the_run(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", device="cuda", graphs="off")
    settled = settle(run, {})
    assert {"device", "graphs"} == MACHINE
    assert (settled.device, settled.graphs) == ("auto", "auto")
    assert settle(run, {"device": "cpu"}).device == "cpu"


def test_a_setting_that_came_later_is_what_it_was_before(tmp_path: Path) -> None:
    """Of the class, not of the recipe: before there were flips, no run had any."""
    run = run_of(tmp_path / "run")
    forget(run, "flip", "augment", "average_kimg")
    settled = settle(run, {})
    assert (settled.flip, settled.augment, settled.average_kimg) == (False, "", 0.0)
    assert settled.beta2 == 0.99


def test_runs_of_before_there_was_another_discriminator_have_the_one_of_then(
    tmp_path: Path,
) -> None:
    run = run_of(tmp_path / "run")
    forget(run, "upsample", "skip", "discriminator")
    settled = settle(run, {})
    assert (settled.upsample, settled.skip, settled.discriminator) == (
        "transposed",
        False,
        "pixels",
    )


def test_a_record_that_cannot_be_understood_is_refused(tmp_path: Path) -> None:
    newer = run_of(tmp_path / "newer")
    record = newer.read_config()
    assert record is not None
    newer.write_config(dataclasses.replace(record, settings=record.settings | {"whiskers": 12}))
    with pytest.raises(CheckpointRefused, match=r"does not know \(whiskers\)"):
        settle(newer, {})
    damaged = run_of(tmp_path / "damaged")
    damaged.write_config(dataclasses.replace(record, settings=record.settings | {"ngf": "wide"}))
    with pytest.raises(BadRecord, match=r"config\.json is not what catgan wrote there \(ngf: "):
        settle(damaged, {})
    for name, value in (("epochs", 0), ("norm", "group theory"), ("lr_g", -1.0)):
        impossible = run_of(tmp_path / name)
        wrong = record.settings | {name: value}
        impossible.write_config(dataclasses.replace(record, settings=wrong))
        with pytest.raises(BadRecord, match=rf"{name}.config\.json holds a setting that cannot be"):
            settle(impossible, {"epochs": 3})
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").write_text("dear")
    with pytest.raises(FolderRefused, match="not a run of catgan"):
        settle(Run(folder=tmp_path / "letters"), {})


def test_what_is_named_is_recorded_and_epochs_are_the_runs_own(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    data = make_data_set(8)
    run = Run(folder=tmp_path / "run")
    named = {"device": "cpu"}
    train_gan(data, run.folder, settle(run, {**SMALL, "epochs": 1, "recipe": "article"}))
    assert train_gan(data, run.folder, settle(run, named)).epochs == 1
    train_gan(data, run.folder, settle(run, {**named, "epochs": 3, "sample_every": 2}))
    record = run.read_config()
    assert record is not None
    assert (record.settings["epochs"], record.settings["sample_every"]) == (3, 2)
    assert settle(run, {}).epochs == 3
    # fewer than there are: over, and the plain line agrees
    over = train_gan(data, run.folder, settle(run, {**named, "epochs": 2}))
    assert (over.finished, over.epochs) == (True, 3)
    assert settle(run, {}).epochs == 2


def test_without_settings_a_run_goes_on_with_its_own(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    data = make_data_set(8)
    steps = iter(range(1, 100))
    config = small(epochs=2, device="auto")
    train_gan(data, tmp_path / "run", config, should_stop=lambda: next(steps) == 3)
    assert train_gan(data, tmp_path / "run").epochs == 2
    with pytest.raises(SettingsDiffer, match="ngf 4, now 64"):
        train_gan(data, tmp_path / "run", TrainConfig())


def test_a_run_whose_values_no_recipe_has_is_carried_on_as_it_began(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    """As the default of another day would have it, in both places where it is recorded."""
    data = make_data_set(8)
    run = Run(folder=tmp_path / "run")
    train_gan(data, run.folder, small(epochs=1))
    other = {"beta1": 0.25, "evaluate_samples": 70, "r1_every": 3}
    record = run.read_config()
    assert record is not None
    run.write_config(dataclasses.replace(record, settings=record.settings | other))
    state = load_checkpoint(run.last)
    state["settings"] |= other
    for optimizer in ("optimizer_g", "optimizer_d"):
        state[optimizer]["param_groups"][0]["betas"] = (0.25, 0.999)
    torch.save(state, run.last)
    assert train_gan(data, run.folder, settle(run, {"epochs": 2, "device": "cpu"})).epochs == 2
    carried = load_checkpoint(run.last)
    assert carried["settings"] | other == carried["settings"]
    assert carried["optimizer_g"]["param_groups"][0]["betas"] == (0.25, 0.999)


def test_a_run_that_somebody_trains_is_not_called_finished(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    data, run = make_data_set(8), Run(folder=tmp_path / "run")
    train_gan(data, run.folder, small(epochs=3))
    before = run.config.read_bytes()
    with locked(run.folder):
        with pytest.raises(FolderRefused, match="at work"):
            train_gan(data, run.folder, small(epochs=2))
        assert run.config.read_bytes() == before
        train_gan(data, run.folder, small(epochs=3))  # nothing to say
    train_gan(data, run.folder, small(epochs=2))
    record = run.read_config()
    assert record is not None
    assert record.settings["epochs"] == 2


def test_what_another_process_trained_meanwhile_is_not_undone(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    data, run = make_data_set(8), Run(folder=tmp_path / "run")
    train_gan(data, run.folder, small(epochs=1))

    def goes_on(_: TrainStart) -> None:
        train_gan(data, run.folder, small(epochs=2))

    with pytest.raises(FolderRefused, match=r"has trained .* meanwhile; rerun"):
        train_gan(data, run.folder, small(epochs=4), on_start=goes_on)
    assert [stats.epoch for stats in run.read_stats()] == [1, 2]
    assert train_gan(data, run.folder, small(epochs=4)).epochs == 4


def test_the_line_that_goes_on_names_the_run() -> None:
    data, runs = Path("curated/face-crop"), Path("runs")
    plain = training_line(data, Run(folder=runs / "face-crop"), 80)
    assert plain == ["catgan", "train", "curated/face-crop", "--epochs", "80"]
    other = training_line(data.absolute(), Run(folder=Path("mine/tries")), 80)
    assert other == [*plain, "--name", "tries", "--runs", "mine"]


def test_a_run_whose_images_would_be_split_otherwise_is_refused(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    """Held-out images are never trained on, whatever belongs together by now."""
    data, run = make_data_set(20), Run(folder=tmp_path / "run")
    config = TrainConfig(
        recipe="balanced", size=16, ngf=4, ndf=4, latent_dim=8, batch_size=4, epochs=1, held_out=5,
        device="cpu", evaluate_every=0,
    )  # fmt: skip
    train_gan(data, run.folder, config)
    record = run.read_config()
    assert record is not None
    held_out = record.data.held_out
    taken = next(name for name in sorted(p.name for p in data.iterdir()) if name not in held_out)
    together = [
        PictureRecord(file_name=name, group="burst") for name in (held_out[0], taken, "gone.png")
    ]
    write_metadata(data, together)
    longer = dataclasses.replace(config, epochs=2)
    with pytest.raises(SettingsDiffer, match=r"other images of .* held out .* --name tries"):
        train_gan(data, run.folder, longer)
