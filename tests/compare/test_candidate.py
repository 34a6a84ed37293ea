"""Runs that may be compared, and those that may not, each with a sentence that helps."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from catgan.compare.config import CompareConfig
from catgan.compare.inputs.arms import plan_arms
from catgan.compare.inputs.candidate import Candidate
from catgan.compare.pipeline import compare_runs
from catgan.compare.quantities.catalogue import CLOSE, KID
from catgan.compare.quantities.quantity import Missing
from catgan.compare.report.page import render
from catgan.compare.report.records import to_json
from catgan.core.errors import (
    BadRecord,
    BadSettings,
    BadUsage,
    CheckpointRefused,
    NoPictures,
    UnknownRun,
    UnreadablePhoto,
)
from catgan.formats.datasets import PictureRecord, write_metadata
from catgan.formats.runs import Run
from catgan.formats.stats import append_stats
from catgan.measure.statistics.rate import Rate
from tests.compare.conftest import (
    Projection,
    draw_dataset,
    edit_config,
    found_of,
    make_run,
    number,
    stats_record,
)

BEFORE = Path(__file__).parent.parent / "fixtures" / "before"


def opened(names: list[str], runs: Path) -> list[Candidate]:
    return [one for arm in plan_arms(names, runs) for one in arm.candidates]


def test_runs_are_found_by_name_and_by_path(two: Path) -> None:
    by_name, by_path = opened(["full-body", str(two / "face-crop")], two)
    assert (by_name.name, by_path.name) == ("full-body", "face-crop")
    assert len(by_name.split.train) == 70
    assert len(by_name.split.held_out) == 60
    assert by_name.split.reference == "held-out"
    assert by_name.which == "best"
    assert by_name.notes == ()
    assert by_name.split.reference_key != by_path.split.reference_key


def test_an_unknown_name_lists_the_runs_there_are(two: Path) -> None:
    with pytest.raises(UnknownRun, match=r"face-corp.*did you mean face-crop.*full-body"):
        opened(["full-body", "face-corp"], two)


def test_no_name_and_a_name_twice_are_wrong_usage(two: Path) -> None:
    with pytest.raises(BadUsage, match="at least one"):
        opened([], two)
    with pytest.raises(BadUsage, match="twice"):
        opened(["full-body", str(two / "full-body")], two)


def test_two_runs_of_one_name_are_told_apart(two: Path, tmp_path: Path) -> None:
    other = tmp_path / "older" / "full-body"
    shutil.copytree(two / "full-body", other)
    labels = [arm.label for arm in plan_arms(["full-body", str(other)], two)]
    assert len(set(labels)) == 2
    assert str(other) in labels


def test_a_run_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    make_run(tmp_path / "runs", "young", tmp_path / "data", checkpoint=False, epochs=1)
    with pytest.raises(CheckpointRefused, match=r"young has no checkpoint yet.*catgan train"):
        opened(["young"], tmp_path / "runs")


def test_the_best_checkpoint_is_taken_else_the_last(tmp_path: Path, projection: Projection) -> None:
    make_run(tmp_path / "runs", "a", tmp_path / "data", best=2)
    make_run(tmp_path / "runs", "b", tmp_path / "data")
    found = compare_runs(
        ["a", "b"], CompareConfig(samples=50), runs=tmp_path / "runs", extractor=projection
    )
    assert [(arm.shown.epoch, arm.shown.candidate.which) for arm in found.arms] == [
        (2, "best"),
        (6, "last"),
    ]
    assert [cell.text for cell in found.rows[0].cells] == ["epoch 2 (best)", "epoch 6 (last)"]


def test_a_device_that_is_not_there_is_refused(two: Path, projection: Projection) -> None:
    config = CompareConfig(device="abacus")
    with pytest.raises(BadSettings, match="--device is abacus"):
        compare_runs(["full-body"], config, runs=two, extractor=projection)


def test_a_broken_checkpoint_is_refused(two: Path, projection: Projection) -> None:
    Run(folder=two / "full-body").best.write_bytes(b"half a checkpoint")
    with pytest.raises(CheckpointRefused, match=r"best\.pt"):
        compare_runs(["full-body"], runs=two, extractor=projection)


def test_a_data_set_that_is_gone_is_named(two: Path) -> None:
    data = two.parent / "curated" / "full-body"
    shutil.rmtree(data)
    with pytest.raises(NoPictures, match=r"full-body was trained on are gone.*missing"):
        opened(["face-crop", "full-body"], two)
    data.mkdir()
    with pytest.raises(NoPictures, match="holds none"):
        opened(["full-body"], two)


def test_only_held_out_pictures_left_is_a_sentence(two: Path) -> None:
    for name in opened(["full-body"], two)[0].split.train:
        (two.parent / "curated" / "full-body" / name).unlink()
    with pytest.raises(NoPictures, match="None of the images"):
        opened(["full-body"], two)


def test_a_broken_picture_is_named(two: Path, projection: Projection) -> None:
    (two.parent / "curated" / "full-body" / "cat-0003.png").write_bytes(b"no picture")
    with pytest.raises(UnreadablePhoto, match=r"cat-0003\.png"):
        compare_runs(["full-body"], runs=two, extractor=projection)


@pytest.mark.parametrize("broken", ["{", "[]", '{"format": 99}', '{"format": 1, "settings": {}}'])
def test_a_config_of_something_else_is_refused(two: Path, broken: str) -> None:
    (two / "full-body" / "config.json").write_text(broken)
    with pytest.raises(BadRecord, match=r"config\.json is not"):
        opened(["full-body"], two)


def test_a_damaged_config_or_line_of_statistics_is_one_sentence(two: Path) -> None:
    run = Run(folder=two / "full-body")
    edit_config(run, lambda config: config["data"].update(train="many"))
    with pytest.raises(BadRecord, match=r"config\.json.*data\.train"):
        opened(["full-body"], two)
    edit_config(run, lambda config: config["data"].update(train=70))
    edit_config(run, lambda config: config["settings"].pop("size"))
    with pytest.raises(UnknownRun, match="does not say what the run was trained with"):
        opened(["full-body"], two)
    edit_config(run, lambda config: config["settings"].update(size=16))
    with run.stats.open("a") as file:
        file.write('{"epoch": "seven"}\n')
    with pytest.raises(BadRecord, match=r"stats\.jsonl, line 7"):
        opened(["full-body"], two)


def test_a_data_set_is_read_in_either_layout(two: Path, projection: Projection) -> None:
    config = CompareConfig(samples=50)
    before = compare_runs(["full-body"], config, runs=two, extractor=projection)
    data = two.parent / "curated" / "full-body"
    names = sorted(path.name for path in data.iterdir())
    (data / "train").mkdir()
    for name in names:
        (data / name).rename(data / "train" / name)
    write_metadata(data / "train", [PictureRecord(file_name=name) for name in names])
    after = compare_runs(["full-body"], config, runs=two, extractor=projection)
    assert after.rows == before.rows
    against = CompareConfig(samples=50, against="face-crop")
    (folder,) = compare_runs([str(data)], against, runs=two, extractor=projection).arms
    assert folder.label == "full-body"
    assert folder.shown.n_fake == 50


def test_a_run_of_an_older_catgan_is_compared(tmp_path: Path, projection: Projection) -> None:
    """One in format 2, where the state of the balance was a sentence."""
    shutil.copytree(BEFORE / "runs", tmp_path / "runs")
    run = Run(folder=tmp_path / "runs" / "blobs")
    edit_config(run, lambda config: config["data"].update(folder=str(BEFORE / "blobs")))
    config = CompareConfig(samples=50)
    found = compare_runs(["blobs"], config, runs=tmp_path / "runs", extractor=projection)
    (arm,) = found.arms
    assert (len(arm.real.split.train), len(arm.real.split.held_out)) == (50, 14)
    assert arm.shown.epoch == 120
    assert arm.notes == ()
    last = arm.shown.stats[-1]
    assert (last.balance, last.since) == ("winning", 61)
    assert "the discriminator has been winning since epoch 61" in render(found)


def test_a_run_still_going_is_compared_and_says_so(tmp_path: Path, projection: Projection) -> None:
    make_run(tmp_path / "runs", "going", tmp_path / "data", finished=False, epochs=5)
    found = compare_runs(
        ["going"], CompareConfig(samples=50), runs=tmp_path / "runs", extractor=projection
    )
    assert any("still going or was stopped: 5 of 10 epochs" in note for note in found.notes)


def test_a_run_that_goes_on_meanwhile_is_told_of_as_it_was(
    tmp_path: Path, projection: Projection
) -> None:
    run = make_run(tmp_path / "runs", "going", tmp_path / "data", finished=False, epochs=5)

    def train_on(_: str) -> None:
        append_stats(run.stats, stats_record(6, 70))

    config = CompareConfig(samples=50)
    found = compare_runs(
        ["going"], config, runs=tmp_path / "runs", extractor=projection, progress=train_on
    )
    assert "5 of 10 epochs" in found.arms[0].notes[0]
    assert found.rows[0].cells[0].basis.startswith("5 of 10 epochs done")
    assert found.arms[0].shown.stats[-1].epoch == 5


def test_a_data_set_that_grew_is_compared_and_says_so(two: Path) -> None:
    draw_dataset(two.parent / "curated" / "full-body", 5, first=9000)
    (found,) = opened(["full-body"], two)
    assert len(found.split.train) == 75
    assert any("70 images to train on and 60 held out, now 75 and 60" in n for n in found.notes)


def test_a_data_set_whose_images_are_others_by_now_says_so(two: Path) -> None:
    """As many as there were and of the same names: curated with another margin, say."""
    data = two.parent / "curated" / "full-body"
    assert opened(["full-body"], two)[0].notes == ()
    (data / "cat-0003.png").write_bytes((data / "cat-0004.png").read_bytes())
    (found,) = opened(["full-body"], two)
    assert any("images that it was not trained on" in note for note in found.notes)


def test_without_held_out_pictures_training_ones_are_the_reference(
    tmp_path: Path, projection: Projection
) -> None:
    make_run(tmp_path / "runs", "all", tmp_path / "data", train=80, held_out=0)
    config = CompareConfig(samples=50)
    found = compare_runs(["all"], config, runs=tmp_path / "runs", extractor=projection)
    (arm,) = found.arms
    assert arm.real.split.reference == "training"
    assert arm.real.n_reference == 80
    assert number(arm.shown, KID)
    assert arm.real.found["kid"] == Missing(why="n/a (they are the reference)")
    close = found_of(arm.shown, CLOSE)
    assert isinstance(close.number, Rate)
    assert close.number.n_real == 80
    assert any("Copies of them would look good" in note for note in found.notes)
    assert to_json(found)["arms"][0]["reference"] == "training"


def test_pictures_of_another_size_are_brought_to_the_runs(
    tmp_path: Path, projection: Projection
) -> None:
    draw_dataset(tmp_path / "data", 130, size=40)
    run = make_run(tmp_path / "runs", "small", tmp_path / "data")
    edit_config(run, lambda config: config["data"].update(size=40))
    found = compare_runs(
        ["small"], CompareConfig(samples=50), runs=tmp_path / "runs", extractor=projection
    )
    assert found.arms[0].real.mean.shape == (16, 16, 3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"samples": 49},
        {"seed": -1},
        {"max_reference": 3},
        {"max_training": 0},
        {"faces": -1},
        {"second_judge": -1},
        {"features": "eyes"},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadSettings):
        CompareConfig(**wrong)
