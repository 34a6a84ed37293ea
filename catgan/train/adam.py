"""Adam (Kingma & Ba 2015, arXiv:1412.6980): PyTorch's, and a state of it that fits everywhere."""

from typing import Any

import torch


class Adam(torch.optim.Adam):
    """PyTorch's Adam, in one kernel for all weights where the device has one."""

    def __init__(
        self,
        net: torch.nn.Module,
        *,
        rate: float,
        betas: tuple[float, float],
        capturable: bool = False,
    ) -> None:
        """Adam over the weights of a network.

        Args:
            net: On the device where it is going to stay.
            rate: The learning rate.
            betas: Decay of the gradients' averages and of their squares', 0 to 1.
            capturable: Whether its steps can be recorded; only on a GPU.
        """
        fused = next(net.parameters()).device.type in ("cpu", "cuda")
        super().__init__(net.parameters(), lr=rate, betas=betas, fused=fused, capturable=capturable)
        # PyTorch would warn of steps before the first recording
        self._warned_capturable_if_run_uncaptured = True

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state, whatever device and layout the network had that it was of.

        PyTorch would keep the layout of the averages and how the other device took its steps. Its
        fused step walks through memory, so it would pair each weight with the averages of others.
        """
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
