"""What runs take on disk, and that cleaning removes what catgan wrote and nothing else."""

import os
from pathlib import Path

import pytest

from catgan.core.errors import BadUsage, CheckpointRefused, FolderRefused
from catgan.core.files import locked
from catgan.core.settings import to_json
from catgan.formats.runs import DataRecord, Run, RunConfig
from catgan.formats.stats import EpochStats, write_stats
from catgan.runs.clean import clear, remove, slim
from catgan.runs.kept import cached_files, kept_runs, size_of
from catgan.train.config import TrainConfig
from catgan.train.data import RunData
from catgan.train.resume import check_run
from tests.cli.conftest import Catgan, catgan  # noqa: F401 (a fixture)
from tests.drawing import tree


def make_run(root: Path, name: str, *, finished: bool = True, best: bool = True) -> Run:
    """A run with every file that catgan writes; what is in the checkpoints does not matter."""
    run = Run(folder=root / "runs" / name)
    for folder in (run.samples, run.last.parent, run.tensorboard, run.folder / "drawn"):
        folder.mkdir(parents=True)
    data = DataRecord(name="cats", folder=str(root / "cats"), train=10)
    run.write_config(RunConfig(settings={"size": 16}, data=data, finished=finished))
    write_stats(
        run.stats,
        [EpochStats(epoch=n, images_shown=10 * n, kid=1 / n) for n in (1, 2)],
    )
    run.last.write_bytes(b"l" * 2000)
    if best:
        run.best.write_bytes(b"b" * 1000)
    run.sample_grid(1).write_bytes(b"png")
    (run.tensorboard / "events.out.tfevents.1.host").write_bytes(b"events")
    (run.folder / "drawn" / "best-epoch-0002-seed-0.png").write_bytes(b"png")
    (run.folder / "train.log").write_text("said\n", encoding="utf-8")
    return run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_run(tmp_path, "done")
    make_run(tmp_path, "stopped", finished=False)
    make_run(tmp_path, "only-last", best=False)
    make_run(tmp_path, "broken").config.write_text("{", encoding="utf-8")
    return tmp_path


def test_the_list(root: Path) -> None:
    kept = {one.run.name: one for one in kept_runs([], root / "runs")}
    assert {name: one.state for name, one in kept.items()} == {
        "broken": "damaged",
        "done": "finished",
        "only-last": "finished",
        "stopped": "stopped",
    }
    assert {name: one.spare for name, one in kept.items() if one.spare} == {"done": 2000}
    done = kept["done"]
    assert (done.epoch, done.best_kid) == (2, 0.5)
    assert done.bytes == sum(map(len, tree(done.run.folder).values()))
    with locked(done.run.folder):
        (same,) = kept_runs(["done"], root / "runs")
        assert (same.state, same.spare) == ("training", 0)


def test_a_slim_run_is_not_trained_further(root: Path) -> None:
    (kept,) = kept_runs(["done"], root / "runs")
    before = tree(kept.run.folder)
    assert slim(kept).bytes == 2000
    after = tree(kept.run.folder)
    assert before.keys() - after.keys() == {"checkpoints/last.pt"}
    config = kept.run.read_config()
    assert config is not None
    assert config.slim
    (again,) = kept_runs(["done"], root / "runs")
    assert (again.state, again.spare) == ("slim", 0)
    data = RunData.__new__(RunData)
    object.__setattr__(data, "record", config.data)
    settings = TrainConfig.of_recipe("article", size=16)
    kept.run.write_config(RunConfig(settings=to_json(settings), data=config.data, slim=True))
    with pytest.raises(CheckpointRefused, match="was made slim"):
        check_run(kept.run, settings, data)


@pytest.mark.parametrize(
    ("name", "why"), [("stopped", "is not finished"), ("only-last", "has no best checkpoint")]
)
def test_what_is_needed_is_not_spared(root: Path, name: str, why: str) -> None:
    (kept,) = kept_runs([name], root / "runs")
    before = tree(root)
    with pytest.raises(BadUsage, match=why):
        slim(kept)
    assert tree(root) == before


@pytest.mark.parametrize("name", ["done", "stopped", "only-last", "broken"])
def test_a_run_goes_whole(root: Path, name: str) -> None:
    (kept,) = kept_runs([name], root / "runs")
    others = {n: data for n, data in tree(root).items() if not n.startswith(f"runs/{name}/")}
    done = remove(kept)
    assert done.bytes == kept.bytes
    assert tree(root) == others


def test_what_somebody_else_wrote_stays(root: Path) -> None:
    folder = root / "runs" / "done"
    mine = [
        folder / "notes.txt",
        folder / "samples" / "best of.png",
        folder / "checkpoints" / "mine.pt",
        folder / "drawn" / "birthday.png",
    ]
    for path in mine:
        path.write_bytes(b"mine")
    (kept,) = kept_runs(["done"], root / "runs")
    done = remove(kept)
    left = {path.relative_to(folder).as_posix() for path in mine}
    assert {name for name, data in tree(folder).items() if data} == left
    assert {path.name for path in done.left} == {"checkpoints", "drawn", "notes.txt", "samples"}


@pytest.mark.skipif(os.name == "nt", reason="needs links")
def test_nothing_is_removed_through_a_link(root: Path) -> None:
    folder = root / "runs" / "done"
    (root / "elsewhere").mkdir()
    (folder / "samples").rename(root / "elsewhere" / "samples")
    (folder / "samples").symlink_to(root / "elsewhere" / "samples")
    (kept,) = kept_runs(["done"], root / "runs")
    remove(kept)
    assert tree(root / "elsewhere")["samples/epoch_0001.png"] == b"png"
    (root / "runs" / "linked").symlink_to(root / "runs" / "stopped")
    (linked,) = kept_runs(["linked"], root / "runs")
    before = tree(root / "runs" / "stopped")
    with pytest.raises(FolderRefused, match="is a link"):
        remove(linked)
    assert tree(root / "runs" / "stopped") == before


def test_one_in_use_is_left_alone(root: Path) -> None:
    (kept,) = kept_runs(["done"], root / "runs")
    before = size_of(root)
    with locked(kept.run.folder):
        for clean in (slim, remove):
            with pytest.raises(FolderRefused, match="Another catgan"):
                clean(kept)
    assert size_of(root) == before


def test_the_cache(tmp_path: Path) -> None:
    folder = tmp_path / "features"
    assert cached_files(tmp_path) == cached_files(None) == []
    folder.mkdir()
    ours = folder / f"{'0a' * 32}.npz"
    ours.write_bytes(b"features")
    mine = folder / "mine.npz"
    mine.write_bytes(b"mine")
    assert cached_files(tmp_path) == [ours]
    assert clear(cached_files(tmp_path)) == 8
    assert tree(folder) == {"mine.npz": b"mine"}


class TestCommand:
    """`catgan runs`."""

    @pytest.fixture(autouse=True)
    def place(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(root)
        monkeypatch.setattr("catgan.core.places.cache_folder", lambda: root / "cache")

    def test_lists(self, catgan: Catgan) -> None:  # noqa: F811
        ended = catgan("runs")
        assert ended.code == 0
        assert "4 runs, " in ended.out
        assert "catgan runs --slim" in ended.out

    def test_dry_runs_change_nothing(self, catgan: Catgan, root: Path) -> None:  # noqa: F811
        before = tree(root)
        for options in (["--slim"], ["done", "--remove"], ["--clear-cache"]):
            assert catgan("runs", *options, "--dry-run").code == 0
        assert tree(root) == before

    def test_cleans(self, catgan: Catgan, root: Path) -> None:  # noqa: F811
        assert "Freed" in catgan("runs", "--slim").out
        assert not (root / "runs" / "done" / "checkpoints" / "last.pt").exists()
        assert (root / "runs" / "only-last" / "checkpoints" / "last.pt").exists()
        assert catgan("runs", "stopped", "--remove").code == 0
        assert not (root / "runs" / "stopped").exists()

    def test_refuses(self, catgan: Catgan) -> None:  # noqa: F811
        assert catgan("runs", "--remove").code == 2
        assert catgan("runs", "done", "--remove", "--slim").code == 2
        assert catgan("runs", "ghost").code == 1
        assert catgan("runs", "stopped", "--slim").code == 2
