"""Finding faces in three steps: propose places, refine box and turn, verify that it is a face.

The net looks at the photo once, and a small head on its maps proposes places, sizes and turns. A
levelled crop of each is looked at twice: the first look moves the square and the turn to where the
face is, the second tells whether it is one. The squares are the heads' until the end; scores are
logits, above 0 where a face is more likely than not.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from catgan.core.photos import Photo
from catgan.core.pictures import Picture
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
from catgan.curate.maps import GROUND, STRIDE, NetMaps, on_grid
from catgan.curate.opencv import cv2
from catgan.curate.recipe import Recipe
from catgan.curate.square import Square, ears_of

PROPOSALS = 3  # places looked at closely
LEAST_LOGIT = -4.0  # a place less likely than this is not looked at again
VETO = 0.0  # logit of the levelled crop below which it is no face, whatever the place's


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
        self._maps = NetMaps()
        self._proposal, self._verifier = load_heads(recipe.verifier)

    def find(self, photo: Photo) -> list[Square]:
        """The ears' squares of a photo, the best first, in pixels of the whole photo.

        Args:
            photo: Upright; may be reduced, best to no less than the recipe's side.
        """
        canvas, factor = on_grid(photo.pixels, self.recipe.side)
        proposals = [
            head.scaled(1 / factor)
            for head in propose(self._maps, self._proposal, canvas)[:PROPOSALS]
        ]
        if not proposals:
            return []
        refined = refine(self._maps, self._verifier, photo.pixels, proposals)
        verified = refine(self._maps, self._verifier, photo.pixels, refined)
        # The place's own logit tells faces from the rest better than the crop's, which sees less
        # around it; the crop's has a veto (figures in docs/log.md).
        heads = [
            dataclasses.replace(head, score=proposal.score)
            for proposal, head in zip(proposals, verified, strict=True)
            if head.score >= VETO and proposal.score >= self.recipe.min_score
        ]
        to_photo = max(photo.width, photo.height) / max(photo.pixels.shape[:2])
        return [ears_of(head.scaled(to_photo)) for head in unique(heads)]


@torch.inference_mode()
def propose(maps: NetMaps, head: ProposalHead, canvas: Picture) -> list[Square]:
    """Places that may be the middle of a face, the likeliest first.

    Args:
        maps: The net.
        head: The fitted part.
        canvas: (H, W, 3) uint8, as `on_grid` gives it.
    """
    places = maps.look(canvas[None]).places()[0]
    found = head(places).numpy().astype(np.float64)
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
        cx, cy, side, roll, _ = (heap * weight[:, None]).sum(axis=0) / weight.sum()
        heads.append(
            Square(
                cx=float(cx), cy=float(cy), side=float(side), roll=float(roll), score=float(best[4])
            )
        )
        boxes = boxes[~near]
    return heads


@torch.inference_mode()
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
    found = verifier(seen.fine, seen.coarse, seen.pooled).numpy().astype(np.float64)
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


def unique(heads: Sequence[Square]) -> list[Square]:
    """The surest of each place, the surest first: refining brings proposals together."""
    kept: list[Square] = []
    for head in sorted(heads, key=lambda head: -head.score):
        apart = [max(abs(head.cx - one.cx), abs(head.cy - one.cy)) / one.side for one in kept]
        if all(distance >= 0.45 for distance in apart):
            kept.append(head)
    return kept
