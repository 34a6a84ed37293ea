"""Where training computes."""

import platform

import torch

from catgan.core.errors import BadSettings


def pick_device(name: str) -> torch.device:
    """The device of a name; `auto` takes CUDA, else MPS, else the CPU.

    Raises:
        BadSettings: There is no such device on this machine.
    """
    there = {"cpu"}
    if torch.cuda.is_available():
        there.add("cuda")
    if torch.backends.mps.is_available():
        there.add("mps")
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if kind in there)
    kind = name.split(":")[0]
    if kind not in there:
        raise BadSettings(
            f"--device is {name}, but PyTorch finds only {' and '.join(sorted(there))} here; "
            "name one of these, or auto."
        )
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except RuntimeError as error:
        raise BadSettings(f"--device {name} cannot be used: {error}.") from error
    return device


def check_device(device: torch.device, *, precision: str, graphs: bool) -> None:
    """Whether a device can compute like that.

    Args:
        device: From `pick_device`.
        precision: `TrainConfig.precision`.
        graphs: `TrainConfig.graphs`.

    Raises:
        BadSettings: It cannot.
    """
    if device.type == "cuda":
        return
    if graphs:
        raise BadSettings(
            f"--graphs needs an NVIDIA graphics card, but this run computes on {device}; "
            "leave it out."
        )
    if precision in ("tf32", "float16"):
        raise BadSettings(
            f"--precision {precision} needs an NVIDIA graphics card, but this run computes on "
            f"{device}; take float32 or bfloat16."
        )


def allow_tf32(allowed: bool) -> None:
    """Whether products in float32 may be rounded to ten digits on a graphics card; process-wide.

    By default PyTorch rounds them so in convolutions and not in matrix products.
    """
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def describe_device(device: torch.device) -> str:
    """The device in words."""
    if device.type == "cuda":
        return f"the graphics card {torch.cuda.get_device_name(device)} (cuda)"
    if device.type == "mps":
        return "the graphics part of this Mac's processor (mps)"
    threads = torch.get_num_threads()
    cores = "1 core" if threads == 1 else f"{threads} cores"
    return f"the processor ({platform.machine()}, {cores}; no graphics card is used)"
