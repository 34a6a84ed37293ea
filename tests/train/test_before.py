"""A run that an older catgan left (format 2, sentences in its figures) is carried on."""

import json
import shutil
from pathlib import Path

import pytest

from catgan.formats.runs import FORMAT, Run
from catgan.model.checkpoint import load_checkpoint
from catgan.train.loop import train_gan
from catgan.train.resume import settle
from tests.train.conftest import PixelExtractor

BEFORE = Path(__file__).resolve().parents[1] / "fixtures" / "before"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Its run of 120 epochs, with its images beside it in `blobs`."""
    shutil.copytree(BEFORE / "runs" / "blobs", tmp_path / "runs" / "blobs")
    shutil.copytree(BEFORE / "blobs", tmp_path / "blobs")
    return Run(folder=tmp_path / "runs" / "blobs")


def test_it_is_read(run: Run) -> None:
    record, stats = run.read_config(), run.read_stats()
    assert record is not None
    assert (record.format, record.finished, record.start) == (2, True, None)
    assert (record.data.train, len(record.data.held_out)) == (50, 14)
    assert [line.epoch for line in stats] == list(range(1, 121))
    assert {(line.balance, line.since) for line in stats} == {("healthy", None), ("winning", 61)}


def test_a_finished_one_is_left_alone(run: Run, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    result = train_gan(tmp_path / "blobs", run.folder)
    assert (result.finished, result.epochs_before, result.epochs) == (True, 120, 120)
    assert (result.balance.state, result.balance.since) == ("winning", 61)
    after = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    assert before == after


def test_it_is_carried_on_and_written_anew(run: Run, tmp_path: Path) -> None:
    record = run.read_config()
    assert record is not None
    config = settle(run, {"epochs": 121, "device": "cpu"})
    result = train_gan(tmp_path / "blobs", run.folder, config, extractor=PixelExtractor())
    assert (result.epochs_before, result.epochs, result.images_shown) == (120, 121, 6050)
    assert (result.balance.state, result.balance.since) == ("winning", 61)
    assert load_checkpoint(run.last)["epoch"] == 121

    written = json.loads(run.config.read_text())
    assert written["format"] == FORMAT
    since = {"upsample": "transposed", "skip": False, "discriminator": "pixels"}  # as it was then
    assert written["settings"] == record.settings | since | {"epochs": 121, "graphs": "auto"}
    assert written["data"]["held_out"] == list(record.data.held_out)
    assert written["data"]["folder"] == str(tmp_path / "blobs")
    lines = [json.loads(line) for line in run.stats.open()]
    assert [line["epoch"] for line in lines] == list(range(1, 122))
    states = [(line["balance"], line.get("since")) for line in lines]
    assert states[0] == ("healthy", None)
    assert states[119] == states[120] == ("winning", 61)
    assert list(run.sample_grids()) == [1, 60, 120, 121]
