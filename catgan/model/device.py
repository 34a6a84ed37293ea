"""Where networks compute."""

import time

import torch

from catgan.core.errors import BadSettings

SIDE, PRODUCTS = 4096, 30  # of the matrices that are multiplied, and how often


def product_speed(device: torch.device, precision: str) -> float:
    """How fast a GPU multiplies matrices: operations a second, a sum counting as one of its own.

    Args:
        device: A GPU.
        precision: `bfloat16` or `float16`; anything else is computed in float32.
    """
    kind = {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(precision, torch.float32)
    matrix = torch.randn(SIDE, SIDE, device=device, dtype=kind)
    for _ in range(3):  # libraries choose their kernels at first
        matrix @ matrix
    torch.cuda.synchronize(device)
    began = time.perf_counter()
    for _ in range(PRODUCTS):
        matrix @ matrix
    torch.cuda.synchronize(device)
    return PRODUCTS * 2 * SIDE**3 / (time.perf_counter() - began)


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
