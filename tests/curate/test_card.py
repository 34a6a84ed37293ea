"""The card of a data set: true, the owner's where it should be, and loadable as it says."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from catgan.curate.card import COLUMNS
from catgan.curate.config import CurateConfig
from catgan.curate.pipeline import curate_photos
from catgan.formats import cards
from catgan.formats.datasets import FACE_CROP, FULL_BODY, FULL_BODY_KEPT, PictureRecord
from tests.drawing import EyeDetector, Head, draw_photo, encode, read_jsonl, tree, write

CONFIG = CurateConfig(workers=1, size=32, ablation=True)
SETS = (FULL_BODY, FULL_BODY_KEPT, FACE_CROP)


def curate(home: Path, config: CurateConfig = CONFIG) -> Path:
    curate_photos(home / "raw", home / "curated", config, make_detector=EyeDetector())
    return home / "curated"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three photos: a cat, another, and a meadow; one knows where it was taken."""
    for seed in range(2):
        picture = draw_photo(280, 140, Head(cx=90 + 40 * seed, cy=70, w=80), seed=seed)
        exif = Image.Exif()
        exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 28.0, 38.0)})  # GPSLatitude
        write(tmp_path / "raw" / f"tama {seed}.jpg", encode(picture, exif=exif.tobytes()))
    write(tmp_path / "raw" / "meadow.jpg", encode(draw_photo(280, 140, seed=7)))
    return tmp_path


def card_of(curated: Path, name: str) -> str:
    return (curated / name / cards.NAME).read_text(encoding="utf-8")


def test_every_column_is_in_words() -> None:
    assert list(COLUMNS) == [field.name for field in dataclasses.fields(PictureRecord)]


@pytest.mark.parametrize("name", SETS)
def test_it_says_what_is_there(home: Path, name: str) -> None:
    curated = curate(home)
    card = card_of(curated, name)
    records = read_jsonl(curated / name / "train" / "metadata.jsonl")
    assert f"\n{len(records)} images of 32 x 32 pixels" in card
    columns = set(re.findall(r"^\| `(\w+)` \|", card, re.MULTILINE))
    assert columns == {key for record in records for key in record}
    assert "from 3 photos: 2 kept, 1 no-face." in card
    assert "| `--margin` | 0.25 |" in card


@pytest.mark.parametrize("name", SETS)
def test_it_gives_nobody_away(home: Path, name: str) -> None:
    curated = curate(home)
    for path in (curated / name).rglob("*.png"):
        with Image.open(path) as image:
            assert not image.getexif()
            assert image.info == {}
    card = card_of(curated, name)
    assert str(home) not in card
    assert not re.search(r"[\"' (]/\w|[A-Z]:\\|tama|meadow", card)
    front = card.split("---")[1]
    assert not re.search(r"^license:", front, re.MULTILINE)


def test_what_the_owner_wrote_is_kept(home: Path) -> None:
    curated = curate(home)
    path = curated / FACE_CROP / cards.NAME
    mine = card_of(curated, FACE_CROP).replace(cards.LICENCE, "license: cc-by-4.0")
    mine = mine.replace(cards.UNSAID, "Do as you like, and name Tama.") + "\nTama is 7.\n"
    path.write_text(mine, encoding="utf-8")
    (home / "raw" / "tama 1.jpg").unlink()
    curate(home)
    now = card_of(curated, FACE_CROP)
    assert now.startswith(mine.split(cards.BEGIN)[0])
    assert now.endswith("\nTama is 7.\n")
    assert "\n1 image of 32 x 32 pixels" in now
    assert "2 images" not in now


@pytest.mark.parametrize("text", ["# My cats\n", "\udcff", ""])
def test_a_page_of_somebody_elses_stays(home: Path, text: str) -> None:
    mine = home / "curated" / FACE_CROP / cards.NAME
    curate(home)
    data = text.encode("utf-8", "surrogateescape")
    mine.write_bytes(data)
    curate(home, CurateConfig(workers=1, size=16))
    assert mine.read_bytes() == data


@pytest.mark.skipif(os.name == "nt", reason="needs links")
def test_nothing_is_written_through_a_link(home: Path) -> None:
    curated = curate(home)
    card, elsewhere = curated / FACE_CROP / cards.NAME, home / "elsewhere.md"
    card.rename(elsewhere)
    card.symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    curate(home, CurateConfig(workers=1, size=16))
    assert elsewhere.read_bytes() == before
    assert card.is_symlink()


def test_it_goes_with_the_last_image(home: Path) -> None:
    curated = curate(home)
    for photo in (home / "raw").glob("tama*"):
        photo.unlink()
    curate(home)
    assert not (curated / FACE_CROP).exists()
    assert not (curated / FULL_BODY_KEPT).exists()
    assert "1 image of" in card_of(curated, FULL_BODY)


def test_it_depends_on_photos_and_settings_alone(home: Path) -> None:
    curated = curate(home)
    whole = tree(curated)
    for name in SETS:
        (curated / name / cards.NAME).unlink()
        (curated / name / f".{cards.NAME}.partial").write_bytes(b"half")
    curate(home)
    assert tree(curated) == whole


def block_with(card: str, word: str) -> str:
    """The block of a card's code that has a word in it."""
    (found,) = [b for b in re.findall(r"```python\n(.*?)```", card, re.DOTALL) if word in b]
    return str(found)


@pytest.mark.parametrize(("name", "images"), [(FULL_BODY, 3), (FACE_CROP, 2)])
def test_its_lines_for_torchvision_load_it(
    home: Path, name: str, images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    curated = curate(home)
    monkeypatch.chdir(curated)
    there: dict[str, Any] = {}
    exec(block_with(card_of(curated, name), "ImageFolder"), there)
    assert [image.size for image, _ in there["images"]] == [(32, 32)] * images


SHOW = """
import json
print(json.dumps([(row["photo"], row["image"].size) for row in images]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", [FULL_BODY, FACE_CROP])
def test_its_lines_for_hugging_face_load_it(home: Path, name: str) -> None:
    """In a process of its own: where its caches are, it is told before it is imported."""
    curated = curate(home)
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(home / "home")}
    done = subprocess.run(
        [sys.executable, "-c", block_with(card_of(curated, name), "load_dataset") + SHOW],
        cwd=curated,
        env=os.environ | offline,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    photos = {"tama 0.jpg", "tama 1.jpg"} | ({"meadow.jpg"} if name == FULL_BODY else set())
    rows = json.loads(done.stdout.splitlines()[-1])
    assert sorted(rows) == sorted([photo, [32, 32]] for photo in photos)
