"""What `inspect` says of a folder, against what was put into it."""

import dataclasses
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from catgan.core.errors import BadRecord, NoPictures, NoSuchFolder
from catgan.core.pictures import encode_png
from catgan.formats.curated import CuratedNote, write_note
from catgan.formats.datasets import FACE_CROP, FULL_BODY, SPLIT, PictureRecord, write_metadata
from catgan.formats.photos import FaceRecord, PhotoRecord, Verdict, read_photos, write_photos
from catgan.inspect.page import render, write_page
from catgan.inspect.pairs import nearest_pairs
from catgan.inspect.spread import spread_of
from catgan.inspect.summary import inspect_curated

COUNT = 12
BEFORE = Path(__file__).parents[1] / "fixtures" / "before"


def noise(seed: int, side: int = 32) -> np.ndarray:
    """Blocks of 4 x 4 pixels in random colours."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (side // 4, side // 4, 3), dtype=np.uint8)
    return blocks.repeat(4, axis=0).repeat(4, axis=1)


@pytest.fixture
def curated(tmp_path: Path) -> Path:
    """A curated folder: 12 faces, the last two pictures nearly the same, and three far cats."""
    folder = tmp_path / "curated <b>"
    pictures = folder / FACE_CROP / SPLIT
    pictures.mkdir(parents=True)
    records, photos = [], []
    for index in range(COUNT):
        picture = noise(min(index, COUNT - 2))
        if index == COUNT - 1:
            picture = np.clip(picture * 0.9, 0, 255).astype(np.uint8)
        name = f"cat-{index:02d}.png"
        (pictures / name).write_bytes(encode_png(picture))
        face = FaceRecord(
            box=(0, 0, 100 + index, 100 + index),
            roll=-5.0,
            score=1.0,
            recipe="by hand",
            sharpness=0.7,
            brightness=200.0,
            file=name,
        )
        photos.append(photo(f"{name}.jpg", Verdict.KEPT, "1 face found", face))
        records.append(PictureRecord(file_name=name, photo=f"{name}.jpg"))
    for index in range(3):
        reason = f"the crop would be {50 + index} pixels wide, fewer than 64"
        far = FaceRecord(box=(0, 0, 9, 9), roll=0, score=1, recipe="by hand")
        photos.append(photo(f"far-{index}.jpg", Verdict.FACE_TOO_SMALL, reason, far))
    write_metadata(pictures, records)
    write_photos(folder, photos)
    write_note(folder, NOTE)
    return folder


NOTE = CuratedNote(finished=True, settings={})


def photo(path: str, verdict: Verdict, reason: str, face: FaceRecord) -> PhotoRecord:
    return PhotoRecord(
        path=path, sha256="", width=640, height=480, verdict=verdict, reason=reason, faces=(face,)
    )


def test_what_was_put_in_comes_out(curated: Path) -> None:
    seen = inspect_curated(curated)
    assert seen.photos == COUNT + 3
    assert {count.verdict: count.photos for count in seen.verdicts} == {
        "kept": COUNT,
        "face-too-small": 3,
    }
    assert seen.verdicts[1].reason == "the crop would be 50 pixels wide, fewer than 64"
    (faces,) = seen.sets
    assert (faces.pictures, faces.side) == (COUNT, (32, 32))
    widths = next(spread for spread in seen.spreads if spread.name == "face width")
    assert widths.count == COUNT  # only faces that have a picture
    assert widths.quantiles[2] == pytest.approx(105.5)  # the median of 100 to 111
    assert sum(widths.counts) == COUNT


def test_the_near_copy_stands_first(curated: Path) -> None:
    pair, first, second, pictures = inspect_curated(curated).sets[0].pairs[0]
    assert (first, second) == ("cat-10.png.jpg", "cat-11.png.jpg"), "the photos, as on record"
    assert pair.alike > 0.99
    assert pictures.shape == (2, 32, 32, 3)


def test_the_mean_picture_is_the_mean(curated: Path) -> None:
    pictures = [noise(index) for index in range(COUNT - 1)]
    pictures.append(np.clip(pictures[-1] * 0.9, 0, 255).astype(np.uint8))
    mean = inspect_curated(curated).sets[0].mean
    assert np.abs(mean - np.mean(pictures, axis=0)).max() <= 0.5  # rounding


def test_the_page_loads_nothing_and_escapes_names(curated: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_page(inspect_curated(curated), page)
    html = page.read_text(encoding="utf-8")
    assert "http://" not in html
    assert "https://" not in html
    assert "curated <b>" not in html

    class Images(HTMLParser):
        seen = 0

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "img":
                given = dict(attrs)
                assert given.get("alt")
                assert str(given["src"]).startswith("data:image/")
                Images.seen += 1

    Images().feed(html)
    assert Images.seen >= 4


def test_the_record_is_json(curated: Path) -> None:
    record = inspect_curated(curated).to_json()
    assert json.loads(json.dumps(record))["data_sets"][0]["pictures"] == COUNT


def test_what_each_data_set_is(curated: Path) -> None:
    """In words, for those that `curate` says it made; a folder of the same name is anybody's."""
    picture = encode_png(noise(0))
    for name in ("full-body", "full-body-kept"):
        (curated / name).mkdir()
        (curated / name / "cat-00.png").write_bytes(picture)
    note = dataclasses.replace(NOTE, data_sets={"full-body": 1, "face-crop": 12})
    write_note(curated, note)
    assert [(found.name, found.about) for found in inspect_curated(curated).sets] == [
        ("full-body", "every readable photo, whole"),
        ("full-body-kept", ""),
        ("face-crop", "the faces, level and centred"),
    ]
    everything = {"full-body": 1, "full-body-kept": 1, "face-crop": 12}
    write_note(curated, dataclasses.replace(NOTE, data_sets=everything))
    assert inspect_curated(curated).sets[1].about == "the photos of face-crop, whole"
    assert "The photos of face-crop, whole." in render(inspect_curated(curated))


def test_any_folder_of_pictures_will_do(curated: Path) -> None:
    for folder in (curated / FACE_CROP, curated / FACE_CROP / SPLIT):
        seen = inspect_curated(folder)
        assert (seen.photos, seen.verdicts, seen.spreads) == (0, (), ())
        assert (seen.raw, seen.gone, seen.finished) == (None, None, True)
        assert seen.sets[0].pictures == COUNT


def test_what_an_older_catgan_wrote(tmp_path: Path) -> None:
    folder = shutil.copytree(BEFORE / "curated", tmp_path / "curated")
    seen = inspect_curated(folder, BEFORE / "raw")
    assert (seen.photos, seen.gone, seen.raw) == (8, 0, BEFORE / "raw")
    assert [found.name for found in seen.sets] == ["full-body", "full-body-kept", "face-crop"]
    assert [found.about != "" for found in seen.sets] == [True] * 3
    assert seen.verdicts[0].photos == 4
    assert {spread.count for spread in seen.spreads} == {5}


def test_the_photos_that_are_gone(curated: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    assert inspect_curated(curated, raw).gone == COUNT + 3
    (raw / "far-1.jpg").write_bytes(b"")
    assert inspect_curated(curated, raw).gone == COUNT + 2
    write_note(curated, dataclasses.replace(NOTE, raw="../raw"))
    seen = inspect_curated(curated)
    assert (seen.raw, seen.gone) == (raw, COUNT + 2)
    raw.rename(tmp_path / "elsewhere")
    seen = inspect_curated(curated)
    assert (seen.raw, seen.gone) == (raw, None)
    with pytest.raises(NoSuchFolder, match="--raw"):
        inspect_curated(curated, raw)


@pytest.mark.parametrize("name", ["photos.jsonl", "catgan.json"])
def test_damaged_records(curated: Path, name: str) -> None:
    path = curated / name
    path.write_text(path.read_text().replace(":", ";", 1))
    with pytest.raises(BadRecord, match=name):
        inspect_curated(curated)


def test_bad_folders(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFolder, match="does not exist"):
        inspect_curated(tmp_path / "none")
    with pytest.raises(NoPictures):
        inspect_curated(tmp_path)


def test_pairs_do_not_share_pictures_and_come_in_order() -> None:
    pictures = np.stack([noise(index % 5) for index in range(11)])
    pairs = nearest_pairs(pictures, most=4)
    taken = [index for pair in pairs for index in (pair.first, pair.second)]
    assert len(set(taken)) == len(taken) == 8
    assert [pair.alike for pair in pairs] == sorted((pair.alike for pair in pairs), reverse=True)
    assert pairs[0].alike == pytest.approx(1, abs=1e-5)
    assert nearest_pairs(pictures[:1]) == []


def test_pairs_do_not_depend_on_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = np.stack([noise(index) for index in range(20)])
    whole = nearest_pairs(pictures)
    monkeypatch.setattr("catgan.inspect.pairs.BLOCK", 3)
    parts = nearest_pairs(pictures)
    assert [(p.first, p.second) for p in whole] == [(p.first, p.second) for p in parts]


def test_no_values_have_no_spread() -> None:
    assert spread_of([], name="x", unit="", meaning="") is None


def test_every_photo_without_a_crop_is_shown_with_its_reason(
    curated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its picture from full-body where there is one, else from the photo, else none."""
    raw = curated.parent / "raw"
    raw.mkdir()
    photos = read_photos(curated)
    full = curated / FULL_BODY / SPLIT
    full.mkdir(parents=True)
    (full / "far-0.png").write_bytes(encode_png(noise(1)))
    (raw / "far-1.jpg").write_bytes(encode_png(noise(2, 64)))
    outputs = {FULL_BODY: f"{FULL_BODY}/{SPLIT}/far-0.png"}
    photos = [
        dataclasses.replace(one, outputs=outputs) if one.path == "far-0.jpg" else one
        for one in photos
    ]
    write_photos(curated, photos)
    seen = inspect_curated(curated, raw)
    (others,) = seen.others
    assert (others.verdict, others.more) == ("face-too-small", 0)
    assert [one.name for one in others.photos] == [f"far-{index}.jpg" for index in range(3)]
    assert [one.picture is None for one in others.photos] == [False, False, True]
    for index, one in enumerate(others.photos):
        assert one.reason == f"the crop would be {50 + index} pixels wide, fewer than 64"
        assert one.reason in render(seen)

    monkeypatch.setattr("catgan.inspect.others.MOST", 2)
    seen = inspect_curated(curated, raw)
    assert [len(others.photos) for others in seen.others] == [2]
    assert "3 photos, of which 2 are shown" in render(seen)
