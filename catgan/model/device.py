"""Where networks compute."""

import torch

from catgan.core.errors import BadSettings


def pick_device(name: str) -> torch.device:
    """The device of a name; `auto` is CUDA, else MPS, else the CPU.

    Raises:
        BadSettings: There is no such device on this machine.
    """
    there = ["cpu"]
    if torch.backends.mps.is_available():
        there.insert(0, "mps")
    if torch.cuda.is_available():
        there.insert(0, "cuda")
    if name == "auto":
        name = there[0]
    if name.split(":")[0] not in there:
        raise BadSettings(
            f"--device is {name}, but PyTorch finds only {' and '.join(sorted(there))} here; "
            "name one of these, or auto."
        )
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise BadSettings(f"--device {name} cannot be used: {error}.") from error
    return device
