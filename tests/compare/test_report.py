"""The report: one file, nothing from outside, readable without eyes, drawn in a real browser."""

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from catgan.compare import CompareConfig, compare_runs, write_report
from catgan.compare.report import render, script_json
from catgan.core.files import append_jsonl
from tests.compare.conftest import Projection, make_run

CONFIG = CompareConfig(samples=60)
SIZE_LIMIT = 12_000_000


class Page(HTMLParser):
    """The elements of a page, the text of its scripts, and the text that a reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self._inside: dict[str, str | None] | None = None
        self._style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._style = tag == "style"
        if tag == "script":
            self._inside = dict(attrs)
            self.scripts.append((self._inside, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = None
        self._style = False

    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            attributes, before = self.scripts[-1]
            self.scripts[-1] = (attributes, before + data)
        elif not self._style:
            self.text += data

    def data(self, name: str) -> Any:
        """The JSON of the script with this id."""
        return next(json.loads(text) for attrs, text in self.scripts if attrs.get("id") == name)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every such element."""
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture
def report(two: Path, projection: Projection, tmp_path: Path) -> Path:
    compared = compare_runs(["full-body", "face-crop"], CONFIG, runs=two, extractor=projection)
    path = tmp_path / "out" / "report.html"
    write_report(compared, path)
    return path


@pytest.fixture
def page(report: Path) -> Page:
    return Page(report.read_text(encoding="utf-8"))


def test_nothing_is_loaded_from_anywhere(page: Page) -> None:
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), (tag, name, value[:80])
    assert not page.all("link")
    (policy,) = [m for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy["content"] is not None
    assert policy["content"].startswith("default-src 'none'")
    assert "http" not in policy["content"]


def test_every_picture_has_words(page: Page) -> None:
    pictures = page.all("img")
    assert len(pictures) >= 2 * 8
    for picture in pictures:
        assert picture["alt"]
        assert picture["width"]
        assert picture["height"]
    plots = [attrs for attrs in page.all("div") if attrs.get("class") == "plot"]
    assert len(plots) == 2 * 2 + 2
    assert all(attrs["role"] == "img" and len(attrs["aria-label"] or "") > 40 for attrs in plots)


def test_charts_are_plain_json_of_what_training_wrote(page: Page) -> None:
    specs = page.data("specs")
    plots = [attrs["data-chart"] for attrs in page.all("div") if attrs.get("class") == "plot"]
    assert set(plots) == specs.keys()
    loss_g, loss_d = specs["loss-0"]["data"]
    assert loss_g["x"] == [1, 2, 3, 4, 5, 6]
    assert loss_g["y"] == pytest.approx([2.1, 2.2, 2.3, 2.4, 2.5, 2.6])
    assert loss_d["name"] == "discriminator"
    assert len(specs["probability-1"]["data"]) == 3
    assert specs["kid"]["data"][1]["x"] == [3, 6]
    # the measured epoch is marked, and the stretch that training called out of balance
    line, tint = specs["loss-0"]["layout"]["shapes"]
    assert (line["x0"], line["x1"]) == (4, 4)
    assert (tint["type"], tint["x0"]) == ("rect", 6)
    scales = {json.dumps(specs[f"loss-{arm}"]["layout"]["yaxis"]["range"]) for arm in (0, 1)}
    assert len(scales) == 1


def test_the_slider_covers_every_epoch_of_every_run(page: Page) -> None:
    epochs, frames = page.data("epochs"), page.data("frames")
    assert epochs == [1, 2, 3, 4, 5, 6]
    assert [[frame["epoch"] for frame in arm] for arm in frames] == [epochs, epochs]
    assert all(len({frame["src"] for frame in arm}) == 6 for arm in frames)
    (slider,) = [attrs for attrs in page.all("input") if attrs["type"] == "range"]
    assert slider["max"] == "5"
    assert any(attrs.get("for") == slider["id"] for attrs in page.all("label"))


def test_pictures_come_first_and_settings_last(page: Page) -> None:
    order = [attrs.get("id") for tag, attrs in page.elements if tag == "h2"]
    assert order == ["pictures", "samples", "curves", "time", "neighbours", "numbers", "made"]
    text = page.text
    assert text.index("What differs between the runs") < text.index("What all runs share")


def test_everything_on_the_page_can_be_reached(page: Page) -> None:
    ids = [attrs["id"] for _, attrs in page.elements if attrs.get("id")]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        assert (link["href"] or "")[1:] in ids
    for _, attributes in page.elements:
        named = attributes.get("aria-labelledby")
        assert named is None or named in ids


def test_every_row_of_the_table_and_every_note_is_there(two: Path, projection: Projection) -> None:
    compared = compare_runs(["full-body", "face-crop"], CONFIG, runs=two, extractor=projection)
    text = Page(render(compared)).text
    for row in compared.rows():
        assert row.label in text
        assert row.meaning in text
        for cell in row.cells:
            assert cell.text in text
            assert cell.basis in text
    for note in compared.notes():
        assert note in text
    assert compared.headline() in text


def test_the_same_comparison_gives_the_same_file(
    report: Path, two: Path, projection: Projection, tmp_path: Path
) -> None:
    compared = compare_runs(["full-body", "face-crop"], CONFIG, runs=two, extractor=projection)
    write_report(compared, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == report.read_bytes()
    assert not list(report.parent.glob(".*")), "no half-written file is left"


def test_names_cannot_break_out_of_the_page(tmp_path: Path, projection: Projection) -> None:
    name = '<img src=x onerror="alert(1)">'
    make_run(tmp_path / "runs", name, tmp_path / "data", epochs=2, note="</script><b>&")
    append_jsonl(
        tmp_path / "runs" / name / "stats.jsonl", [{"epoch": 3, "balance": "</script><b>lost"}]
    )
    compared = compare_runs([name], CONFIG, runs=tmp_path / "runs", extractor=projection)
    page = Page(render(compared))
    assert not [attrs for attrs in page.all("img") if attrs.get("src") == "x"]
    assert not page.all("b")
    assert name in html.unescape(page.text)
    assert json.loads(script_json({"a": "</script>\u2028"})) == {"a": "</script>\u2028"}
    assert "<" not in script_json("</script>")


def test_a_run_that_left_nothing_to_see_still_gives_a_page(
    tmp_path: Path, projection: Projection
) -> None:
    run = make_run(tmp_path / "runs", "bare", tmp_path / "data", grids=False, held_out=10)
    run.stats.unlink()
    page = Page(
        render(compare_runs(["bare"], CONFIG, runs=tmp_path / "runs", extractor=projection))
    )
    assert "left no readable sample grid" in page.text
    assert "written nothing down yet" in page.text
    assert page.data("specs") == {}
    assert not page.all("input")
    assert "too few pictures: 10, needs 50" in page.text


def test_losses_that_are_no_numbers_leave_a_gap(tmp_path: Path, projection: Projection) -> None:
    run = make_run(tmp_path / "runs", "lost", tmp_path / "data", epochs=3)
    with run.stats.open("a") as file:
        file.write('{"epoch": 4, "loss_g": NaN, "loss_d": null, "d_real": 0.5}\n')
    page = Page(
        render(compare_runs(["lost"], CONFIG, runs=tmp_path / "runs", extractor=projection))
    )
    assert page.data("specs")["loss-0"]["data"][0]["y"][3] is None


def test_a_long_comparison_stays_small(tmp_path: Path, projection: Projection) -> None:
    """Six runs of 60 grids each; at 64 pixels the budget of the grids is what bounds it."""
    runs = tmp_path / "runs"
    for index in range(6):
        make_run(runs, f"run-{index}", tmp_path / "data", epochs=60, seed=index)
    names = [f"run-{index}" for index in range(6)]
    compared = compare_runs(names, CONFIG, runs=runs, extractor=projection)
    text = render(compared)
    assert len(text.encode()) < SIZE_LIMIT
    assert max(len(arm.album.through_time) for arm in compared.arms) <= 40
    assert text.count("plotly.js v") == 1


CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))),
    None,
)

SPY = """<script>
addEventListener("error", (event) => document.documentElement.setAttribute("data-error",
  String(event.message || event.target.tagName)), true);
addEventListener("securitypolicyviolation", (event) =>
  document.documentElement.setAttribute("data-error", event.violatedDirective));
</script>"""

HAND = """<script>
addEventListener("load", () => {
  const slider = document.getElementById("epoch");
  slider.value = 2;
  slider.dispatchEvent(new Event("input"));
  document.documentElement.setAttribute("data-wide",
    String(document.documentElement.scrollWidth > document.documentElement.clientWidth));
});
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium or Chrome to open the report in")
def test_a_browser_draws_it_and_finds_no_fault(report: Path, page: Page, tmp_path: Path) -> None:
    """The page as a browser leaves it, with a spy for errors in front and a hand on the slider."""
    text = report.read_text(encoding="utf-8")
    watched = report.with_name("watched.html")
    watched.write_text(
        text.replace("<style>", SPY + "<style>", 1).replace("</body>", HAND + "</body>"),
        encoding="utf-8",
    )
    assert CHROMIUM is not None
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking --disable-component-update --disable-sync "
        "--window-size=520,900 --virtual-time-budget=5000 --dump-dom"
    )
    done = subprocess.run(
        [CHROMIUM, *flags.split(), f"--user-data-dir={tmp_path / 'profile'}", watched.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    seen = Page(done.stdout)
    (root,) = seen.all("html")
    assert "data-error" not in root, root["data-error"]
    assert root["data-wide"] == "false", "a narrow window must not scroll sideways"
    plots = page.data("specs")
    assert len(re.findall(r'<svg class="main-svg"[^>]*>(?=<defs)', done.stdout)) >= len(plots)
    curves = [attrs for attrs in seen.all("path") if attrs.get("class") == "js-line"]
    # each curve, and the piece of it in the legend
    assert len(curves) == 2 * sum(len(spec["data"]) for spec in plots.values())
    assert all(len(attrs["d"] or "") > 5 for attrs in curves)
    shown = [attrs for attrs in seen.all("img") if (attrs.get("id") or "").startswith("frame-")]
    frames = page.data("frames")
    assert [attrs["src"] for attrs in shown] == [arm[2]["src"] for arm in frames]
    assert all("epoch 3" in (attrs["alt"] or "") for attrs in shown)
