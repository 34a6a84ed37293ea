"""A cat drawn from a pose and a head: fur on limbs, the face on top, and how it throws a shadow."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from catgan.demo.head import LIFT, REACH, Coat, Head, enlarge
from catgan.demo.pose import Knot, Layer, Limb, Pose
from catgan.demo.texture import (
    Colours,
    Plane,
    cloud,
    grain,
    resize,
    resize_colours,
    smoothstep,
    streaks,
    to_colours,
)

Place = tuple[slice, slice]
"""A part of the sheet: rows and columns."""

WHOLE = (slice(None), slice(None))
ROOM = 0.35  # around the body, widths of the face box
REACHES = 0.4  # how far a limb's shadow on those under it goes, likewise
FINEST = 120.0  # pixels; a wider face box is drawn at this and enlarged: hairs have a width
SKULL = Layer(
    limbs=(
        Limb(knots=((-0.14, -0.10, 0.46), (0.14, -0.10, 0.46))),
        Limb(knots=((-0.27, 0.12, 0.36), (0.27, 0.12, 0.36))),
        Limb(knots=((0.0, 0.22, 0.30), (0.0, 0.30, 0.27))),
    ),
    melt=0.06,
)
EAR = ((0.31, -0.32, 0.27), (0.40, -0.55, 0.155), (0.49, -0.80, 0.02))
INNER_EAR = ((0.34, -0.38, 0.15), (0.41, -0.56, 0.085), (0.47, -0.71, 0.01))
PINK = np.array([0.72, 0.50, 0.46], dtype=np.float32)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """Where light comes from and how it falls."""

    right: float
    """Direction towards it: part to the right of the picture, -1 to 1."""
    up: float
    """Part upward."""
    strength: float
    """Share of light that has a direction, 0 to 1."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cat:
    """A drawn cat on nothing."""

    colours: Colours
    """(H, W, 3), times `alpha`."""
    alpha: Plane
    """(H, W), 0 to 1: where the cat is."""
    left: float
    """x of the left edge of the planes from the centre of the face box, pixels."""
    top: float
    """y of their top edge likewise."""
    ground: float
    """y of what it lies or stands on likewise."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """A layer's shape on a part of the sheet."""

    place: Place
    """Which part."""
    distance: Plane
    """To its outline, widths of the box; negative inside."""
    round: Plane
    """0 on a limb's axis, 1 on its outline."""
    right: Plane
    """Direction away from the axis, part to the right."""
    down: Plane
    """Part downward."""
    flow_right: Plane
    """Direction along the limb, part to the right."""
    flow_down: Plane
    """Part downward."""
    along: Plane
    """How far along the limb, widths of the box."""
    light: Plane
    """Share of the chest's colour."""
    stripes: Plane
    """How strong stripes are."""
    soft: float
    """How far it fades into what lies under it."""


def draw_cat(
    pose: Pose, head: Head, *, width: float, light: Light, rng: np.random.Generator
) -> Cat:
    """Draw a cat.

    Args:
        pose: How it holds itself.
        head: Its face and coat; of a pose from behind, the coat alone is used.
        width: Of the face box, pixels.
        light: In the room.
        rng: For fur and stripes.
    """
    drawn = min(width, FINEST)
    sheet = _Sheet(pose, drawn)
    body = [_form(layer, *sheet.window(layer.limbs)) for layer in pose.layers]
    place = sheet.around(pose.head, 1.15)
    across, down = _on_head(sheet.x[:, place[1]], sheet.y[place[0]], pose)
    ears = _both_sides(EAR, across, down, place)
    skull = _form(SKULL, across, down, place)
    forms = [ears, *body] if pose.behind else [*body, ears, skull]

    rows, columns = sheet.rows, sheet.columns
    flow_right, flow_down = _fur_directions(
        sheet, body, None if pose.behind else (ears, skull), across, down, pose
    )
    noise = grain(rng, rows, columns, max(1.0, drawn / 95))
    hairs = streaks(noise, flow_right, flow_down, length=0.11 * drawn)
    tufts = cloud(rng, rows, columns, 0.16 * drawn)
    fuzz = 0.011 * hairs + 0.016 * tufts
    warp = cloud(rng, rows, columns, 0.5 * drawn)
    rate = rng.uniform(2.2, 3.2)

    colours = np.zeros((rows, columns, 3), dtype=np.float32)
    alpha = np.zeros((rows, columns), dtype=np.float32)
    for form in forms:
        part, covered = colours[form.place], alpha[form.place]
        edge = max(form.soft, 0.016)
        cover = smoothstep(edge, -edge, form.distance + fuzz[form.place])
        if form.soft:  # a marking ends where the body does
            cover = cover * covered
        if form is skull:
            own = _skull_colours(head, across, down, drawn)
        elif form is ears:
            own = _ear_colours(head.coat, across, down, behind=pose.behind)
        else:
            own = _body_colours(head.coat, form, warp[form.place], rate)
        if not form.soft:
            near = 0.16 if form is skull else 0.10
            part *= (1 - 0.42 * np.exp(-np.clip(form.distance, 0, None) / near))[..., None]
        own = own * _shade(form, light, flat=form is skull)
        part += cover[..., None] * (own - part)
        covered += cover * (1 - covered)

    depth = 0.07 * alpha * (0.45 + colours.mean(axis=2))
    if not pose.behind:
        depth[place] *= 1 - 0.75 * _calm(across, down)
    colours *= (1 + 0.05 * tufts)[..., None]
    colours += (depth * hairs)[..., None]
    if not pose.behind:
        colours = _whiskers(colours, pose, sheet, rng)
    colours = np.clip(colours, 0, 1)
    if drawn < width:
        rows, columns = round(rows * width / drawn), round(columns * width / drawn)
        alpha = resize(alpha, rows, columns)
        colours = resize_colours(colours, rows, columns)
    return Cat(
        colours=colours,
        alpha=np.clip(alpha, 0, 1),
        left=(sheet.left - pose.head[0]) * width,
        top=(sheet.top - pose.head[1]) * width,
        ground=(pose.ground - pose.head[1]) * width,
    )


class _Sheet:
    """The pixels that a cat is drawn on, and where on it they are."""

    def __init__(self, pose: Pose, width: float) -> None:
        limbs = [limb for layer in pose.layers for limb in layer.limbs]
        left, top, right, bottom = _bounds(limbs)
        x, y = pose.head
        self.width = width
        self.left, self.top = min(left, x - 0.85) - ROOM, min(top, y - 0.95) - ROOM
        self.columns = math.ceil((max(right, x + 0.85) + ROOM - self.left) * width)
        self.rows = math.ceil((bottom + ROOM - self.top) * width)
        self.x = (self.left + (np.arange(self.columns, dtype=np.float32) + 0.5) / width)[None]
        self.y = (self.top + (np.arange(self.rows, dtype=np.float32) + 0.5) / width)[:, None]

    def window(self, limbs: Sequence[Limb]) -> tuple[Plane, Plane, Place]:
        """x and y of the pixels that limbs and their shadow reach, and which these are."""
        place = self._place(*_bounds(limbs), REACHES)
        return self.x[:, place[1]], self.y[place[0]], place

    def around(self, centre: tuple[float, float], reach: float) -> Place:
        """The pixels of a square."""
        return self._place(*centre, *centre, reach)

    def _place(self, left: float, top: float, right: float, bottom: float, reach: float) -> Place:
        rows = slice(
            max(0, math.floor((top - reach - self.top) * self.width)),
            min(self.rows, math.ceil((bottom + reach - self.top) * self.width)),
        )
        columns = slice(
            max(0, math.floor((left - reach - self.left) * self.width)),
            min(self.columns, math.ceil((right + reach - self.left) * self.width)),
        )
        return rows, columns


def _bounds(limbs: Sequence[Limb]) -> tuple[float, float, float, float]:
    knots = [knot for limb in limbs for knot in limb.knots]
    return (
        min(x - r for x, _, r in knots),
        min(y - r for _, y, r in knots),
        max(x + r for x, _, r in knots),
        max(y + r for _, y, r in knots),
    )


def _on_head(x: Plane, y: Plane, pose: Pose) -> tuple[Plane, Plane]:
    """Places as the head sees them."""
    turn = math.radians(pose.roll)
    cos, sin = np.float32(math.cos(turn)), np.float32(math.sin(turn))
    dx, dy = x - np.float32(pose.head[0]), y - np.float32(pose.head[1])
    return dx * cos - dy * sin, dx * sin + dy * cos


def _form(layer: Layer, x: Plane, y: Plane, place: Place) -> _Form:
    """Limbs melted together: their distances by a soft minimum, the rest by its weights."""
    shape = np.broadcast_shapes(x.shape, y.shape)
    total = np.zeros(shape, dtype=np.float32)
    sums = {
        name: np.zeros(shape, dtype=np.float32)
        for name in (
            "round",
            "right",
            "down",
            "flow_right",
            "flow_down",
            "along",
            "light",
            "stripes",
        )
    }
    for limb in layer.limbs:
        travelled = 0.0
        for (x0, y0, r0), (x1, y1, r1) in zip(limb.knots, limb.knots[1:], strict=False):
            dx, dy = x1 - x0, y1 - y0
            length = max(math.hypot(dx, dy), 1e-6)
            ux, uy = dx / length, dy / length
            s = np.clip((x - x0) * ux + (y - y0) * uy, 0, length)
            away_x, away_y = x - (x0 + s * ux), y - (y0 + s * uy)
            far = np.sqrt(away_x * away_x + away_y * away_y) + 1e-6
            radius = r0 + (r1 - r0) / length * s
            weight = np.exp(np.clip(-(far - radius) / (layer.melt / 2), -40, 40))
            total += weight
            for name, value in (
                ("round", far / radius),
                ("right", away_x / far),
                ("down", away_y / far),
                ("flow_right", ux),
                ("flow_down", uy),
                ("along", travelled + s),
                ("light", limb.light),
                ("stripes", limb.stripes),
            ):
                sums[name] += weight * value
            travelled += length
    total += 1e-30
    planes = {name: np.asarray(value / total, dtype=np.float32) for name, value in sums.items()}
    planes["round"] = np.clip(planes["round"], 0, 1)
    distance = np.asarray(-layer.melt / 2 * np.log(total), dtype=np.float32)
    return _Form(place=place, distance=distance, soft=layer.soft, **planes)


def _both_sides(knots: tuple[Knot, ...], x: Plane, y: Plane, place: Place) -> _Form:
    right = Limb(knots=knots)
    left = Limb(knots=tuple((-kx, ky, r) for kx, ky, r in knots))
    return _form(Layer(limbs=(left, right), melt=0.03), x, y, place)


def _fur_directions(
    sheet: "_Sheet",
    body: list[_Form],
    head: tuple[_Form, _Form] | None,
    across: Plane,
    down: Plane,
    pose: Pose,
) -> tuple[Plane, Plane]:
    """The way hairs lie: along the limbs and a little off them, on a face away from the nose.

    Args:
        sheet: All of it.
        body: The limbs, the farthest first.
        head: Ears and skull, or None where no face is seen.
        across: Places as the head sees them, around it.
        down: Likewise.
        pose: Whose head is turned.

    Returns:
        Unit vectors, to the right and downward, (rows, columns) each.
    """
    right = np.zeros((sheet.rows, sheet.columns), dtype=np.float32)
    below = np.ones((sheet.rows, sheet.columns), dtype=np.float32)
    for form in body:
        inside = smoothstep(0.06, -0.02, form.distance)
        right[form.place] += inside * (
            form.flow_right + 0.8 * form.right * form.round - right[form.place]
        )
        below[form.place] += inside * (
            form.flow_down + 0.8 * form.down * form.round - below[form.place]
        )
    if head is not None:
        ears, skull = head
        turn = math.radians(pose.roll)
        cos, sin = math.cos(turn), math.sin(turn)
        off_x, off_y = across, down - 0.12
        far = np.hypot(off_x, off_y) + 1e-6
        on_head = np.maximum(
            smoothstep(0.06, -0.02, skull.distance), smoothstep(0.05, -0.02, ears.distance)
        )
        right[skull.place] += on_head * ((off_x * cos + off_y * sin) / far - right[skull.place])
        below[skull.place] += on_head * ((-off_x * sin + off_y * cos) / far - below[skull.place])
    length = np.hypot(right, below) + 1e-6
    return right / length, below / length


def _shade(form: _Form, light: Light, *, flat: bool) -> Colours:
    """How bright a rounded limb is where it faces the light or turns from it."""
    tilt = form.round * form.round if flat else form.round
    facing = np.sqrt(np.clip(1 - tilt * tilt, 0, 1))
    towards = tilt * (form.right * light.right - form.down * light.up)
    lambert = 0.55 * facing + 0.6 * towards + 0.25
    strength = light.strength * (0.55 if flat else 1.0)
    shade = (1 - strength) * (0.80 + 0.20 * facing) + strength * np.clip(lambert, 0.3, 1.3) * 1.35
    return np.asarray(shade[..., None], dtype=np.float32)


def _body_colours(coat: Coat, form: _Form, warp: Plane, rate: float) -> Colours:
    wave = np.sin(2 * np.pi * (form.along * rate + 0.55 * warp))
    dark = smoothstep(0.05, 0.75, np.asarray(wave, dtype=np.float32)) * form.stripes
    dark = dark * (1 - 0.5 * form.light) * 0.6
    base = coat.back * (1 - form.light[..., None]) + coat.light * form.light[..., None]
    return np.asarray(base + dark[..., None] * (coat.dark - base), dtype=np.float32)


def _ear_colours(coat: Coat, across: Plane, down: Plane, *, behind: bool) -> Colours:
    outer = np.broadcast_to(coat.back * 0.92, (*across.shape, 3))
    if behind:
        return np.asarray(outer, dtype=np.float32)
    inner = smoothstep(0.03, -0.05, _both_sides(INNER_EAR, across, down, WHOLE).distance)[..., None]
    skin = 0.75 * PINK * (0.45 + 0.8 * coat.back.mean()) + 0.25 * coat.back
    return np.asarray(outer + 0.8 * inner * (skin - outer), dtype=np.float32)


def _skull_colours(head: Head, across: Plane, down: Plane, width: float) -> Colours:
    """The face, where the head is."""
    side = max(64, round(REACH * width))
    face = to_colours(enlarge(head, side))
    # bilinear, as the enlarged face has the resolution of the photo
    px = np.clip((across / REACH + 0.5) * side - 0.5, 0, side - 1.001)
    py = np.clip(((down + LIFT) / REACH + 0.5) * side - 0.5, 0, side - 1.001)
    x0, y0 = px.astype(np.int32), py.astype(np.int32)
    fx, fy = (px - x0)[..., None], (py - y0)[..., None]
    flat = face.reshape(-1, 3)
    index = y0 * side + x0
    upper = flat[index] * (1 - fx) + flat[index + 1] * fx
    lower = flat[index + side] * (1 - fx) + flat[index + side + 1] * fx
    return np.asarray(upper * (1 - fy) + lower * fy, dtype=np.float32)


def _calm(across: Plane, down: Plane) -> Plane:
    """Where there is no fur to speak of, 0 to 1: eyes and nose."""
    eyes = np.hypot((abs(across) - 0.25) / 0.15, (down + 0.10) / 0.11)
    nose = np.hypot(across / 0.14, (down - 0.22) / 0.14)
    return smoothstep(1.5, 0.7, np.minimum(eyes, nose))


def _whiskers(colours: Colours, pose: Pose, sheet: "_Sheet", rng: np.random.Generator) -> Colours:
    """A few long white hairs on either side of the nose."""
    rows, columns = colours.shape[:2]
    twice = Image.new("L", (columns * 2, rows * 2), 0)
    draw = ImageDraw.Draw(twice)
    turn = math.radians(pose.roll)
    cos, sin = math.cos(turn), math.sin(turn)
    for side in (-1, 1):
        for number in range(4):
            start = np.array([0.16 * side, 0.24 + 0.03 * number])
            reach = np.array(
                [side * rng.uniform(0.55, 0.8), rng.uniform(-0.12, 0.16) + 0.06 * number]
            )
            points = [start + t * reach + (0, 0.10 * t * t) for t in np.linspace(0, 1, 8)]
            line = [
                (
                    2 * sheet.width * (pose.head[0] + u * cos + v * sin - sheet.left),
                    2 * sheet.width * (pose.head[1] - u * sin + v * cos - sheet.top),
                )
                for u, v in points
            ]
            draw.line(line, fill=170, width=max(1, round(sheet.width / 90)))
    drawn = np.asarray(twice.resize((columns, rows), Image.Resampling.BOX), dtype=np.float32) / 255
    return np.asarray(colours + 0.5 * drawn[..., None] * (0.95 - colours), dtype=np.float32)
