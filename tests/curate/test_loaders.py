"""Data sets load whole in other people's loaders, whatever the photos are called."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from catgan.curate.config import CurateConfig
from catgan.curate.pipeline import CurateResult, curate_photos
from catgan.formats.datasets import FACE_CROP, FULL_BODY, SPLIT, find_datasets, read_metadata
from tests.drawing import EyeDetector, Head, draw_photo, encode, write

# Words that Hugging Face's `imagefolder` takes for the names of splits.
PHOTOS = (
    "test.jpg",
    "our train trip.jpg",
    "val 2.png",
    "dev-eval.jpg",
    "validation_testing.jpg",
    "Training day/eval.jpg",
    "train/0001.jpg",
    "valid.test.jpg",
)


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory) -> CurateResult:
    """One picture of each photo in each data set, and of some left out: a copy and a burst."""
    raw = tmp_path_factory.mktemp("train trip test") / "raw"
    for seed, name in enumerate(PHOTOS):
        heads = (Head(cx=60 + 9 * seed, cy=50 + 6 * seed, w=70), Head(cx=220, cy=60, w=60))
        picture = draw_photo(280, 140, *heads[: 1 + seed % 2], seed=seed)
        write(raw / name, encode(picture, "PNG" if name.endswith("png") else "JPEG"))
        if seed == 0:
            write(raw / "zz test copy.jpg", (raw / name).read_bytes())
            write(raw / "zz train.jpg", encode(picture[1:, 1:]))
    config = CurateConfig(workers=1, size=32, faces="all")
    result = curate_photos(raw, raw.parent / "curated", config, make_detector=EyeDetector())
    assert result.counts["duplicate"] == 2
    assert list(result.curated.rglob("*.out"))
    return result


def expected(curated: CurateResult, name: str) -> set[str]:
    """The pictures that the records speak of."""
    files = set(read_metadata(curated.curated / name))
    assert len(files) == curated.data_sets[name] >= len(PHOTOS)
    return files


@pytest.mark.parametrize("name", [FULL_BODY, FACE_CROP])
def test_ours(curated: CurateResult, name: str) -> None:
    (found,) = find_datasets(curated.curated / name)
    assert set(found.files) == expected(curated, name)
    (same,) = [dataset for dataset in find_datasets(curated.curated) if dataset.name == name]
    assert same.paths() == found.paths()


@pytest.mark.parametrize("name", [FULL_BODY, FACE_CROP])
def test_torchvision_of_one_data_set(curated: CurateResult, name: str) -> None:
    from torchvision.datasets import ImageFolder

    one = ImageFolder(str(curated.curated / name))
    assert one.classes == [SPLIT]
    assert {Path(path).name for path, _ in one.samples} == expected(curated, name)
    assert len(one.samples) == curated.data_sets[name]


def test_torchvision_of_both(curated: CurateResult) -> None:
    from torchvision.datasets import ImageFolder

    both = ImageFolder(str(curated.curated))
    assert both.classes == [FACE_CROP, FULL_BODY]
    for index, name in enumerate(both.classes):
        files = [Path(path).name for path, label in both.samples if label == index]
        assert sorted(files) == sorted(expected(curated, name))


PROGRAM = """
import json, sys
from datasets import load_dataset
splits = load_dataset("imagefolder", data_dir=sys.argv[1], cache_dir=sys.argv[2])
print(json.dumps({split: [{**row, "image": row["image"].size} for row in rows]
                  for split, rows in splits.items()}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", [FULL_BODY, FACE_CROP])
def test_hugging_face(curated: CurateResult, name: str, tmp_path: Path) -> None:
    """In a process of its own: where its caches are, it is told before it is imported."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}
    folder = curated.curated / name
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), str(tmp_path / "cache")],
        capture_output=True,
        text=True,
        env=os.environ | offline,
    )
    assert done.returncode == 0, done.stderr
    splits = json.loads(done.stdout.splitlines()[-1])
    assert list(splits) == ["train"]
    metadata = read_metadata(folder)
    assert len(splits["train"]) == len(expected(curated, name))
    found = {
        (row["photo"], row["sha256"], tuple(row.get("box") or ()), *row["image"])
        for row in splits["train"]
    }
    assert found == {
        (record.photo, record.sha256, record.box or (), 32, 32) for record in metadata.values()
    }
