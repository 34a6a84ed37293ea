"""What an album holds: which photos there are, in which order, of which size."""

from collections.abc import Iterator

import numpy as np

from catgan.demo.config import DemoConfig
from catgan.demo.face import Faces
from catgan.demo.photo import Shot
from catgan.demo.truth import BACK, BLURRED, BROKEN, BURST, EMPTY, PLAIN, TURNED

SHARES = {TURNED: 0.08, BLURRED: 0.06, BURST: 0.08, BACK: 0.08, EMPTY: 0.06, BROKEN: 0.02}
"""What share of an album's photos are not plain; of each kind there is at least one."""
FRAMES = (2, 3)  # further frames of a burst, fewest and most
SIZES = ((640, 480),) * 6 + ((800, 600),) * 3 + ((768, 576),) * 2 + ((1280, 960),)
PORTRAIT = 0.3  # share of photos that are higher than wide
HELD = (3, 6, 6, 8)  # EXIF orientations of a phone held otherwise; upright most often


def name_of(number: int) -> str:
    """What a photo is called, by its number from 1."""
    return f"IMG_{number:04d}.jpg"


def kinds_of(config: DemoConfig) -> list[str]:
    """What each photo of an album is, in order; every burst follows its plain photo."""
    rng = np.random.default_rng((config.seed, 1))
    counts = {kind: max(1, round(share * config.photos)) for kind, share in SHARES.items()}
    counts[BROKEN] = max(3, counts[BROKEN]) if config.photos >= 30 else 1
    bursts: list[list[str]] = []
    while counts[BURST] > 0:
        further = min(counts[BURST], int(rng.integers(FRAMES[0], FRAMES[1] + 1)))
        bursts.append([PLAIN] + [BURST] * further)
        counts[BURST] -= further
    singles = [[kind] for kind, count in counts.items() for _ in range(count)]
    plain = config.photos - len(singles) - sum(map(len, bursts))
    groups = bursts + singles + [[PLAIN]] * plain
    return [kind for place in rng.permutation(len(groups)) for kind in groups[place]]


def faces_needed(config: DemoConfig) -> int:
    """How many faces an album needs: a burst shows one, an empty room none."""
    return sum(kind not in (BURST, EMPTY) for kind in kinds_of(config))


def plan_shots(config: DemoConfig, faces: Faces) -> Iterator[Shot]:
    """The photos of an album, in order.

    Args:
        config: Which album.
        faces: As many as `faces_needed` says.
    """
    rng = np.random.default_rng((config.seed, 2))
    supply = iter(zip(faces.pictures, faces.numbers, strict=True))
    first: Shot | None = None
    frame = broken = 0
    for number, kind in enumerate(kinds_of(config), start=1):
        name = name_of(number)
        long, short = SIZES[int(rng.integers(len(SIZES)))]
        portrait = rng.random() < PORTRAIT
        orientation = int(rng.choice(HELD)) if kind == TURNED else 1
        if orientation in (6, 8):  # a phone held upright stores its portraits lying
            portrait = True
        if kind == BURST:
            assert first is not None
            frame += 1
            yield Shot(
                file=name,
                kind=kind,
                width=first.width,
                height=first.height,
                scene=first.scene,
                frame=frame,
                face=first.face,
                latent=first.latent,
                burst_of=first.file,
            )
            continue
        face, latent = next(supply) if kind != EMPTY else (None, -1)
        broken += kind == BROKEN
        frame = broken if kind == BROKEN else 0
        first = Shot(
            file=name,
            kind=kind,
            width=short if portrait else long,
            height=long if portrait else short,
            scene=(config.seed, 3, number),
            frame=frame,
            face=face,
            latent=latent,
            orientation=orientation,
        )
        yield first
