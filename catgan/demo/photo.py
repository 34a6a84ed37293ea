"""One photo: a cat in a room, through a camera."""

import dataclasses
import io
import math

import numpy as np
from PIL import Image, ImageFilter

from catgan.core.pictures import Picture
from catgan.demo.body import Cat, Light, draw_cat
from catgan.demo.head import REACH, Head, make_head
from catgan.demo.pose import BEHIND, FACING, Pose, mirrored
from catgan.demo.room import SETTINGS, Room, draw_room
from catgan.demo.texture import (
    Colours,
    Plane,
    grain,
    resize_colours,
    smoothstep,
    to_colours,
    to_picture,
)
from catgan.demo.truth import BACK, BLURRED, BROKEN, BURST, EXPECTED, FaceTruth, Truth

ROOM_SIDE = 800  # longer side that rooms are drawn at; they are out of focus on larger photos
HEAD_ROOM = 0.95  # from the face box's centre to the ear tips and a little more, its widths
CROP = 64  # pixels of the crop that blur is meant to show on
STORED = {
    1: lambda upright: upright,
    3: lambda upright: upright[::-1, ::-1],
    6: lambda upright: np.rot90(upright, 1),
    8: lambda upright: np.rot90(upright, -1),
}
"""EXIF orientation -> how a camera that was held so stores an upright picture."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A photo to be taken."""

    file: str
    """Its name."""
    kind: str
    """A key of `truth.EXPECTED`."""
    width: int
    """Of the upright photo, pixels."""
    height: int
    """Likewise."""
    scene: tuple[int, ...]
    """Seed of what is to be seen; the frames of a burst share it."""
    frame: int
    """Seed of the camera's own noise and shake; 0: held still."""
    face: Picture | None
    """(S, S, 3) uint8, the generated face; None where there is no cat."""
    latent: int = -1
    """Its number."""
    orientation: int = 1
    """EXIF orientation that it is stored with."""
    burst_of: str = ""
    """The first frame of its burst."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A photo as a file."""

    data: bytes
    """All of the file."""
    truth: Truth
    """What is on it."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Placed:
    """A cat and where its face is."""

    cat: Cat
    pose: Pose
    x: float
    y: float
    width: float


def take(shot: Shot) -> Taken:
    """Take a photo."""
    rng = np.random.default_rng(shot.scene)
    camera = np.random.default_rng((*shot.scene, shot.frame))
    setting = str(rng.choice(SETTINGS))
    room = _room(rng, shot, setting)
    placed = None
    if shot.face is not None:
        placed = _place(rng, shot, room, make_head(shot.face))
    colours = _scene(rng, room, placed)
    face = None
    if placed is not None and not placed.pose.behind:
        face = FaceTruth(
            box=(
                placed.x - placed.width / 2,
                placed.y - placed.width / 2,
                placed.width,
                placed.width,
            ),
            roll=placed.pose.roll,
            latent=shot.latent,
        )
    picture = to_picture(colours)
    if shot.kind == BURST:
        picture, face = _another_frame(picture, face, camera)
    if shot.kind == BLURRED and placed is not None:
        picture = _blurred(picture, placed.width * REACH / CROP, camera)
    picture = _developed(to_colours(picture), rng, camera)
    data = _encoded(picture, shot.orientation, quality=int(rng.integers(80, 94)))
    truth = Truth(
        file=shot.file,
        kind=shot.kind,
        verdict=EXPECTED[shot.kind],
        width=shot.width,
        height=shot.height,
        face=_rounded(face),
        burst_of=shot.burst_of,
        orientation=shot.orientation,
        setting=setting,
        pose=placed.pose.name if placed is not None else "",
    )
    if shot.kind == BROKEN:
        truth = dataclasses.replace(truth, width=0, height=0, face=None, setting="", pose="")
        data = _broken(data, shot.frame)
    return Taken(data=data, truth=truth)


def _room(rng: np.random.Generator, shot: Shot, setting: str) -> Room:
    factor = min(1.0, ROOM_SIDE / max(shot.width, shot.height))
    room = draw_room(rng, round(shot.height * factor), round(shot.width * factor), setting=setting)
    if factor == 1:
        return room
    return dataclasses.replace(room, colours=resize_colours(room.colours, shot.height, shot.width))


def _place(rng: np.random.Generator, shot: Shot, room: Room, head: Head) -> _Placed:
    """Choose a pose and where to put it, so that the whole head is on the photo."""
    poses = BEHIND if shot.kind == BACK else FACING
    pose = poses[int(rng.integers(len(poses)))](rng)
    if rng.random() < 0.5:
        pose = mirrored(pose)
    if rng.random() < 0.15:  # a head held aslant
        pose = dataclasses.replace(pose, roll=pose.roll + float(rng.choice((-1, 1))) * 20)
    pose = dataclasses.replace(pose, roll=float(np.clip(pose.roll, -35, 35)))
    short = min(shot.width, shot.height)
    tall = pose.ground - pose.head[1] + HEAD_ROOM
    close = not pose.behind and rng.random() < 0.35
    if close:
        width = short * rng.uniform(0.28, 0.48)
        y = max(HEAD_ROOM * width, shot.height * rng.uniform(0.36, 0.5))
    else:
        ground = shot.height * rng.uniform(room.farthest, room.nearest)
        width = min(ground / tall * rng.uniform(0.72, 0.98), short * 0.36)
        width = max(width, short * 0.19)
        y = max(ground - (pose.ground - pose.head[1]) * width, HEAD_ROOM * width)
    light = Light(
        right=room.light * 0.7,
        up=0.6,
        strength=float(rng.uniform(0.3, 0.6)),
    )
    cat = draw_cat(pose, head, width=width, light=light, rng=rng)
    half = 0.85 * width
    if close:
        x = shot.width * rng.uniform(0.35, 0.65)
    else:  # as much of the body as there is room for
        low, high = -cat.left * 0.9, shot.width - (cat.left + cat.alpha.shape[1]) * 0.95
        x = rng.uniform(low, high) if low < high else (low + high) / 2
    x = float(np.clip(x, half, shot.width - half))
    return _Placed(cat, pose, x, float(y), float(width))


def _scene(rng: np.random.Generator, room: Room, placed: _Placed | None) -> Colours:
    """The cat in the room: what is far from it out of focus, its shadow under it."""
    height, width = room.colours.shape[:2]
    radius = max(height, width) / 640 * rng.uniform(0.8, 2.4)
    picture = to_picture(room.colours)
    far = to_colours(np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius))))
    if placed is None:
        return far
    ground = placed.y + placed.cat.ground
    rows = np.arange(height, dtype=np.float32)[:, None]
    near = smoothstep(1.2, 0.3, abs(rows - ground) / placed.width)[..., None]
    colours = far + near * (room.colours - far)
    left, top = round(placed.x + placed.cat.left), round(placed.y + placed.cat.top)
    colours = colours * (1 - _shadow(placed, room, height, width, left))[..., None]
    inside = _overlap(left, top, placed.cat.alpha, height, width)
    if inside is not None:
        there, here = inside
        part = colours[there]
        alpha = placed.cat.alpha[here][..., None]
        part += _lit(placed.cat.colours[here], room) - alpha * part
    return np.asarray(colours, dtype=np.float32)


def _lit(cat: Colours, room: Room) -> Colours:
    """The cat in the room's own tint, a little."""
    tint = room.colours.mean(axis=(0, 1))
    tint = tint / max(float(tint.mean()), 0.05)
    return np.asarray(cat * (0.8 + 0.2 * tint), dtype=np.float32)


def _shadow(placed: _Placed, room: Room, height: int, width: int, left: int) -> Plane:
    """A soft pool under the body, and a dark line where it touches the ground."""
    alpha = placed.cat.alpha
    lowest = alpha[round(alpha.shape[0] * 0.72) :].max(axis=0)
    ground = placed.y + placed.cat.ground
    profile = np.zeros(width, dtype=np.float32)
    for shift, weight in ((0.0, 0.6), (-0.35 * room.light, 0.4)):
        start = left + round(shift * placed.width)
        first, last = max(0, start), min(width, start + len(lowest))
        if first < last:
            profile[first:last] += weight * lowest[first - start : last - start]
    wide = max(3, round(0.3 * placed.width))
    kernel = np.hanning(wide + 2)[1:-1]
    profile = np.convolve(profile, kernel / kernel.sum(), mode="same").astype(np.float32)
    rows = np.arange(height, dtype=np.float32)
    off = (rows - ground + 0.10 * placed.width) / placed.width
    pool = 0.45 * np.exp(-((off / 0.20) ** 2)) + 0.3 * np.exp(-(((off - 0.02) / 0.07) ** 2))
    shadow: Plane = np.clip(pool.astype(np.float32)[:, None] * profile[None], 0, 0.8)
    return shadow


def _overlap(
    left: int, top: int, alpha: Plane, height: int, width: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Where a plane put at (left, top) lies on the photo, and which part of it does."""
    y0, y1 = max(0, top), min(height, top + alpha.shape[0])
    x0, x1 = max(0, left), min(width, left + alpha.shape[1])
    if y0 >= y1 or x0 >= x1:
        return None
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def _another_frame(
    picture: Picture, face: FaceTruth | None, camera: np.random.Generator
) -> tuple[Picture, FaceTruth | None]:
    """The next frame of a burst: moved and nearer by a percent, and less sharp."""
    height, width = picture.shape[:2]
    zoom = camera.uniform(1.012, 1.025)
    right, down = (
        (1 - 1 / zoom) * width * camera.random(),
        (1 - 1 / zoom) * height * camera.random(),
    )
    image = Image.fromarray(picture).transform(
        (width, height),
        Image.Transform.AFFINE,
        (1 / zoom, 0, right, 0, 1 / zoom, down),
        Image.Resampling.BICUBIC,
    )
    image = image.filter(ImageFilter.GaussianBlur(max(height, width) / 640))
    if face is not None:
        x, y, w, h = face.box
        box = ((x - right) * zoom, (y - down) * zoom, w * zoom, h * zoom)
        face = dataclasses.replace(face, box=box)
    return np.asarray(image), face


def _blurred(picture: Picture, unit: float, camera: np.random.Generator) -> Picture:
    """Out of focus or shaken, by so much that the crop shows it.

    Args:
        picture: The photo.
        unit: Pixels of the photo that one of the crop covers.
        camera: Decides which of the two.
    """
    if camera.random() < 0.5:
        radius = unit * camera.uniform(1.5, 1.8)
        return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius)))
    length, turn = unit * camera.uniform(7, 8.5), camera.uniform(0, math.pi)
    steps = max(8, round(length))
    colours = to_colours(picture)
    total = np.zeros_like(colours)
    for along in np.linspace(-0.5, 0.5, steps) * length:
        down, right = round(along * math.sin(turn)), round(along * math.cos(turn))
        total += np.roll(colours, (down, right), axis=(0, 1))
    return to_picture(total / steps)


def _developed(colours: Colours, rng: np.random.Generator, camera: np.random.Generator) -> Picture:
    """Exposure, colour temperature, vignette and the sensor's noise."""
    height, width = colours.shape[:2]
    exposure = float(np.clip(rng.normal(1.14, 0.14), 0.8, 1.4))
    warm = float(rng.normal(0, 0.05))
    gains = exposure * np.array([1 + warm, 1.0, 1 - warm], dtype=np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    vignette = 1 - float(rng.uniform(0.04, 0.14)) * (x * x + y * y)
    colours = colours * gains * vignette[..., None]
    colours = np.where(colours > 0.85, 0.85 + 0.15 * np.tanh((colours - 0.85) / 0.15), colours)
    noise = float(rng.uniform(0.004, 0.014))
    luma = noise * grain(camera, height, width, 1.3)
    tint = 0.6 * noise * grain(camera, height, width, 3.0)
    colours = colours + luma[..., None] + tint[..., None] * np.array([1, -0.4, -1], np.float32)
    return to_picture(np.asarray(colours, dtype=np.float32))


def _encoded(picture: Picture, orientation: int, *, quality: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    stored = np.ascontiguousarray(STORED[orientation](picture))
    Image.fromarray(stored).save(buffer, "JPEG", quality=quality, exif=exif)
    return buffer.getvalue()


def _broken(data: bytes, number: int) -> bytes:
    """What became of a photo: cut short, overwritten with words, or lost but for its name."""
    return (data[: len(data) * 3 // 5], b"Remember: buy cat food, call the vet.\n" * 40, b"")[
        number % 3
    ]


def _rounded(face: FaceTruth | None) -> FaceTruth | None:
    if face is None:
        return None
    x, y, w, h = (round(side, 2) for side in face.box)
    return dataclasses.replace(face, box=(x, y, w, h), roll=round(face.roll, 2))
