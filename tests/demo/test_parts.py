"""What an album is made of: the plan, the faces, fur, the cat, the camera."""

import dataclasses
import io
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageOps

from catgan.core.errors import MissingPackage
from catgan.core.photos import read_photo
from catgan.demo.album import SHARES, faces_needed, kinds_of
from catgan.demo.body import Light, draw_cat
from catgan.demo.config import DemoConfig
from catgan.demo.face import ANCHORS, choose_anchors, draw_faces, latents_of
from catgan.demo.head import make_head
from catgan.demo.photo import STORED, Shot, take
from catgan.demo.pose import BEHIND, FACING, mirrored
from catgan.demo.room import SETTINGS, draw_room
from catgan.demo.texture import cloud, grain, streaks
from catgan.demo.truth import BLURRED, BURST, EMPTY, PLAIN
from catgan.model.base import BaseSeen
from catgan.model.networks import Generator
from tests.demo.conftest import LikesAll

LIGHT = Light(right=-0.5, up=0.6, strength=0.5)


def a_face(seed: int = 0) -> np.ndarray:
    """Brown all over, so that whatever is taken from it is brown."""
    rng = np.random.default_rng(seed)
    brown = np.array([150, 110, 70]) + rng.normal(0, 6, (64, 64, 1))
    return brown.round().clip(0, 255).astype(np.uint8)


def a_shot(**changes: object) -> Shot:
    shot = Shot(
        file="IMG_0001.jpg",
        kind=PLAIN,
        width=640,
        height=480,
        scene=(0, 3, 1),
        frame=0,
        face=a_face(),
    )
    return dataclasses.replace(shot, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("photos", [12, 40, 300])
def test_an_album_has_its_shares_of_everything(photos: int) -> None:
    kinds = kinds_of(DemoConfig(photos=photos, seed=5))
    assert len(kinds) == photos
    counts = Counter(kinds)
    for kind, share in SHARES.items():
        assert abs(counts[kind] - share * photos) <= 2.5  # rounded, and at least one (three broken)
        assert counts[kind] >= 1
    assert counts[PLAIN] > photos / 3
    assert all(a in (PLAIN, BURST) for a, b in pairwise(kinds) if b == BURST)
    assert kinds[0] != BURST
    assert faces_needed(DemoConfig(photos=photos, seed=5)) == photos - counts[BURST] - counts[EMPTY]


def test_latents_do_not_depend_on_how_many_and_lie_near_their_anchors() -> None:
    few = latents_of(100, (3, 7, 9), count=5, seed=1)
    many = latents_of(100, (3, 7, 9), count=40, seed=1)
    np.testing.assert_array_equal(few, many[:5])
    # at the distance from the origin where standard normal ones lie
    np.testing.assert_allclose(many.norm(dim=1), 10.0, rtol=1e-5)
    # of two of them, which share one anchor of three at least, the cosine is well above the
    # 0 +- 0.1 of latents that have nothing to do with one another
    unit = many / many.norm(dim=1, keepdim=True)
    assert float((unit @ unit.T).mean()) > 0.25


def test_faces_too_like_what_was_seen_are_not_taken(generator: Generator, judge: LikesAll) -> None:
    """What was seen here is a quarter of what would be drawn; the brightness tells them apart."""
    free = draw_faces(generator, judge, count=6, seed=0)
    bright = judge.extract(free.pictures).pooled
    seen = BaseSeen(
        extractor=judge.name,
        mean=np.zeros(1, dtype=np.float32),
        axes=np.ones((1, 1), dtype=np.float32),
        pictures=bright[:2],
        limit=1e-6,
    )
    faces = draw_faces(generator, judge, count=6, seed=0, seen=seen)
    assert faces.refused >= 2
    assert len(faces.pictures) == 6
    apart = abs(judge.extract(faces.pictures).pooled - bright[:2].T)
    assert apart.min() >= 1e-6
    # by other features nothing can be said
    other = dataclasses.replace(seen, extractor="another")
    assert draw_faces(generator, judge, count=6, seed=0, seen=other).refused == 0
    copied = dataclasses.replace(seen, limit=10.0)
    with pytest.raises(MissingPackage, match="draws copies"):
        draw_faces(generator, judge, count=6, seed=0, seen=copied)


def test_faces_are_the_same_again_and_other_with_another_seed(
    generator: Generator, judge: LikesAll
) -> None:
    one = draw_faces(generator, judge, count=6, seed=0)
    two = draw_faces(generator, judge, count=6, seed=0)
    np.testing.assert_array_equal(one.pictures, two.pictures)
    assert one.numbers == two.numbers == tuple(sorted(one.numbers))
    assert len(set(choose_anchors(generator, judge, seed=0))) == ANCHORS
    other = draw_faces(generator, judge, count=6, seed=1)
    assert not np.array_equal(one.pictures, other.pictures)


def test_hairs_lie_along_their_direction() -> None:
    rng = np.random.default_rng(0)
    noise = grain(rng, 80, 90, 1.6)
    hairs = streaks(noise, np.ones_like(noise), np.zeros_like(noise), length=12)
    # three pixels on, a hair is still the same one; beside it there is another
    along = np.abs(hairs[:, 3:] - hairs[:, :-3]).mean()
    across = np.abs(hairs[3:] - hairs[:-3]).mean()
    assert along < 0.5 * across
    assert hairs.std() == pytest.approx(1, abs=1e-3)


def test_clouds_are_soft_and_of_mean_nought() -> None:
    soft = cloud(np.random.default_rng(0), 200, 220, 10)
    assert soft.shape == (200, 220)
    assert abs(soft.mean()) < 0.1  # some 440 independent places of deviation below 0.6: 0.03
    assert np.abs(np.diff(soft, axis=0)).mean() < 0.25 * soft.std()


def test_a_head_keeps_its_face_and_carries_its_colours_on() -> None:
    face = a_face()
    face[:10] = (0, 0, 255)  # what is behind the ears stays behind
    head = make_head(face)
    inside = head.colours[28:44, 24:40]
    np.testing.assert_allclose(inside.mean(axis=(0, 1)) * 255, (150, 110, 70), atol=12)
    assert (head.colours[..., 2] < head.colours[..., 0]).all()


@pytest.mark.parametrize("make", [*FACING, *BEHIND])
def test_every_pose_is_a_brown_cat_on_its_ground(make) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(1)
    pose = make(rng)
    cat = draw_cat(pose, make_head(a_face()), width=60, light=LIGHT, rng=rng)
    assert cat.colours.shape == (*cat.alpha.shape, 3)
    assert cat.alpha.min() >= 0 and cat.alpha.max() <= 1
    assert cat.alpha[round(-cat.top), round(-cat.left)] == pytest.approx(1, abs=0.02)
    rows = np.nonzero(cat.alpha.max(axis=1) > 0.5)[0]
    lowest = cat.top + rows[-1]
    assert abs(lowest - cat.ground) < 0.2 * 60  # it stands on its ground, fur and all
    red, _, blue = (cat.colours[cat.alpha > 0.9][:, channel].mean() for channel in range(3))
    assert red > 1.3 * blue
    turned = mirrored(pose)
    assert (turned.roll, turned.head[0]) == (-pose.roll, -pose.head[0])


@pytest.mark.parametrize("setting", sorted(set(SETTINGS)))
def test_rooms_have_a_place_for_a_cat(setting: str) -> None:
    room = draw_room(np.random.default_rng(2), 96, 128, setting=setting)
    assert room.colours.shape == (96, 128, 3)
    assert room.colours.min() >= 0 and room.colours.max() <= 1
    assert 0.5 < room.farthest < room.nearest < 1


@pytest.mark.parametrize("orientation", sorted(STORED))
def test_whoever_heeds_exif_sees_the_photo_upright(orientation: int) -> None:
    upright = take(a_shot()).data
    turned = take(a_shot(orientation=orientation)).data
    with Image.open(io.BytesIO(turned)) as stored:
        seen = np.asarray(ImageOps.exif_transpose(stored).convert("RGB"), dtype=float)
    straight = read_photo(upright).pixels.astype(float)
    assert seen.shape == straight.shape
    # JPEG's blocks of eight lie otherwise in a turned picture
    assert abs(seen - straight).mean() < 3


def test_a_photo_is_the_same_again_and_a_burst_nearly() -> None:
    first = take(a_shot())
    assert take(a_shot()).data == first.data
    frame = take(a_shot(kind=BURST, frame=1, burst_of="IMG_0001.jpg"))
    one, two = (read_photo(taken.data).pixels.astype(float) for taken in (first, frame))
    other = read_photo(take(a_shot(scene=(0, 3, 2))).data).pixels.astype(float)
    assert 0 < abs(one - two).mean() < 0.5 * abs(one - other).mean()
    assert first.truth.face is not None and frame.truth.face is not None
    np.testing.assert_allclose(frame.truth.face.box, first.truth.face.box, atol=0.03 * 640)


def test_a_blurred_photo_has_fewer_edges() -> None:
    def edges(kind: str) -> float:
        grey = read_photo(take(a_shot(kind=kind)).data).pixels.mean(axis=2)
        return float(abs(np.diff(grey, axis=1)).mean())

    assert edges(BLURRED) < 0.7 * edges(PLAIN)
