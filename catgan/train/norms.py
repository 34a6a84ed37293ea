"""Batch norm over the images of all ranks."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from catgan.train.ranks import Ranks

OVER = (0, 2, 3)  # all but the channels


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch norm whose batch is that of all ranks together; `nn.SyncBatchNorm` is for GPUs only.

    Ioffe & Szegedy 2015 (arXiv:1502.03167); means and variances of the ranks are put together
    after Chan et al. 1979, so nothing cancels. Its state is that of `nn.BatchNorm2d`, and the
    running statistics are the same on all ranks. In evaluation mode it is the same, too, and a copy
    of it is a plain one: copies are measured or averaged by one rank, which nobody would answer.
    """

    def __init__(self, norm: nn.BatchNorm2d, ranks: Ranks) -> None:
        """Take a norm's weights and statistics over.

        Args:
            norm: On the CPU, with a momentum.
            ranks: Who shares a batch.
        """
        super().__init__(norm.num_features, eps=norm.eps, momentum=norm.momentum)
        self.load_state_dict(norm.state_dict())
        self._ranks = ranks

    def __deepcopy__(self, memo: dict[int, Any]) -> nn.BatchNorm2d:
        """A plain norm."""
        weight = self.weight
        plain = nn.BatchNorm2d(
            self.num_features,
            eps=self.eps,
            momentum=self.momentum,
            device=weight.device,
            dtype=weight.dtype,
        )
        plain.load_state_dict(self.state_dict())
        return plain.train(self.training)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) of this rank, N from 0, to the same."""
        if not self.training:
            return super().forward(input)
        mean, var, count = _moments(input.detach(), self._ranks)
        self._remember(mean, var, count)
        kind = self.weight.dtype
        return _Normalised.apply(  # type: ignore[no-any-return]
            input, self.weight, self.bias, mean.to(kind), var.to(kind), count, self.eps, self._ranks
        )

    @torch.no_grad()
    def _remember(self, mean: Tensor, var: Tensor, count: Tensor) -> None:
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        self.num_batches_tracked.add_(1)
        unbiased = var * count / (count - 1).clamp(min=1)
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)


def share_norms(net: nn.Module, ranks: Ranks) -> None:
    """Make every batch norm of a network one over all ranks.

    Args:
        net: On the CPU; changed.
        ranks: Who shares a batch.
    """
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, SharedBatchNorm2d(child, ranks))


@torch.no_grad()
def _moments(input: Tensor, ranks: Ranks) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (C,) and variance (C,) of all ranks' values of each channel, and their number; float64.

    Chan, Golub & LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample
    variances", equation 2.1.
    """
    assert ranks.link is not None
    channels = input.shape[1]
    own = torch.zeros(1 + 2 * channels, dtype=torch.float64, device=input.device)
    if count := input.numel() // channels:
        low = input.dtype in (torch.bfloat16, torch.float16)
        var, mean = torch.var_mean(input.float() if low else input, dim=OVER, correction=0)
        own[0] = count
        own[1 : 1 + channels] = mean
        own[1 + channels :] = var * count
    parts = torch.stack(ranks.link.gather(own))
    counts, means, squares = torch.split(parts, [1, channels, channels], dim=1)
    total = counts.sum()
    mean = (counts * means).sum(dim=0) / total
    square = squares.sum(dim=0) + (counts * (means - mean).square()).sum(dim=0)
    return mean, square / total, total


class _Normalised(torch.autograd.Function):
    """Values normalised by the statistics of all ranks, which depend on all ranks' values."""

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        var: Tensor,
        count: Tensor,
        eps: float,
        ranks: Ranks,
    ) -> Tensor:
        """(N, C, H, W), in the type and layout of the values."""
        ctx.save_for_backward(input, weight, mean, (var + eps).rsqrt(), count)
        ctx.ranks = ranks
        return F.batch_norm(input, mean, var, weight, bias, training=False, eps=eps)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        """Those of the values, by way of the statistics of all ranks; of weight and bias this
        rank's part alone, since these are added up with all other gradients."""
        input, weight, mean, scale, count = ctx.saved_tensors
        # in the type of the weights: float32 where the values are in half precision
        slope = slopes[0].to(weight.dtype)
        centred = input.to(weight.dtype) - mean[:, None, None]
        normal = centred * scale[:, None, None]
        own = torch.stack([slope.sum(dim=OVER), (slope * normal).sum(dim=OVER)])
        whole = own.clone()
        ctx.ranks.link.add(whole)
        by_mean, by_scale = (whole / count.to(whole.dtype))[:, :, None, None]
        to_input = (slope - by_mean - normal * by_scale) * (weight * scale)[:, None, None]
        return to_input.to(input.dtype), own[1], own[0], None, None, None, None, None
