"""The study's page: told from its runs and its judges, and silent about what was not run."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.plots import Line, write_lines
from benchmarks.results.answers import points
from benchmarks.results.measured import Measured, measure
from benchmarks.results.page import write_page
from benchmarks.results.pictures import COLUMNS, ROWS
from catgan.compare.config import CompareConfig
from catgan.compare.quantities.catalogue import RECOGNISED
from tests.compare.conftest import SIZE, Projection, draw_dataset, make_run
from tests.compare.test_compare import Reddish

CONFIG = CompareConfig(samples=60, second_judge=60, faces=60, seed=3)
PNG = re.compile(r"pictures/\S+")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recipes on two data sets, the default with two seeds, and another program's samples."""
    study = tmp_path_factory.mktemp("study")
    for place, data in enumerate(("full-body", "face-crop")):
        draw_dataset(study / "data" / data, 130, first=500 * place)
        for recipe, seeds in (("article", 1), ("projected", 2)):
            for seed in range(seeds):
                name = f"{recipe}-{data}-s{seed}"
                make_run(study / "runs", name, study / "data" / data, seed=seed, best=3)
    for name in ("projected-face-crop-s2", "projected-full-body-kept-s0"):  # begun only
        make_run(study / "runs", name, study / "data" / "face-crop", finished=False)
    peer = study / "peers" / "diffusion"
    draw_dataset(peer / "4", 60, first=2000)
    (peer / "marks.jsonl").write_text(json.dumps({"minutes": 4.0, "images_shown": 640}) + "\n")
    (study / "processor-time.jsonl").write_text(
        "".join(
            json.dumps({"run": f"projected-face-crop-s{seed}", "images": 420, "seconds": 60.0})
            + "\n"
            for seed in (0, 1)
        )
    )
    measure(study, CONFIG, extractor=Projection(), second=Projection(), cascades=Reddish())
    return study


@pytest.fixture(scope="module")
def page(study: Path) -> str:
    """The page, written beside nothing else."""
    write_page(study, study / "docs" / "results.md")
    return (study / "docs" / "results.md").read_text(encoding="utf-8")


def test_each_recipe_is_told_with_its_seeds(study: Path, page: str) -> None:
    for recipe, seeds in (("article", "1 seed"), ("projected", "2 seeds")):
        assert f"## Recipe `{recipe}`" in page
        assert f"`{recipe}-full-body`, {seeds}" in page
    measured = Measured.read(study, "projected")
    assert measured is not None
    verdict = measured.row("recognised")["verdict"]
    assert any(verdict and line.rstrip(" |").endswith(verdict) for line in page.splitlines())


def test_every_question_is_answered_or_left_open(study: Path, page: str) -> None:
    """By what was measured: the sentence on crops bears the sign and the interval of the table."""
    measured = Measured.read(study, "projected")
    assert measured is not None
    (differ,) = measured.differences(RECOGNISED, "full-body", "face-crop")
    asked = page.partition("## Answers")[2].partition("\n## ")[0].split("**")[1::2]
    assert [question.endswith("?") for question in asked] == [True] * 6
    yes = "yes" if differ["low"] > 0 else "not shown"
    assert f"- `projected`: {yes}. Of the samples" in page
    assert points(differ) in page
    assert "the crop?**\n\n- Not shown: what would tell was not run." in page  # no full-body-kept


def test_a_difference_is_told_either_way_round(study: Path) -> None:
    measured = Measured.read(study, "projected")
    assert measured is not None
    (there,) = measured.differences(RECOGNISED, "full-body", "face-crop")
    (back,) = measured.differences(RECOGNISED, "face-crop", "full-body")
    assert (there["value"], there["low"]) == (-back["value"], -back["high"])


def test_what_was_not_run_is_named_and_nothing_said_of_it(page: str) -> None:
    assert "Recipe `balanced`" not in page
    left = next(line for line in page.splitlines() if line.startswith("Not run:"))
    assert "`balanced-face-crop` (3 of 3 seeds)" in left
    assert "`projected-full-body-kept` (3 of 3 seeds)" in left  # begun is not run
    assert "`projected-face-crop` (1 of 3 seeds)" in left
    assert "`article-face-crop` (2 of 3 seeds)" in left


def test_its_pictures_are_there_and_none_else(study: Path, page: str) -> None:
    shown = set(re.findall(r"\((pictures/[^)]+)\)", page))
    written = {f"pictures/{path.name}" for path in (study / "docs" / "pictures").iterdir()}
    assert shown == written
    assert shown == {"pictures/study.jpg", "pictures/study-kid.svg", "pictures/study-time.svg"}


def test_the_lead_picture_has_a_row_for_each_kind(study: Path, page: str) -> None:
    with Image.open(study / "docs" / "pictures" / "study.jpg") as picture:
        width, height = picture.size
    assert width > 3 * COLUMNS * SIZE  # article twice, the default once
    assert height > 2 * ROWS * SIZE


def test_other_programs_stand_beside(page: str) -> None:
    row = next(line for line in page.splitlines() if line.startswith("| a small diffusion model"))
    assert "| 4 | 640 |" in row


def test_no_path_of_this_machine_is_on_it(study: Path, page: str) -> None:
    assert str(study) not in page
    assert str(Path.home()) not in page


def test_lines_lie_where_their_points_do(tmp_path: Path) -> None:
    """Along a logarithmic axis equal factors are equal ways; higher values lie higher."""
    line = Line(label="a & b", points=[(1, 1), (2, 10), (3, 100)])
    write_lines(tmp_path / "lines.svg", [line], x="x", y="y", log_y=True)
    text = (tmp_path / "lines.svg").read_text()
    assert "a &amp; b" in text
    circles = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', text)
    (x0, y0), (x1, y1), (x2, y2) = ((float(x), float(y)) for x, y in circles)
    assert x0 < x1 < x2 and y0 > y1 > y2
    assert y0 - y1 == pytest.approx(y1 - y2, abs=0.2)  # written to a tenth
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
