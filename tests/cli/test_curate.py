"""`catgan curate --ablation` and `catgan inspect` of what it wrote, as a person meets them."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from catgan.cli.curate import MEANING
from catgan.core.files import write_json
from catgan.formats.photos import Verdict
from tests.cli.conftest import Catgan, one_sentence
from tests.drawing import ALBUM, EyeDetector, Head, draw_photo, encode, write

# without a limit of time one worker works in this process, where the finder is another
HERE = ("--cascade", "quick", "--workers", "1", "--photo-seconds", "0")
KEPT = Counter(ALBUM.values())["kept"]


def test_the_third_data_set(
    catgan: Catgan, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catgan.curate.pipeline.make_recipe_detector", lambda _: EyeDetector())
    curated = tmp_path / "curated"
    kept = curated / "full-body-kept"
    line = (
        "curate",
        album,
        curated,
        "--cascade",
        "quick",
        "--workers",
        "1",
        "--photo-seconds",
        "0",
    )
    first = json.loads(catgan(*line, "--json").out)
    assert (first["dropped"], set(first["data_sets"])) == ([], {"full-body", "face-crop"})

    ended = catgan(*line, "--ablation")
    assert ended.code == 0, ended.err
    assert "ablation was no, is yes" in ended.out
    assert f"{kept}: {KEPT} images; contact sheet: {curated / 'contact-full-body-kept.jpg'}" in (
        ended.out
    )
    record = json.loads(catgan(*line, "--ablation", "--json").out)
    assert record["fresh"] == 0
    assert list(record["data_sets"]) == ["full-body", "full-body-kept", "face-crop"]
    assert record["data_sets"]["full-body-kept"] == KEPT
    assert Path(record["sheets"]["full-body-kept"]).is_file()

    seen = catgan("inspect", curated, "--page", tmp_path / "page.html")
    words = f"full-body-kept: {KEPT} images of 64 x 64 pixels"
    assert f"{words} (the photos of face-crop, whole)" in seen.out
    assert "contains your photos" in ended.out
    assert "contains your photos" in seen.out
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
    settings.write_text('ablation = true\ncascade = "quick"\nworkers = 1\nphoto-seconds = 0\n')
    line = ("curate", album, tmp_path / "curated", "--config", settings, "--json")
    assert json.loads(catgan(*line).out)["data_sets"]["full-body-kept"] == KEPT
    flag_wins = json.loads(catgan(*line, "--no-ablation").out)
    assert flag_wins["dropped"] == ["full-body-kept"]


def test_every_verdict_has_its_meaning() -> None:
    assert set(MEANING) == set(Verdict)


@pytest.fixture
def two(tmp_path: Path, catgan: Catgan, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two photos in `raw`, curated into `curated` beside it."""
    monkeypatch.setattr("catgan.curate.pipeline.make_recipe_detector", lambda _: EyeDetector())
    monkeypatch.chdir(tmp_path)
    for index in range(2):
        head = Head(cx=90 + 9 * index, cy=99, w=80)
        write(tmp_path / "raw" / f"{index}.jpg", encode(draw_photo(200, 200, head, seed=index)))
    assert catgan(*LINE).code == 0
    return tmp_path


LINE = ("curate", "raw", "curated", *HERE)


class TestOneOfAThing:
    def test_is_said_so(self, two: Path, catgan: Catgan) -> None:
        (two / "raw" / "0.jpg").unlink()
        said = catgan(*LINE).out
        assert "1 photo, 0 of them new" in said
        assert "Removed since the last run: 1 photo and its images." in said
        assert "full-body: 1 image; contact sheet" in said
        assert "face-crop: 1 image of 64 x 64 pixels" in catgan("inspect", "curated").out

    def test_without_a_face_the_sheet_is_named_where_it_is(self, two: Path, catgan: Catgan) -> None:
        for path in (two / "raw").iterdir():
            path.unlink()
        write(two / "raw" / "meadow.jpg", encode(draw_photo(200, 200)))
        assert f"look at {Path('curated/contact-full-body.jpg')}" in catgan(*LINE).out


class TestWhatElseIsInTheFolder:
    def test_is_told_once_a_kind(self, two: Path, catgan: Catgan) -> None:
        write(two / "raw" / "new.jxl", b"\xff\x0a" + bytes(30))
        write(two / "raw" / "@eaDir" / "thumbnail.jpg", encode(draw_photo(200, 200)))
        write(two / "raw" / "empty.jpg", b"")
        said = catgan(*LINE).out
        assert said.count("Not used: ") == 2
        assert "Not used: 1 JPEG XL file; export as JPEG." in said
        assert "Unreadable: the file is empty (1 file)." in said
        record = json.loads(catgan(*LINE, "--json").out)
        assert record["unused"] == {"jpeg-xl": 1, "system-folder": 1}
        assert record["unreadable"] == {"the file is empty": 1}
        assert record["unlisted"] == []
        assert json.loads(catgan(*LINE, "--json", "--dry-run").out)["unused"] == record["unused"]

    def test_where_nothing_can_be_read_it_fails(self, two: Path, catgan: Catgan) -> None:
        for name in ("0.jpg", "1.jpg"):
            write(two / "raw" / name, b"no cat here")
        refused = catgan(*LINE)
        assert refused.code == 1
        assert "None of the 2 files in raw could be read: not a picture (2 files)." in (
            one_sentence(refused)
        )

    def test_a_folder_that_cannot_be_listed_is_named(
        self, two: Path, catgan: Catgan, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(two / "raw" / "share" / "2.jpg", encode(draw_photo(200, 200, seed=7)))
        assert catgan(*LINE).code == 0
        scandir = os.scandir

        def fail(path: str | Path = ".") -> object:
            if Path(path).name == "share":
                raise PermissionError(13, "Permission denied", str(path))
            return scandir(path)

        monkeypatch.setattr(os, "scandir", fail)
        ended = catgan(*LINE)
        assert ended.code == 0
        assert f"{Path('raw/share')}/ could not be listed (Permission denied)" in ended.out
        assert "3 photos, 0 of them new" in ended.out


class TestWhereThePhotosAre:
    def test_those_that_are_gone_are_counted(self, two: Path, catgan: Catgan) -> None:
        assert "no longer" not in catgan("inspect", "curated").out
        (two / "raw" / "1.jpg").unlink()
        seen = catgan("inspect", "curated", "--page", "page.html")
        assert (
            "1 of 2 photos is no longer in raw; "
            "catgan curate raw curated brings the data sets up to date."
        ) in seen.out
        assert "1 of 2 photos is no longer in raw." in (two / "page.html").read_text()
        record = json.loads(catgan("inspect", "curated", "--json").out)
        assert (record["raw"], record["gone"]) == ("raw", 1)

    def test_both_moved_together_need_no_word(self, two: Path, catgan: Catgan) -> None:
        (two / "away").mkdir()
        for name in ("raw", "curated"):
            (two / name).rename(two / "away" / name)
        record = json.loads(catgan("inspect", "away/curated", "--json").out)
        assert (record["raw"], record["gone"]) == (str(Path("away/raw")), 0)

    def test_nor_does_a_link_to_the_folder(self, two: Path, catgan: Catgan) -> None:
        (two / "links").mkdir()
        (two / "links" / "mine").symlink_to(two / "curated")
        record = json.loads(catgan("inspect", "links/mine", "--json").out)
        assert record["gone"] == 0

    def test_moved_photos_are_asked_for_and_named(self, two: Path, catgan: Catgan) -> None:
        (two / "raw").rename(two / "photos")
        seen = catgan("inspect", "curated")
        assert seen.code == 0
        assert "The photos are no longer in raw; pass" in seen.out
        assert "--raw" in seen.out
        assert json.loads(catgan("inspect", "curated", "--json").out)["gone"] is None
        named = catgan("inspect", "curated", "--raw", "photos")
        assert "--raw" not in named.out
        assert "no longer" not in named.out
        (two / "photos" / "0.jpg").unlink()
        assert "no longer in photos" in catgan("inspect", "curated", "--raw", "photos").out

    def test_a_folder_that_is_not_there_is_refused(self, two: Path, catgan: Catgan) -> None:
        refused = catgan("inspect", "curated", "--raw", "nowhere")
        assert refused.code == 2
        assert "There is no folder nowhere" in one_sentence(refused)

    def test_an_older_catgans_folder_does_not_know(self, two: Path, catgan: Catgan) -> None:
        note = json.loads((two / "curated" / "catgan.json").read_text(encoding="utf-8"))
        assert note is not None
        del note["raw"]
        write_json(two / "curated" / "catgan.json", note | {"format": 1})
        seen = catgan("inspect", "curated")
        assert seen.code == 0
        assert "--raw" not in seen.out
        record = json.loads(catgan("inspect", "curated", "--json").out)
        assert (record["raw"], record["gone"]) == (None, None)
        (two / "raw" / "1.jpg").unlink()
        assert "1 of 2 photos" in catgan("inspect", "curated", "--raw", "raw").out


@pytest.mark.parametrize("name", ["catgan.json", "photos.jsonl"])
def test_damaged_records_are_one_sentence(two: Path, catgan: Catgan, name: str) -> None:
    path = two / "curated" / name
    path.write_text(path.read_text().replace("{", "[", 1))
    seen = catgan("inspect", "curated")
    assert seen.code == 1
    assert f"{name}" in one_sentence(seen)
    again = catgan(*LINE)
    if name == "catgan.json":
        assert again.code == 1
        assert name in one_sentence(again)
    else:
        assert again.code == 0, "it is written anew from what is known"
