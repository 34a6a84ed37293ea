"""The average of the generator over the last steps: steadier and better than any one step's."""

import copy

import torch
from torch import Tensor

from catgan.model.networks import Generator

RAMP = 0.05  # of the pictures shown so far: the half-life is never longer than that


class AveragedGenerator:
    """An exponential moving average of a generator, its batch norm statistics included.

    Karras et al. 2018 (arXiv:1710.10196), section 6.1, and Yazici et al. 2019 (arXiv:1806.04498);
    the half-life in pictures shown, and its growth from the start of training, as in StyleGAN2
    (Karras et al. 2020, arXiv:1912.04958).
    """

    def __init__(self, generator: Generator, *, half_life: float) -> None:
        """Start as a copy.

        Args:
            generator: What to follow.
            half_life: Pictures shown until a step counts half, once that is less than a
                twentieth of all pictures shown; before, a twentieth of those.
        """
        self.generator = copy.deepcopy(generator).eval().requires_grad_(False)
        self._half_life = half_life

    def weight(self, *, shown: int, batch_size: int) -> float:
        """How far one step moves the average towards the generator, 0 to 1.

        Args:
            shown: Real pictures shown so far, this step's included.
            batch_size: Pictures of this step.
        """
        half_life = min(self._half_life, RAMP * shown)
        kept: float = 0.5 ** (batch_size / max(half_life, 1e-8))
        return 1 - kept

    @torch.no_grad()
    def update(self, generator: Generator, weight: float | Tensor) -> None:
        """Move towards the generator as it is after a step.

        Args:
            generator: The one followed.
            weight: From `weight`; as a scalar tensor on the GPU where the step is recorded, since
                a recording repeats plain numbers as they were.
        """
        ours, theirs = [], []
        for mine, new in zip(
            self.generator.state_dict().values(), generator.state_dict().values(), strict=True
        ):
            if mine.is_floating_point():
                ours.append(mine)
                theirs.append(new)
            else:  # batch norm's count of batches
                mine.copy_(new)
        if isinstance(weight, Tensor):  # for which there is no such step in one
            way = torch._foreach_sub(theirs, ours)
            torch._foreach_mul_(way, weight)
            torch._foreach_add_(ours, way)
        else:
            torch._foreach_lerp_(ours, theirs, weight)
