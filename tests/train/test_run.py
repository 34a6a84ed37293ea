"""A run from end to end: what it writes, carrying on exactly, and what it refuses."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from catgan.core.errors import (
    BadRecord,
    BadSettings,
    BadUsage,
    CatganError,
    CheckpointRefused,
    DiskFull,
    FolderRefused,
    SettingsDiffer,
    TooFewPictures,
    TrainingLost,
)
from catgan.formats import runs as runs_module
from catgan.formats.runs import Run
from catgan.model.checkpoint import load_checkpoint, load_generator
from catgan.train import trainer
from catgan.train.config import RECIPES, TrainConfig
from catgan.train.loop import plan_training, train_gan
from catgan.train.progress import TrainProgress, TrainStart
from catgan.train.step import StepTerms, train_step
from tests.train.conftest import MakeDataSet, tiny_eyes

TIMES = ("images_per_second", "evaluation_seconds")  # of stats.jsonl, where no two runs agree
SMALL = {
    "recipe": "article",
    "size": 16,
    "ngf": 4,
    "ndf": 4,
    "latent_dim": 8,
    "device": "cpu",
    "checkpoint_minutes": 0,
}


def small(**changes: object) -> TrainConfig:
    return TrainConfig(**(SMALL | changes))  # type: ignore[arg-type]


def weights(run: Path) -> dict[str, torch.Tensor]:
    """Every tensor of the checkpoints, by its path in them."""
    found: dict[str, torch.Tensor] = {}

    def walk(value: object, name: str) -> None:
        if isinstance(value, torch.Tensor):
            found[name] = value
        elif isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, f"{name}/{key}")

    walk(load_checkpoint(Run(folder=run).last), "")
    if Run(folder=run).best.exists():
        walk(load_checkpoint(Run(folder=run).best), "best")
    return found


def assert_equal_runs(one: Path, other: Path) -> None:
    """Checkpoints equal to the bit; statistics too, but for the speed; the same sample grids."""
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert torch.equal(tensor, theirs[name]), name
    records = []
    for run in (one, other):
        lines = Run(folder=run).read_stats()
        records.append([dataclasses.replace(line, **dict.fromkeys(TIMES)) for line in lines])  # type: ignore[arg-type]
    assert records[0] == records[1]
    grids = [
        {path.name: path.read_bytes() for path in (run / "samples").iterdir()}
        for run in (one, other)
    ]
    assert grids[0] == grids[1]


def test_what_a_run_leaves(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    data = make_data_set(10)
    seen: list[TrainProgress] = []
    result = train_gan(
        data, tmp_path / "run", small(epochs=3, sample_every=2), progress=seen.append
    )
    assert result.finished
    assert (result.epochs_before, result.epochs, result.images_shown) == (0, 3, 30)
    run = result.run
    config = run.read_config()
    assert config is not None
    assert config.finished
    assert config.settings["ngf"] == 4
    assert config.data.train == 10
    stats = run.read_stats()
    assert [line.epoch for line in stats] == [1, 2, 3]
    assert [line.images_shown for line in stats] == [10, 20, 30]
    for line in stats:
        assert line.loss_d is not None
        assert line.loss_d > 0
        assert line.loss_g is not None
        assert line.loss_g > 0
        for name in ("d_real", "d_fake", "d_fake_after"):
            assert 0 < getattr(line, name) < 1
    assert list(run.sample_grids()) == [1, 2, 3]  # the first, every second, the last
    assert any(path.name.startswith("events.") for path in run.tensorboard.iterdir())
    assert [p.epoch for p in seen if p.epoch_done] == [1, 2, 3]
    assert seen[-1].seconds_left == 0


def test_one_call_equals_many(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    """Stopped after every few steps, in the middle of epochs, and carried on."""
    data = make_data_set(11)
    train_gan(data, tmp_path / "whole", small(epochs=4))
    for stop_after in (1, 2, 4, 3, 100):
        steps = iter(range(1, 1000))
        result = train_gan(
            data,
            tmp_path / "parts",
            small(epochs=4),
            should_stop=lambda steps=steps, last=stop_after: next(steps) >= last,  # type: ignore[misc]
        )
    assert result.finished
    assert_equal_runs(tmp_path / "whole", tmp_path / "parts")


def test_killed_and_carried_on(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    """Four epochs are two, SIGKILL, and two more: equal weights, to the bit."""
    data = make_data_set(40)
    arguments = "--size 16 --ngf 4 --ndf 4 --latent-dim 8 --device cpu --checkpoint-minutes 0"
    line = [sys.executable, "-m", "catgan", "train", str(data), *arguments.split()]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    def run(runs: str, epochs: int) -> list[str]:
        return [*line, "--runs", str(tmp_path / runs), "--epochs", str(epochs)]

    killed = subprocess.Popen(
        run("killed", 100_000),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    stats = tmp_path / "killed" / "blobs" / "stats.jsonl"
    try:
        deadline = time.monotonic() + 120
        while not stats.exists() or stats.read_text().count("\n") < 2:
            assert killed.poll() is None, "it ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.002)
    finally:
        killed.kill()
        killed.wait()
    done = int(load_checkpoint(tmp_path / "killed" / "blobs" / "checkpoints" / "last.pt")["epoch"])
    # As many epochs as the kill happened to leave (two, or more on a busy machine), and two more.
    assert done >= 1
    for runs in ("killed", "whole"):
        subprocess.run(run(runs, done + 2), check=True, capture_output=True, env=environment)
    assert_equal_runs(tmp_path / "whole" / "blobs", tmp_path / "killed" / "blobs")


def test_killed_anywhere_with_everything_on(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    """All recipes, measured in between: kills at steps, at files, and in the middle of a
    checkpoint leave the run that nobody disturbed, to the bit."""
    data = make_data_set(130)
    done = subprocess.run(
        [sys.executable, "-m", "tests.train.killing", str(data), str(tmp_path)],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    kills = dict(line.split() for line in done.stdout.splitlines())
    assert kills.keys() == RECIPES.keys()
    for recipe, count in kills.items():
        assert int(count) >= 9, kills  # a trap laid behind the run's end is none
        whole, killed = (tmp_path / f"{recipe}-{how}" for how in ("whole", "killed"))
        assert_equal_runs(whole, killed)
        assert sum(line.kid is not None for line in Run(folder=whole).read_stats()) == 5
        assert Run(folder=whole).best.exists()


def test_the_seed_decides(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    data = make_data_set(8)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train_gan(data, tmp_path / name, small(epochs=1, seed=seed))
    assert_equal_runs(tmp_path / "a", tmp_path / "b")
    one, other = weights(tmp_path / "a"), weights(tmp_path / "c")
    assert not torch.equal(one["/generator/main.0.weight"], other["/generator/main.0.weight"])


def test_a_finished_run_is_left_alone_and_may_be_lengthened(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    data = make_data_set(8)
    train_gan(data, tmp_path / "run", small(epochs=2))
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    again = train_gan(data, tmp_path / "run", small(epochs=2))
    assert (again.epochs_before, again.epochs, again.finished) == (2, 2, True)
    after = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert before == after
    train_gan(data, tmp_path / "run", small(epochs=3))
    train_gan(data, tmp_path / "straight", small(epochs=3))
    ours, theirs = weights(tmp_path / "run"), weights(tmp_path / "straight")
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())


def test_other_settings_are_named(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    data = make_data_set(8)
    train_gan(data, tmp_path / "run", small(epochs=1))
    with pytest.raises(SettingsDiffer, match=r"batch-size 4, now 2; lr-d 0\.0002, now 0\.1"):
        train_gan(data, tmp_path / "run", small(epochs=1, batch_size=2, lr_d=0.1))


def test_other_pictures_are_refused(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    data = make_data_set(8)
    train_gan(data, tmp_path / "run", small(epochs=1))
    more = make_data_set(9, parent="more")
    with pytest.raises(SettingsDiffer, match="other images"):
        train_gan(more, tmp_path / "run", small(epochs=2))


def test_a_strangers_folder_is_refused(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    data = make_data_set(8)
    stranger = tmp_path / "letters"
    stranger.mkdir()
    (stranger / "letter.txt").write_text("dear")
    with pytest.raises(FolderRefused, match="not a run of catgan"):
        train_gan(data, stranger, small(epochs=1))
    assert [path.name for path in stranger.iterdir()] == ["letter.txt"]


def test_bad_data_leaves_nothing_behind(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    few = make_data_set(3, name="few")
    with pytest.raises(TooFewPictures, match=r"few has 3 images .* at least 8"):
        train_gan(few, tmp_path / "run", small())
    some = make_data_set(10, name="some")
    with pytest.raises(TooFewPictures, match="batch-size is 11"):
        train_gan(some, tmp_path / "run", small(batch_size=11))
    with pytest.raises(BadSettings, match="held-out is 10"):
        train_gan(some, tmp_path / "run", small(held_out=10))
    (some / "odd.png").write_bytes(b"no picture")
    with pytest.raises(CatganError, match=r"odd\.png"):
        train_gan(some, tmp_path / "run", small())
    assert not (tmp_path / "run").exists()


def test_pictures_of_another_size_are_resized_and_that_is_said(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    data = make_data_set(8, size=40)
    starts: list[TrainStart] = []
    train_gan(data, tmp_path / "run", small(epochs=1), on_start=starts.append)
    record = starts[0].data.record
    assert (record.resized, record.cut, record.enlarged, record.size) == (8, 0, 0, 40)


@pytest.mark.parametrize("size", [32, 128])
@pytest.mark.parametrize("recipe", RECIPES)
def test_the_nets_are_built_for_the_size(
    size: int, recipe: str, make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    data = make_data_set(32, size=size)
    config = small(recipe=recipe, size=size, epochs=1)
    result = train_gan(data, tmp_path / "run", config, open_eyes=tiny_eyes)
    generator, _ = load_generator(result.run.last)
    assert generator(torch.zeros(2, 8)).shape == (2, 3, size, size)
    # by the training images, as none are held out; unless the samples copy them
    assert result.against_training == (result.best_epoch is not None)


def test_a_run_of_another_version_is_refused_and_left_alone(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    data = make_data_set(8)
    run = train_gan(data, tmp_path / "run", small(epochs=1)).run
    config = json.loads(run.config.read_text())
    run.config.write_text(json.dumps(config | {"format": 1, "catgan": "0.0.7"}))
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    with pytest.raises(BadRecord, match=r"an older version of catgan \(0\.0\.7\)"):
        train_gan(data, tmp_path / "run", small(epochs=2))
    assert before == {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}


def test_held_out_pictures_are_never_shown(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    data = make_data_set(20)
    train_gan(data, tmp_path / "run", small(epochs=1, held_out=5))
    config = Run(folder=tmp_path / "run").read_config()
    assert config is not None
    assert len(config.data.held_out) == 5
    assert config.data.train == 15
    assert Run(folder=tmp_path / "run").read_stats()[0].images_shown == 15


def test_a_fifth_is_held_out_where_there_are_enough() -> None:
    config = TrainConfig()
    assert [config.held_out_of(count) for count in (60, 249, 250, 1000, 100_000)] == [
        0, 0, 50, 200, 500,
    ]  # fmt: skip


def test_a_run_whose_numbers_end_says_so(
    make_data_set: MakeDataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make_data_set(8)
    calls = iter(range(1000))

    def break_the_third_epoch(**parts: Any) -> StepTerms:
        if next(calls) == 4:  # two steps an epoch
            parts["generator"].main[0].weight.data.fill_(float("nan"))
        return train_step(**parts)

    monkeypatch.setattr(trainer, "train_step", break_the_third_epoch)
    with pytest.raises(TrainingLost, match="have been NaN or infinite since epoch 3"):
        train_gan(data, tmp_path / "run", small(epochs=6))
    lines = [json.loads(line) for line in (tmp_path / "run" / "stats.jsonl").open()]
    assert ["loss_g" in line for line in lines] == [True, True, False]
    assert [line.get("lost") for line in lines] == [None, None, True]
    assert load_checkpoint(Run(folder=tmp_path / "run").last)["epoch"] == 2  # the sound one stays


def test_weights_that_end_with_their_last_step_are_never_kept(
    make_data_set: MakeDataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The losses of that step and of its epoch are numbers still."""
    data = make_data_set(8)
    calls = iter(range(1000))

    def spoil_after_the_second_epoch(**parts: Any) -> StepTerms:
        terms = train_step(**parts)
        if next(calls) == 3:  # two steps an epoch
            parts["generator"].main[0].weight.data[0, 0, 0, 0] = float("nan")
        return terms

    monkeypatch.setattr(trainer, "train_step", spoil_after_the_second_epoch)
    with pytest.raises(TrainingLost, match="since epoch 2"):
        train_gan(data, tmp_path / "run", small(epochs=6))
    run = Run(folder=tmp_path / "run")
    assert run.read_stats()[-1].loss_g is not None
    assert run.read_stats()[-1].balance == "diverged"
    assert load_checkpoint(run.last)["epoch"] == 1
    assert not run.best.exists()
    monkeypatch.undo()
    assert train_gan(data, tmp_path / "run", small(epochs=6)).finished  # it was a passing fault


def test_a_first_start_that_failed_is_no_stranger(
    make_data_set: MakeDataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk was full, say: the sentence said to rerun the same command."""
    data = make_data_set(8)

    def full(*_: Any) -> None:
        raise DiskFull("The disk is full.")

    monkeypatch.setattr(runs_module, "write_json", full)
    with pytest.raises(DiskFull):
        train_gan(data, tmp_path / "run", small(epochs=1))
    assert (tmp_path / "run").is_dir()
    (tmp_path / "run" / ".config.json.partial").write_text("{")  # as a kill leaves it
    monkeypatch.undo()
    assert train_gan(data, tmp_path / "run", small(epochs=1)).finished


def test_a_checkpoint_of_another_run_is_refused(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    """Of other pictures or settings, put in the place of this run's by hand."""
    data, others = make_data_set(8), make_data_set(8, name="others", seed=1)
    here = train_gan(data, tmp_path / "here", small(epochs=1)).run
    there = train_gan(others, tmp_path / "there", small(epochs=1)).run
    faster = train_gan(data, tmp_path / "faster", small(epochs=1, lr_g=1e-3)).run
    own = here.last.read_bytes()
    for run, words in ((there, "other images"), (faster, r"lr-g 0\.001, now 0\.0002")):
        here.last.write_bytes(run.last.read_bytes())
        with pytest.raises(CheckpointRefused, match=words):
            train_gan(data, here.folder, small(epochs=2))
    here.last.write_bytes(own)
    assert train_gan(data, here.folder, small(epochs=2)).epochs == 2


def test_a_kill_between_the_last_epoch_and_the_word_finished(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    data = make_data_set(8)
    run = train_gan(data, tmp_path / "run", small(epochs=1)).run
    config = run.config.read_bytes()
    unfinished = run.read_config()
    assert unfinished is not None
    run.write_config(dataclasses.replace(unfinished, finished=False))
    assert run.config.read_bytes() != config
    train_gan(data, tmp_path / "run", small(epochs=1))
    assert run.config.read_bytes() == config


def test_an_epoch_that_another_call_showed_has_no_speed(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    """Stopped after its last step; the next call only writes it down."""
    data = make_data_set(8)
    steps = iter(range(1, 100))
    train_gan(data, tmp_path / "run", small(epochs=2), should_stop=lambda: next(steps) == 2)
    seen: list[TrainProgress] = []
    train_gan(data, tmp_path / "run", small(epochs=2), progress=seen.append)
    assert (seen[0].epoch, seen[0].images_per_second, seen[0].seconds_left) == (1, None, None)
    lines = Run(folder=tmp_path / "run").read_stats()
    assert [line.images_per_second is not None for line in lines] == [False, True]


def test_what_the_machine_cannot_is_known_before_the_pictures_are_read(tmp_path: Path) -> None:
    for plan in (train_gan, plan_training):
        with pytest.raises(BadSettings, match="--graphs on needs"):
            plan(tmp_path / "nowhere", tmp_path / "run", small(graphs="on"))
        (tmp_path / "file").write_text("x")
        with pytest.raises(BadUsage, match="is a file, not a folder"):
            plan(tmp_path / "nowhere", tmp_path / "file" / "run", small())


def test_a_corrupt_checkpoint_is_a_sentence(make_data_set: MakeDataSet, tmp_path: Path) -> None:
    data = make_data_set(8)
    train_gan(data, tmp_path / "run", small(epochs=1))
    Run(folder=tmp_path / "run").last.write_bytes(b"no model")
    with pytest.raises(CatganError, match="not a checkpoint of catgan"):
        train_gan(data, tmp_path / "run", small(epochs=2))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("epochs", 0), ("batch_size", 0), ("size", 48), ("size", 8), ("lr_g", 0.0), ("lr_d", 2.0),
        ("beta1", 1.0), ("beta2", -0.1), ("held_out", -2), ("seed", -1), ("sample_every", 0),
        ("checkpoint_minutes", -1.0), ("recipe", "soup"), ("device", "abacus"), ("norm", "layer"),
        ("start_d", "zero"), ("r1", -1.0), ("r1", 1.0), ("r1_every", 0), ("augment", "colour,blur"),
        ("average_kimg", -1.0), ("precision", "int8"), ("evaluate_every", -2),
        ("evaluate_samples", 49),
    ],
)  # fmt: skip
def test_settings_out_of_range_name_the_flag(
    setting: str, value: object, make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    flag = "--" + setting.replace("_", "-")
    with pytest.raises(BadSettings, match=flag):
        train_gan(make_data_set(8), tmp_path / "run", small(**{setting: value}))
    assert not (tmp_path / "run").exists()
