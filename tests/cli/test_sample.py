"""`catgan sample` as a person meets it, on a run trained for a second."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catgan.core.pictures import encode_png
from tests.cli.conftest import Catgan, one_sentence


@pytest.fixture
def runs(catgan: Catgan, tmp_path: Path) -> Path:
    """The folder of runs, with one run `noise` of two epochs in it."""
    data = tmp_path / "noise"
    data.mkdir()
    rng = np.random.default_rng(0)
    for index in range(8):
        picture = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        (data / f"{index}.png").write_bytes(encode_png(picture))
    line = "--size 16 --ngf 4 --ndf 4 --latent-dim 8 --device cpu --epochs 2 --sample-every 1"
    ended = catgan("train", data, *line.split(), "--runs", tmp_path / "runs")
    assert ended.code == 0, ended.err
    return tmp_path / "runs"


def test_everything_at_once(catgan: Catgan, runs: Path, tmp_path: Path) -> None:
    words = ["sample", "noise", "--count", "5", "--seed", "7", "--frames", "12", "--json"]
    line: list[str | Path] = [*words, "--runs", runs]
    line += ["--out", tmp_path / "g.png", "--files", tmp_path / "f"]
    line += ["--walk", tmp_path / "w.gif", "--timelapse", tmp_path / "t.gif"]
    plan = catgan(*line, "--dry-run")
    record = json.loads(plan.out)
    assert record["dry_run"] is True
    assert "Nothing was written" in plan.err
    assert not [path for path in tmp_path.iterdir() if path.name not in ("noise", "runs")]

    ended = catgan(*line)
    assert ended.code == 0, ended.err
    done = json.loads(ended.out)
    assert done["epoch"] == record["epoch"]
    assert done["seed"] == 7
    assert Path(done["checkpoint"]).name in ended.err
    assert f"epoch {done['epoch']}" in ended.err
    assert Image.open(done["grid"]).format == "PNG"
    assert len(list(Path(done["files"]).glob("cat-*.png"))) == 5
    for clip, frames in (("walk", 12), ("timelapse", 2)):
        assert done[clip]["frames"] == frames
        data = Path(done[clip]["path"]).read_bytes()
        assert len(data) == done[clip]["bytes"]
        assert Image.open(done[clip]["path"]).format == "GIF"


def test_a_grid_without_any_flag(catgan: Catgan, runs: Path) -> None:
    ended = catgan("sample", runs / "noise")
    assert ended.code == 0, ended.err
    (grid,) = (runs / "noise" / "drawn").iterdir()
    assert str(grid) in ended.out
    checkpoint, _, epoch, *_ = grid.stem.split("-")
    assert f"{checkpoint}.pt, epoch {int(epoch)}." in ended.out
    before = grid.read_bytes()
    assert catgan("sample", runs / "noise").code == 0
    assert grid.read_bytes() == before


def test_training_goes_on_beside_what_was_drawn(catgan: Catgan, runs: Path, tmp_path: Path) -> None:
    catgan("sample", "noise", "--runs", runs)
    line = "--size 16 --ngf 4 --ndf 4 --latent-dim 8 --device cpu --epochs 3 --sample-every 1"
    ended = catgan("train", tmp_path / "noise", *line.split(), "--runs", runs)
    assert ended.code == 0, ended.err
    assert len(list((runs / "noise" / "drawn").iterdir())) == 1


def test_settings_from_a_file(catgan: Catgan, runs: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'runs = "{runs}"\nseed = 5\ncount = 3\n')
    done = json.loads(catgan("sample", "noise", "--config", settings, "--json").out)
    assert (done["seed"], done["count"]) == (5, 3)
    done = json.loads(catgan("sample", "noise", "--config", settings, "--seed", "6", "--json").out)
    assert (done["seed"], done["count"]) == (6, 3)


def test_no_is_one_sentence(catgan: Catgan, runs: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.png").write_bytes(b"a photo of my cat")
    (tmp_path / "folder.gif").mkdir()
    for line, code, words in (
        (("nose",), 1, "did you mean noise?"),
        (("noise", "--count", "0"), 2, "--count is 0"),
        (("noise", "--seed", "-1"), 2, "--seed is -1"),
        (("noise", "--walk", tmp_path / "walk.avi"), 2, "ends in .gif or .mp4"),
        (("noise", "--truncate", "0"), 2, "--truncate is 0"),
        (("noise", "--truncate", "nan"), 2, "--truncate is nan"),
        (("noise", "--like", tmp_path / "nobody.jpg"), 2, "There is no photo"),
        (("noise", "--like", tmp_path / "mine.png", "--walk", tmp_path / "w.gif"), 2, "two photos"),
        (("noise", "--like", tmp_path / "mine.png", "--page", tmp_path / "p.html"), 2, "--like"),
        (("noise", "--like", tmp_path / "mine.png"), 1, "cannot be read"),
        (("noise", "--timelapse", tmp_path / "folder.gif"), 2, "is a folder"),
        (("noise", "--out", tmp_path / "mine.png"), 1, "not written by catgan"),
        (("noise", "--files", tmp_path / "mine.png"), 2, "name a folder"),
        (("noise", "--checkpoint", tmp_path / "mine.png"), 1, "not a checkpoint"),
    ):
        ended = catgan("sample", *line, "--runs", runs)
        assert ended.code == code, ended.err
        assert words in one_sentence(ended)
    for path in (runs / "noise" / "samples").iterdir():
        path.unlink()
    ended = catgan("sample", "noise", "--runs", runs, "--timelapse", tmp_path / "t.gif")
    assert (ended.code, "no sample grids" in one_sentence(ended)) == (1, True)
    for path in (runs / "noise" / "checkpoints").iterdir():
        path.unlink()
    ended = catgan("sample", "noise", "--runs", runs)
    assert (ended.code, "no checkpoint yet" in one_sentence(ended)) == (1, True)
    assert (tmp_path / "mine.png").read_bytes() == b"a photo of my cat"
