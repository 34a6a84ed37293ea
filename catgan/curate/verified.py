"""Finding faces in three steps: propose places, refine box and turn, verify that it is a face.

Two propose. The net looks at the photo once, at a wide or tall one and at a group also part by
part, and a small head on its maps proposes places, sizes and turns. Where that is silent or unsure
OpenCV's cascades propose boxes, over turns: they look for light and dark at a scale of their own,
and miss other faces than the net does. One disposes. A levelled crop of each place is looked at
twice: the first look moves the square and the turn to where the face is, the second tells whether
it is one. Where the net, which tells a thousand kinds of things apart, sees hardly a cat on the
photo, it has no face. The squares are the heads' until the end; scores are logits, above 0 where a
face is more likely than not.
"""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from catgan.core.photos import Photo
from catgan.core.pictures import Picture
from catgan.curate.cascades import CascadeDetector
from catgan.curate.cut import cut_level
from catgan.curate.detector import RecipeDetector
from catgan.curate.heads import (
    CROP_REACH,
    CROP_SIDE,
    REFERENCE,
    ROLL_UNIT,
    ProposalHead,
    VerifierHead,
    load_heads,
)
from catgan.curate.maps import GROUND, STRIDE, Maps, NetMaps, on_grid
from catgan.curate.opencv import cv2
from catgan.curate.recipe import Recipe
from catgan.curate.square import MAP, Square, ears_of, head_of
from catgan.formats.datasets import CASCADE

PROPOSALS = 24  # places looked at closely: those alone that may count, which is one or none mostly
GROUP = 2  # faces from which more are looked for, nearer by
ELONGATED = 2.0  # times as long as wide, from which one look would see the faces too small
MOST_PARTS = 40  # of a panorama
LEAST_LOGIT = -4.0  # a place less likely than this is none
BOX_LOGIT = 1.0  # what a cascade's box counts for, where the map says less or nothing
MOST_CROP = 10.0  # logit that a levelled crop can make up for: a less likely place is not looked at
SURE = 15.0  # score from which one face is as good as another, and the largest the best
MOST_BOXES = 12  # of the cascades that are looked at closely, the surest


Part = tuple[int, int, Picture]
"""A part of a photo: its left edge, its top edge, and its pixels, (H, W, 3) uint8."""


class VerifiedDetector(RecipeDetector):
    """Proposes, refines and verifies; one serves one thread."""

    def __init__(self, recipe: Recipe) -> None:
        """Load the net and the fitted parts.

        Raises:
            MissingPackage: The package with the net's weights is missing or broken.
            BadRecipe: The fitted parts are.
        """
        assert recipe.verifier is not None
        super().__init__(recipe)
        self._cascades = CascadeDetector(recipe) if recipe.cascades else None
        self._maps = NetMaps()
        self._proposal, self._verifier = load_heads(recipe.verifier)

    def find(self, photo: Photo) -> list[Square]:
        """The ears' squares of a photo, the best first, in pixels of the whole photo.

        Args:
            photo: Upright; may be reduced, best to no less than the recipe's side.
        """
        places, cat = self._places(parts_of(photo.pixels))
        if cat < self.recipe.min_cat:
            return []
        found = self._verify(photo.pixels, places, MAP)
        if len(found) >= GROUP:
            places, cat = self._places([*parts_of(photo.pixels), *quarters_of(photo.pixels)])
            found = self._verify(photo.pixels, places, MAP)
        silent = not (found and found[0].score >= self.recipe.sure)
        if self._cascades and silent:
            boxes = [head_of(box) for box in self._cascades.boxes(photo)[:MOST_BOXES]]
            found = unique([*found, *self._verify(photo.pixels, boxes, CASCADE, places)])
        to_photo = max(photo.width, photo.height) / max(photo.pixels.shape[:2])
        return [ears_of(head.scaled(to_photo)) for head in nearest_first(found)]

    def _places(self, parts: Iterable[Part]) -> tuple[list[Square], float]:
        """What the map proposes on parts of a photo, the likeliest first; how likely a cat is."""
        heads, cat = [], 0.0
        for left, top, pixels in parts:
            canvas, factor = on_grid(pixels, self.recipe.side)
            seen = self._maps.look(canvas[None])
            cat = max(cat, float(seen.cat[0]))
            for head in proposed(self._proposal, seen):
                own = head.scaled(1 / factor)
                heads.append(dataclasses.replace(own, cx=own.cx + left, cy=own.cy + top))
        return unique(heads)[:PROPOSALS], cat

    def _verify(
        self,
        pixels: Picture,
        heads: Sequence[Square],
        proposer: str,
        places: Sequence[Square] = (),
    ) -> list[Square]:
        """The heads among those proposed, the surest first.

        A head's score is the sum of two logits: of its place on the map, which sees what is around
        it, and of its levelled crop, which sees it closely. A cascade gives no logit; that its box
        counts for `BOX_LOGIT` was measured (figures in docs/log.md).

        Args:
            pixels: (H, W, 3) uint8: the photo.
            heads: What was proposed, in pixels of `pixels`.
            proposer: By what.
            places: What the map proposes, if it is not `heads`.
        """
        least = self.recipe.min_score - MOST_CROP
        likely = [head for head in heads if proposer != MAP or head.score >= least]
        if not likely:
            return []
        refined = refine(self._maps, self._verifier, pixels, likely)
        if proposer != MAP:
            refined = unique(refined)  # several boxes come to lie on one place
        verified = refine(self._maps, self._verifier, pixels, refined)
        logits = (
            [head.score for head in likely]
            if proposer == MAP
            else [_logit_at(head, places) for head in verified]
        )
        found = [
            dataclasses.replace(head, score=logit + head.score, proposer=proposer)
            for logit, head in zip(logits, verified, strict=True)
        ]
        return unique([head for head in found if head.score >= self.recipe.min_score])


def _logit_at(head: Square, places: Sequence[Square]) -> float:
    """What speaks for the place of a cascade's box: the map's logit there, or that of any box."""
    near = (
        place.score
        for place in places
        if max(abs(place.cx - head.cx), abs(place.cy - head.cy)) < 0.45 * head.side
    )
    return max([BOX_LOGIT, *near])


def parts_of(pixels: Picture) -> Iterator[Part]:
    """What the net looks at: the photo, and of a long one squares that overlap by half.

    Args:
        pixels: (H, W, 3) uint8.

    """
    yield 0, 0, pixels
    height, width = pixels.shape[:2]
    short, long = min(height, width), max(height, width)
    if long < ELONGATED * short:
        return
    for start in _starts(long, short):
        if width > height:
            yield start, 0, pixels[:, start : start + short]
        else:
            yield 0, start, pixels[start : start + short]


def quarters_of(pixels: Picture) -> Iterator[Part]:
    """Parts half as wide as a photo is long, which overlap by half.

    Args:
        pixels: (H, W, 3) uint8.
    """
    height, width = pixels.shape[:2]
    if max(height, width) >= ELONGATED * min(height, width):
        return  # its own parts are as near
    side = max(1, max(height, width) // 2)
    tops, lefts = _starts(height, side), _starts(width, side)
    for top in tops:
        for left in lefts:
            yield left, top, pixels[top : top + side, left : left + side]


def _starts(length: int, side: int) -> list[int]:
    """Where parts begin that are so long, overlap by half at least, and cover the whole."""
    left = max(0, length - side)
    count = min(MOST_PARTS, math.ceil(2 * left / side) + 1)
    return [int(start) for start in np.linspace(0, left, count).round()]


def propose(maps: NetMaps, head: ProposalHead, canvas: Picture) -> list[Square]:
    """Places that may be the middle of a face, the likeliest first.

    Args:
        maps: The network.
        head: The fitted part.
        canvas: (H, W, 3) uint8, as `on_grid` gives it.
    """
    return proposed(head, maps.look(canvas[None]))


def proposed(head: ProposalHead, seen: Maps) -> list[Square]:
    """The same of a picture that the network has looked at."""
    found = head(seen.places()[0]).astype(np.float64)
    rows, columns = found.shape[:2]
    y, x = np.mgrid[:rows, :columns]
    boxes = np.stack(
        [
            x * STRIDE + STRIDE / 2 + found[..., 1] * REFERENCE,
            y * STRIDE + STRIDE / 2 + found[..., 2] * REFERENCE,
            np.exp(np.clip(found[..., 3], -2.5, 2.5)) * REFERENCE,
            found[..., 4] * ROLL_UNIT,
            found[..., 0],
        ],
        axis=-1,
    ).reshape(-1, 5)
    return _merged(boxes[boxes[:, 4] > LEAST_LOGIT])


def _merged(boxes: NDArray[np.float64]) -> list[Square]:
    """One head for each heap of boxes: the mean of its surer half, weighted by chance squared."""
    boxes = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    heads: list[Square] = []
    while len(boxes) and len(heads) < PROPOSALS:
        best = boxes[0]
        apart = np.maximum(abs(boxes[:, 0] - best[0]), abs(boxes[:, 1] - best[1]))
        near = (apart < 0.45 * best[2]) & (abs(np.log(boxes[:, 2] / best[2])) < 0.7)
        heap = boxes[near]
        chance = 1 / (1 + np.exp(-heap[:, 4]))
        weight = chance**2 * (chance > 0.5 * chance[0])  # the first is the surest
        cx, cy, side = (heap[:, :3] * weight[:, None]).sum(axis=0) / weight.sum()
        turns = np.radians(heap[:, 3])  # a mean of directions: 179 and -179 degrees are neighbours
        roll = math.degrees(math.atan2(weight @ np.sin(turns), weight @ np.cos(turns)))
        heads.append(
            Square(cx=float(cx), cy=float(cy), side=float(side), roll=roll, score=float(best[4]))
        )
        boxes = boxes[~near]
    return heads


def refine(
    maps: NetMaps, verifier: VerifierHead, pixels: Picture, heads: Sequence[Square]
) -> list[Square]:
    """The same heads, moved and turned to where they are, with the logit of being a face.

    Args:
        maps: The net.
        verifier: The fitted part.
        pixels: (H, W, 3) uint8: the photo.
        heads: In pixels of `pixels`, from one.
    """
    crops = np.stack([level_crop(pixels, head) for head in heads])
    seen = maps.look(crops)
    found = verifier(seen.fine, seen.coarse, seen.pooled).astype(np.float64)
    refined = []
    for head, (logit, across, down, log_factor, roll) in zip(heads, found, strict=True):
        off = head.moved(float(np.clip(across, -0.5, 0.5)), float(np.clip(down, -0.5, 0.5)))
        refined.append(
            dataclasses.replace(
                off,
                side=head.side * math.exp(float(np.clip(log_factor, -0.6, 0.6))),
                roll=head.roll + float(np.clip(roll * ROLL_UNIT, -60, 60)),
                score=float(logit),
            )
        )
    return refined


def level_crop(pixels: Picture, head: Square, *, mirrored: bool = False) -> Picture:
    """The levelled square around a head that the verifier looks at.

    Args:
        pixels: (H, W, 3) uint8.
        head: In pixels of `pixels`.
        mirrored: Left and right exchanged.

    Returns:
        (112, 112, 3) uint8; grey where it leaves the photo.
    """
    side = max(head.side * CROP_REACH, 1.0)
    times = int(np.clip(math.ceil(side / CROP_SIDE), 1, 6))  # cut larger, then averaged down
    size = CROP_SIDE * times
    square = dataclasses.replace(head, side=side)
    cut = cut_level(pixels, square, size, kernel="linear", ground=GROUND, mirrored=mirrored)
    if times > 1:
        small = cv2.resize(cut, (CROP_SIDE, CROP_SIDE), interpolation=cv2.INTER_AREA)
        cut = np.asarray(small, dtype=np.uint8)
    return cut


def nearest_first(heads: Sequence[Square]) -> list[Square]:
    """The best first: of those that are surely faces the largest, whose cat is the nearest."""
    return sorted(heads, key=lambda head: (-min(head.score, SURE), -head.side))


def unique(heads: Sequence[Square]) -> list[Square]:
    """The surest of each place, the surest first: refining brings proposals together."""
    kept: list[Square] = []
    for head in sorted(heads, key=lambda head: -head.score):
        apart = [max(abs(head.cx - one.cx), abs(head.cy - one.cy)) / one.side for one in kept]
        if all(distance >= 0.45 for distance in apart):
            kept.append(head)
    return kept
