"""The parts of a comparison: neighbours, agreement, faces, grids, curves."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from catgan.compare.inputs.real_images import draw
from catgan.compare.measured.agreement import agreement
from catgan.compare.measured.face_size import face_size
from catgan.compare.report.grids import (
    BUDGET,
    SHOWS,
    SampleGrid,
    closest,
    contrast_of,
    first_to_show,
    read_grid,
    spread,
    through_time,
)
from catgan.compare.report.pictures import Still, sheet_of
from catgan.core.loading import load_pictures
from catgan.core.pictures import cut_sheet, encode_png, mean_picture, sheet
from catgan.formats.curated import CuratedNote, write_note
from catgan.formats.photos import FaceRecord, PhotoRecord, write_photos
from catgan.measure.metrics.neighbours import (
    FEWEST,
    FEWEST_AMONG,
    among,
    nearest,
    too_close,
    usual,
)
from catgan.measure.statistics.differences import rate_difference, rate_over_runs
from catgan.model.sample import to_pictures
from tests.compare.conftest import draw_dataset


def points(count: int, seed: int, dimensions: int = 6) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((count, dimensions)).astype(np.float32)


# neighbours


def test_the_nearest_is_the_nearest() -> None:
    queries, others = points(1300, 1), points(70, 2)  # more than a chunk
    found = nearest(queries, others)
    apart = np.linalg.norm(queries[:, None].astype(float) - others[None], axis=2)
    np.testing.assert_array_equal(found.index, apart.argmin(axis=1))
    np.testing.assert_allclose(found.distance, apart.min(axis=1), rtol=1e-12)


def test_a_copy_is_its_own_nearest_at_no_distance() -> None:
    # far from the origin, where squares of large numbers would swallow small distances
    others = points(50, 3) + 1000
    found = nearest(others, others)
    np.testing.assert_array_equal(found.index, np.arange(50))
    np.testing.assert_array_equal(found.distance, 0)


def test_copies_are_too_close_and_new_pictures_are_not() -> None:
    train, held_out = points(200, 4), points(400, 5)
    real = nearest(held_out, train)

    def share(samples: NDArray[np.float32]) -> float:
        found = too_close(nearest(samples, train), real)
        assert found is not None
        return found.share

    assert share(train) == 1
    assert share(points(500, 6) + 50) == 0, "far from everything is close to nothing"
    # 5% by definition; three standard deviations of 500 draws are 3%
    assert share(points(500, 7)) == pytest.approx(0.05, abs=0.03)


@pytest.mark.parametrize("held_out", [60, 200])
def test_crowds_that_are_alike_are_as_close_and_no_difference_is_shown(held_out: int) -> None:
    """The threshold is measured too: 5% of 60 real pictures are 3, give or take 3.

    Over 150 repetitions 95 times in 100, less three standard deviations of that, which are 5.
    Intervals that take the threshold for exact hold it in 57 and show a difference in 42.
    """
    held = shown = exact = 0
    for i in range(0, 900, 6):
        rates = []
        for side in (i, i + 3):
            train, real, samples = (
                points(200, side),
                points(held_out, side + 1),
                points(300, side + 2),
            )
            found = too_close(nearest(samples, train), nearest(real, train))
            assert found is not None
            rates.append(found)
        over = rate_over_runs(rates[:1])
        held += over.low <= 0.05 <= over.high
        shown += rate_difference(rates[:1], rates[1:]).shown
        bare = [dataclasses.replace(one, below=0.0, above=0.0) for one in rates]
        exact += rate_difference(bare[:1], bare[1:]).shown
    assert held >= 0.89 * 150
    assert shown <= 0.11 * 150
    if held_out == 60:
        assert exact > 0.25 * 150, "or the threshold matters too little here to say anything"


def test_copies_stay_copies_wherever_the_threshold_may_lie() -> None:
    train, real = points(200, 4), nearest(points(60, 5), points(200, 4))
    copied, new = (too_close(nearest(samples, train), real) for samples in (train, points(500, 7)))
    assert copied is not None
    assert new is not None
    assert (copied.share, copied.below) == (1, 0)
    assert rate_difference([copied], [new]).low > 0.5
    # held against one threshold, what that moves in both alike falls out
    same, apart = (rate_difference([new], [new], same_real=same) for same in (True, False))
    assert same.high - same.low < apart.high - apart.low
    assert same.value == apart.value == 0


def test_how_near_an_image_is_to_one_is_told_by_how_near_it_is_to_others() -> None:
    others = np.arange(1, 9, dtype=np.float32)[:, None] ** 2  # 1, 4, 9, 16, 25, ...
    found = nearest(np.array([[0], [4], [4.5]], dtype=np.float32), others)
    # the fifth nearest of 0 is 25; of 4 and of 4.5, after 1, 9 and 16, it is 25, too
    np.testing.assert_allclose(found.relative, [1 / 25, 0, 0.5 / 20.5])
    few = nearest(np.array([[0.0]]), others[:3])
    np.testing.assert_allclose(few.relative, [1 / 9])
    np.testing.assert_array_equal(nearest(others, others[:1]).relative, [0, *[1] * 7])


def test_among_themselves_images_have_others_only() -> None:
    images = points(40, 8)
    found = among(np.concatenate([images, images[:10]]))  # ten of them are there twice
    apart = np.linalg.norm(images[:, None].astype(float) - images[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    np.testing.assert_allclose(found.distance[:40], apart.min(axis=1), rtol=1e-12)
    np.testing.assert_allclose(found.distance[40:], apart.min(axis=1)[:10], rtol=1e-12)
    assert np.isinf(among(np.ones((9, 3))).distance).all()


@pytest.mark.parametrize("train", [30, 120])
def test_without_held_out_images_those_trained_on_say_what_is_usual(train: int) -> None:
    """Copies are all found, blurred ones too; of new images as many as chance gives.

    5% of 30 images are one or two, so single crowds differ; over 40 of them the mean is 5% give
    or take three standard errors, which are those of a limit read off so many images.
    """
    none, shares, held_out = np.empty((0, 12), np.float32), [], []
    for seed in range(0, 120, 3):
        known, new, real = (
            points(train, seed, 12),
            points(300, seed + 1, 12),
            points(200, seed + 2, 12),
        )
        found = too_close(nearest(new, known), usual(none, known))
        by_real = too_close(nearest(new, known), usual(real, known))
        assert found is not None
        assert by_real is not None
        shares.append(found.share)
        held_out.append(by_real.share)
        # moved by a third of what lies between two images, each its own way
        copied = known + points(train, seed + 3, 12) * 0.33
        for copies in (known, copied):
            found = too_close(nearest(copies, known), usual(none, known))
            assert found is not None
            assert found.share > 0.9
    spread = 3 * np.sqrt(0.05 * 0.95 / train / 40)
    assert np.mean(shares) == pytest.approx(np.mean(held_out), abs=spread + 0.02)


def test_copies_are_found_among_images_that_are_there_twice() -> None:
    twice = np.concatenate([points(30, 9)] * 2)
    found = too_close(nearest(twice, twice), usual(np.empty((0, 6)), twice))
    assert found is not None
    assert found.share == 1


def test_bursts_hide_no_copies() -> None:
    """Four images of every scene lie close together: a copy is like four images, not like one."""
    rng = np.random.default_rng(10)
    burst = np.repeat(points(30, 11, 12), 4, axis=0) + 0.1 * points(120, 12, 12)
    copies = burst[rng.permutation(120)[:60]] + 0.02 * points(60, 13, 12)
    found = too_close(nearest(copies, burst), usual(np.empty((0, 12)), burst))
    assert found is not None
    assert found.share > 0.9


def test_too_few_real_images_give_no_share() -> None:
    few = points(FEWEST_AMONG - 1, 14)
    assert too_close(nearest(points(50, 15), few), usual(few, few)) is None
    # a few held-out ones give way to those trained on
    train = points(60, 16)
    by_few, by_none = (usual(points(count, 17), train) for count in (FEWEST - 1, 0))
    np.testing.assert_array_equal(by_few.relative, by_none.relative)
    assert len(usual(points(FEWEST, 17), train).relative) == FEWEST


# real images


def test_the_mean_is_the_mean() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (300, 5, 6, 3), dtype=np.uint8)
    np.testing.assert_allclose(mean_picture(pictures), pictures.mean(axis=0), atol=0.5 + 1e-9)


def test_agreement_is_all_of_equal_pictures_and_none_of_noise() -> None:
    rng = np.random.default_rng(1)
    one = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    same = agreement(np.repeat(one[None], 5, axis=0))
    assert same is not None
    assert (same.share, same.error) == pytest.approx((1, 0), abs=1e-5)
    noise = rng.integers(0, 256, (200, 16, 16, 3), dtype=np.uint8)
    found = agreement(noise)
    assert found is not None
    # 19,900 pairs that correlate by 1/16 at random: 0.0004
    assert abs(found.share) < 0.003
    assert 0 < found.error < 0.002


def test_agreement_is_the_share_that_is_shared() -> None:
    rng = np.random.default_rng(2)
    shared = rng.normal(0, 30, (32, 32, 1))
    own = rng.normal(0, 30, (100, 32, 32, 1))
    pictures = np.repeat((128 + shared + own).clip(0, 255), 3, axis=3).astype(np.uint8)
    # half of the variance; 1,024 pixels know it to 4%
    found = agreement(pictures)
    assert found is not None
    assert found.share == pytest.approx(0.5, abs=0.05)
    brighter = (pictures // 2 + np.arange(100).reshape(-1, 1, 1, 1)).astype(np.uint8)
    found = agreement(brighter)
    assert found is not None
    assert found.share == pytest.approx(0.5, abs=0.05), "brightness is no pattern"


def test_agreement_is_that_of_all_pairs_and_its_error_that_of_leaving_pictures_out() -> None:
    rng = np.random.default_rng(3)
    shared = rng.normal(0, 30, (8, 8, 1))
    pictures = (128 + shared + rng.normal(0, 40, (9, 8, 8, 3))).clip(0, 255).astype(np.uint8)

    def over_pairs(chosen: NDArray[np.uint8]) -> float:
        grey = chosen.astype(float) @ [0.299, 0.587, 0.114]
        flat = (grey - grey.mean(axis=(1, 2), keepdims=True)).reshape(len(chosen), -1)
        products = flat @ flat.T
        own = np.trace(products) / len(chosen)
        others = (products.sum() - np.trace(products)) / (len(chosen) * (len(chosen) - 1))
        return float(others / own)

    found = agreement(pictures)
    assert found is not None
    # the pattern is kept in single precision
    assert found.share == pytest.approx(over_pairs(pictures), rel=1e-5)
    left = np.array([over_pairs(np.delete(pictures, i, axis=0)) for i in range(9)])
    assert found.error == pytest.approx(np.sqrt(8 * left.var()), rel=1e-4)


def test_agreement_of_two_or_of_blank_pictures_is_unknown() -> None:
    noise = np.random.default_rng(4).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    assert agreement(noise) is not None
    assert agreement(noise[:2]) is None
    noise[:2] = 7
    assert agreement(noise) is None, "without the third there is nothing to share"
    assert agreement(np.full((4, 8, 8, 3), 9, np.uint8)) is None


def test_drawing_names_is_seeded_and_without_repeats() -> None:
    names = [f"{index}.png" for index in range(50)]
    assert draw(names, 20, 1) == draw(names, 20, 1) != draw(names, 20, 2)
    assert sorted(draw(names, 80, 3)) == sorted(names)
    assert draw(names, 80, 3)[:20] == draw(names, 20, 3)


def test_pictures_are_read_as_they_are_when_they_fit(tmp_path: Path) -> None:
    names = draw_dataset(tmp_path, 3)
    pictures = load_pictures([tmp_path / name for name in names], 16)
    assert encode_png(pictures[1]) == (tmp_path / names[1]).read_bytes()
    assert load_pictures([tmp_path / names[0]], 8).shape == (1, 8, 8, 3)


# faces


def curated(folder: Path) -> None:
    """What curate writes of three photos: a face cropped, a face too small, none."""
    folder.mkdir(exist_ok=True)
    write_note(folder, CuratedNote(finished=True, settings={"margin": 0.5}))

    def photo(name: str, *faces: FaceRecord, **outputs: str) -> PhotoRecord:
        return PhotoRecord(
            path=f"{name}.jpg",
            sha256="",
            width=400,
            height=200,
            verdict="kept",
            reason="",
            faces=faces,
            outputs={"full-body": f"full-body/train/{name}.png"} | outputs,
        )

    def face(width: float, file: str | None = None) -> FaceRecord:
        return FaceRecord(box=(0, 0, width, width), roll=0, score=1, recipe="quick", file=file)

    write_photos(
        folder,
        [
            photo(
                "a",
                face(50, "a.png"),
                **{"face-crop": "face-crop/train/a.png", "full-body-kept": "full-body-kept/a.png"},
            ),
            photo("b", face(25)),
            photo("c"),
        ],
    )


def test_face_sizes_follow_from_what_curate_wrote(tmp_path: Path) -> None:
    curated(tmp_path)
    crop = face_size(tmp_path / "face-crop", 64)
    assert crop is not None
    assert (crop.width, crop.pictures) == (32, 1)  # half a width of margin on either side
    whole = face_size(tmp_path / "full-body", 64)
    assert whole is not None
    # 50 and 25 of the 200 pixels that become 64
    assert (whole.width, whole.pictures) == (12, 2)
    kept = face_size(tmp_path / "full-body-kept", 64)
    assert kept is not None
    assert (kept.width, kept.pictures) == (16, 1)


def test_other_folders_say_nothing_of_faces(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "mine", 2)
    assert face_size(tmp_path / "mine", 64) is None
    (tmp_path / "photos.jsonl").write_text('{"outputs": 3, "faces": "many"}\n')
    assert face_size(tmp_path / "mine", 64) is None
    (tmp_path / "photos.jsonl").unlink()
    curated(tmp_path)
    (tmp_path / "catgan.json").write_text('{"kind": "another program"}')
    assert face_size(tmp_path / "full-body", 64) is None


def test_what_an_older_catgan_curated_says_how_large_faces_are() -> None:
    before = Path(__file__).parent.parent / "fixtures" / "before" / "curated"
    for name in ("full-body", "full-body-kept", "face-crop"):
        found = face_size(before / name, 64)
        assert found is not None
        assert found.pictures >= 4


# grids


def test_a_sheet_is_cut_into_the_pictures_it_was_made_of() -> None:
    pictures = np.random.default_rng(3).integers(0, 256, (16, 9, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(cut_sheet(sheet(pictures, columns=8), 9), pictures)
    odd = np.zeros((20, 31, 3), np.uint8)
    np.testing.assert_array_equal(cut_sheet(odd, 9), odd[None])


def test_large_pictures_are_shown_smaller_and_small_ones_as_they_are() -> None:
    assert sheet_of(np.zeros((30, 256, 256, 3), np.uint8)).shape[1] == 6 * 66 + 2
    assert sheet_of(np.zeros((30, 32, 32, 3), np.uint8)).shape == (4 * 34 + 2, 6 * 34 + 2, 3)
    assert sheet_of(np.zeros((1, 2000, 1000, 3), np.uint8)).shape[0] <= 400


@pytest.mark.parametrize("most", [2, 3, 7, 40])
def test_spreading_keeps_the_ends_and_the_epoch_that_matters(most: int) -> None:
    epochs = list(range(5, 405, 5))
    found = spread(epochs, most, 130)
    assert len(found) <= most
    assert (found[0], found[-1]) == (5, 400)
    assert found == sorted(set(found))
    assert (130 in found) == (most > 2)
    assert spread([1, 2], 5) == [1, 2]


def test_the_closest_epoch_is_the_earlier_of_two() -> None:
    assert closest([5, 10, 15], 130) == 15
    assert closest([128, 132], 130) == 128


def test_grids_through_time_keep_to_their_budget(tmp_path: Path) -> None:
    # noise is what JPEG can do least about
    rng = np.random.default_rng(4)
    grids = {}
    for epoch in range(1, 61):
        grids[epoch] = tmp_path / f"epoch_{epoch:04d}.png"
        if epoch <= 6:
            noise = rng.integers(0, 256, (24, 64, 64, 3), dtype=np.uint8)
            data = encode_png(sheet(noise, columns=8))
        grids[epoch].write_bytes(data)
    for arms in (1, 5, 12):
        found = through_time(grids, 64, arms=arms)
        assert sum(len(grid.still.jpeg) for grid in found) <= BUDGET // arms
        assert len(found) <= 40
        assert (found[0].epoch, found[-1].epoch) == (1, 60)


def test_contrast_is_of_light_and_dark_and_not_of_noise() -> None:
    grey = np.full((3, 16, 16, 3), 90, dtype=np.uint8)
    assert contrast_of(grey) == 0
    halves = grey.copy()
    halves[:, :, 8:] = 190
    assert contrast_of(halves) == pytest.approx(50)
    assert contrast_of(np.concatenate([grey, halves])) == pytest.approx(25)
    # the mean of 2 x 2 pixels of 3 channels has sqrt(12) times less noise than one; 20% for chance
    noise = np.random.default_rng(0).normal(128, 30, (40, 16, 16, 3)).clip(0, 255)
    assert contrast_of(noise.astype(np.uint8)) == pytest.approx(30 / 12**0.5, rel=0.2)
    for shape in ((1, 1, 1, 3), (2, 5, 70, 3), (1, 64, 64, 3)):
        assert contrast_of(np.zeros(shape, dtype=np.uint8)) == 0


def test_the_early_grid_is_the_first_on_which_there_is_something() -> None:
    def grid(epoch: int, contrast: float) -> SampleGrid:
        blank = Still(jpeg=b"", width=1, height=1)
        return SampleGrid(epoch=epoch, still=blank, contrast=contrast)

    grids = [grid(1, 0.0), grid(2, 0.2), grid(5, 40 * SHOWS), grid(9, 39.0)]
    found = first_to_show(grids, 40.0)
    assert found is not None
    assert found.epoch == 5
    # a run that never came to anything is shown from its beginning
    found = first_to_show(grids[:2], 40.0)
    assert found is not None
    assert found.epoch == 1
    assert first_to_show([], 40.0) is None


def test_a_broken_grid_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "epoch_0001.png"
    path.write_bytes(encode_png(np.zeros((20, 20, 3), np.uint8))[:40])
    assert read_grid(path, 1, 16) is None
    assert read_grid(tmp_path / "gone.png", 1, 16) is None


# samples


def test_pixels_are_rounded_clipped_and_never_undefined() -> None:
    import torch

    values = torch.tensor([-1.0, 1.0, 0.0, -7.0, 7.0, float("nan"), float("inf"), -1 + 2.6 / 255])
    images = values.reshape(1, 1, 1, 8).expand(1, 3, 1, 8)
    pixels = to_pictures(images)
    assert pixels.dtype == np.uint8
    assert pixels[0, 0, :, 0].tolist() == [0, 255, 128, 0, 255, 128, 255, 1]
    assert json.dumps(pixels.tolist())
