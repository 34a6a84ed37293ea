"""Finding cat faces with OpenCV's cascades, over several turns of the photo."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catgan.core.photos import Photo
from catgan.curate.cut import to_longer_side
from catgan.curate.detector import RecipeDetector
from catgan.curate.opencv import cv2
from catgan.curate.recipe import Cascade, Recipe, load_classifier
from catgan.curate.square import Square
from catgan.formats.datasets import CASCADE

Grey = NDArray[np.uint8]

MOST_HITS = 1000  # that are merged, the surest: ungrouped, a texture may give any number


class CascadeDetector(RecipeDetector):
    """OpenCV's cascades over several turns of the photo.

    A box's score is the weight that the cascade's last stage gave it (`levelWeights` of
    `detectMultiScale3`); where boxes of several turns or cascades lie on one another, the best
    one stands for all, and the others' positive weights are added to its score: a face is found
    again at the neighbouring turn more often than a chance pattern is.
    """

    def __init__(self, recipe: Recipe) -> None:
        """Load the cascades of a recipe; one detector serves one thread."""
        super().__init__(recipe)
        self._classifiers = []
        for cascade in recipe.cascades:
            classifier = load_classifier(cascade.file)
            assert classifier is not None, cascade.file  # load_recipe has checked it
            self._classifiers.append((cascade, classifier))

    def find(self, photo: Photo) -> list[Square]:
        """The ears' squares of a photo, the best first, in pixels of the whole photo.

        Args:
            photo: Upright; may be reduced, best to no less than the recipe's side.
        """
        return [
            square.scaled(1 / photo.scale)
            for square in self.boxes(photo)
            if square.score >= self.recipe.min_score
        ]

    def boxes(self, photo: Photo) -> list[Square]:
        """All that the cascades find, the best first, in pixels of the photo as it was decoded."""
        grey = search_picture(photo, self.recipe.cascade_side or self.recipe.side)
        to_pixels = max(photo.pixels.shape) / max(grey.shape)
        turns = dict.fromkeys(turn for one, _ in self._classifiers for turn in self._turns(one))
        squares = [found for turn in turns for found in self._at_turn(grey, turn)]
        squares.sort(key=lambda square: -square.score)
        return [square.scaled(to_pixels) for square in merge(squares[:MOST_HITS])]

    def _turns(self, cascade: Cascade) -> tuple[float, ...]:
        return self.recipe.turns if cascade.turns is None else cascade.turns

    def _at_turn(self, grey: Grey, turn: float) -> list[Square]:
        """The squares of heads turned by `turn`, in pixels of the upright grey picture."""
        turned, back = level(grey, turn)
        least = max(24, round(self.recipe.min_size * max(grey.shape)))
        squares = []
        for cascade, classifier in self._classifiers:
            if turn not in self._turns(cascade):
                continue
            found, _, weights = classifier.detectMultiScale3(
                turned,
                scaleFactor=cascade.scale_step,
                minNeighbors=cascade.min_neighbors,
                minSize=(least, least),
                outputRejectLevels=True,
            )
            for (x, y, w, h), weight in zip(found, np.ravel(weights), strict=True):
                cx, cy = back @ (x + w / 2, y + h / 2, 1.0)
                if 0 <= cx < grey.shape[1] and 0 <= cy < grey.shape[0]:
                    squares.append(
                        Square(
                            cx=cx,
                            cy=cy,
                            side=float(max(w, h)),
                            roll=turn,
                            score=float(weight),
                            proposer=CASCADE,
                        )
                    )
        return squares


def search_picture(photo: Photo, side: int) -> Grey:
    """What the cascades look at: grey, brought to a longer side of `side`, contrast evened out.

    Returns:
        (H, W) uint8, upright; its longer side is `side`.
    """
    grey = cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2GRAY)
    small, _ = to_longer_side(np.asarray(grey, dtype=np.uint8), side)
    return np.asarray(cv2.equalizeHist(small), dtype=np.uint8)


def level(grey: Grey, turn: float) -> tuple[Grey, NDArray[np.float64]]:
    """The picture turned so that a head turned by `turn` degrees anticlockwise stands upright.

    Args:
        grey: (H, W) uint8.
        turn: Degrees, anticlockwise.

    Returns:
        The turned picture, grown so that no corner is lost, and the (2, 3) matrix that takes its
        points (x, y, 1) back to points of `grey`; both count from the pictures' corners.
    """
    if turn == 0:
        return grey, np.eye(2, 3)
    height, width = grey.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -turn, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    new_width, new_height = round(height * sin + width * cos), round(height * cos + width * sin)
    matrix[0, 2] += (new_width - width) / 2
    matrix[1, 2] += (new_height - height) / 2
    from_middles = matrix.copy()  # OpenCV counts from the middle of the first pixel
    from_middles[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5
    turned = cv2.warpAffine(
        grey, from_middles, (new_width, new_height), flags=cv2.INTER_LINEAR, borderValue=(128,)
    )
    back = np.asarray(cv2.invertAffineTransform(matrix), dtype=np.float64)
    return np.asarray(turned, dtype=np.uint8), back


def merge(squares: Sequence[Square]) -> list[Square]:
    """One square for each place, the best first.

    A square joins the best-scoring one before it whose centre lies within 0.4 of a side and whose
    side is within a factor of 1.8.
    """
    kept: list[Square] = []
    for square in sorted(squares, key=lambda square: -square.score):
        for index, other in enumerate(kept):
            apart = max(abs(square.cx - other.cx), abs(square.cy - other.cy))
            if apart < 0.4 * other.side and 1 / 1.8 < square.side / other.side < 1.8:
                score = other.score + max(square.score, 0.0)
                kept[index] = dataclasses.replace(other, score=score)
                break
        else:
            kept.append(square)
    return sorted(kept, key=lambda square: -square.score)
