"""catgan from Python and in notebooks: the script of the README, and what results look like."""

import functools
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import catgan
from catgan.compare.config import CompareConfig
from catgan.curate.config import CurateConfig
from catgan.train.config import TrainConfig
from tests.compare.conftest import Projection
from tests.drawing import EyeDetector, Head, draw_photo, encode

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "docs" / "example.py"
TINY: dict[str, Any] = {
    "recipe": "balanced", "epochs": 2, "size": 16, "ngf": 4, "ndf": 4, "latent_dim": 8,
    "device": "cpu",
}  # fmt: skip
PHOTOS = 12


def tiny(**changes: Any) -> TrainConfig:
    return TrainConfig(**changes | TINY)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which the script has run, on drawn photos and with tiny settings."""
    folder = tmp_path_factory.mktemp("script")
    (folder / "raw").mkdir()
    for index in range(PHOTOS):
        head = Head(cx=80 + 13 * (index % 4), cy=90 + 9 * (index % 3), w=60 + 5 * index)
        photo = draw_photo(240, 240, head, seed=index)
        (folder / "raw" / f"{index}.jpg").write_bytes(encode(photo))
    for name in catgan.__all__:
        getattr(catgan, name)  # loaded before something else stands in for its parts
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("catgan.train.config.TrainConfig", tiny)
        patch.setattr("catgan.curate.pipeline.make_recipe_detector", lambda _: EyeDetector())
        here = functools.partial(CurateConfig, workers=1, photo_seconds=0, duplicate_screen=False)
        patch.setattr("catgan.curate.pipeline.CurateConfig", here)
        few = functools.partial(CompareConfig, samples=50, device="cpu")
        patch.setattr("catgan.compare.pipeline.CompareConfig", few)
        patch.setattr("catgan.compare.pipeline.open_extractor", lambda *_, **__: Projection())
        runpy.run_path(str(SCRIPT), run_name="__main__")
        yield folder


def results() -> dict[str, Any]:
    """What the functions give when they are called again where the script has run."""
    dataset = "curated/face-crop"
    walk: Any = "walk.gif"
    return {
        "CurateResult": catgan.curate_photos("raw", "curated"),
        "Inspection": catgan.inspect_curated("curated"),
        "TrainResult": catgan.train_gan(dataset, "runs/face-crop", tiny()),
        "Comparison": catgan.compare_runs("face-crop", runs="runs"),
        "SampleResult": catgan.sample_run("face-crop", outputs=catgan.Outputs(walk=walk)),
    }


def test_the_script_does_all_of_it(place: Path) -> None:
    assert '<meta name="generator" content="catgan' in (place / "report.html").read_text()
    for name in ("full-body", "face-crop"):
        assert (place / "runs" / name / "config.json").is_file()
    assert len(list((place / "runs" / "face-crop" / "drawn").glob("*.png"))) == 1


def test_it_is_as_short_as_promised_and_the_readme_shows_it_as_it_is() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    code = text.split('"""\n', 1)[1].strip()
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL):
        assert block.strip() == code


@pytest.mark.usefixtures("place")
def test_every_result_is_a_line_and_shows_its_pictures() -> None:
    for name, result in results().items():
        line = repr(result)
        assert line.startswith(f"{name}("), line
        assert "\n" not in line
        assert len(line) <= 120, line
        shown = result._repr_html_()
        assert re.search(r'<img src="data:image/(png|jpeg|gif);base64,[\w/+]', shown), name
        assert "<script" not in shown
    assert "2 epochs" in repr(results()["TrainResult"])
    assert f"{PHOTOS} photos" in repr(results()["CurateResult"])


@pytest.mark.usefixtures("place")
def test_what_is_no_longer_there_is_not_shown(tmp_path: Path) -> None:
    """A result outlives its files: it says what it knows."""
    result = results()["TrainResult"]
    grids = list(result.run.sample_grids().values())
    away = tmp_path / grids[-1].name
    data = grids[-1].read_bytes()
    away.write_bytes(data)
    grids[-1].unlink()
    try:
        shown = result._repr_html_()
        assert "TrainResult" in shown
        assert "after epoch 2" not in shown
    finally:
        grids[-1].write_bytes(data)


def test_names_in_html_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from catgan.core.pages import for_notebook

    shown = for_notebook("<b>runs</b>", [("a<b", "png", b"x")])
    assert "<b>runs" not in shown
    assert "&lt;b&gt;runs" in shown
    assert 'alt="a&lt;b"' in shown


@pytest.mark.usefixtures("place")
def test_plans_are_short_too() -> None:
    from catgan.compare.inputs.arms import plan_arms
    from catgan.formats.datasets import open_dataset
    from catgan.sample.pipeline import plan_samples

    assert len(repr(open_dataset(Path("curated/face-crop")))) < 80
    assert "\n" not in repr(plan_samples("face-crop"))
    assert plan_arms(["face-crop"], Path("runs"))


def test_settings_take_strings_for_paths() -> None:
    named: Any = {"data": "curated", "weights": "net.pth"}
    config = CompareConfig(**named, features="inception")
    assert (config.data, config.weights) == (Path("curated"), Path("net.pth"))
    assert CompareConfig().data is None


def test_everything_public_can_be_had() -> None:
    for name in catgan.__all__:
        assert getattr(catgan, name) is not None
