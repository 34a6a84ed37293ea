"""How a cat holds itself: limbs laid over one another, and where its head is.

All lengths are in widths of the face box; x goes right, y down, and the head of an unturned pose is
at the origin. Every pose is drawn anew, a little different each time.
"""

import dataclasses

import numpy as np

Knot = tuple[float, float, float]
"""A place on a limb: x, y, and how thick the limb is there (its radius)."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limb:
    """A part of the body between knots, round in cross-section."""

    knots: tuple[Knot, ...]
    """From one end to the other, from two."""
    light: float = 0.0
    """Share of the chest's colour, 0 (back) to 1 (chest)."""
    stripes: float = 1.0
    """How strong its stripes are, 0 to 1."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Limbs that melt into one another, and lie over the layers before."""

    limbs: tuple[Limb, ...]
    melt: float = 0.12
    """How far two limbs flow together."""
    soft: float = 0.0
    """How far it fades into what lies under it: markings, without a shadow of their own."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """A whole cat."""

    name: str
    """What it does."""
    layers: tuple[Layer, ...]
    """The farthest first; the head lies over all of them."""
    head: tuple[float, float]
    """The centre of the face box; of a cat seen from behind, of the back of its head."""
    roll: float
    """Turn of the head, degrees anticlockwise."""
    ground: float
    """y of what it lies or stands on."""
    behind: bool = False
    """Whether it is seen from behind: its head is one of the limbs, and has no face."""


def mirrored(pose: Pose) -> Pose:
    """The pose the other way round."""
    layers = tuple(
        dataclasses.replace(
            layer,
            limbs=tuple(
                dataclasses.replace(limb, knots=tuple((-x, y, r) for x, y, r in limb.knots))
                for limb in layer.limbs
            ),
        )
        for layer in pose.layers
    )
    return dataclasses.replace(
        pose, layers=layers, head=(-pose.head[0], pose.head[1]), roll=-pose.roll
    )


def sitting(rng: np.random.Generator) -> Pose:
    """Upright on its haunches, towards the camera."""
    lean = rng.uniform(-0.3, 0.3)
    tall = rng.uniform(0.92, 1.08)
    side = rng.choice((-1.0, 1.0))

    def at(x: float, y: float, r: float) -> Knot:
        return (x + lean * y / 3, y * tall, r)

    tail = (
        at(0.9 * side, 2.65, 0.17),
        at(1.15 * side, 2.95, 0.16),
        at(0.6 * side, 3.16, 0.15),
        at(-0.1 * side, 3.22, 0.12),
    )
    return Pose(
        name="sitting",
        layers=(
            Layer(
                limbs=(
                    Limb(knots=(at(0, 0.7, 0.5), at(0, 1.5, 0.66), at(0, 2.35, 0.92))),
                    Limb(knots=(at(-0.78, 2.5, 0.52), at(-0.72, 2.75, 0.42))),
                    Limb(knots=(at(0.78, 2.5, 0.52), at(0.72, 2.75, 0.42))),
                ),
                melt=0.16,
            ),
            Layer(
                limbs=(Limb(knots=(at(0, 0.55, 0.36), at(0, 1.35, 0.4)), light=0.9, stripes=0),),
                soft=0.16,
            ),
            Layer(limbs=(Limb(knots=(at(-0.72, 3.0, 0.17), at(-0.85, 3.05, 0.16)), light=0.6),)),
            Layer(limbs=(Limb(knots=(at(0.72, 3.0, 0.17), at(0.85, 3.05, 0.16)), light=0.6),)),
            Layer(
                limbs=(
                    Limb(knots=(at(-0.3, 1.45, 0.3), at(-0.29, 2.8, 0.2)), light=0.35),
                    Limb(knots=(at(-0.29, 2.85, 0.2), at(-0.31, 3.05, 0.2)), light=0.9, stripes=0),
                )
            ),
            Layer(
                limbs=(
                    Limb(knots=(at(0.3, 1.45, 0.3), at(0.29, 2.8, 0.2)), light=0.35),
                    Limb(knots=(at(0.29, 2.85, 0.2), at(0.31, 3.05, 0.2)), light=0.9, stripes=0),
                )
            ),
            *(() if rng.random() < 0.4 else (Layer(limbs=(Limb(knots=tail),)),)),
        ),
        head=(0.0, 0.0),
        roll=rng.normal(0, 8),
        ground=3.22 * tall,
    )


def turned(rng: np.random.Generator) -> Pose:
    """Sitting with its body to one side, its face to the camera."""
    tail = ((1.7, 2.6, 0.18), (2.4, 2.95, 0.16), (2.9, 2.85, 0.13), (3.1, 2.6, 0.09))
    return Pose(
        name="turned",
        layers=(
            Layer(limbs=(Limb(knots=tail),)),
            Layer(limbs=(Limb(knots=((0.25, 1.3, 0.27), (0.32, 2.75, 0.17), (0.2, 2.82, 0.16))),)),
            Layer(
                limbs=(
                    Limb(knots=((0.1, 0.5, 0.48), (0.45, 1.2, 0.66), (1.05, 2.1, 0.84))),
                    Limb(knots=((1.1, 2.3, 0.68), (1.3, 2.45, 0.52))),
                ),
                melt=0.16,
            ),
            Layer(
                limbs=(Limb(knots=((0.0, 0.6, 0.3), (-0.02, 1.2, 0.32)), light=0.8, stripes=0),),
                soft=0.16,
            ),
            Layer(limbs=(Limb(knots=((1.0, 2.35, 0.5), (0.85, 2.65, 0.3), (0.6, 2.86, 0.17))),)),
            Layer(
                limbs=(
                    Limb(knots=((-0.02, 1.3, 0.29), (-0.05, 2.75, 0.18))),
                    Limb(knots=((-0.05, 2.8, 0.18), (-0.16, 2.86, 0.18)), light=0.9, stripes=0),
                )
            ),
        ),
        head=(0.0, 0.0),
        roll=rng.normal(0, 9),
        ground=3.02,
    )


def loaf(rng: np.random.Generator) -> Pose:
    """Paws tucked under, towards the camera."""
    aside = rng.uniform(-0.35, 0.35)
    return Pose(
        name="loaf",
        layers=(
            Layer(
                limbs=(
                    Limb(knots=((aside * 1.5 - 0.5, 0.75, 0.72), (aside * 1.5 + 0.5, 0.75, 0.72))),
                    Limb(knots=((aside - 0.8, 1.05, 0.5), (aside + 0.8, 1.05, 0.5))),
                ),
                melt=0.2,
            ),
            Layer(
                limbs=(Limb(knots=((0, 0.6, 0.42), (0, 0.95, 0.44)), light=0.8, stripes=0),),
                soft=0.2,
            ),
            Layer(
                limbs=(
                    Limb(knots=((-0.36, 1.34, 0.2), (-0.12, 1.38, 0.18)), light=0.7, stripes=0.3),
                )
            ),
            Layer(
                limbs=(Limb(knots=((0.36, 1.34, 0.2), (0.12, 1.38, 0.18)), light=0.7, stripes=0.3),)
            ),
        ),
        head=(0.0, 0.0),
        roll=rng.normal(0, 7),
        ground=1.54,
    )


def lying(rng: np.random.Generator) -> Pose:
    """Stretched out to one side, head up, forelegs before it."""
    long = rng.uniform(0.9, 1.15)
    tail = (
        (2.7 * long, 1.15, 0.2),
        (3.3 * long, 1.3, 0.17),
        (3.8 * long, 1.22, 0.14),
        (4.1 * long, 1.0, 0.1),
    )
    return Pose(
        name="lying",
        layers=(
            Layer(limbs=(Limb(knots=tail),)),
            Layer(
                limbs=(
                    Limb(
                        knots=((-0.05, 1.15, 0.22), (-0.9, 1.28, 0.17), (-1.25, 1.3, 0.17)),
                        light=0.4,
                    ),
                )
            ),
            Layer(
                limbs=(
                    Limb(knots=((0.15, 0.55, 0.5), (1.0, 0.72, 0.7), (2.3 * long, 0.78, 0.66))),
                    Limb(knots=((2.2 * long, 0.85, 0.6), (2.55 * long, 0.95, 0.5))),
                ),
                melt=0.18,
            ),
            Layer(
                limbs=(Limb(knots=((0.02, 0.6, 0.3), (0.05, 0.95, 0.36)), light=0.8, stripes=0),),
                soft=0.16,
            ),
            Layer(
                limbs=(
                    Limb(
                        knots=(
                            (2.4 * long, 0.95, 0.42),
                            (2.05 * long, 1.22, 0.24),
                            (1.5 * long, 1.3, 0.17),
                        )
                    ),
                )
            ),
            Layer(
                limbs=(
                    Limb(knots=((0.35, 1.1, 0.27), (-0.35, 1.3, 0.18))),
                    Limb(knots=((-0.45, 1.31, 0.18), (-0.65, 1.33, 0.18)), light=0.9, stripes=0),
                )
            ),
        ),
        head=(0.0, 0.0),
        roll=rng.normal(-4, 10),
        ground=1.5,
    )


def walking(rng: np.random.Generator) -> Pose:
    """On its way across the picture, looking at the camera."""
    step = rng.uniform(-0.15, 0.15)
    tail = ((2.75, 0.45, 0.17), (3.2, 0.1, 0.15), (3.4, -0.5, 0.13), (3.2, -1.0, 0.1))

    def leg(top: float, foot: float, thick: float, light: float) -> Limb:
        knots = ((top, 0.9, thick), ((top + foot) / 2 + 0.06, 1.6, thick * 0.6), (foot, 2.25, 0.15))
        return Limb(knots=knots, light=light)

    def paw(foot: float) -> Limb:
        return Limb(knots=((foot, 2.28, 0.16), (foot - 0.16, 2.32, 0.15)), light=0.9, stripes=0)

    return Pose(
        name="walking",
        layers=(
            Layer(limbs=(Limb(knots=tail),)),
            Layer(limbs=(leg(0.75, 1.05 + step, 0.26, 0.1), paw(1.02 + step))),
            Layer(limbs=(leg(2.35, 2.1 - step, 0.32, 0.1), paw(2.05 - step))),
            Layer(
                limbs=(
                    Limb(
                        knots=(
                            (0.1, 0.2, 0.45),
                            (0.7, 0.6, 0.58),
                            (1.6, 0.72, 0.62),
                            (2.45, 0.66, 0.56),
                        )
                    ),
                ),
                melt=0.15,
            ),
            Layer(limbs=(leg(0.5, 0.25 - step, 0.3, 0.15), paw(0.22 - step))),
            Layer(limbs=(leg(2.45, 2.75 + step, 0.4, 0.1), paw(2.7 + step))),
        ),
        head=(0.0, 0.0),
        roll=rng.normal(0, 8),
        ground=2.46,
    )


def curled(rng: np.random.Generator) -> Pose:
    """Rolled up, the head on its own flank."""
    tail = ((1.2, 1.05, 0.22), (0.5, 1.32, 0.2), (-0.3, 1.28, 0.17), (-0.9, 1.0, 0.12))
    return Pose(
        name="curled",
        layers=(
            Layer(
                limbs=(
                    Limb(
                        knots=(
                            (0.0, 0.45, 0.5),
                            (0.5, 0.05, 0.68),
                            (1.4, 0.2, 0.8),
                            (1.5, 0.7, 0.66),
                        )
                    ),
                    Limb(knots=((1.2, 0.85, 0.55), (0.4, 0.95, 0.45))),
                ),
                melt=0.2,
            ),
            Layer(limbs=(Limb(knots=((0.9, 0.75, 0.45), (0.35, 0.95, 0.22)), light=0.2),)),
            Layer(limbs=(Limb(knots=tail),)),
        ),
        head=(0.0, 0.35),
        roll=rng.normal(-12, 9),
        ground=1.46,
    )


def back_sitting(rng: np.random.Generator) -> Pose:
    """Upright, its back to the camera."""
    side = rng.choice((-1.0, 1.0))
    tail = (
        (0.3 * side, 2.9, 0.19),
        (1.2 * side, 3.1, 0.17),
        (2.0 * side, 3.0, 0.15),
        (2.5 * side, 2.7, 0.1),
    )
    lean = rng.uniform(-0.3, 0.3)
    return Pose(
        name="back-sitting",
        layers=(
            Layer(
                limbs=(
                    Limb(
                        knots=(
                            (0, -0.12, 0.5),
                            (0, 0.35, 0.47),
                            (lean / 2, 1.3, 0.68),
                            (lean, 2.25, 0.95),
                        )
                    ),
                    Limb(knots=((lean - 0.75, 2.5, 0.55), (lean - 0.7, 2.8, 0.42))),
                    Limb(knots=((lean + 0.75, 2.5, 0.55), (lean + 0.7, 2.8, 0.42))),
                ),
                melt=0.2,
            ),
            Layer(limbs=(Limb(knots=tail),)),
        ),
        head=(0.0, 0.0),
        roll=rng.normal(0, 8),
        ground=3.22,
        behind=True,
    )


def back_lying(rng: np.random.Generator) -> Pose:
    """Lying down, its back to the camera."""
    long = rng.uniform(0.9, 1.1)
    tail = ((2.4 * long, 1.1, 0.2), (3.1 * long, 1.28, 0.17), (3.7 * long, 1.2, 0.12))
    return Pose(
        name="back-lying",
        layers=(
            Layer(limbs=(Limb(knots=tail),)),
            Layer(
                limbs=(
                    Limb(
                        knots=(
                            (0, -0.08, 0.5),
                            (0.2, 0.4, 0.52),
                            (0.8, 0.7, 0.74),
                            (1.9 * long, 0.75, 0.74),
                        )
                    ),
                    Limb(knots=((1.9 * long, 0.85, 0.64), (2.3 * long, 0.95, 0.5))),
                ),
                melt=0.2,
            ),
        ),
        head=(0.0, 0.05),
        roll=rng.normal(5, 8),
        ground=1.48,
        behind=True,
    )


FACING = (sitting, turned, loaf, lying, walking, curled)
"""Poses in which the face is seen."""

BEHIND = (back_sitting, back_lying)
"""Poses in which it is not."""
