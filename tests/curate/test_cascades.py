"""Turning, merging, and getting back to the photo's own pixels."""

import dataclasses
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from catgan.core.photos import Photo, read_photo
from catgan.curate import cascades
from catgan.curate.cascades import CascadeDetector, level, merge, search_picture
from catgan.curate.recipe import Cascade, Recipe, load_recipe
from catgan.curate.square import Square
from tests.drawing import draw_photo, encode


def box(cx: float, cy: float, side: float = 100, score: float = 1.0, roll: float = 0.0) -> Square:
    return Square(cx=cx, cy=cy, side=side, roll=roll, score=score)


class TestMerge:
    def test_nothing(self) -> None:
        assert merge([]) == []

    def test_boxes_apart_stay_the_best_first(self) -> None:
        boxes = [box(100, 100, score=1), box(500, 100, score=3), box(100, 500, score=2)]
        assert [kept.score for kept in merge(boxes)] == [3, 2, 1]
        assert set(merge(boxes)) == set(boxes)

    def test_the_best_of_a_heap_stands_for_all(self) -> None:
        boxes = [box(100, 100, roll=20, score=1), box(110, 95, roll=0, score=2)]
        (kept,) = merge(boxes)
        assert (kept.cx, kept.cy, kept.roll) == (110, 95, 0)
        assert kept.score == 3

    def test_a_weight_below_nothing_takes_nothing_away(self) -> None:
        (kept,) = merge([box(100, 100, score=2), box(101, 100, score=-5)])
        assert kept.score == 2

    def test_found_again_beats_found_once(self) -> None:
        again = [box(100, 100, score=1.0), box(105, 100, score=0.9, roll=20)]
        once = box(500, 500, score=1.5)
        assert [kept.cx for kept in merge([once, *again])] == [100, 500]

    def test_a_small_box_inside_a_large_one_stays(self) -> None:
        assert len(merge([box(100, 100, side=200), box(100, 100, side=100)])) == 2
        assert len(merge([box(100, 100, side=200), box(100, 100, side=120)])) == 1

    def test_laws_on_random_heaps(self) -> None:
        rng = random.Random(7)
        for _ in range(50):
            boxes = [
                box(
                    rng.uniform(0, 600),
                    rng.uniform(0, 400),
                    side=rng.uniform(40, 300),
                    score=rng.uniform(-1, 3),
                    roll=rng.choice([-20.0, 0.0, 20.0]),
                )
                for _ in range(rng.randrange(1, 30))
            ]
            kept = merge(boxes)
            assert 1 <= len(kept) <= len(boxes)
            assert [k.score for k in kept] == sorted((k.score for k in kept), reverse=True)
            places = {(b.cx, b.cy, b.side, b.roll) for b in boxes}
            assert all((k.cx, k.cy, k.side, k.roll) in places for k in kept)
            positive = sum(b.score for b in boxes if b.score > 0)
            assert sum(k.score for k in kept if k.score > 0) == pytest.approx(positive)
            rng.shuffle(boxes)
            assert [(k.cx, k.cy) for k in merge(boxes)] == [(k.cx, k.cy) for k in kept]


def dot(width: int, height: int, x: float, y: float, radius: float = 6) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    soft = np.clip(radius + 0.5 - np.hypot(columns - x, rows - y), 0, 1)
    return np.asarray(soft * 255, dtype=np.uint8)


def centre_of(grey: NDArray[np.uint8], ground: int = 0) -> tuple[float, float]:
    weight = np.maximum(grey.astype(float) - ground - 20, 0)
    rows, columns = np.mgrid[0 : grey.shape[0], 0 : grey.shape[1]] + 0.5
    return (
        float((weight * columns).sum() / weight.sum()),
        float((weight * rows).sum() / weight.sum()),
    )


class TestLevel:
    @pytest.mark.parametrize("turn", [-90, -40, -20, 0, 7, 20, 40, 90, 180])
    @pytest.mark.parametrize(("x", "y"), [(60, 40), (240.5, 33), (150, 170)])
    def test_the_matrix_takes_points_back(self, turn: float, x: float, y: float) -> None:
        turned, back = level(np.maximum(dot(300, 200, x, y), 128), turn)
        there = centre_of(turned, 128)
        assert back @ (*there, 1) == pytest.approx((x, y), abs=0.1)

    @pytest.mark.parametrize("turn", [-90, -35, 20, 90, 180])
    def test_no_corner_is_lost(self, turn: float) -> None:
        turned, back = level(np.zeros((200, 300), np.uint8), turn)
        height, width = turned.shape
        forth = np.linalg.inv(np.vstack([back, [0, 0, 1]]))
        for corner in ((0, 0), (300, 0), (0, 200), (300, 200)):
            x, y, _ = forth @ (*corner, 1)
            assert -1 <= x <= width + 1
            assert -1 <= y <= height + 1

    @pytest.mark.parametrize("turn", [-40, 20, 90])
    def test_a_head_turned_anticlockwise_stands_upright(self, turn: float) -> None:
        """Its left and right ends, seen upright, come to lie level, the left one at the left."""
        angle = np.radians(turn)
        ends = [(150 - 60 * np.cos(angle), 150 + 60 * np.sin(angle)),
                (150 + 60 * np.cos(angle), 150 - 60 * np.sin(angle))]  # fmt: skip
        left, right = (
            centre_of(level(np.maximum(dot(300, 300, *end), 128), turn)[0], 128) for end in ends
        )
        assert left[1] == pytest.approx(right[1], abs=0.2)
        assert right[0] - left[0] == pytest.approx(120, abs=0.2)


def test_search_picture_has_the_side_asked_for() -> None:
    for shape in ((300, 400, 3), (1000, 50, 3), (640, 640, 3), (1, 1, 3), (2, 3000, 3)):
        pixels = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
        photo = Photo(pixels=pixels, width=shape[1], height=shape[0], profile=None)
        grey = search_picture(photo, 640)
        assert grey.dtype == np.uint8
        assert max(grey.shape) == 640
        assert min(grey.shape) >= 1


class BrightSpot:
    """In place of a cascade: puts its box around what is brighter than all else."""

    def detectMultiScale3(  # noqa: N802 (OpenCV's name)
        self, grey: NDArray[np.uint8], **options: Any
    ) -> tuple[Any, Any, Any]:
        rows, columns = np.nonzero(grey > 200)
        if not len(rows):
            return (), (), ()
        x, y = int(columns.min()), int(rows.min())
        w, h = int(columns.max()) + 1 - x, int(rows.max()) + 1 - y
        return np.array([[x, y, w, h]]), np.array([20]), np.array([[1.5]])


def recipe_with(turns: tuple[float, ...], min_score: float = 0.0) -> Recipe:
    cascade = Cascade(file=Path("spot.xml"), scale_step=1.1, min_neighbors=1)
    return Recipe(
        name="spot", side=320, turns=turns, min_size=0.05, min_score=min_score, cascades=(cascade,)
    )


class TestCascadeDetector:
    @pytest.fixture(autouse=True)
    def spot(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cascades, "load_classifier", lambda path: BrightSpot())

    @pytest.mark.parametrize("turn", [-90.0, -40.0, 0.0, 20.0, 90.0])
    @pytest.mark.parametrize("size", [(320, 240), (1001, 667), (150, 200)])
    def test_faces_come_back_in_the_photos_pixels(self, turn: float, size: tuple[int, int]) -> None:
        width, height = size
        x, y, w = 0.7 * width, 0.4 * height, 0.2 * width
        picture = np.repeat(dot(width, height, x, y, radius=w / 2)[..., None], 3, axis=2)
        photo = read_photo(encode(picture), side=320)
        detector = CascadeDetector(recipe_with((turn,)))
        (face,) = detector.find(photo)
        # the spot's box lies on whole pixels of the searched picture, and turning blurs its edge
        near = 1.5 * max(size) / 320
        assert (face.cx, face.cy) == pytest.approx((x, y), abs=near)
        assert face.side == pytest.approx(w, abs=3 * near)
        assert (face.roll, face.score, detector.name) == (turn, 1.5, "spot")

    def test_a_cascade_looks_at_its_own_turns(self) -> None:
        picture = np.repeat(dot(320, 240, 200, 100, radius=40)[..., None], 3, axis=2)
        photo = Photo(pixels=picture, width=320, height=240, profile=None)
        recipe = recipe_with((0.0,))
        turned = dataclasses.replace(recipe.cascades[0], turns=(-20.0, 20.0))
        both = dataclasses.replace(recipe, cascades=(recipe.cascades[0], turned))
        (face,) = CascadeDetector(both).find(photo)
        assert face.score == 4.5  # once upright, twice turned
        alone = dataclasses.replace(recipe, cascades=(turned,))
        (face,) = CascadeDetector(alone).find(photo)
        assert face.score == 3.0
        assert face.roll in (-20, 20)

    def test_a_picture_of_their_own_size(self) -> None:
        """Searched at 160 pixels instead of 320, a face has the same place and size."""
        picture = np.repeat(dot(640, 480, 400, 200, radius=80)[..., None], 3, axis=2)
        photo = Photo(pixels=picture, width=640, height=480, profile=None)
        recipe = dataclasses.replace(recipe_with((0.0,)), cascade_side=160)
        (face,) = CascadeDetector(recipe).find(photo)
        assert (face.cx, face.cy) == pytest.approx((400, 200), abs=6)  # pixels of 4
        assert face.side == pytest.approx(160, abs=12)

    def test_any_number_of_hits_is_borne(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The surest of each place stays, and what is beyond the bound is the least sure."""

        class Everywhere:
            def detectMultiScale3(  # noqa: N802
                self, grey: NDArray[np.uint8], **options: Any
            ) -> tuple[Any, Any, Any]:
                xs = np.arange(20_000) % 250
                boxes = np.stack([xs, xs % 170, np.full(20_000, 30), np.full(20_000, 30)], axis=1)
                return boxes, np.full(20_000, 20), np.arange(20_000)[:, None] / 1000

        monkeypatch.setattr(cascades, "load_classifier", lambda path: Everywhere())
        photo = Photo(pixels=np.zeros((240, 320, 3), np.uint8), width=320, height=240, profile=None)
        best, *_ = CascadeDetector(recipe_with((0.0,))).boxes(photo)
        assert best.cx == 19_999 % 250 + 15

    def test_turns_pool_into_one_face(self) -> None:
        picture = np.repeat(dot(320, 240, 200, 100, radius=40)[..., None], 3, axis=2)
        photo = Photo(pixels=picture, width=320, height=240, profile=None)
        (face,) = CascadeDetector(recipe_with((0.0, -20.0, 20.0))).find(photo)
        assert face.score == 4.5
        assert face.roll == 0
        assert CascadeDetector(recipe_with((0.0,), min_score=1.6)).find(photo) == []

    def test_no_face(self) -> None:
        photo = Photo(pixels=np.zeros((90, 120, 3), np.uint8), width=120, height=90, profile=None)
        assert CascadeDetector(recipe_with((0.0, 40.0))).find(photo) == []


@pytest.mark.parametrize("shape", [(1, 1), (2, 3000), (3000, 2), (300, 400)])
def test_the_real_cascades_find_nothing_on_odd_shapes(shape: tuple[int, int]) -> None:
    recipe = dataclasses.replace(load_recipe("turned"), turns=(0.0, 40.0))
    picture = draw_photo(shape[1], shape[0])
    photo = Photo(pixels=picture, width=shape[1], height=shape[0], profile=None)
    assert len(CascadeDetector(recipe).find(photo)) <= 1
