"""Maps of latent space, and the page that shows them."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from catgan.model.sample import draw_latents, sample_images
from catgan.sample import page as pages
from catgan.sample.config import SampleConfig
from catgan.sample.latents import fixed_latents
from catgan.sample.outputs import Outputs
from catgan.sample.pipeline import sample_run
from catgan.sample.slices import around_one, between_four, directions_of_change, make_slices
from tests.browser import CHROMIUM, Browser
from tests.sample.conftest import LATENTS, SIZE, MakeRun, lively_generator


def test_a_map_has_its_cats_in_the_corners() -> None:
    cats = draw_latents(4, 100, 3)
    found = between_four(cats, 5)
    assert found.shape == (5, 5, 100)
    corners = torch.stack([found[0, 0], found[0, -1], found[-1, 0], found[-1, -1]])
    torch.testing.assert_close(corners, cats, rtol=0, atol=1e-5)
    lengths = found.norm(dim=-1)
    # on arcs lengths lie between those of the ends, where a straight line would fall to 0.7
    assert lengths.min() > 0.95 * cats.norm(dim=1).min()


def test_a_map_around_one_keeps_its_length() -> None:
    middle, across, down = draw_latents(3, 100, 1)
    across = across / across.norm()
    down = down - (down @ across) * across
    down = down / down.norm()
    found = around_one(middle, across, down, 7)
    torch.testing.assert_close(found.norm(dim=-1), middle.norm().expand(7, 7))
    to_the_right = found @ across
    assert (to_the_right[:, 1:] > to_the_right[:, :-1]).all()
    below = found @ down
    assert (below[1:] > below[:-1]).all()


class Painter(torch.nn.Module):
    """Draws brightness by one number of the latent, and left against right by another."""

    training = False
    latent_dim = 10

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        side = torch.linspace(-1, 1, 16)[None, None, None, :]
        bright, left = latents[:, 3, None, None, None], latents[:, 7, None, None, None]
        return (0.2 * bright + 0.1 * left * side).expand(-1, 3, 16, 16)


def test_the_directions_of_most_change_are_found() -> None:
    across, down = directions_of_change(Painter(), 0)  # type: ignore[arg-type]
    # from 512 samples: each other number of the latent errs by about 1 / sqrt(512) = 0.04
    assert abs(across[3]) > 0.95
    assert abs(down[7]) > 0.95
    assert abs(across @ down) < 1e-5
    again = directions_of_change(Painter(), 0)  # type: ignore[arg-type]
    torch.testing.assert_close(again, (across, down), rtol=0, atol=0)


def test_slices_begin_at_the_grid_and_are_truncated() -> None:
    slices = make_slices(lively_generator(), 5, side=3, truncate=0.5)
    assert len(slices) == 4
    cats = fixed_latents(12, LATENTS, 5)
    for number, one in enumerate(slices[:3]):
        torch.testing.assert_close(one.latents[0, 0], cats[4 * number] * 0.5)
    torch.testing.assert_close(slices[3].latents[1, 1], cats[0] * 0.5)


def sheets_of(text: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/webp;base64,([^"]+)"', text)
    return [Image.open(io.BytesIO(base64.b64decode(data))) for data in found]


def test_the_page_holds_the_samples_and_nothing_from_outside(
    make_run: MakeRun, tmp_path: Path
) -> None:
    run = make_run()
    path = tmp_path / "cats.html"
    for _ in range(2):  # its own is written over
        result = sample_run(run.folder, SampleConfig(seed=2), Outputs(page=path))
    assert result.page == path
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) <= pages.BUDGET
    assert not re.findall(r"https?://", text)
    sheets = sheets_of(text)
    assert [sheet.size for sheet in sheets] == [(24 * SIZE, 24 * SIZE)] * 4
    corner = np.asarray(sheets[1].convert("L"))[:SIZE, :SIZE].astype(int)
    cats = sample_images(lively_generator(seed=20), fixed_latents(12, LATENTS, 2))
    # in grey: WebP halves the resolution of colours, of which these pictures are full
    grey = np.stack([np.asarray(Image.fromarray(cat).convert("L")) for cat in cats])
    apart = np.abs(grey - corner).mean(axis=(1, 2))
    assert apart[4] < 0.4 * np.delete(apart, 4).min(), apart


def test_a_page_that_is_too_large_loses_quality_then_points(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[tuple[int, int]] = []

    def encode(picture: np.ndarray, quality: int) -> bytes:
        side = picture.shape[0] // SIZE
        if tried[-1:] != [(side, quality)]:
            tried.append((side, quality))
        return bytes(side * side * quality * 10)

    monkeypatch.setattr(pages, "encode_webp", encode)
    monkeypatch.setattr(pages, "BUDGET", 850_000)
    text = pages.make_page(
        lively_generator(), SampleConfig(), size=SIZE, name="x", epoch=1, progress=lambda _: None
    )
    assert len(text.encode()) <= 850_000
    assert tried[: len(pages.QUALITIES)] == [(24, quality) for quality in pages.QUALITIES]
    assert tried[-1][0] < 24


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium or Chrome")
def test_the_cat_follows_the_pointer_and_the_keys(make_run: MakeRun, tmp_path: Path) -> None:
    page = tmp_path / "cats.html"
    sample_run(make_run().folder, SampleConfig(seed=2), Outputs(page=page))
    pixels = (
        "Array.from(document.getElementById('cat').getContext('2d').getImageData(256,256,1,1).data)"
    )
    drawn = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    with Browser(tmp_path / "profile", width=390, height=844) as browser:
        still = [{"name": "prefers-reduced-motion", "value": "reduce"}]
        browser.send("Emulation.setEmulatedMedia", features=still)
        browser.open(page)
        browser.wait("document.body.dataset.ready === 'yes'")
        assert browser.run("document.documentElement.scrollWidth") <= 390
        assert browser.run("document.getElementById('map').getBoundingClientRect().bottom") <= 844
        box = browser.run(
            "(() => { const box = document.getElementById('map').getBoundingClientRect();"
            "return [box.left, box.top, box.width]; })()"
        )
        sheets = sheets_of(page.read_text(encoding="utf-8"))
        for number, (column, row) in ((0, (0, 0)), (0, (23, 0)), (0, (12, 20)), (2, (12, 20))):
            browser.run(f"document.querySelectorAll('input[name=map]')[{number}].click()")
            browser.send(
                "Input.dispatchMouseEvent",
                type="mouseMoved",
                x=box[0] + box[2] * (column + 0.5) / 24,
                y=box[1] + box[2] * (row + 0.5) / 24,
            )
            browser.run(drawn)
            found = np.array(browser.run(pixels)[:3])
            tile = np.asarray(sheets[number].convert("RGB"))
            tile = tile[row * SIZE : (row + 1) * SIZE, column * SIZE : (column + 1) * SIZE]
            near = tile[SIZE // 2 - 1 : SIZE // 2 + 1, SIZE // 2 - 1 : SIZE // 2 + 1]
            # the middle of the canvas lies between four pixels, which are mixed there; a pointer
            # is placed to a pixel of the page, a twelfth of a tile
            low, high = near.min(axis=(0, 1)).astype(int), near.max(axis=(0, 1)).astype(int)
            assert (found >= low - 30).all(), (found, near)
            assert (found <= high + 30).all(), (found, near)
        browser.run("document.getElementById('map').focus()")
        before = browser.run("document.getElementById('where').textContent")
        browser.press("ArrowLeft", 37)
        assert browser.run("document.getElementById('where').textContent") != before
        assert not browser.complaints
        assert all(url.startswith(("file:", "data:")) for url in browser.requests)
