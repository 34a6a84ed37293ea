"""A room drawn by code, and the places in it where a cat may be."""

import dataclasses
import math

import numpy as np

from catgan.demo.canvas import Canvas, a_colour
from catgan.demo.texture import Colours, Plane, cloud, grain, smoothstep

SETTINGS = ("floor", "floor", "sofa", "bed", "sill")
"""Where a photo is taken; the floor twice as often."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """An empty room, in focus everywhere."""

    colours: Colours
    """(H, W, 3)."""
    setting: str
    """One of `SETTINGS`."""
    nearest: float
    """y of the nearest ground that a cat fits on, as a share of the height."""
    farthest: float
    """y of the farthest, likewise."""
    light: float
    """Where the light comes from: -1 (left) to 1 (right)."""


def draw_room(rng: np.random.Generator, height: int, width: int, *, setting: str) -> Room:
    """Draw a room.

    Args:
        rng: Decides everything in it.
        height: Of the photo, pixels.
        width: Likewise.
        setting: One of `SETTINGS`.
    """
    canvas = Canvas(height, width)
    light = float(rng.choice((-1.0, 1.0)) * rng.uniform(0.4, 0.9))
    draw = {"floor": _floor, "sofa": _sofa, "bed": _bed, "sill": _sill}[setting]
    farthest, nearest = draw(canvas, rng)
    x, y = canvas.places()
    across = x / canvas.right if light > 0 else 1 - x / canvas.right
    canvas.colours *= (0.78 + 0.34 * across)[..., None]
    if setting != "sill" and rng.random() < 0.4:  # sun through a window, on floor and furniture
        slant = rng.uniform(0.3, 0.9) * (1 if light < 0 else -1)
        start = rng.uniform(0.1, 0.6) * canvas.right
        along = x - slant * (y - canvas.bottom * 0.6) - start
        bars = smoothstep(0, 0.02, along) * smoothstep(0.34, 0.32, along)
        bars = bars * (1 - 0.8 * smoothstep(0.012, 0.004, abs(along - 0.17)))
        low = smoothstep(0.5, 0.62, y / canvas.bottom)
        canvas.colours *= 1 + (bars * low)[..., None] * np.array([0.34, 0.28, 0.16], np.float32)
    return Room(
        colours=np.clip(canvas.colours, 0, 1),
        setting=setting,
        nearest=nearest,
        farthest=farthest,
        light=light,
    )


def _wall(canvas: Canvas, rng: np.random.Generator, floor: float) -> Colours:
    colour = a_colour(rng, (0, 1), (0.03, 0.22), (0.55, 0.88))
    x, y = canvas.places()
    light = 1.02 - 0.16 * y / canvas.bottom + 0.03 * cloud(rng, canvas.height, canvas.width, 90)
    canvas.colours[:] = colour * light[..., None]
    if rng.random() < 0.35:  # striped wallpaper
        stripes = np.sign(np.sin(x * rng.uniform(60, 110))) * 0.022
        canvas.colours *= 1 + stripes[..., None]
    white = np.full(3, 0.86, dtype=np.float32)
    canvas.box(-1, floor - 0.05, canvas.right + 1, floor, white, shadow=0.3)
    return colour


def _on_the_wall(canvas: Canvas, rng: np.random.Generator, floor: float) -> None:
    """A window, or pictures, or a shelf; nothing that could be taken for a face."""
    what = rng.choice(("window", "pictures", "shelf", "door"))
    centre = rng.uniform(0.2, 0.8) * canvas.right
    top = floor - rng.uniform(0.42, 0.62)
    if what == "window":
        _window(canvas, rng, centre - 0.25, top - 0.15, centre + 0.25, floor - 0.16)
    elif what == "pictures":
        for number in range(rng.integers(1, 4)):
            left = centre + 0.26 * (number - 1)
            high = rng.uniform(0.16, 0.24)
            canvas.box(
                left,
                top,
                left + 0.19,
                top + high,
                a_colour(rng, (0.05, 0.1), (0.2, 0.6), (0.15, 0.4)),
                shadow=0.35,
            )
            canvas.box(
                left + 0.015,
                top + 0.015,
                left + 0.175,
                top + high - 0.015,
                np.full(3, 0.9, np.float32),
            )
            for _ in range(3):
                ax, ay = left + rng.uniform(0.03, 0.1), top + rng.uniform(0.03, high - 0.1)
                canvas.box(
                    ax,
                    ay,
                    ax + 0.06,
                    ay + 0.07,
                    a_colour(rng, (0, 1), (0.2, 0.6), (0.4, 0.8)),
                    opacity=0.8,
                )
    elif what == "shelf":
        wood = a_colour(rng, (0.06, 0.1), (0.3, 0.6), (0.3, 0.6))
        for row in range(2):
            board = top + 0.02 + 0.24 * row
            book = centre - 0.34
            while book < centre + 0.3:
                thick, tall = rng.uniform(0.015, 0.045), rng.uniform(0.11, 0.19)
                canvas.box(
                    book,
                    board + 0.2 - tall,
                    book + thick,
                    board + 0.2,
                    a_colour(rng, (0, 1), (0.1, 0.7), (0.2, 0.75)),
                    puff=0.1,
                )
                book += thick + (0.06 if rng.random() < 0.12 else 0.002)
            canvas.box(centre - 0.37, board + 0.2, centre + 0.37, board + 0.22, wood, shadow=0.4)
    else:
        white = np.full(3, 0.83, dtype=np.float32)
        canvas.box(centre - 0.2, -1, centre + 0.2, floor - 0.004, white * 0.92, shadow=0.25)
        for low, high in ((-0.5, floor - 0.48), (floor - 0.42, floor - 0.06)):
            canvas.box(centre - 0.15, low, centre + 0.15, high, white, shadow=0.12)
        canvas.box(
            centre + 0.15,
            floor - 0.47,
            centre + 0.185,
            floor - 0.445,
            np.array([0.7, 0.65, 0.5], np.float32),
            radius=0.01,
        )


def _window(
    canvas: Canvas, rng: np.random.Generator, left: float, top: float, right: float, bottom: float
) -> None:
    sky = a_colour(rng, (0.52, 0.62), (0.05, 0.35), (0.85, 1.0))
    white = np.full(3, 0.9, dtype=np.float32)
    canvas.box(left - 0.03, top - 0.03, right + 0.03, bottom + 0.03, white, shadow=0.3)
    canvas.box(left, top, right, bottom, sky)
    green = a_colour(rng, (0.22, 0.36), (0.2, 0.5), (0.35, 0.65))
    for _ in range(6):  # trees outside
        x, size = rng.uniform(left, right), rng.uniform(0.06, 0.14)
        low = bottom - rng.uniform(0, 0.1)
        canvas.box(
            max(left, x - size),
            max(top, low - size * 1.6),
            min(right, x + size),
            bottom,
            green * rng.uniform(0.8, 1.2),
            radius=size,
            soft=0.05,
        )
    middle = (left + right) / 2
    canvas.box(middle - 0.012, top, middle + 0.012, bottom, white)
    if rng.random() < 0.6:
        cloth = a_colour(rng, (0, 1), (0.05, 0.5), (0.5, 0.85))
        for edge, out in ((left, -1), (right, 1)):
            for fold in range(4):
                x = edge + out * (0.035 * fold - 0.05)
                canvas.box(
                    x - 0.022,
                    top - 0.08,
                    x + 0.022,
                    bottom + 0.1,
                    cloth * (0.85 + 0.12 * (fold % 2)),
                    radius=0.015,
                    puff=0.25,
                )


def _ground(
    canvas: Canvas, rng: np.random.Generator, floor: float, kind: str
) -> tuple[Plane, Plane]:
    """Boards, tiles or carpet from y = `floor` down; places on it, right and away."""
    horizon = floor - rng.uniform(0.22, 0.45)
    top = max(0, round(floor * canvas.unit))
    rows = canvas.height - top
    y = (np.arange(top, canvas.height, dtype=np.float32) + 0.5)[:, None] / canvas.unit
    x = (np.arange(canvas.width, dtype=np.float32) + 0.5)[None] / canvas.unit
    away = np.broadcast_to(0.5 / (y - horizon), (rows, canvas.width))
    right = (x - canvas.right / 2) * away
    turn = rng.uniform(-0.6, 0.6)
    u = right * math.cos(turn) + away * math.sin(turn)
    v = -right * math.sin(turn) + away * math.cos(turn)
    tone = np.zeros((rows, canvas.width), dtype=np.float32)
    if kind == "boards":
        colour = a_colour(rng, (0.055, 0.10), (0.3, 0.6), (0.4, 0.72))
        wide, long = rng.uniform(0.09, 0.16), rng.uniform(1.0, 1.6)
        board = np.floor(u / wide)
        v = v + (board * 0.37 % 1) * long
        number = (board * 7919 + np.floor(v / long) * 104729).astype(np.int64)
        tones = rng.uniform(-0.13, 0.13, 997).astype(np.float32)
        tone = tones[number % 997]
        gap = np.minimum(
            abs(u / wide - np.round(u / wide)) * wide, abs(v / long - np.round(v / long)) * long
        )
        tone = tone - 0.28 * smoothstep(0.006, 0.002, gap)
        veins = rng.standard_normal((64, 4096)).astype(np.float32)
        tone = tone + 0.03 * veins[(v * 6).astype(np.int64) % 64, (u * 420).astype(np.int64) % 4096]
    elif kind == "tiles":
        colour = a_colour(rng, (0, 1), (0.02, 0.2), (0.5, 0.8))
        wide = rng.uniform(0.28, 0.4)
        number = (np.floor(u / wide) * 7919 + np.floor(v / wide) * 104729).astype(np.int64)
        checks = 0.16 if rng.random() < 0.3 else 0.0
        tone = rng.uniform(-0.05, 0.05, 997).astype(np.float32)[number % 997]
        tone = tone - checks * (np.floor(u / wide) + np.floor(v / wide)) % 2
        gap = np.minimum(abs(u / wide - np.round(u / wide)), abs(v / wide - np.round(v / wide)))
        tone = tone - 0.22 * smoothstep(0.03, 0.015, gap)
    else:
        colour = a_colour(rng, (0, 1), (0.05, 0.35), (0.35, 0.7))
        tone = 0.055 * grain(rng, rows, canvas.width, 1.6) + 0.06 * cloud(
            rng, rows, canvas.width, 30
        )
    fade = 1 - 0.22 * smoothstep(0.3, 2.2, away)
    canvas.colours[top:] = colour * ((1 + tone) * fade)[..., None]
    canvas.box(
        -1, floor, canvas.right + 1, floor + 0.02, np.zeros(3, np.float32), soft=0.05, opacity=0.35
    )
    return right, away


def _rug(canvas: Canvas, rng: np.random.Generator, floor: float, right: Plane, away: Plane) -> None:
    """A round or long rug with rings or stripes, lying on the ground."""
    top = canvas.height - right.shape[0]
    row = min(right.shape[0] - 1, int(right.shape[0] * rng.uniform(0.35, 0.6)))
    far = away - away[row, 0]
    side = right - rng.uniform(-0.3, 0.3) * canvas.right * away[row, 0]
    if rng.random() < 0.5:
        distance = np.hypot(side, far) / rng.uniform(0.45, 0.75)
    else:
        distance = np.maximum(abs(side) / rng.uniform(0.6, 0.95), abs(far) / rng.uniform(0.3, 0.5))
    colours = [a_colour(rng, (0, 1), (0.1, 0.55), (0.35, 0.8)) for _ in range(2)]
    rings = smoothstep(-0.2, 0.2, np.sin(distance * rng.uniform(9, 22)))[..., None]
    fluff = 1 + 0.06 * grain(rng, right.shape[0], right.shape[1], 1.8)
    cover = smoothstep(1.0, 0.985, distance)[..., None]
    part = canvas.colours[top:]
    part *= 1 - 0.3 * smoothstep(1.06, 0.99, distance)[..., None]
    part += cover * ((colours[0] + rings * (colours[1] - colours[0])) * fluff[..., None] - part)


def _plant(canvas: Canvas, rng: np.random.Generator, x: float, ground: float, size: float) -> None:
    pot = a_colour(rng, (0, 0.1), (0.1, 0.6), (0.35, 0.8))
    canvas.box(
        x - 0.3 * size,
        ground - 0.5 * size,
        x + 0.3 * size,
        ground,
        pot,
        radius=0.08 * size,
        puff=0.35,
        shadow=0.4,
    )
    green = a_colour(rng, (0.24, 0.38), (0.35, 0.65), (0.25, 0.5))
    for _ in range(26):
        turn = rng.uniform(-1.2, 1.2)
        reach = rng.uniform(0.3, 1.0) * size
        for t in np.linspace(0.2, 1, 7):
            leaf_x = x + math.sin(turn) * reach * t
            leaf_y = ground - 0.5 * size - math.cos(turn) * reach * t + 0.3 * reach * t * t
            thick = 0.075 * size * math.sin(math.pi * min(0.95, t))
            canvas.box(
                leaf_x - thick,
                leaf_y - thick,
                leaf_x + thick,
                leaf_y + thick,
                green * (0.7 + 0.5 * t),
                radius=thick,
            )


def _floor(canvas: Canvas, rng: np.random.Generator) -> tuple[float, float]:
    floor = canvas.bottom * rng.uniform(0.30, 0.52)
    _wall(canvas, rng, floor)
    _on_the_wall(canvas, rng, floor)
    right, away = _ground(
        canvas, rng, floor, str(rng.choice(("boards", "boards", "tiles", "carpet")))
    )
    if rng.random() < 0.6:
        _rug(canvas, rng, floor, right, away)
    things = rng.permutation(["sofa", "plant", "cupboard", "box", "nothing"])[:2]
    for number, thing in enumerate(things):
        x = canvas.right * (rng.uniform(0.05, 0.3) if number else rng.uniform(0.7, 0.95))
        if thing == "plant":
            _plant(canvas, rng, x, floor + rng.uniform(0.04, 0.12), rng.uniform(0.2, 0.32))
        elif thing == "sofa":
            cloth = a_colour(rng, (0, 1), (0.08, 0.5), (0.3, 0.75))
            canvas.box(
                x - 0.4,
                floor - 0.32,
                x + 0.4,
                floor + 0.08,
                cloth * 0.85,
                radius=0.06,
                puff=0.3,
                shadow=0.5,
            )
            canvas.box(x - 0.38, floor - 0.12, x + 0.38, floor + 0.02, cloth, radius=0.05, puff=0.3)
            for edge in (x - 0.42, x + 0.32):
                canvas.box(
                    edge, floor - 0.2, edge + 0.1, floor + 0.09, cloth * 0.95, radius=0.05, puff=0.3
                )
        elif thing == "cupboard":
            wood = a_colour(rng, (0.05, 0.1), (0.1, 0.55), (0.35, 0.85))
            high = rng.uniform(0.3, 0.6)
            canvas.box(
                x - 0.22, floor - high, x + 0.22, floor + 0.05, wood, radius=0.01, shadow=0.5
            )
            for row in range(2):
                low = floor - high + 0.03 + row * (high / 2)
                canvas.box(
                    x - 0.19,
                    low,
                    x + 0.19,
                    low + high / 2 - 0.03,
                    wood * 1.1,
                    radius=0.01,
                    shadow=0.25,
                )
                canvas.box(x - 0.02, low + 0.03, x + 0.02, low + 0.045, wood * 0.4)
        elif thing == "box":
            card = np.array([0.66, 0.52, 0.36], np.float32) * np.float32(rng.uniform(0.8, 1.1))
            canvas.box(x - 0.15, floor - 0.12, x + 0.15, floor + 0.13, card, shadow=0.5)
            canvas.box(x - 0.15, floor - 0.12, x + 0.15, floor - 0.07, card * 0.7)
    start = floor / canvas.bottom
    return start + 0.45 * (1 - start), 0.97


def _sofa(canvas: Canvas, rng: np.random.Generator) -> tuple[float, float]:
    bottom = canvas.bottom
    _wall(canvas, rng, bottom * 1.2)
    _on_the_wall(canvas, rng, bottom * rng.uniform(0.3, 0.5))
    cloth = a_colour(rng, (0, 1), (0.06, 0.5), (0.28, 0.72))
    back, seat = bottom * rng.uniform(0.2, 0.36), bottom * rng.uniform(0.58, 0.68)
    edge = bottom * rng.uniform(0.88, 0.97)
    parts = int(rng.integers(2, 4))
    canvas.box(-0.2, back, canvas.right + 0.2, bottom + 0.2, cloth * 0.8, radius=0.05, shadow=0.4)
    shift = rng.uniform(-0.3, 0.3)
    wide = (canvas.right + 0.6) / parts
    for number in range(parts):
        left = -0.3 + shift + number * wide
        canvas.box(
            left + 0.01, back + 0.03, left + wide - 0.01, seat + 0.08, cloth, radius=0.09, puff=0.4
        )
    canvas.box(
        -0.5,
        seat - 0.02,
        canvas.right + 0.5,
        seat + 0.05,
        np.zeros(3, np.float32),
        soft=0.12,
        opacity=0.45,
    )
    for number in range(parts):
        left = -0.3 + shift + number * wide
        canvas.box(
            left + 0.004, seat, left + wide - 0.004, edge, cloth * 1.12, radius=0.05, puff=0.3
        )
    canvas.box(
        -0.5, edge - 0.03, canvas.right + 0.5, bottom + 0.5, cloth * 0.75, radius=0.02, puff=0.2
    )
    for _ in range(int(rng.integers(0, 3))):  # cushions
        x, size = rng.uniform(0, 1) * canvas.right, rng.uniform(0.28, 0.4)
        canvas.box(
            x - size / 2,
            seat - size * 0.85,
            x + size / 2,
            seat + 0.05,
            a_colour(rng, (0, 1), (0.1, 0.6), (0.35, 0.85)),
            radius=0.1,
            puff=0.45,
            shadow=0.4,
        )
    weave = 0.03 * grain(rng, canvas.height, canvas.width, 1.5)
    top = round(back * canvas.unit)
    canvas.colours[top:] *= 1 + weave[top:, :, None]
    share = (seat + 0.55 * (edge - seat)) / bottom
    return share, min(0.97, (edge - 0.02) / bottom)


def _bed(canvas: Canvas, rng: np.random.Generator) -> tuple[float, float]:
    bottom = canvas.bottom
    start = bottom * rng.uniform(0.34, 0.5)
    _wall(canvas, rng, bottom * 1.2)
    _on_the_wall(canvas, rng, start - 0.05)
    wood = a_colour(rng, (0.05, 0.1), (0.2, 0.6), (0.25, 0.6))
    canvas.box(-0.5, start - 0.2, canvas.right + 0.5, bottom, wood, radius=0.02, shadow=0.4)
    white = a_colour(rng, (0, 1), (0.0, 0.1), (0.75, 0.92))
    for share in (0.28, 0.95):
        middle = share * canvas.right
        canvas.box(
            middle - 0.3,
            start - 0.17,
            middle + 0.3,
            start + 0.12,
            white,
            radius=0.12,
            puff=0.35,
            shadow=0.35,
        )
    top = round(start * canvas.unit)
    rows = canvas.height - top
    x, y = canvas.places()
    y = y[top:]  # of the bed alone
    hills = cloud(rng, rows, canvas.width, 0.28 * canvas.unit)
    hills = hills + 0.4 * cloud(rng, rows, canvas.width, 0.12 * canvas.unit)
    slope = np.gradient(hills, axis=1) + np.gradient(hills, axis=0)
    shade = 1 + np.clip(slope * 0.045 * canvas.unit, -0.28, 0.22)
    cloth = a_colour(rng, (0, 1), (0.05, 0.5), (0.4, 0.85))
    other = a_colour(rng, (0, 1), (0.05, 0.5), (0.4, 0.85))
    pattern = np.zeros((rows, canvas.width), dtype=np.float32)
    kind = rng.choice(("plain", "stripes", "checks"))
    away = 0.5 / (y - start + 0.35)
    u, v = (x - canvas.right / 2) * away + 0.02 * hills, away + 0.02 * hills
    if kind != "plain":
        pattern = smoothstep(-0.15, 0.15, np.sin(u * rng.uniform(18, 34)))
    if kind == "checks":
        pattern = 0.5 * pattern + 0.5 * smoothstep(-0.15, 0.15, np.sin(v * rng.uniform(18, 30)))
    sheet = cloth + 0.6 * pattern[..., None] * (other - cloth)
    weave = 0.03 * grain(rng, rows, canvas.width, 1.4)
    blanket = (
        sheet * ((shade + weave) * (0.85 + 0.15 * smoothstep(start, start + 0.3, y)))[..., None]
    )
    wavy = smoothstep(0, 0.012, y - start - 0.07 - 0.02 * np.sin(x * 6 + rng.uniform(0, 6)))
    part = canvas.colours[top:]
    part += wavy[..., None] * (blanket - part)
    return start / bottom + 0.5 * (1 - start / bottom), 0.97


def _sill(canvas: Canvas, rng: np.random.Generator) -> tuple[float, float]:
    bottom = canvas.bottom
    sill = bottom * rng.uniform(0.62, 0.74)
    _wall(canvas, rng, bottom * 1.5)
    _window(canvas, rng, 0.08 * canvas.right, -0.2, 0.92 * canvas.right, sill)
    canvas.colours *= 0.82  # light from behind: the camera takes less of it
    white = np.full(3, 0.78, dtype=np.float32)
    edge = bottom * rng.uniform(0.9, 0.97)
    canvas.box(-0.5, sill, canvas.right + 0.5, edge, white, shadow=0.2)
    canvas.box(-0.5, edge, canvas.right + 0.5, edge + 0.05, white * 0.72)
    if rng.random() < 0.6:
        x = float(rng.choice((0.1, 0.9))) * canvas.right
        _plant(canvas, rng, x, sill + 0.4 * (edge - sill), rng.uniform(0.2, 0.3))
    tone = 0.02 * cloud(rng, canvas.height, canvas.width, 0.2 * canvas.unit)
    canvas.colours *= 1 + tone[..., None]
    return (sill + 0.5 * (edge - sill)) / bottom, (edge - 0.01) / bottom
