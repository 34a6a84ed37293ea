"""`catgan compare`, from the line typed to the files written."""

import csv
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Catgan, one_sentence
from tests.compare.conftest import draw_dataset, make_run

# but where that is the question, without the second network, which takes a second or two
SMALL = ("--samples", "50", "--device", "cpu", "--second-judge", "0")


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs `a-s0`, `a-s1` and `b`; the cache is this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    for name, seed in (("a-s0", 0), ("a-s1", 1), ("b", 2)):
        make_run(tmp_path / "runs", name, tmp_path / "data", seed=seed, best=3)
    return tmp_path / "runs"


def test_everything_is_written_and_said(catgan: Catgan, runs: Path, tmp_path: Path) -> None:
    report, table = tmp_path / "out" / "r.html", tmp_path / "out" / "n.csv"
    line = ("compare", "a", "b", "--runs", runs, "--report", report, "--csv", table, *SMALL)
    ended = catgan(*line, "--faces", "2", "--second-judge", "3", "--json")
    assert ended.code == 0, ended.err
    done = json.loads(ended.out)
    assert [arm["name"] for arm in done["arms"]] == ["a", "b"]
    assert [len(arm["runs"]) for arm in done["arms"]] == [2, 1]
    assert done["report"] == str(report)
    assert done["csv"] == str(table)
    assert report.stat().st_size < 12_000_000
    with table.open() as file:
        assert len(list(csv.DictReader(file))) > 2 * 10
    # networks that have hardly begun: said of each, with how to go on, in the report, too
    assert "Trained too briefly to compare: a has seen" in ended.err
    assert " and b has seen" in ended.err
    assert ended.err.count("To go on: catgan train ") == 2
    assert "Trained too briefly to compare" in report.read_text(encoding="utf-8")
    # the finder of curate was handed in
    faces = done["arms"][0]["runs"][0]["faces"]
    assert faces["total"] == 2
    assert faces["extractor"].startswith("face finder verified-")
    # and those that chose nothing, beside them
    cascades, second = (
        done["arms"][0]["runs"][0][key] for key in ("cascades", "second_recognised")
    )
    assert (cascades["total"], second["total"]) == (2, 3)
    assert cascades["extractor"].startswith("cat cascades of OpenCV")
    assert second["extractor"] == "efficientnet-lite2-192"
    assert list((tmp_path / "caches" / "catgan" / "features").glob("*.npz"))


def test_the_cache_is_left_alone_when_told_to(catgan: Catgan, runs: Path, tmp_path: Path) -> None:
    line = ("compare", "b", "--runs", runs, "--report", tmp_path / "r.html", *SMALL)
    ended = catgan(*line, "--faces", "0", "--no-cache")
    assert ended.code == 0, ended.err
    assert not (tmp_path / "caches").exists()
    assert "not measured" in ended.out


def test_that_the_report_contains_photos_is_said_and_can_be_had_otherwise(
    catgan: Catgan, runs: Path, tmp_path: Path
) -> None:
    report = tmp_path / "r.html"
    line = ("compare", "b", "--runs", runs, "--report", report, *SMALL, "--faces", "0")
    said = catgan(*line).out
    assert "contains your photos" in said
    assert "--no-photos leaves them out" in said
    with_photos = report.read_text(encoding="utf-8")
    said = catgan(*line, "--no-photos").out
    assert "photos" not in said
    without = report.read_text(encoding="utf-8")
    assert "contains no photos" in without
    assert without.count("<img") < with_photos.count("<img")


def test_without_opencv_the_rest_is_measured_and_the_row_says_why(
    catgan: Catgan, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catgan.core.errors import MissingPackage
    from catgan.curate import finder

    def missing() -> None:
        raise MissingPackage("OpenCV cannot be loaded.")

    monkeypatch.setattr(finder, "PictureFinder", missing)
    monkeypatch.setattr(finder, "CascadeFinder", missing)
    line = ("compare", "b", "--runs", runs, "--report", tmp_path / "r.html", *SMALL)
    ended = catgan(*line, "--faces", "5", "--json")
    assert ended.code == 0, ended.err
    rows = {row["key"]: row for row in json.loads(ended.out)["rows"]}
    for key in ("faces", "cascades"):
        assert rows[key]["cells"][0]["text"] == "not measured: OpenCV cannot be loaded."
    assert rows["kid"]["cells"][0]["value"] is not None


def test_a_dry_run_says_what_is_one_arm_and_writes_nothing(
    catgan: Catgan, runs: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    line = ("compare", "a", "b", "--runs", runs, "--report", tmp_path / "r.html", "--dry-run")
    done = json.loads(catgan(*line, "--json").out)
    assert {label: len(folders) for label, folders in done["arms"].items()} == {"a": 2, "b": 1}
    done = json.loads(catgan(*line, "--json", "--apart").out)
    assert list(done["arms"]) == ["a-s0", "a-s1", "b"]
    assert "Nothing was written" in catgan(*line).out
    assert sorted(tmp_path.rglob("*")) == before


def test_no_is_one_sentence(
    catgan: Catgan, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    draw_dataset(tmp_path / "drawn", 9)
    make_run(runs, "young", tmp_path / "data", checkpoint=False)
    (tmp_path / "w.pth").write_bytes(b"no weights")
    report = tmp_path / "r.html"
    for line, code, words in (
        (("c",), 1, "there are: a-s0, a-s1, b"),
        (("young",), 1, "young has no checkpoint yet"),
        (("a", "a-s0"), 2, "named twice"),
        ((tmp_path / "drawn",), 2, "--against face-crop"),
        (("b", "--against", "a"), 2, "leave it out"),
        (("b", "--samples", "3"), 2, "--samples is 3"),
        (("b", "--faces", "-1"), 2, "--faces is -1"),
        (("b", "--device", "abacus"), 2, "--device is abacus"),
        (("b", "--features", "eyes"), 2, "efficientnet, inception, dinov2"),
        (("b", "--features", "inception", "--weights", tmp_path / "w.pth"), 2, "does not hold"),
        (("b", "--weights", tmp_path / "w.pth"), 2, "comes with its own weights"),
    ):
        ended = catgan("compare", *line, "--runs", runs, "--report", report)
        assert ended.code == code, ended.err
        assert words in one_sentence(ended)
    assert not report.exists()


def test_files_that_cannot_be_written_are_a_sentence_before_anything_is_measured(
    catgan: Catgan, runs: Path, tmp_path: Path
) -> None:
    picture = next((tmp_path / "data").glob("*.png"))
    before = picture.read_bytes()
    (tmp_path / "old.html").write_text("<p>my own page")
    (tmp_path / "empty.html").touch()
    for line, code, words in (
        (("--report", tmp_path), 2, "is a folder; name a file to write: --report"),
        (("--report", picture / "r.html"), 2, "is a file, not a folder"),
        (("--report", picture), 1, "catgan did not write it"),
        (("--report", tmp_path / "old.html"), 1, "catgan did not write it"),
        (("--report", tmp_path / "empty.html", "--csv", picture), 1, "name another file: --csv"),
        (("--report", tmp_path / "r", "--csv", tmp_path / "r"), 2, "are both"),
    ):
        for more in ((), ("--dry-run",)):
            ended = catgan("compare", "b", "--runs", runs, *line, *more)
            assert ended.code == code, ended.err
            assert words in one_sentence(ended)
    assert picture.read_bytes() == before
    assert not (tmp_path / "r").exists()
    written = ("--report", tmp_path / "empty.html", "--csv", tmp_path / "n.csv")
    for _ in range(2):  # what catgan wrote may be written over
        ended = catgan("compare", "b", "--runs", runs, *written, *SMALL, "--faces", "0")
        assert ended.code == 0, ended.err


@pytest.mark.parametrize("net", ["inception", "dinov2"])
def test_weights_that_cannot_be_fetched_are_a_sentence_that_says_where_they_go(
    catgan: Catgan, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, net: str
) -> None:
    import torch

    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    ended = catgan("compare", "b", "--runs", runs, "--features", net, "--report", tmp_path / "r")
    assert ended.code == 1
    sentence = one_sentence(ended)
    assert "fetch https://" in sentence
    assert str(tmp_path / "torch" / "hub" / "checkpoints") in sentence
