"""`catgan curate --ablation` and `catgan inspect` of what it wrote, as a person meets them."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.conftest import Catgan, one_sentence
from tests.drawing import ALBUM, EyeDetector

KEPT = Counter(ALBUM.values())["kept"]


def test_the_third_data_set(
    catgan: Catgan, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catgan.curate.pipeline.make_recipe_detector", lambda _: EyeDetector())
    curated = tmp_path / "curated"
    kept = curated / "full-body-kept"
    line = ("curate", album, curated, "--cascade", "quick", "--workers", "1")
    first = json.loads(catgan(*line, "--json").out)
    assert (first["dropped"], set(first["data_sets"])) == ([], {"full-body", "face-crop"})

    ended = catgan(*line, "--ablation")
    assert ended.code == 0, ended.err
    assert "ablation was False, is True" in ended.out
    assert f"{kept}: {KEPT} pictures; to look at: {curated / 'contact-full-body-kept.jpg'}" in (
        ended.out
    )
    record = json.loads(catgan(*line, "--ablation", "--json").out)
    assert record["fresh"] == 0
    assert list(record["data_sets"]) == ["full-body", "full-body-kept", "face-crop"]
    assert record["data_sets"]["full-body-kept"] == KEPT
    assert Path(record["sheets"]["full-body-kept"]).is_file()

    seen = catgan("inspect", curated, "--page", tmp_path / "page.html")
    words = f"full-body-kept: {KEPT} pictures of 64 x 64 pixels"
    assert f"{words} (the photos of face-crop, whole)" in seen.out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    order = [page.index(f"<h2>{name}: ") for name in record["data_sets"]]
    assert order == sorted(order)
    assert "The photos of face-crop, whole." in page

    plan = catgan(*line, "--dry-run", "--json")
    assert json.loads(plan.out)["dropped"] == ["full-body-kept"]
    assert f"{kept} would be removed" in plan.err
    assert kept.is_dir()
    assert f"{kept} was removed; --ablation brings it back" in catgan(*line).out
    assert not kept.exists()

    kept.mkdir()
    (kept / "mine.png").write_bytes(b"my own cat")
    refused = catgan(*line, "--ablation")
    assert refused.code == 1
    assert "move it away, or curate without --ablation" in one_sentence(refused)
    assert catgan(*line).code == 0
    assert (kept / "mine.png").read_bytes() == b"my own cat"


def test_from_a_settings_file(
    catgan: Catgan, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catgan.curate.pipeline.make_recipe_detector", lambda _: EyeDetector())
    settings = tmp_path / "settings.toml"
    settings.write_text('ablation = true\ncascade = "quick"\nworkers = 1\n')
    line = ("curate", album, tmp_path / "curated", "--config", settings, "--json")
    assert json.loads(catgan(*line).out)["data_sets"]["full-body-kept"] == KEPT
    flag_wins = json.loads(catgan(*line, "--no-ablation").out)
    assert flag_wins["dropped"] == ["full-body-kept"]
