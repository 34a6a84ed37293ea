"""The report: one file, nothing from outside, readable without eyes, drawn in a real browser."""

import html
import json
import math
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from catgan.compare.config import CompareConfig
from catgan.compare.pipeline import compare_runs
from catgan.compare.quantities.catalogue import CLOSE
from catgan.compare.report import page as report_page
from catgan.compare.report.page import render, script_json, write_report
from catgan.core.loading import load_pictures
from catgan.core.pictures import encode_png, sheet
from catgan.formats.stats import EpochStats, append_stats
from tests.browser import CHROMIUM, Browser
from tests.compare.conftest import Projection, draw_dataset, make_run

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
    words = [mark["text"] for mark in specs["loss-0"]["layout"]["annotations"]]
    assert words == ["best", "out of balance"]
    scales = {json.dumps(specs[f"loss-{arm}"]["layout"]["yaxis"]["range"]) for arm in (0, 1)}
    assert len(scales) == 1


def test_captions_say_what_the_two_probabilities_of_samples_are(page: Page) -> None:
    assert "Before and after: the discriminator's update." in page.text
    winning = "Balance at the end of training: the discriminator has been winning"
    assert page.text.count(winning) == 4


def test_numbers_stand_by_themselves_where_the_page_wants_them_alone(
    two: Path, projection: Projection
) -> None:
    compared = compare_runs(["full-body", "face-crop"], CONFIG, runs=two, extractor=projection)
    text = Page(render(compared)).text
    for row, words in (
        ("recognised", "{} recognised as a cat"),
        ("recognised_real", "{} of its real images are"),
        ("agreement", "the average keeps {} of an image's light and dark"),
    ):
        for cell in compared.row(row).cells:
            assert cell.number
            assert words.format(cell.number) in text
    for cell in compared.row(CLOSE.key).cells:
        assert f"Close to a training image: {cell.text}" in text


def test_the_slider_covers_every_epoch_of_every_run(page: Page) -> None:
    epochs, frames = page.data("epochs"), page.data("frames")
    assert epochs == [1, 2, 3, 4, 5, 6]
    assert [[frame["epoch"] for frame in arm] for arm in frames] == [epochs, epochs]
    assert all(len({frame["src"] for frame in arm}) == 6 for arm in frames)
    (slider,) = [attrs for attrs in page.all("input") if attrs["type"] == "range"]
    assert slider["max"] == "5"
    assert any(attrs.get("for") == slider["id"] for attrs in page.all("label"))


def test_the_slider_tells_what_training_wrote_down(page: Page) -> None:
    told = page.data("told")
    assert told[0]["epoch"] == [1, 2, 3, 4, 5, 6]
    assert told[0]["loss_g"] == pytest.approx([2.1, 2.2, 2.3, 2.4, 2.5, 2.6])
    assert told[1]["kid"] == [None, None, pytest.approx(0.5 / 3, rel=1e-4), None, None,
                              pytest.approx(0.5 / 6, rel=1e-4)]  # fmt: skip
    assert told[0]["balance"][:3] == [None, None, "healthy"]
    assert "winning since epoch 5" in told[0]["balance"][5]
    assert told[0]["lost"] == [None, None, False, None, None, True]
    marks = [attrs["data-epoch"] for attrs in page.all("button") if attrs.get("class") == "mark"]
    assert marks == ["4", "6", "3", "6"]  # best and balance lost, of each


def test_several_runs_of_an_arm_share_its_place(tmp_path: Path, projection: Projection) -> None:
    runs = tmp_path / "runs"
    for name, seed in (("a-s0", 0), ("a-s1", 1), ("b", 0), ("c", 5)):
        make_run(runs, name, tmp_path / "data", seed=seed, epochs=9)
    compared = compare_runs(["a", "b", "c"], CONFIG, runs=runs, extractor=projection)
    page = Page(render(compared))
    specs = page.data("specs")
    # the other run is below, faint and without a word in the legend
    faint, _, shown, _ = specs["loss-0"]["data"]
    assert faint["opacity"] < 0.5
    assert faint["showlegend"] is False
    assert "opacity" not in shown
    assert len(specs["kid"]["data"]) == 4
    assert len(page.data("frames")) == 3
    assert "Its other run" in page.text
    assert page.text.count("mean of 2 runs") >= 8
    colours = {line["line"]["color"] for spec in specs.values() for line in spec["data"]}
    assert len(colours) == 3


def test_a_folder_of_pictures_has_its_place_on_the_page(
    two: Path, tmp_path: Path, projection: Projection
) -> None:
    draw_dataset(tmp_path / "drawn", 20, first=8000)
    compared = compare_runs(
        ["full-body", str(tmp_path / "drawn")], CONFIG, runs=two, extractor=projection
    )
    page = Page(render(compared))
    assert "20 images of a folder" in page.text
    assert len(page.data("specs")) == 4
    config = CompareConfig(samples=60, against="face-crop")
    alone = compare_runs([str(tmp_path / "drawn")], config, runs=two, extractor=projection)
    page = Page(render(alone))
    assert page.data("specs") == {}
    assert not page.all("input")


def test_what_the_cleaning_brought_stands_on_the_page(two: Path, projection: Projection) -> None:
    compared = compare_runs(["full-body", "face-crop"], CONFIG, runs=two, extractor=projection)
    (step,) = compared.steps
    text = Page(render(compared)).text
    assert step.what in text
    assert all(one.text in text for one in step.brought)
    assert all(guess in text for guess in compared.guesses)


def test_pictures_come_first_and_settings_last(page: Page) -> None:
    order = [attrs.get("id") for tag, attrs in page.elements if tag == "h2"]
    assert order == ["samples", "pictures", "guesses", "time", "neighbours", "numbers", "made"]
    text = page.text
    assert text.index("What differs") < text.index("What all share")


def test_pictures_that_are_best_and_last_are_shown_once_and_late_ones_say_so(
    tmp_path: Path, projection: Projection
) -> None:
    runs = tmp_path / "runs"
    make_run(runs, "late", tmp_path / "data", best=6)
    text = Page(render(compare_runs(["late"], CONFIG, runs=runs, extractor=projection))).text
    assert "Best, and last" in text
    make_run(runs, "between", tmp_path / "data", best=4)
    (runs / "between" / "samples" / "epoch_0004.png").unlink()
    text = Page(render(compare_runs(["between"], CONFIG, runs=runs, extractor=projection))).text
    assert "Best, and last" not in text
    assert "epoch 3 (training left no grid at epoch 4, which was measured)" in text
    assert text.count("training left no grid") == 1


def test_early_is_where_there_is_something_to_see(
    two: Path, tmp_path: Path, projection: Projection
) -> None:
    """The first epochs of a run from scratch are plain grey."""
    names = sorted((tmp_path / "curated" / "face-crop").glob("*.png"))[:64]
    seen = encode_png(sheet(load_pictures(names), columns=8))
    for epoch in (3, 4, 5, 6):
        (two / "face-crop" / "samples" / f"epoch_{epoch:04d}.png").write_bytes(seen)
    text = Page(render(compare_runs(["face-crop"], CONFIG, runs=two, extractor=projection))).text
    moments = text.split("Early, best, last")[1]
    assert moments.index("Early") < moments.index("face-crop, epoch 3") < moments.index("Last")
    assert "face-crop, epoch 1" not in moments.split("What they were trained on")[0]


STUB = """
const text = (value) => ({ textContent: JSON.stringify(value) });
const cell = (key) => ({
  dataset: { key }, textContent: "", classList: { toggle() {} },
  append(aside) { this.textContent += aside.textContent; },
});
const cells = ["kid", "recognised", "loss_g", "balance"].map(cell);
const slider = { value: "0", handlers: {}, setAttribute() {},
  addEventListener(kind, handler) { this.handlers[kind] = handler; } };
const places = {
  specs: text({}), frames: text([[]]), epochs: text([1, 2, 3]), told: text([TOLD]), epoch: slider,
  "epoch-shown": {}, play: { addEventListener() {} }, "told-0": { querySelectorAll: () => cells },
};
globalThis.document = {
  getElementById: (id) => places[id] || null, querySelectorAll: () => [], documentElement: {},
  createElement: () => ({}),
};
globalThis.getComputedStyle = () => ({ getPropertyValue: () => "" });
globalThis.matchMedia = () => ({ addEventListener() {} });
globalThis.requestAnimationFrame = () => 1;
eval(require("fs").readFileSync(SCRIPT, "utf8"));
const shown = [0, 1, 2].map((place) => {
  slider.value = String(place);
  slider.handlers.input();
  return Object.fromEntries(cells.map((one) => [one.dataset.key, one.textContent]));
});
console.log(JSON.stringify(shown));
"""
SCRIPT = Path(report_page.__file__).parent / "templates" / "report.js"


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node to run the page's script")
def test_what_was_never_measured_has_no_epoch(tmp_path: Path) -> None:
    """As where no image is held out, and before the first measurement."""
    told = {
        "epoch": [1, 2, 3], "kid": [None, None, None], "recognised": [None, 0.25, None],
        "loss_g": [1.0, 2.0, 3.0], "balance": [None, None, None], "lost": [None, None, None],
    }  # fmt: skip
    stub = STUB.replace("TOLD", json.dumps(told)).replace("SCRIPT", json.dumps(str(SCRIPT)))
    done = subprocess.run(["node", "-e", stub], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shown, none = json.loads(done.stdout), "\N{EN DASH}"
    assert [one["kid"] for one in shown] == [none, none, none]
    assert [one["recognised"] for one in shown] == [none, "25%", "25% (epoch 2)"]
    assert [one["loss_g"] for one in shown] == ["1.00", "2.00", "3.00"]
    assert [one["balance"] for one in shown] == [none, none, none]


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
    for row in compared.rows:
        assert row.label in text
        assert row.meaning in text
        assert row.reading in text
        for apart in row.apart:
            assert apart.text in text
        for cell in row.cells:
            assert cell.text in text
            assert cell.basis in text
    for note in compared.notes:
        assert note in text
    assert compared.headline in text


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
    hostile = EpochStats(epoch=3, images_shown=210, balance="</script><b>lost")
    append_stats(tmp_path / "runs" / name / "stats.jsonl", hostile)
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
    assert "too few images: 10, needs 50" in page.text


def test_losses_that_are_no_numbers_leave_a_gap(tmp_path: Path, projection: Projection) -> None:
    run = make_run(tmp_path / "runs", "lost", tmp_path / "data", epochs=3)
    run_off = EpochStats(epoch=4, images_shown=280, loss_g=math.nan, d_real=0.5, lost=True)
    append_stats(run.stats, run_off)
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
    assert max(len(frames) for frames in Page(text).data("frames")) <= 40
    assert text.count("plotly.js v") == 1


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium or Chrome to open the report in")
    with Browser(tmp_path / "profile") as opened:
        yield opened


WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
CURSORS = """[...document.querySelectorAll(".plot")].map(
  (plot) => plot.layout.shapes[plot.layout.shapes.length - 1].x0)"""


def opened(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.wait("document.querySelectorAll('.plot .main-svg').length > 0")
    browser.wait(f"{CURSORS}.length > 0")


def test_a_browser_without_a_network_draws_it_and_finds_no_fault(
    browser: Browser, report: Path, page: Page
) -> None:
    opened(browser, report)
    specs = page.data("specs")
    drawn = browser.run(
        """[...document.querySelectorAll(".plot")].map((plot) => [plot.dataset.chart,
        [...plot.querySelectorAll(".scatterlayer .js-line")].filter(
          (line) => line.getAttribute("d").length > 5).length])"""
    )
    assert dict(drawn) == {key: len(spec["data"]) for key, spec in specs.items()}
    loaded = "[...document.images].every((image) => image.naturalWidth > 0)"
    browser.run("for (const image of document.images) image.loading = 'eager'")
    browser.wait(loaded)
    outside = [url for url in browser.requests if not url.startswith(("data:", "file:", "blob:"))]
    assert outside == []
    assert [url for url in browser.requests if url.startswith("file:")] == [
        report.resolve().as_uri()
    ]
    assert browser.complaints == []


def test_it_is_worked_by_keyboard(browser: Browser, report: Path, page: Page) -> None:
    opened(browser, report)
    reached = set()
    for _ in range(60):
        browser.press("Tab", 9)
        found = browser.run(
            "(document.activeElement.id || document.activeElement.getAttribute('href') || '')"
        )
        outline = browser.run("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", f"nothing shows that {found} is in focus"
        reached.add(found)
        if found == "epoch":
            break
    assert {"#samples", "#numbers", "play", "epoch"} <= reached
    frames, told = page.data("frames"), page.data("told")

    def shown() -> tuple[str, list[str]]:
        words = browser.run("document.getElementById('epoch-shown').textContent")
        pictures = browser.run(
            "[...document.querySelectorAll('img[id^=frame-]')].map((image) => image.src)"
        )
        return words, pictures

    assert shown() == ("epoch 6", [arm[5]["src"] for arm in frames])
    for _ in range(3):
        browser.press("ArrowLeft", 37)
    assert shown() == ("epoch 3", [arm[2]["src"] for arm in frames])
    browser.wait(f"{CURSORS}.every((epoch) => epoch === 3)")
    figures = browser.run(
        "[...document.querySelectorAll('#told-1 dd')].map((cell) => cell.textContent)"
    )
    assert figures[0] == f"{told[1]['loss_g'][2]:.2f}"
    assert figures[4] == f"{told[1]['kid'][2]:.3f}"
    assert figures[6] == "healthy"
    assert "epoch 3" in browser.run("document.getElementById('frame-0').alt")
    browser.press("End", 35)
    assert shown()[0] == "epoch 6"
    assert "winning" in browser.run("document.querySelector('#told-0 .lost').textContent")
    browser.press("Home", 36)
    assert shown()[0] == "epoch 1"
    browser.run("document.querySelector('.mark').focus()")
    browser.press("Enter", 13)
    assert shown()[0] == "epoch 4", "a mark goes to its epoch"
    assert browser.complaints == []


def test_it_plays(browser: Browser, report: Path) -> None:
    opened(browser, report)
    browser.run("document.getElementById('play').click()")
    assert browser.run("document.getElementById('epoch-shown').textContent") == "epoch 1"
    browser.wait("document.getElementById('epoch').value === '5'")
    browser.wait("document.getElementById('play').textContent === 'Play'")
    browser.wait(f"{CURSORS}.every((epoch) => epoch === 6)")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_width_scrolls_sideways(
    browser: Browser, tmp_path: Path, projection: Projection, width: int
) -> None:
    """Three arms, one of several runs, one with a long name, on phone, tablet and desk."""
    runs = tmp_path / "runs"
    long = "a-name-that-somebody-made-very-long-to-tell-everything-about-the-run"
    for name, seed in (("a-s0", 0), ("a-s1", 1), ("b", 3), (long, 2)):
        make_run(runs, name, tmp_path / "data", seed=seed)
    compared = compare_runs(["a", "b", long], CONFIG, runs=runs, extractor=projection)
    write_report(compared, tmp_path / "three.html")
    browser.resize(width, 900)
    opened(browser, tmp_path / "three.html")
    assert not browser.run(WIDE)
    assert browser.complaints == []


def test_dark_mode_is_dark_and_legible(browser: Browser, report: Path) -> None:
    browser.prefer("dark")
    opened(browser, report)
    contrast = """(() => {
      const light = (colour) => {
        const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => {
          const share = part / 255;
          return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
      };
      const ground = light(getComputedStyle(document.body).backgroundColor);
      const found = [...document.querySelectorAll("p, h1, h2, h3, a, td, th, figcaption, dd, dt")]
        .map((element) => light(getComputedStyle(element).color))
        .map((text) => (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05));
      return [ground, Math.min(...found)];
    })()"""
    ground, least = browser.run(contrast)
    assert ground < 0.05
    assert least >= 4.5, "WCAG 2.2, 1.4.3"
    words = "getComputedStyle(document.querySelector('.plot .xtitle')).fill"
    dark = browser.run(words)
    browser.prefer("light")
    browser.wait(f"{words} !== '{dark}'")
    ground, least = browser.run(contrast)
    assert ground > 0.8
    assert least >= 4.5
