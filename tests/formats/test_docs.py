"""`docs/formats.md` and the records say the same."""

import dataclasses
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from catgan.demo.truth import Header, Truth
from catgan.formats import curated, runs
from catgan.formats.curated import CuratedNote
from catgan.formats.datasets import PictureRecord
from catgan.formats.decisions import Decision
from catgan.formats.photos import FaceRecord, PhotoRecord, Verdict
from catgan.formats.runs import ComputedRecord, DataRecord, Run, RunConfig, StartRecord
from catgan.formats.stats import STATES, EpochStats
from catgan.model import checkpoint
from catgan.train.loop import train_gan
from catgan.train.resume import settle
from tests.train.conftest import PixelExtractor

DOCS = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
BEFORE = Path(__file__).parents[1] / "fixtures" / "before"
TABLES = [
    re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    for table in re.findall(r"^\| .*\n\| --- .*\n(?:\|.*\n)+", DOCS, re.MULTILINE)
]
RECORDS = (
    CuratedNote,
    PhotoRecord,
    FaceRecord,
    Decision,
    PictureRecord,
    RunConfig,
    DataRecord,
    StartRecord,
    ComputedRecord,
    EpochStats,
    None,  # checkpoints: see below
    Header,
    Truth,
)


@pytest.mark.parametrize("place", [place for place, kind in enumerate(RECORDS) if kind])
def test_every_field_is_described_in_its_order(place: int) -> None:
    kind: Any = RECORDS[place]
    fields = [field.name.rstrip("_") for field in dataclasses.fields(kind)]
    assert TABLES[place] == fields


def test_there_is_a_table_for_each() -> None:
    assert len(TABLES) == len(RECORDS)


def test_every_key_of_a_checkpoint_is_described(tmp_path: Path) -> None:
    for folder in ("blobs", "runs"):
        shutil.copytree(BEFORE / folder, tmp_path / folder)
    run = Run(folder=tmp_path / "runs" / "blobs")
    settings = settle(run, {"epochs": 121, "device": "cpu"})
    train_gan(tmp_path / "blobs", run.folder, settings, extractor=PixelExtractor())
    keys = checkpoint.load_checkpoint(run.last).keys()
    assert TABLES[RECORDS.index(None)] == sorted(
        {*keys, "scaler"}, key=TABLES[RECORDS.index(None)].index
    )


def section(title: str) -> str:
    return DOCS.split(f"### {title}\n")[1].split("\n##")[0]


def test_the_numbers_are_those_of_the_code() -> None:
    assert section("catgan.json").strip().startswith(f"Format {curated.FORMAT}.")
    assert section("config.json").strip().startswith(f"Format {runs.FORMAT},")
    assert section("Checkpoints").strip().startswith(f"Format {checkpoint.FORMAT}.")


def test_every_verdict_and_every_state_is_named() -> None:
    assert all(f"`{verdict}`" in section("photos.jsonl") for verdict in Verdict)
    assert all(f"`{state}`" in section("stats.jsonl") for state in STATES)


def test_the_page_on_training_names_the_states_that_the_program_says() -> None:
    text = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    for state in STATES:
        assert f"`{state}`" in text, state
