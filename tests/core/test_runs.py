"""Finding runs by name."""

from pathlib import Path

import pytest

from catgan.core.errors import UnknownRun
from catgan.core.files import append_jsonl, write_json
from catgan.core.runs import CONFIG, Run, find_runs, resolve_run


def make_run(root: Path, name: str) -> Run:
    run = Run(folder=root / name)
    run.folder.mkdir(parents=True)
    write_json(run.folder / CONFIG, {"name": name})
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
    assert run.read_config() == {"name": "face-crop"}
    assert run.read_stats() == []
    append_jsonl(run.stats, [{"epoch": 1}, {"epoch": 2}])
    assert [line["epoch"] for line in run.read_stats()] == [1, 2]
    run.samples.mkdir()
    for epoch in (130, 5, 10_000):
        run.sample_grid(epoch).write_bytes(b"png")
    assert list(run.sample_grids()) == [5, 130, 10_000]
    assert run.sample_grids()[130] == run.sample_grid(130)
    assert Run(folder=tmp_path / "none").read_config() is None
