"""The page in a real browser: by keys alone, by mouse, by touch; 5,000 crops; without a server."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catgan.core.files import write_jsonl
from catgan.core.pictures import encode_png
from catgan.curate.pipeline import curate_photos
from catgan.curate.scissors import CurateScissors
from catgan.formats.curated import CuratedNote, write_note
from catgan.formats.photos import FaceRecord, PhotoRecord, read_photos
from catgan.formats.records import to_json
from catgan.review.likeness import Likeness
from catgan.review.opening import open_curated
from catgan.review.page import write_page
from catgan.review.pictures import PictureShelf
from tests.browser import CHROMIUM, Browser
from tests.drawing import EyeDetector
from tests.review.conftest import EVIL, HERE, colours, decided, reviewing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here"),
    pytest.mark.skipif(sys.platform == "win32", reason="the browser is spoken to by two pipes"),
]
READY = "document.body.dataset.ready === 'yes'"
CTRL, SHIFT = 2, 8
SIZES = pytest.mark.parametrize("size", [(1280, 900), (390, 844)], ids=["desk", "phone"])


class Page(Browser):
    """The page, as somebody works it."""

    def begin(self, address: str) -> None:
        self.visit(address)
        self.wait(READY)

    def settled(self) -> None:
        """Until all that was decided is on the disk, and drawn."""
        self.wait("document.body.ariaBusy !== 'true'")
        self.run("new Promise((done) => requestAnimationFrame(() => done(true)))")

    def troubles(self) -> list[str]:
        """What it complains about, but for pictures that were scrolled away before they came."""
        return [one for one in self.complaints if one != "failed: net::ERR_ABORTED"]

    @property
    def counts(self) -> str:
        return str(self.run("document.getElementById('counts').textContent"))

    def cursor(self) -> str:
        return str(self.run("document.querySelector('.tile.here')?.title"))

    def middle(self, selector: str, number: int = 0) -> tuple[float, float]:
        x, y = self.run(
            f"(() => {{ const b = document.querySelectorAll({json.dumps(selector)})[{number}]"
            ".getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        return float(x), float(y)

    def tile(self, number: int) -> tuple[float, float]:
        """The middle of a tile by its place on the wall."""
        x, y = self.run(
            f"(() => {{ const b = document.querySelector('[aria-posinset=\"{number + 1}\"]')"
            ".getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        return float(x), float(y)

    def photo_is_open(self) -> None:
        self.wait(
            "document.getElementById('photo').open && document.getElementById('whole').complete"
            " && document.getElementById('whole').naturalWidth > 0"
            " && document.querySelector('#over') !== null"
        )
        self.settled()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Page]:
    with Page(tmp_path / "profile", offline=False) as browser:
        yield browser
        assert browser.troubles() == []


def choices(album: Path) -> list[str]:
    return [one.decision for one in decided(album)]


@SIZES
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_by_keys_alone(
    browser: Page, album: Path, size: tuple[int, int], scheme: str, tmp_path: Path
) -> None:
    browser.resize(*size)
    browser.prefer(scheme)
    with reviewing(album) as address:
        browser.begin(address)
        browser.type("xx")
        browser.press("ArrowRight", 39)
        browser.type("xk")
        browser.wait("document.querySelectorAll('.tile.rejected').length === 3")
        browser.wait("document.querySelectorAll('.tile.kept').length === 1")
        browser.settled()
        assert choices(album) == ["rejected", "rejected", "rejected", "kept"]
        browser.press("z", 90, keys=CTRL)
        browser.type("u")
        browser.wait("document.querySelectorAll('.tile.rejected').length === 2")
        browser.settled()
        assert choices(album)[4:] == ["cleared", "cleared"]
        # three at once
        browser.press("Home", 36)
        for _ in range(2):
            browser.press("ArrowRight", 39, keys=SHIFT)
        assert browser.counts.startswith("3 selected")
        browser.type("c")
        browser.wait("document.querySelectorAll('.tile.rejected').length === 0")
        # auto-advance can be turned off
        before = browser.cursor()
        browser.type("ax")
        browser.wait("document.querySelectorAll('.tile.rejected').length === 1")
        assert browser.cursor() == before
        # the photo: its square moved, enlarged and turned, the crop with it
        browser.press("End", 35)
        browser.press("Enter", 13)
        browser.photo_is_open()
        drawn = "document.getElementById('crop').toDataURL()"
        first = browser.run(drawn)
        browser.type("]]+")
        browser.press("ArrowLeft", 37, keys=SHIFT)
        assert browser.run(drawn) != first
        assert browser.run("!document.getElementById('p-save').hidden")
        browser.press("Enter", 13)
        browser.wait("document.getElementById('p-save').hidden")
        browser.settled()
        (last,) = decided(album)[-1:]
        assert (last.decision, last.square is None) == ("kept", False)
        assert last.square_roll != last.roll
        browser.press("Escape", 27)
        browser.wait("!document.getElementById('photo').open")
        # a missed face
        browser.type("v")
        browser.wait("document.getElementById('view').selectedOptions[0].text.startsWith('photos')")
        browser.press("Enter", 13)
        browser.photo_is_open()
        browser.type("n---")
        browser.press("Enter", 13)
        browser.wait("document.getElementById('p-save').hidden")
        browser.settled()
        assert decided(album)[-1].square is not None
        browser.press("Escape", 27)
        # help
        browser.type("?")
        assert browser.run("document.getElementById('help').open")
        browser.press("Escape", 27)
        # nothing sticks out
        assert browser.run("document.documentElement.scrollWidth <= innerWidth")
        ink, ground = browser.run(
            "(() => { const s = getComputedStyle(document.body);"
            " return [s.color, s.backgroundColor]; })()"
        )
        bright = [sum(map(int, one[4:-1].split(","))) for one in (ink, ground)]
        assert (bright[0] > bright[1]) == (scheme == "dark")
    result = curate_photos(album / "raw", album / "curated", HERE, make_detector=EyeDetector())
    assert (result.decisions.rejected, result.decisions.drawn) == (1, 2)


def test_by_mouse(browser: Page, album: Path) -> None:
    with reviewing(album) as address:
        browser.begin(address)
        browser.click(*browser.tile(3))
        browser.click(*browser.middle("#reject"))
        browser.click(*browser.tile(6))
        browser.click(*browser.tile(8), keys=SHIFT)
        assert browser.counts.startswith("3 selected")
        browser.click(*browser.tile(11), keys=CTRL)
        browser.click(*browser.middle("#reject"))
        browser.wait("document.querySelectorAll('.tile.rejected').length === 5")
        browser.click(*browser.middle("#undo"))
        browser.wait("document.querySelectorAll('.tile.rejected').length === 1")
        (left, top), (right, bottom) = browser.tile(11), browser.tile(23)
        browser.drag((left - 20, top - 20), (right, bottom))
        assert browser.counts.startswith("6 selected")
        browser.click(*browser.middle("#keep"))
        browser.wait("document.querySelectorAll('.tile.kept').length === 6")
        x, y = browser.tile(1)
        browser.click(x, y)
        browser.click(x, y, count=2)
        browser.photo_is_open()
        before = browser.run("document.getElementById('fits').textContent")
        x, y = browser.middle("#over rect")
        browser.drag((x, y), (x + 40, y + 15))
        browser.wheel(x, y, 120)
        middle = browser.run("document.getElementById('fits').textContent")
        assert middle != before
        browser.drag(browser.middle(".corner"), (x - 150, y - 150))
        browser.drag(browser.middle(".knob"), (x + 90, y - 60))
        assert browser.run("document.getElementById('fits').textContent") != middle
        browser.click(*browser.middle("#p-save"))
        browser.wait("document.getElementById('p-save').hidden")
        browser.settled()
        assert decided(album)[-1].square is not None
        browser.click(*browser.middle("#p-found"))
        browser.settled()
        assert decided(album)[-1].decision == "cleared"
        browser.click(*browser.middle("#p-close"))
        browser.wait("document.activeElement.id === 'wall'")


def test_on_a_phone_by_touch(browser: Page, album: Path) -> None:
    browser.resize(390, 844)
    browser.send("Emulation.setTouchEmulationEnabled", enabled=True)
    with reviewing(album) as address:
        browser.begin(address)
        browser.tap(*browser.tile(4))
        browser.wait("document.querySelector('.tile.here').ariaPosInSet === '5'")
        browser.tap(*browser.middle("#reject"))
        browser.wait("document.querySelectorAll('.tile.rejected').length === 1")
        x, y = browser.tile(7)
        touch = {"touchPoints": [{"x": x, "y": y}]}
        browser.send("Input.dispatchTouchEvent", type="touchStart", **touch)
        browser.wait("/1 selected/.test(document.getElementById('counts').textContent)")
        browser.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        browser.tap(*browser.tile(9))
        browser.wait("/2 selected/.test(document.getElementById('counts').textContent)")
        browser.tap(*browser.middle("#keep"))
        browser.wait("document.querySelectorAll('.tile.kept').length === 2")
        browser.tap(*browser.tile(1))
        browser.tap(*browser.middle("#open"))
        browser.photo_is_open()
        x, y = browser.middle("#over rect")
        before = browser.run("document.getElementById('fits').textContent")
        for kind, far in (("touchStart", 30), ("touchMove", 45), ("touchMove", 60)):
            points = [{"x": x - far, "y": y, "id": 1}, {"x": x + far, "y": y + far / 3, "id": 2}]
            browser.send("Input.dispatchTouchEvent", type=kind, touchPoints=points)
        browser.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        assert browser.run("document.getElementById('fits').textContent") != before
        assert browser.run("!document.getElementById('p-save').hidden")


def test_two_windows(browser: Page, album: Path, tmp_path: Path) -> None:
    with (
        reviewing(album) as address,
        Page(tmp_path / "other", offline=False, width=390, height=844) as other,
    ):
        browser.begin(address)
        other.begin(address)
        browser.type("xxx")
        other.wait("document.querySelectorAll('.tile.rejected').length === 3")
        other.type("k")
        browser.wait("document.querySelectorAll('.tile.kept').length === 1")
        assert browser.run("document.querySelectorAll('.tile.rejected').length") == 2
        assert other.troubles() == []


def test_alike_in_three_strokes(browser: Page, album: Path) -> None:
    with reviewing(album) as address:
        browser.begin(address)
        browser.press("ArrowRight", 39)
        name = browser.cursor()
        browser.type("l")
        browser.wait("/most like/.test(document.getElementById('toast').textContent)")
        assert browser.cursor() == name
        browser.click(*browser.tile(4), keys=SHIFT)
        browser.type("x")
        browser.wait("document.querySelectorAll('.tile.rejected').length === 5")
        browser.press("Escape", 27)
        browser.type("u")
        browser.wait("document.querySelectorAll('.tile.rejected').length === 0")


def test_ten_in_twenty_strokes(browser: Page, album: Path) -> None:
    """An arrow and a key for each, none of which waits for the one before to be kept."""
    with reviewing(album) as address:
        browser.begin(address)
        for _ in range(10):
            browser.press("ArrowRight", 39)
            browser.type("x")
        browser.wait("document.querySelectorAll('.tile.rejected').length === 10")
        browser.settled()
        assert choices(album) == ["rejected"] * 10


def test_when_the_server_is_gone_it_says_so(browser: Page, album: Path) -> None:
    with reviewing(album) as address:
        browser.begin(address)
    browser.type("x")
    browser.wait("/Not kept/.test(document.getElementById('toast').textContent)"
                 " || /stopped/.test(document.getElementById('toast').textContent)")  # fmt: skip
    browser.wait("document.querySelectorAll('.tile.rejected').length === 0")
    assert decided(album) == []
    browser.complaints.clear()


def test_names_are_shown_as_they_are(browser: Page, album: Path) -> None:
    with reviewing(album) as address:
        browser.begin(address)
        browser.wait(f"[...document.querySelectorAll('.tile')].some((t) => "
                     f"t.title === {json.dumps('folder/' + EVIL)})")  # fmt: skip
        assert browser.run("document.querySelectorAll('.tile img[src=x]').length") == 0


MANY = 5000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A curated folder of 5,000 drawn crops."""
    folder = tmp_path_factory.mktemp("many")
    curated = folder / "curated"
    pictures = curated / "face-crop" / "train"
    pictures.mkdir(parents=True)
    (folder / "raw").mkdir()
    rng = np.random.default_rng(0)
    records = []
    for number in range(MANY):
        colour = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        name = f"{number:05}-{number:010x}.png"
        (pictures / name).write_bytes(encode_png(np.kron(colour, np.ones((8, 8, 1), np.uint8))))
        face = FaceRecord(box=(10, 10, 80, 80), roll=0, score=number / 7, recipe="c", file=name)
        records.append(
            PhotoRecord(
                path=f"{number:05}.jpg", sha256=f"{number:064x}", width=200, height=200,
                verdict="kept", reason="1 face found", faces=(face,),
            )
        )  # fmt: skip
    write_jsonl(curated / "photos.jsonl", map(to_json, records))
    write_note(curated, CuratedNote(finished=True, settings={"size": 64}, raw="../raw"))
    return folder


@SIZES
def test_five_thousand_crops_to_the_end(browser: Page, many: Path, size: tuple[int, int]) -> None:
    browser.resize(*size)
    with reviewing(many) as address:
        browser.begin(address)
        most = 0
        height = browser.run("document.getElementById('wall').scrollHeight")
        place = 0.0
        while place < height:
            place += browser.run("innerHeight") * 4
            browser.run(f"document.getElementById('wall').scrollTop = {place}")
            browser.run("new Promise((done) => requestAnimationFrame(() => done(1)))")
            most = max(most, browser.run("document.querySelectorAll('*').length"))
        assert most < 700
        browser.wait("document.querySelector('[aria-posinset=\"5000\"] img')?.complete")
        browser.press("End", 35)
        browser.type("x")
        browser.wait("document.querySelectorAll('.tile.rejected').length === 1")
        # by keys, screen by screen, the cursor stays in sight
        browser.press("Home", 36)
        for _ in range(5):
            browser.press("PageDown", 34)
            assert browser.run("document.querySelector('.tile.here') !== null")
        browser.run("document.getElementById('wall').scrollTop = 1e7")
        browser.press("ArrowUp", 38)
        browser.wait("document.querySelector('.tile.here') !== null")


@pytest.fixture
def file(album: Path) -> Path:
    """The page as one file."""
    opened = open_curated(album / "curated")
    scissors = CurateScissors(size=opened.size, margin=opened.margin)
    shelf = PictureShelf(album / "curated", opened.raw, scissors)
    path = album / "review.html"
    write_page(path, opened.ledger, shelf, Likeness(colours), line="catgan curate raw curated")
    return path


def test_without_a_server(tmp_path: Path, album: Path, file: Path) -> None:
    """Kept in the browser, saved as a file, applied by curate; with no network at all."""
    saved = tmp_path / "saved"
    saved.mkdir()
    with Page(tmp_path / "profile") as browser:
        browser.open(file)
        browser.wait(READY)
        browser.type("xxkx")
        browser.wait("document.querySelectorAll('.tile.rejected').length === 3")
        browser.type("u")
        browser.wait("document.querySelectorAll('.tile.rejected').length === 2")
        browser.type("l")
        browser.wait("/most like/.test(document.getElementById('toast').textContent)")
        browser.press("Escape", 27)
        browser.open(file)  # as after a restart
        browser.wait(READY)
        browser.wait("document.querySelectorAll('.tile.rejected').length === 2")
        assert browser.run("document.querySelectorAll('.tile.kept').length") == 1
        browser.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(saved))
        browser.click(*browser.middle("#save"))
        deadline = time.monotonic() + 60
        while not (found := list(saved.glob("*.jsonl"))):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert browser.complaints == []
        assert all(url.startswith(("file:", "data:", "blob:")) for url in browser.requests)
    result = curate_photos(
        album / "raw", album / "curated", HERE, decisions=found[0], make_detector=EyeDetector()
    )
    assert (result.decisions.rejected, result.decisions.kept) == (2, 1)
    assert sum(one.verdict == "rejected" for one in read_photos(album / "curated")) == 2


def test_the_file_holds_no_script_but_its_own(file: Path, album: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "unsafe" not in text.split("<style>")[0]
    assert "<img src=x" not in text
    assert text.count("</script>") == 2


def test_the_command_writes_the_file(album: Path) -> None:
    path = album / "page.html"
    done = subprocess.run(
        [sys.executable, "-m", "catgan", "review", str(album / "curated"), "--page", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "--decisions decisions.jsonl" in " ".join(done.stdout.split())
    page: Any = path.read_text(encoding="utf-8")
    assert len(page) > 10_000
