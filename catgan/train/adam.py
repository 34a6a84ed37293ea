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
        How steps are taken is this optimiser's own affair; only their averages are taken over.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: It is not the state of such a network.
        """
        self._check(state_dict)
        groups = [
            ours | {"params": saved["params"]}
            for saved, ours in zip(state_dict["param_groups"], self.param_groups, strict=True)
        ]
        super().load_state_dict(state_dict | {"param_groups": groups})
        for weight, state in self.state.items():
            for name, value in state.items():
                # copies: PyTorch keeps the tensors that it was given
                if value.shape == weight.shape:
                    state[name] = torch.empty_like(weight).copy_(value)
                else:
                    state[name] = value.clone()

    def _check(self, state_dict: dict[str, Any]) -> None:
        """That a state has what a step needs: PyTorch finds out in the middle of one."""
        weights = [weight for group in self.param_groups for weight in group["params"]]
        named = [index for group in state_dict["param_groups"] for index in group["params"]]
        found = state_dict["state"]
        if named != list(range(len(weights))) or (found and sorted(found) != named):
            raise ValueError("its optimiser is of other weights")
        for index, state in found.items():
            shape = weights[index].shape
            if state["exp_avg"].shape != shape or state["exp_avg_sq"].shape != shape:
                raise ValueError("the averages of its optimiser have other shapes")
            if torch.as_tensor(state["step"]).numel() != 1:
                raise ValueError("its optimiser does not say how many steps it took")
