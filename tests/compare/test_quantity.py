"""A new measure touches one place: the object that says what it is."""

import csv
import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest

from catgan.compare.comparison import Comparison
from catgan.compare.config import CompareConfig
from catgan.compare.pipeline import compare_runs
from catgan.compare.quantities.catalogue import OTHER_REFERENCE, QUANTITIES
from catgan.compare.quantities.evidence import Evidence
from catgan.compare.quantities.quantity import REFERENCE, Better, Missing, Quantity, RealRow
from catgan.compare.report.page import render
from catgan.compare.report.records import to_csv, to_json
from catgan.compare.report.table import table
from catgan.core.pictures import Pictures
from catgan.measure.statistics.estimate import Estimate
from tests.compare.conftest import Projection, make_run
from tests.compare.test_report import Page

CONFIG = CompareConfig(samples=60, seed=3)


def redness_of(evidence: Evidence) -> Estimate | Missing:
    """The samples' mean red over that of real images."""
    fake, real = (
        images[..., 0].mean(axis=(1, 2)) / 255
        for images in (evidence.images, evidence.real.reference)
    )
    n, m = len(fake), len(real)
    if n < 10:
        return Missing(why="too few to be red")
    value = fake.mean() / real.mean()
    return Estimate(
        value=float(value),
        without_fake=(fake.sum() - fake) / (n - 1) / real.mean(),
        without_real=fake.mean() / ((real.sum() - real) / (m - 1)),
        extractor=evidence.extractor,
    )


REDNESS = Quantity(
    key="redness",
    label="redness of samples",
    meaning="How red the samples are, if real images are 1.",
    reading="Less is better, for whoever prefers grey cats.",
    better=Better.LESS,
    digits=4,
    measure=redness_of,
    details=lambda _, evidence: [f"red seen by {evidence.extractor}"],
    real=RealRow(
        label="redness of real images", meaning="The same of real images.", reading="It is 1."
    ),
)


@pytest.fixture
def compared(tmp_path: Path, projection: Projection, monkeypatch: pytest.MonkeyPatch) -> Comparison:
    """Two arms of two runs each on the same images, the second one dimmed."""
    from catgan.compare.measured import run as module

    runs = tmp_path / "runs"
    for name in ("bright-s0", "bright-s1", "dim-s0", "dim-s1"):
        make_run(runs, name, tmp_path / "data", seed=int(name[-1]), note=name[:-3])
    original = module._samples

    def dimmed(candidate, config, n_fake):  # type: ignore[no-untyped-def]
        samples, epoch, shown = original(candidate, config, n_fake)
        if candidate.name.startswith("dim"):
            samples = (samples * 0.5).astype(np.uint8)
        return samples, epoch, shown

    monkeypatch.setattr(module, "_samples", dimmed)
    return compare_runs(
        ["bright", "dim"], CONFIG, runs=runs, extractor=projection, quantities=[REDNESS]
    )


def test_it_is_in_the_table_with_interval_and_verdict(compared: Comparison) -> None:
    row = compared.row("redness")
    for cell, arm in zip(row.cells, compared.arms, strict=True):
        assert cell.value is not None
        assert cell.low is not None
        assert cell.high is not None
        assert cell.low < cell.value < cell.high
        assert cell.value == pytest.approx(np.mean(cell.runs))
        assert len(cell.runs) == len(arm.runs) == 2
        assert "mean of 2 runs" in cell.basis
        assert cell.basis.endswith("red seen by projection; seed 3; projection")
    bright, dim = row.cells
    assert dim.value == pytest.approx((bright.value or 0) / 2, rel=0.02)
    assert row.verdict == "less in dim"
    (apart,) = row.apart
    assert apart.difference.shown
    assert apart.difference.seeds
    of_real = compared.row("redness_real")
    assert [cell.value for cell in of_real.cells] == pytest.approx([1, 1])
    headers, rows = table(compared)
    (told,) = [cells for cells in rows if cells[0] == "redness of samples"]
    assert told[1:3] == [cell.text for cell in row.cells]
    assert told[3].startswith("less in dim, by ")
    assert len(headers) == 4


def test_it_is_in_json_and_csv(compared: Comparison) -> None:
    record = json.loads(json.dumps(to_json(compared), allow_nan=False))
    (row,) = [row for row in record["rows"] if row["key"] == "redness"]
    assert (row["better"], row["verdict"]) == ("less", "less in dim")
    assert row["cells"][0]["value"] == compared.row("redness").cells[0].value
    for arm in record["arms"]:
        assert arm["redness_real"]["value"] == pytest.approx(1)
        for run in arm["runs"]:
            assert {"value", "low", "high", "n_fake", "n_real"} <= run["redness"].keys()
    lines = list(csv.DictReader(io.StringIO(to_csv(compared))))
    mine = [line for line in lines if line["measure"] == "redness"]
    assert [line["run"] for line in mine] == [
        "", "bright-s0", "bright-s1", "", "dim-s0", "dim-s1"
    ]  # fmt: skip
    assert mine[0]["verdict"] == "less in dim"
    assert float(mine[0]["low"]) < float(mine[0]["value"]) < float(mine[0]["high"])


def test_it_is_on_the_page(compared: Comparison) -> None:
    text = Page(render(compared)).text
    row = compared.row("redness")
    for words in (row.label, row.meaning, row.reading, *(cell.text for cell in row.cells)):
        assert words in text
    assert row.apart[0].text in text


def test_it_is_told_of_along_the_cleaning_and_of_what_compares(
    two: Path, projection: Projection
) -> None:
    own = dataclasses.replace(
        REDNESS, key="own", label="own redness", part=REFERENCE, not_ranked=OTHER_REFERENCE
    )
    found = compare_runs(
        ["full-body", "face-crop"],
        CONFIG,
        runs=two,
        extractor=projection,
        quantities=[REDNESS, own],
    )
    assert found.row("redness").verdict != OTHER_REFERENCE
    assert (found.row("own").verdict, found.row("own").apart) == (OTHER_REFERENCE, ())
    (step,) = found.steps
    assert [one.quantity.key for one in step.brought] == [
        "recognised", "diversity", "close", "redness"
    ]  # fmt: skip
    (note,) = [note for note in found.notes if "cannot be compared" in note]
    cannot, can = note.split("These mean the same in all of them")
    assert "own redness" in cannot
    assert "redness of samples" in can


def test_where_it_is_missing_it_says_why(tmp_path: Path, projection: Projection) -> None:
    make_run(tmp_path / "runs", "a", tmp_path / "data")
    picky = dataclasses.replace(REDNESS, measure=lambda _: Missing(why="out of red"), real=None)
    found = compare_runs(
        ["a"], CONFIG, runs=tmp_path / "runs", extractor=projection, quantities=[picky]
    )
    (cell,) = found.row("redness").cells
    assert (cell.text, cell.value, cell.number) == ("out of red", None, "")
    assert to_json(found)["arms"][0]["runs"][0]["redness"] is None
    assert "out of red" in Page(render(found)).text


def test_a_verdict_needs_two_arms_that_have_the_number(
    tmp_path: Path, projection: Projection
) -> None:
    for name in ("a", "b"):
        make_run(tmp_path / "runs", name, tmp_path / "data", note=name)

    def only_a(evidence: Evidence) -> Estimate | Missing:
        return redness_of(evidence) if evidence.name == "a" else Missing(why="not here")

    picky = dataclasses.replace(REDNESS, measure=only_a, real=None)
    for names, verdict in ((["a", "b"], "not known"), (["a"], "")):
        found = compare_runs(
            names, CONFIG, runs=tmp_path / "runs", extractor=projection, quantities=[picky]
        )
        row = found.row("redness")
        assert (row.verdict, row.behind, row.apart) == (verdict, "", ())


def test_what_is_measured_together_is_measured_once(tmp_path: Path, projection: Projection) -> None:
    asked: list[Pictures] = []

    def counting(evidence: Evidence) -> Estimate | Missing:
        asked.append(evidence.images)
        return redness_of(evidence)

    make_run(tmp_path / "runs", "a", tmp_path / "data")
    first = dataclasses.replace(REDNESS, measure=counting, record="reds", real=None)
    second = dataclasses.replace(first, key="redder", label="redder")
    found = compare_runs(
        ["a"], CONFIG, runs=tmp_path / "runs", extractor=projection, quantities=[first, second]
    )
    assert len(asked) == 1
    assert found.row("redness").cells == found.row("redder").cells
    assert to_json(found)["arms"][0]["runs"][0]["reds"]
    assert len({quantity.key for quantity in QUANTITIES}) == len(QUANTITIES)
