"""Adam (Kingma & Ba 2015, arXiv:1412.6980), as PyTorch has it, without needless copies."""

from typing import Any

import torch
from torch import Tensor


class Adam(torch.optim.Adam):
    """PyTorch's Adam in one kernel for all weights, where the device has one.

    That kernel walks through memory. On the processor it first copies every gradient whose
    channels lie side by side, only to throw the copy away, which takes longer than the step; and
    it takes for granted that a weight, its gradient and its averages lie in the same order. Here
    it is shown such tensors with their dimensions in the order in which they lie.
    """

    def __init__(
        self,
        net: torch.nn.Module,
        *,
        rate: float,
        betas: tuple[float, float],
        capturable: bool = False,
    ) -> None:
        """Adam over the weights of a net.

        Args:
            net: On the device where it is going to stay.
            rate: The learning rate.
            betas: Decay of the gradients' averages and of their squares', 0 to 1.
            capturable: Whether its steps can be recorded; only on a graphics card.
        """
        fused = next(net.parameters()).device.type in ("cpu", "cuda")
        super().__init__(net.parameters(), lr=rate, betas=betas, fused=fused, capturable=capturable)
        # PyTorch would warn of steps before the first recording
        self._warned_capturable_if_run_uncaptured = True

    def _init_group(self, group: dict[str, Any], *lists: list[Tensor]) -> Any:
        # What the step works on is gathered here. Were PyTorch to gather it elsewhere one day,
        # steps would be right and slower.
        found = super()._init_group(group, *lists)  # type: ignore[no-untyped-call]
        for tensors in lists:
            tensors[:] = [_as_it_lies(tensor) for tensor in tensors]
        return found

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state, whatever device and layout the net had that it was of."""
        here = [
            {name: group[name] for name in ("fused", "capturable")} for group in self.param_groups
        ]
        groups = [
            saved | ours for saved, ours in zip(state_dict["param_groups"], here, strict=True)
        ]
        super().load_state_dict(state_dict | {"param_groups": groups})
        for weight, state in self.state.items():
            for name, value in state.items():
                # copies: PyTorch keeps the tensors that it was given
                if value.shape == weight.shape:
                    state[name] = torch.empty_like(weight).copy_(value)
                else:
                    state[name] = value.clone()


def _as_it_lies(tensor: Tensor) -> Tensor:
    """A view whose dimensions are ordered as memory is; the tensor itself where they are."""
    if tensor.is_contiguous() or not tensor.is_contiguous(memory_format=torch.channels_last):
        return tensor
    return tensor.permute(0, 2, 3, 1)
