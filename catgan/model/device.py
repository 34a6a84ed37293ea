"""Where nets compute."""

import torch

from catgan.core.errors import BadSettings


def pick_device(name: str) -> str:
    """The device of a name, as PyTorch calls it; `auto` takes CUDA, else MPS, else the CPU.

    Raises:
        BadSettings: There is no such device on this machine.
    """
    there = ["cpu"]
    if torch.backends.mps.is_available():
        there.insert(0, "mps")
    if torch.cuda.is_available():
        there.insert(0, "cuda")
    if name == "auto":
        return there[0]
    if name.split(":")[0] not in there:
        raise BadSettings(
            f"--device is {name}, but PyTorch finds only {' and '.join(sorted(there))} here; "
            "name one of these, or auto."
        )
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise BadSettings(f"--device {name} cannot be used: {error}.") from error
    return name
