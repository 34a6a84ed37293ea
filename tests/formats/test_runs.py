"""Runs: their `config.json`, their checkpoints, and finding them by name."""

import dataclasses
import json
from pathlib import Path

import pytest

from catgan.core.errors import BadRecord, CheckpointRefused, UnknownRun
from catgan.formats.runs import (
    CONFIG,
    FORMAT,
    OLDEST,
    DataRecord,
    Run,
    RunConfig,
    StartRecord,
    find_runs,
    resolve_run,
)
from catgan.formats.stats import EpochStats, append_stats

RECORD = RunConfig(
    finished=True,
    settings={"ngf": 4, "lr_g": 1e-6, "start_from": "base", "flip": False},
    data=DataRecord(
        name="blobs",
        folder="/home/somebody/blobs",
        digest="d" * 64,
        size=16,
        resized=3,
        cut=2,
        enlarged=1,
        train=50,
        held_out=("a.png", "b.png"),
    ),
    start=StartRecord(from_="the base model", images_shown=7, digest="e" * 64),
)


def make_run(root: Path, name: str) -> Run:
    run = Run(folder=root / name)
    run.folder.mkdir(parents=True)
    run.write_config(RECORD)
    return run


def test_a_run_by_name_or_path(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", "face-crop")
    assert resolve_run("face-crop", tmp_path / "runs") == run
    elsewhere = make_run(tmp_path / "other", "full-body")
    assert resolve_run(str(elsewhere.folder), tmp_path / "runs") == elsewhere


def test_runs_are_listed_by_name(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        make_run(tmp_path, name)
    (tmp_path / "no run").mkdir()
    assert [run.name for run in find_runs(tmp_path)] == ["a", "b", "c"]
    assert find_runs(tmp_path / "nowhere") == []


def test_an_unknown_name_lists_those_there_are(tmp_path: Path) -> None:
    make_run(tmp_path, "face-crop")
    make_run(tmp_path, "full-body")
    with pytest.raises(UnknownRun, match=r"did you mean face-crop\?.*face-crop, full-body"):
        resolve_run("face-corp", tmp_path)
    with pytest.raises(UnknownRun) as caught:
        resolve_run("xyz", tmp_path)
    assert "did you mean" not in str(caught.value)


def test_no_runs_at_all(tmp_path: Path) -> None:
    with pytest.raises(UnknownRun, match="train one first"):
        resolve_run("face-crop", tmp_path)


def test_what_is_in_it(tmp_path: Path) -> None:
    run = make_run(tmp_path, "face-crop")
    assert run.read_config() == RECORD
    assert run.read_stats() == []
    for epoch in (1, 2):
        append_stats(run.stats, EpochStats(epoch=epoch, images_shown=10 * epoch))
    assert [line.epoch for line in run.read_stats()] == [1, 2]
    run.samples.mkdir()
    for epoch in (130, 5, 10_000):
        run.sample_grid(epoch).write_bytes(b"png")
    assert list(run.sample_grids()) == [5, 130, 10_000]
    assert run.sample_grids()[130] == run.sample_grid(130)
    assert Run(folder=tmp_path / "none").read_config() is None


@pytest.mark.parametrize("start", [RECORD.start, None])
def test_what_is_written_is_what_is_read(tmp_path: Path, start: StartRecord | None) -> None:
    run = make_run(tmp_path, "face-crop")
    record = dataclasses.replace(RECORD, start=start, finished=False)
    run.write_config(record)
    assert run.read_config() == record
    written = json.loads(run.config.read_text())
    assert (written["kind"], written["format"]) == ("run", FORMAT)
    assert ("start" in written) == (start is not None)
    if start is not None:
        assert written["start"]["from"] == "the base model"


def test_what_a_newer_catgan_added_is_passed_over(tmp_path: Path) -> None:
    run = make_run(tmp_path, "face-crop")
    table = json.loads(run.config.read_text())
    run.config.write_text(json.dumps(table | {"mood": "good"}))
    assert run.read_config() == RECORD


def test_an_older_format_is_read_and_says_so(tmp_path: Path) -> None:
    run = make_run(tmp_path, "face-crop")
    table = json.loads(run.config.read_text())
    run.config.write_text(json.dumps(table | {"format": OLDEST}))
    assert run.read_config() == dataclasses.replace(RECORD, format=OLDEST)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": OLDEST - 1}, r"an older version of catgan \(0\.1\.0\)"),
        ({"format": FORMAT + 1, "catgan": "7.0"}, r"a newer version of catgan \(7\.0\)"),
        ({"format": None}, "is not one that catgan wrote"),
        ({"kind": "album"}, "is not one that catgan wrote"),
        ({"settings": None}, r"not what catgan wrote there \(settings: "),
        ({"data": {"name": "blobs", "folder": "x"}}, r"\(data: .*train"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    run = make_run(tmp_path, "face-crop")
    table = json.loads(run.config.read_text())
    run.config.write_text(json.dumps(table | changes))
    with pytest.raises(BadRecord, match=words) as refused:
        run.read_config()
    assert str(run.folder / CONFIG) in str(refused.value) or str(run.folder) in str(refused.value)


def test_the_best_checkpoint_else_the_last(tmp_path: Path) -> None:
    run = Run(folder=tmp_path / "run")
    assert run.checkpoint() is None
    run.last.parent.mkdir(parents=True)
    run.last.touch()
    assert (run.checkpoint(), run.checkpoint("best")) == (run.last, None)
    run.best.touch()
    assert (run.checkpoint(), run.checkpoint("last")) == (run.best, run.last)
    run.last.unlink()
    assert (run.checkpoint(), run.checkpoint("last")) == (run.best, None)


def test_a_checkpoint_that_is_missing_is_one_sentence(tmp_path: Path) -> None:
    run = Run(folder=tmp_path / "run")
    for which in (None, "best", "last"):
        with pytest.raises(CheckpointRefused, match=r"run has no checkpoint yet; .*catgan train"):
            run.find_checkpoint(which)
    run.last.parent.mkdir(parents=True)
    run.last.touch()
    assert run.find_checkpoint() == run.find_checkpoint("last") == run.last
    with pytest.raises(CheckpointRefused, match=r"no best checkpoint; use --checkpoint last\."):
        run.find_checkpoint("best")
    run.last.rename(run.best)
    assert run.find_checkpoint() == run.find_checkpoint("best") == run.best
    with pytest.raises(CheckpointRefused, match=r"no last checkpoint; use --checkpoint best\."):
        run.find_checkpoint("last")
