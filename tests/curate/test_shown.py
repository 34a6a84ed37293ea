"""What the face finder is fitted on: the same for the same photo, and kept between two fits."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import fit_verifier
from benchmarks.fit_verifier import around
from benchmarks.shown import Seen, examples, see, views_of
from catgan.curate.heads import ROLL_UNIT
from catgan.curate.maps import NetMaps


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Four photos with something round on them, which is said to be a face, and two without."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "photos"
    (folder / "faces").mkdir(parents=True)
    (folder / "no-cat" / "rooms").mkdir(parents=True)
    rows, columns = np.mgrid[:180, :240]
    for number in range(6):
        pixels = rng.integers(90, 160, (180, 240, 3), dtype=np.uint8)
        if number in (1, 2, 4, 5):
            x = 70 + 20 * number
            pixels[(rows - 90) ** 2 + (columns - x) ** 2 < 40**2] = (200, 150, 100)
            (folder / "faces" / f"{number}.txt").write_text(f"0 {x / 240} 0.5 0.34 0.45\n")
            Image.fromarray(pixels).save(folder / "faces" / f"{number}.jpg")
        else:
            Image.fromarray(pixels).save(folder / "no-cat" / "rooms" / f"{number}.jpg")
    return folder


def same(one: Seen, two: Seen) -> bool:
    return (
        all((getattr(one, n) == getattr(two, n)).all() for n in ("fine", "coarse", "view_of"))
        and all((a == b).all() for a, b in zip(one.shown, two.shown, strict=True))
        and all((one.crop[name] == two.crop[name]).all() for name in one.crop)
        and bool((one.rows == two.rows).all())
    )


def test_what_was_seen_is_kept_and_is_the_same(photos: Path, tmp_path: Path) -> None:
    class Blind(NetMaps):
        def look(self, pictures: object) -> object:  # type: ignore[override]
            raise AssertionError("it looked again")

    found, cache = examples(photos), tmp_path / "cache"
    fresh = see(NetMaps(), found, None)
    first = see(NetMaps(), found, cache)
    kept = see(Blind(), found, cache)
    assert same(fresh, first) and same(first, kept)
    numbers = kept.rows[kept.rows[:, 1] > 0, 7] // 16
    assert (numbers == kept.rows[kept.rows[:, 1] > 0, 0]).all(), "each face has a turn of its own"


def test_other_labels_are_seen_anew(photos: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    see(NetMaps(), examples(photos), cache)
    before = len(list(cache.iterdir()))
    (photos / "faces" / "1.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    see(NetMaps(), examples(photos), cache)
    changed = [one for one in examples(photos) if one.labelled.path.name == "1.jpg"]
    assert before < len(list(cache.iterdir())) <= before + len(changed)


def test_the_same_photos_and_seed_give_the_same_file(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = []
    for name, seed in (("one", 0), ("two", 0), ("three", 1)):
        out = tmp_path / f"{name}.safetensors"
        line = ["fit", str(photos), str(out), "--seed", str(seed), "--cache", str(tmp_path / "c")]
        monkeypatch.setattr(sys, "argv", line)
        fit_verifier.main()
        files.append(out.read_bytes())
    assert files[0] == files[1] != files[2]


def test_views_are_the_same_each_time_and_show_the_face_where_they_say(photos: Path) -> None:
    example = next(one for one in examples(photos) if one.has_faces)
    opened = example.open()
    assert opened is not None
    pixels, faces, _ = opened
    one, two = (views_of(example, pixels, faces) for _ in range(2))
    assert all((a[0] == b[0]).all() and (a[1] == b[1]).all() for a, b in zip(one, two, strict=True))
    inside = 0
    for canvas, shown in one:
        x, y = shown[0, :2]
        grey = (canvas == canvas[..., :1]).all()  # some are shown without colours
        if not grey and 0 <= x < canvas.shape[1] and 0 <= y < canvas.shape[0]:
            inside += 1
            red, _, blue = canvas[int(y), int(x)].astype(int)
            assert red > blue + 20, "its colour"  # 100 apart, at least 0.7 times that, and dyed
    assert inside, "none of them shows it"


@pytest.mark.parametrize(("got", "right"), [(175, -175), (-190, 170), (10, 350), (90, -90), (5, 5)])
def test_turns_are_compared_the_short_way_round(got: float, right: float) -> None:
    one, other = around(torch.tensor([got / ROLL_UNIT]), torch.tensor([right / ROLL_UNIT]))
    apart = abs(float(one - other)) * ROLL_UNIT
    short = abs((got - right + 180) % 360 - 180)
    assert apart == pytest.approx(short, abs=1e-4)  # float32
    assert (float(one) * ROLL_UNIT - got + 180) % 360 == pytest.approx(180, abs=1e-3), "whole turns"


def test_a_photo_is_left_out_with_what_is_made_of_it(photos: Path) -> None:
    folds: dict[str, set[int]] = {}
    for one in examples(photos):
        folds.setdefault(str(one.labelled.path), set()).add(one.fold)
    assert all(len(own) == 1 for own in folds.values())
    assert any(one.made for one in examples(photos))
