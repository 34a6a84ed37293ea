"""A run that begins with networks that have learned already."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from catgan.core.errors import BadSettings, CheckpointRefused, NoSuchFolder, SettingsDiffer
from catgan.core.files import write_json
from catgan.formats.runs import Run
from catgan.model.base import DISCRIMINATOR, GENERATOR, load_base
from catgan.model.checkpoint import load_checkpoint, save_checkpoint
from catgan.train.config import BASE, TrainConfig
from catgan.train.loop import check_plan, plan_training, train_gan
from catgan.train.opening import open_start
from catgan.train.progress import TrainStart
from catgan.train.resume import settle
from catgan.train.start import check_start
from tests.train.conftest import MakeDataSet, tiny_eyes
from tests.train.test_run import assert_equal_runs, small

STILL: dict[str, Any] = {"lr_g": 1e-12, "lr_d": 1e-12}  # rates at which nothing is learned


def test_the_base_model_fits_the_default_recipe() -> None:
    start = open_start(BASE)
    facts = load_base().facts
    settings = TrainConfig(**start.shape)
    check_start(start, settings)
    assert (settings.ngf, settings.ndf, settings.size) == (facts.ngf, facts.ndf, facts.size)


def test_a_run_begins_with_the_base_model(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    """At rates of nearly nothing its weights after one epoch are those it began with."""
    data = make_data_set(16, size=64)
    shape = open_start(BASE).shape
    starts: list[TrainStart] = []
    config = TrainConfig(start_from=BASE, epochs=1, batch_size=16, **shape, **STILL)
    train_gan(data, tmp_path / "run", config, on_start=starts.append)
    base = load_base()
    assert starts[0].begins_with is not None
    assert starts[0].begins_with.images_shown == base.facts.images_shown
    state = load_checkpoint(Run(folder=tmp_path / "run").last)
    for name, net in (
        ("generator", base.generator),
        ("average", base.generator),
        ("discriminator", base.discriminator),
    ):
        for key, value in net.state_dict().items():
            if "running" in key or "num_batches" in key or key.endswith((".u", ".v")):
                continue  # statistics and spectral norms are followed, whatever the rates
            # biases that are 0 have moved by Adam's step of one rate
            torch.testing.assert_close(state[name][key], value, rtol=1e-6, atol=1e-10)
    record = Run(folder=tmp_path / "run").read_config()
    assert record is not None
    assert record.settings["start_from"] == BASE
    assert record.start == starts[0].begins_with
    assert record.start.from_ == "the base model"


def test_a_run_begins_with_another_run(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    data = make_data_set(11)
    train_gan(data, tmp_path / "first", small(epochs=2, average_kimg=0.01))
    first = load_checkpoint(Run(folder=tmp_path / "first").last)
    start = open_start(str(tmp_path / "first"))
    assert start.facts.images_shown == 22
    for key, value in first["average"].items():  # whose pictures count
        assert torch.equal(start.generator[key], value)
    train_gan(
        data, tmp_path / "again", small(epochs=1, start_from=str(tmp_path / "first"), **STILL)
    )
    again = load_checkpoint(Run(folder=tmp_path / "again").last)
    for key, value in first["discriminator"].items():
        if "running" not in key and "num_batches" not in key:
            torch.testing.assert_close(again["discriminator"][key], value, rtol=1e-6, atol=1e-10)


def test_the_start_is_no_matter_to_carrying_on(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    """Stopped and carried on to the bit, also where what it began with is gone by then."""
    data = make_data_set(11)
    train_gan(data, tmp_path / "first", small(epochs=1))
    config = small(epochs=3, start_from=str(tmp_path / "first"))
    train_gan(data, tmp_path / "whole", config)
    for stop_after in (1, 2, 100):
        if stop_after > 1:
            Run(folder=tmp_path / "first").last.unlink(missing_ok=True)
        steps = iter(range(1, 1000))
        train_gan(
            data,
            tmp_path / "parts",
            config,
            should_stop=lambda steps=steps, last=stop_after: next(steps) >= last,  # type: ignore[misc]
        )
    assert_equal_runs(tmp_path / "whole", tmp_path / "parts")
    records = [
        json.loads((tmp_path / name / "config.json").read_text(encoding="utf-8"))
        for name in ("whole", "parts")
    ]
    assert records[0] is not None
    assert records[0] == records[1]
    assert records[0]["start"]["images_shown"] == 11


def test_a_run_keeps_its_shape_where_its_start_is_gone(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    data, first = make_data_set(11), str(tmp_path / "first")
    train_gan(data, tmp_path / "first", small(epochs=1))
    shape = open_start(first).shape
    config = small(epochs=1, start_from=first)
    train_gan(data, tmp_path / "run", config)
    fresh, begun = Run(folder=tmp_path / "fresh"), Run(folder=tmp_path / "run")
    settled = settle(fresh, {"start_from": first})
    assert {name: getattr(settled, name) for name in shape} == shape
    Run(folder=tmp_path / "first").last.unlink()
    for named in ({}, {"start_from": first}):
        assert settle(begun, named) == dataclasses.replace(config, device="auto")
    with pytest.raises(CheckpointRefused, match="no checkpoint"):
        settle(fresh, {"start_from": first})
    with pytest.raises(SettingsDiffer, match=r"start-from .*first, now .*nothing"):
        settle(begun, {"start_from": str(tmp_path / "nothing")})


def test_named_settings_win_over_those_of_the_start(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    data, first = make_data_set(11), str(tmp_path / "first")
    train_gan(data, tmp_path / "first", small(epochs=1))
    settled = settle(Run(folder=tmp_path / "fresh"), {"start_from": first, "ngf": 8})
    assert (settled.ngf, settled.ndf, settled.size, settled.latent_dim) == (8, 4, 16, 8)


def test_what_does_not_fit_is_named(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    data, facts = make_data_set(11), load_base().facts
    for changes, words in (
        ({"ngf": 8, "ndf": 8}, f"--ngf {facts.ngf} --ndf {facts.ndf}"),
        ({"size": 128}, "--size 64"),
        ({"recipe": "article"}, "use --recipe projected"),
    ):
        recipe = str(changes.pop("recipe", "projected"))
        shape = open_start(BASE).shape | {"batch_size": 8} | changes
        config = TrainConfig.of_recipe(recipe, start_from=BASE, **shape)
        with pytest.raises(BadSettings, match=words):
            plan_training(data, tmp_path / "run", config)
        with pytest.raises(BadSettings, match=words):
            train_gan(data, tmp_path / "run", config)
    assert not (tmp_path / "run").exists()


def test_what_is_advised_may_be_done(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    """A discriminator with batch norm does not go with R1, which the default recipe has."""
    data, first = make_data_set(11), str(tmp_path / "first")
    train_gan(data, tmp_path / "first", small(epochs=1, norm="batch", r1=0.0))
    config = small(epochs=1, norm="none", r1=0.01, start_from=first)
    with pytest.raises(BadSettings, match=r"--norm batch --r1 0\.0 \(not none, 0\.01\)"):
        plan_training(data, tmp_path / "run", config)
    plan_training(data, tmp_path / "run", dataclasses.replace(config, norm="batch", r1=0.0))


def test_a_start_that_is_none(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    data = make_data_set(11)
    with pytest.raises(NoSuchFolder, match="neither a run's folder nor a checkpoint"):
        train_gan(data, tmp_path / "run", small(start_from=str(tmp_path / "nothing")))
    (tmp_path / "file").write_bytes(b"no checkpoint")
    with pytest.raises(CheckpointRefused, match="not a checkpoint"):
        train_gan(data, tmp_path / "run", small(start_from=str(tmp_path / "file")))
    assert not (tmp_path / "run").exists()


def test_a_run_keeps_the_start_it_began_with(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    data = make_data_set(11)
    train_gan(data, tmp_path / "first", small(epochs=1))
    train_gan(data, tmp_path / "run", small(epochs=1))
    with pytest.raises(SettingsDiffer, match="start-from"):
        train_gan(data, tmp_path / "run", small(epochs=2, start_from=str(tmp_path / "first")))


def test_each_file_of_the_base_model_is_read_once(
    make_data_set: MakeDataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def count(path: Path, **how: str) -> object:
        opened.append(path.name)
        return safe_open(path, **how)

    monkeypatch.setattr("catgan.model.base.safe_open", count)
    networks = open_start(BASE)
    assert sorted(opened) == [DISCRIMINATOR, GENERATOR]
    config = TrainConfig(start_from=BASE, epochs=1, batch_size=16, **networks.shape)
    opened.clear()
    train_gan(make_data_set(16, size=64), tmp_path / "run", config)
    assert len(opened) == 2
    train_gan(
        make_data_set(16, size=64, parent="other"),
        tmp_path / "next",
        config,
        open_networks=lambda _: networks,
    )
    assert len(opened) == 2


def test_a_run_from_before_there_was_this_setting(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    """Its settings lack the name; it is carried on, since it began with nets drawn anew."""
    data = make_data_set(11)
    run = Run(folder=tmp_path / "run")
    train_gan(data, run.folder, small(epochs=1))
    record = json.loads((run.config).read_text(encoding="utf-8"))
    assert record is not None
    del record["settings"]["start_from"]
    write_json(run.config, record)
    state = load_checkpoint(run.last)
    del state["settings"]["start_from"]
    torch.save(state, run.last)
    assert train_gan(data, run.folder, dataclasses.replace(small(), epochs=2)).epochs == 2


@pytest.mark.parametrize("wrong", [{"ngf": "x"}, {"ngf": 8}, {"norm": "none"}, {"size": 2**40}])
def test_a_start_whose_settings_are_not_those_of_its_weights(
    make_data_set: MakeDataSet, tmp_path: Path, wrong: dict[str, object]
) -> None:
    data, first = make_data_set(8), Run(folder=tmp_path / "first")
    train_gan(data, first.folder, small(epochs=1))
    state = load_checkpoint(first.last)
    save_checkpoint(first.last, state | {"settings": state["settings"] | wrong})
    with pytest.raises(CheckpointRefused, match=r"last\.pt does not hold what a run could start"):
        settle(Run(folder=tmp_path / "run"), {"start_from": str(first.folder)})


@pytest.mark.parametrize(
    "wrong",
    [
        {"upsample": "transposed"}, {"upsample": "magic"}, {"skip": False}, {"skip": 1},
        {"discriminator": "pixels"}, {"discriminator": ["projected"]}, {"ndf": 8}, {"ndf": 4096},
    ],
)  # fmt: skip
def test_a_projected_start_whose_settings_are_not_those_of_its_weights(
    make_data_set: MakeDataSet, tmp_path: Path, wrong: dict[str, object]
) -> None:
    data, first = make_data_set(8), Run(folder=tmp_path / "first")
    changes = {"size": 32} if "skip" in wrong else {}  # at 16 there is nothing to gate
    train_gan(data, first.folder, projected(**changes), open_eyes=tiny_eyes)
    state = load_checkpoint(first.last)
    save_checkpoint(first.last, state | {"settings": state["settings"] | wrong})
    with pytest.raises(CheckpointRefused, match=r"last\.pt does not hold what a run could start"):
        settle(Run(folder=tmp_path / "run"), {"start_from": str(first.folder)})


def test_a_run_whose_optimiser_lost_its_averages(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    data, run = make_data_set(8), Run(folder=tmp_path / "run")
    train_gan(data, run.folder, small(epochs=1))
    state = load_checkpoint(run.last)
    state["optimizer_d"]["state"][0].pop("exp_avg")
    save_checkpoint(run.last, state)
    before = run.stats.read_bytes()
    with pytest.raises(CheckpointRefused, match="does not fit this run"):
        train_gan(data, run.folder, small(epochs=2))
    assert run.stats.read_bytes() == before


def projected(**changes: Any) -> TrainConfig:
    shape = {"size": 16, "ngf": 4, "ndf": 4, "latent_dim": 8, "batch_size": 4, "held_out": 0}
    return TrainConfig.of_recipe("projected", **shape | {"epochs": 1, "device": "cpu"} | changes)


def test_a_projected_run_begins_with_another(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    """Its recipe is followed where none is named, and its generator has the same parts."""
    data, first = make_data_set(11), str(tmp_path / "first")
    train_gan(data, tmp_path / "first", projected(skip=False), open_eyes=tiny_eyes)
    settled = settle(Run(folder=tmp_path / "next"), {"start_from": first})
    assert (settled.recipe, settled.discriminator) == ("projected", "projected")
    assert (settled.ngf, settled.upsample, settled.skip) == (4, "nearest", False)
    train_gan(
        data,
        tmp_path / "next",
        projected(skip=False, start_from=first, **STILL),
        open_eyes=tiny_eyes,
    )
    before, after = (
        load_checkpoint(Run(folder=tmp_path / name).last) for name in ("first", "next")
    )
    for key, value in before["discriminator"].items():
        if key.endswith(".weight"):
            torch.testing.assert_close(after["discriminator"][key], value, rtol=1e-6, atol=1e-10)


def test_a_discriminator_of_another_kind_is_refused(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    data = make_data_set(11)
    train_gan(data, tmp_path / "first", projected(), open_eyes=tiny_eyes)
    train_gan(data, tmp_path / "pixels", small(epochs=1))
    new, first, pixels = tmp_path / "new", str(tmp_path / "first"), str(tmp_path / "pixels")
    for start, recipe, said in (
        (pixels, "projected", "looks at pixels, this run's at features .* use --recipe balanced"),
        (BASE, "balanced", "looks at features .*, this run's at pixels; use --recipe projected"),
        (first, "balanced", "looks at features .*, this run's at pixels; use --recipe projected"),
    ):
        named = {"start_from": start, "recipe": recipe, "device": "cpu"}
        with pytest.raises(BadSettings, match=said):
            check_plan(new, settle(Run(folder=new), named))
    assert not new.exists()
