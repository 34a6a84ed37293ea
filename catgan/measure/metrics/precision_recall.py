"""Precision and recall: how many samples look real, and how much of the real variety they reach."""

import dataclasses

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catgan.core.errors import TooFewPictures
from catgan.measure.statistics.estimate import Estimate

NEIGHBOURS = 3  # Kynkäänniemi et al. 2019, section 3.1
ROOM = 100_000_000  # distances in memory at a time: 400 MB


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionRecall:
    """How many samples look real, and how much of the real variety the samples reach.

    Both depend on the counts: compare values of equal counts only. Each is jackknifed over the
    images that it counts; the other side, in whose surroundings they are counted, is taken as it
    is. So the interval of precision leaves out what other real images would change, and that of
    recall what other samples would.
    """

    precision: Estimate
    """Share of samples that lie among the real images, 0 to 1."""
    recall: Estimate
    """Share of real images that lie among the samples, 0 to 1."""
    neighbours: int
    """How many neighbours of an image its surroundings reach to."""


def precision_recall(
    fake: NDArray[np.floating],
    real: NDArray[np.floating],
    *,
    neighbours: int = NEIGHBOURS,
    extractor: str = "",
) -> PrecisionRecall:
    """Precision and recall of samples against real images.

    Kynkäänniemi et al. 2019 (arXiv:1904.06991), equations 1 and 2: a sample is precise where it
    lies nearer to some real image than that one's k-th real neighbour does; a real image is
    recalled where the same holds with the sides exchanged. The same as torch-fidelity's, which
    does not say which images count.

    Args:
        fake: (N, D) features of samples.
        real: (M, D) features of real images.
        neighbours: k.
        extractor: Whose features these are, for the record.

    Raises:
        TooFewPictures: A side has no k-th neighbour.
    """
    n_fake, n_real = len(fake), len(real)
    if min(n_fake, n_real) <= neighbours:
        raise TooFewPictures(
            f"Precision and recall need more than {neighbours} samples and real images; "
            f"here are {n_fake} and {n_real}."
        )
    x, y = (torch.from_numpy(np.ascontiguousarray(side)) for side in (fake, real))
    precise, recalled = _counted(x, y, neighbours)
    precision, recall = float(precise.mean()), float(recalled.mean())
    return PrecisionRecall(
        precision=Estimate(
            value=precision,
            without_fake=(precise.sum() - precise) / (n_fake - 1),
            without_real=np.full(n_real, precision),
            share_of=n_fake,
            extractor=extractor,
        ),
        recall=Estimate(
            value=recall,
            without_fake=np.full(n_fake, recall),
            without_real=(recalled.sum() - recalled) / (n_real - 1),
            share_of=n_real,
            extractor=extractor,
        ),
        neighbours=neighbours,
    )


def _counted(
    x: Tensor, y: Tensor, neighbours: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """1 for each image of x within the reach of one of y, and of y within that of one of x; else 0.

    An image reaches to its k-th neighbour on its own side.
    """
    reach_x, reach_y = (_reach(side, neighbours) for side in (x, y))
    rows = max(1, ROOM // len(y))
    precise, recalled = [], torch.zeros(len(y), dtype=torch.bool)
    for part, reach in zip(torch.split(x, rows), torch.split(reach_x, rows), strict=True):
        between = torch.cdist(part, y)
        precise.append((between <= reach_y).any(dim=1))
        recalled |= (between <= reach[:, None]).any(dim=0)
    return torch.cat(precise).double().numpy(), recalled.double().numpy()


def _reach(features: Tensor, neighbours: int) -> Tensor:
    """(N,), how far it is from each image to its k-th neighbour."""
    # the first of all neighbours is the image itself
    return torch.cat(
        [
            torch.cdist(part, features).kthvalue(neighbours + 1).values
            for part in torch.split(features, max(1, ROOM // len(features)))
        ]
    )
