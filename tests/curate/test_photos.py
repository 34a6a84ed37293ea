"""The real cascades on real photos, as far as those are at hand."""

from pathlib import Path

import pytest
from PIL import Image

from catgan.curate.config import CurateConfig
from catgan.curate.pipeline import curate_photos
from catgan.formats.datasets import FACE_CROP, FULL_BODY, SPLIT
from tests.drawing import read_jsonl, tree

FACES, EMPTY = 20, 5
# The recipe found a right box in 74% of 490 photos: of 20, 14.8 on average with a deviation of
# 2.0. Three deviations below is 9.
FLOOR = 9


def labels(path: Path, width: int, height: int) -> list[tuple[float, float, float, float]]:
    """The boxes of a photo as (left, top, width, height) in pixels."""
    boxes = []
    for line in path.read_text().splitlines():
        xc, yc, w, h = (float(value) for value in line.split()[1:5])
        boxes.append(((xc - w / 2) * width, (yc - h / 2) * height, w * width, h * height))
    return boxes


def is_right(box: list[float], label: tuple[float, float, float, float]) -> bool:
    """The rule of the photos' README: centre in the label, 0.4 to 2.2 times its longer side."""
    left, top, width, height = label
    cx, cy = box[0] + box[2] / 2, box[1] + box[3] / 2
    inside = left <= cx <= left + width and top <= cy <= top + height
    return inside and 0.4 <= box[2] / max(width, height) <= 2.2


def test_right_faces_are_found_and_cropped(photos: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    numbers = sorted(int(path.stem) for path in (photos / "faces").glob("*.jpg"))
    measuring = [number for number in numbers if number % 3 == 0][:FACES]
    for number in measuring:
        (raw / f"{number}.jpg").symlink_to(photos / "faces" / f"{number}.jpg")
    for path in sorted((photos / "no-cat").rglob("*.jpg"))[:EMPTY]:
        (raw / f"empty-{path.name}").symlink_to(path)

    result = curate_photos(raw, tmp_path / "curated", CurateConfig(cascade="turned", workers=2))

    assert result.photos == FACES + EMPTY
    assert result.data_sets[FULL_BODY] == FACES + EMPTY
    assert result.counts["unreadable"] == 0
    for name in (FULL_BODY, FACE_CROP):
        pictures = list((result.curated / name / SPLIT).glob("*.png"))
        assert len(pictures) == result.data_sets[name]
        assert {Image.open(path).size for path in pictures} == {(64, 64)}
    found = 0
    for record in read_jsonl(result.curated / "photos.jsonl"):
        if record["path"].startswith("empty-"):
            continue
        boxes = labels(
            photos / "faces" / record["path"].replace(".jpg", ".txt"),
            record["width"],
            record["height"],
        )
        found += any(is_right(face["box"], label) for face in record["faces"] for label in boxes)
    assert found >= FLOOR


@pytest.mark.parametrize("recipe", ["quick"])
def test_phone_photos(photos: Path, tmp_path: Path, recipe: str) -> None:
    """Twelve megapixels: read reduced, and their sizes told right."""
    large = photos / "large"
    result = curate_photos(large, tmp_path / "curated", CurateConfig(cascade=recipe, workers=1))
    assert result.counts["unreadable"] == 0
    for record in read_jsonl(result.curated / "photos.jsonl"):
        assert {record["width"], record["height"]} == {4032, 3024}


def test_the_default_finder_gives_the_same_files_however_many_processes(
    photos: Path, tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    for number in range(3, 25, 3):
        if (path := photos / "faces" / f"{number}.jpg").exists():
            (raw / path.name).symlink_to(path)
    for workers in (1, 2):
        result = curate_photos(raw, tmp_path / str(workers), CurateConfig(workers=workers))
        assert result.data_sets[FACE_CROP] >= 4
    assert tree(tmp_path / "1") == tree(tmp_path / "2")
