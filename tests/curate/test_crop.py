"""Crops are level, square, centred and never enlarged."""

import numpy as np
import pytest

from catgan.core.errors import FaceTooSmall, UnreadablePhoto
from catgan.core.photos import NEUTRAL, Photo, read_photo
from catgan.core.pictures import Picture
from catgan.curate import cut
from catgan.curate.crop import crop_face, side_needed, square_around
from catgan.curate.cut import cut_level
from catgan.curate.square import LIFT, Square
from tests.core.test_photos import P3, icc_profile, p3_to_srgb
from tests.drawing import EYE_HEIGHT, EyeDetector, Head, draw_photo, encode, encode_turned, eyes


def photo_of(picture: Picture) -> Photo:
    height, width = picture.shape[:2]
    return Photo(pixels=picture, width=width, height=height, profile=None)


def face_at(cx: float, cy: float, w: float, roll: float = 0.0) -> Square:
    return Square(cx=cx, cy=cy, side=w, roll=roll, score=1.0)


def assert_eyes(crop: Picture, *, margin: float, within: float = 1.0) -> None:
    """Level, centred, and as far apart as the margin says.

    The eyes are half a box apart at 0.4 of its height; the crop's centre is lifted to just there.
    """
    size = crop.shape[0]
    assert crop.shape == (size, size, 3)
    (left, *_), (right, *_) = eyes(crop)
    assert abs(left[1] - right[1]) < within
    assert abs((left[0] + right[0]) / 2 - size / 2) < within
    assert abs((left[1] + right[1]) / 2 - size / 2) < within
    assert abs((right[0] - left[0]) - 0.5 * size / (1 + 2 * margin)) < within


def test_the_drawn_eyes_stand_where_the_lift_puts_the_centre() -> None:
    """What `assert_eyes` relies on: the lift is from the box's centre to them."""
    assert pytest.approx(0.5 - EYE_HEIGHT) == LIFT


class TestLevel:
    @pytest.mark.parametrize("roll", [-180, -90, -47, -40, -20, -5, 0, 1, 20, 33, 40, 90, 135])
    @pytest.mark.parametrize("margin", [0.0, 0.25, 0.6])
    def test_eyes_are_level_and_centred(self, roll: float, margin: float) -> None:
        head = Head(cx=203.3, cy=190.8, w=150, roll=roll)
        photo = photo_of(draw_photo(400, 400, head))
        crop = crop_face(photo, face_at(203.3, 190.8, 150, roll), margin=margin)
        assert_eyes(crop, margin=margin)

    @pytest.mark.parametrize("size", [32, 64, 65, 128, 224])
    def test_any_size(self, size: int) -> None:
        photo = photo_of(draw_photo(400, 400, Head(cx=200, cy=200, w=150, roll=20)))
        crop = crop_face(photo, face_at(200, 200, 150, 20), size=size)
        assert crop.shape == (size, size, 3)
        assert_eyes(crop, margin=0.25)

    @pytest.mark.parametrize("side", [160, 300, 600, 1200])
    @pytest.mark.parametrize("roll", [0, 30])
    def test_out_of_a_reduced_photo(self, side: int, roll: float) -> None:
        """Sizes that no reduction divides: the rest must not shift the crop."""
        data = encode(draw_photo(1205, 903, Head(cx=850, cy=450, w=400, roll=roll)))
        photo = read_photo(data, side=side)
        assert_eyes(crop_face(photo, face_at(850, 450, 400, roll)), margin=0.25)

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_out_of_a_turned_file(self, orientation: int) -> None:
        upright = draw_photo(400, 300, Head(cx=180, cy=150, w=120, roll=15))
        photo = read_photo(encode_turned(upright, orientation))
        assert_eyes(crop_face(photo, face_at(180, 150, 120, 15)), margin=0.25)

    @pytest.mark.parametrize("roll", [-60, -13, 0, 28, 170])
    def test_after_the_detector_of_these_tests(self, roll: float) -> None:
        """That the drawings, their detector and the crop agree on which way is anticlockwise."""
        photo = photo_of(draw_photo(400, 400, Head(cx=200, cy=200, w=150, roll=roll)))
        (face,) = EyeDetector().find(photo)
        assert (face.cx, face.cy) == pytest.approx((200, 200), abs=0.5)
        assert face.side == pytest.approx(150, abs=1)
        assert face.roll == pytest.approx(roll, abs=0.5)
        assert_eyes(crop_face(photo, face), margin=0.25)

    def test_an_upright_crop_without_scaling_is_a_slice(self) -> None:
        picture = draw_photo(300, 300, seed=3)
        crop = crop_face(photo_of(picture), face_at(150, 150 + 6.4, 64), size=64, margin=0)
        assert np.array_equal(crop, picture[118:182, 118:182])


class TestNeverEnlarged:
    def test_the_smallest_that_will_do(self) -> None:
        photo = photo_of(draw_photo(300, 300))
        assert crop_face(photo, face_at(150, 150, 64 / 1.5 + 1e-6)).shape == (64, 64, 3)
        with pytest.raises(FaceTooSmall, match="63 pixels wide, fewer than 64"):
            crop_face(photo, face_at(150, 150, 63 / 1.5))

    def test_the_margin_counts(self) -> None:
        photo = photo_of(draw_photo(300, 300))
        crop_face(photo, face_at(150, 150, 50), margin=0.15)
        with pytest.raises(FaceTooSmall):
            crop_face(photo, face_at(150, 150, 50), margin=0.1)

    @pytest.mark.parametrize("w", [45, 80, 300, 900])
    @pytest.mark.parametrize("size", [32, 64, 200])
    def test_the_decode_it_asks_for_has_the_pixels(self, w: float, size: int) -> None:
        width, height = 2000, 1500
        square = square_around(face_at(900, 700, w), margin=0.25, width=width, height=height)
        side = side_needed(square, size, width=width, height=height)
        assert side <= width
        assert side == width or square.side * side / width >= 2 * size


class TestSquare:
    @pytest.mark.parametrize("margin", [0.0, 0.1, 0.25, 1.0])
    @pytest.mark.parametrize("roll", [0.0, 25.0])
    def test_grows_by_the_margin_on_each_side(self, margin: float, roll: float) -> None:
        square = square_around(
            face_at(1000, 1000, 100, roll), margin=margin, width=2000, height=2000
        )
        assert square.side == pytest.approx(100 * (1 + 2 * margin))
        assert square.roll == roll

    def test_is_lifted_along_the_head(self) -> None:
        up = square_around(face_at(500, 500, 100), margin=0, width=1000, height=1000)
        assert (up.cx, up.cy) == pytest.approx((500, 490))
        # a head turned a quarter anticlockwise has its top at the left
        left = square_around(face_at(500, 500, 100, 90), margin=0, width=1000, height=1000)
        assert (left.cx, left.cy) == pytest.approx((490, 500))


class TestBorder:
    @pytest.mark.parametrize(("cx", "cy"), [(20, 150), (290, 150), (150, 10), (150, 295), (5, 5)])
    def test_an_upright_square_is_shifted_inside(self, cx: float, cy: float) -> None:
        square = square_around(face_at(cx, cy, 100), margin=0.25, width=300, height=300)
        assert square.side == 150
        for centre in (square.cx, square.cy):
            assert 75 <= centre <= 225
        picture = draw_photo(300, 300, seed=6)
        crop = crop_face(photo_of(picture), face_at(cx, cy, 100), size=150)
        left, top = round(square.cx - 75), round(square.cy - 75)
        expected = picture[top : top + 150, left : left + 150]
        assert np.abs(crop.astype(int) - expected.astype(int)).max() <= 1  # no pixel is made up

    def test_one_that_fits_stays_where_it_is(self) -> None:
        square = square_around(face_at(150, 160, 100), margin=0.25, width=300, height=300)
        assert (square.cx, square.cy) == pytest.approx((150, 150))

    def test_one_larger_than_the_photo_is_centred(self) -> None:
        square = square_around(face_at(30, 40, 100), margin=1.0, width=200, height=320)
        assert square.cx == 100
        assert square.cy == 150

    def test_turned_corners_outside_are_the_photo_mirrored(self) -> None:
        """No black corners: across the edge the picture goes on as in a mirror."""
        picture = draw_photo(300, 300, seed=6)
        crop = crop_face(photo_of(picture), face_at(5, 150, 100, 45), size=100, margin=0)
        inside = photo_of(np.pad(picture, ((100, 100), (100, 100), (0, 0)), mode="reflect"))
        square = square_around(face_at(5, 150, 100, 45), margin=0, width=300, height=300)
        turn = LIFT * 100 * np.sqrt(0.5)  # the lift back to the box's centre
        there = face_at(square.cx + turn + 100, square.cy + turn + 100, 100, 45)
        expected = crop_face(inside, there, size=100, margin=0)
        assert np.abs(crop.astype(int) - expected.astype(int)).max() <= 1

    @pytest.mark.parametrize("roll", [0, 20, -45])
    @pytest.mark.parametrize(("cx", "cy"), [(60, 150), (240, 150), (150, 75), (150, 250)])
    def test_a_face_at_the_edge_is_level(self, cx: float, cy: float, roll: float) -> None:
        photo = photo_of(draw_photo(300, 300, Head(cx=cx, cy=cy, w=110, roll=roll)))
        (left, *_), (right, *_) = eyes(crop_face(photo, face_at(cx, cy, 110, roll)))
        assert abs(left[1] - right[1]) < 1

    @pytest.mark.parametrize("roll", [0, 20, 45])
    def test_a_face_in_the_corner(self, roll: float) -> None:
        picture = np.full((200, 200, 3), NEUTRAL, np.uint8)
        for place in (0, 200):
            crop = crop_face(photo_of(picture), face_at(place, place, 120, roll))
            assert (crop == NEUTRAL[0]).all()


def test_colours_are_converted_last() -> None:
    colour = (200, 100, 50)
    flat = np.full((200, 200, 3), colour, np.uint8)
    photo = read_photo(encode(flat, "PNG", icc_profile=icc_profile(P3, "Display P3")))
    crop = crop_face(photo, face_at(100, 100, 80, 20))
    assert np.abs(crop - p3_to_srgb(colour)).max() <= 2


def test_fine_stripes_do_not_alias() -> None:
    """Stripes of one pixel become even grey, not broad stripes: the crop is antialiased."""
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[:, ::2] = 200
    for roll in (0, 20):
        crop = crop_face(photo_of(stripes), face_at(400, 400, 500, roll))
        assert crop.std() < 4
        assert abs(crop.mean() - 100) < 2


class TestLongPhotos:
    """OpenCV counts a side in 16 bits; the square around a face is cut out of less than that."""

    @pytest.mark.parametrize("roll", [0, 25])
    @pytest.mark.parametrize("place", [60, 20_000, 39_930])
    def test_a_crop_is_the_same_as_of_a_short_one(self, place: int, roll: float) -> None:
        short = draw_photo(300, 200, Head(cx=150, cy=100, w=80, roll=roll), seed=3)
        left = min(max(place - 150, 0), 40_000 - 300)
        long = np.zeros((200, 40_000, 3), np.uint8)
        long[:, left : left + 300] = short
        crop = crop_face(photo_of(long), face_at(left + 150, 100, 80, roll), size=32)
        assert np.array_equal(
            crop, crop_face(photo_of(short), face_at(150, 100, 80, roll), size=32)
        )

    @pytest.mark.parametrize("upright", [True, False])
    @pytest.mark.parametrize("ground", [None, 128])
    @pytest.mark.parametrize("centre", [-30.0, 3.0, 150.0, 298.0, 340.0])
    def test_what_lies_beyond_the_edge(
        self, monkeypatch: pytest.MonkeyPatch, centre: float, ground: int | None, upright: bool
    ) -> None:
        """As OpenCV has it where it can take the whole: here by calling shorter ones too long."""
        noise = np.random.default_rng(0).integers(0, 256, (90, 300, 3), dtype=np.uint8)
        square = Square(cx=centre, cy=40, side=100, roll=20, score=1.0)
        if not upright:
            noise = np.ascontiguousarray(noise.swapaxes(0, 1))
            square = Square(cx=40, cy=centre, side=100, roll=20, score=1.0)
        whole = cut_level(noise, square, 50, kernel="cubic", ground=ground)
        monkeypatch.setattr(cut, "LONGEST", 250)
        assert np.array_equal(whole, cut_level(noise, square, 50, kernel="cubic", ground=ground))

    def test_a_face_larger_than_that_is_a_verdict(self) -> None:
        with pytest.raises(UnreadablePhoto, match="more than can be cut out"):
            cut_level(
                np.zeros((1, 40_000, 3), np.uint8), face_at(20_000, 0, 40_000), 8, kernel="cubic"
            )
