"""Where training computes."""

import dataclasses
import platform

import torch

from catgan.core.errors import BadSettings


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What a run computes on."""

    kind: str
    """`cpu`, `cuda` or `mps`."""
    name: str
    """Of the GPU; of the processor's kind where there is none."""
    threads: int
    """That the processor computes with."""


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
            f"--graphs needs an NVIDIA GPU, but this run computes on {device}; leave it out."
        )
    if precision in ("tf32", "float16"):
        raise BadSettings(
            f"--precision {precision} needs an NVIDIA GPU, but this run computes on {device}; "
            "use float32 or bfloat16."
        )


def allow_tf32(allowed: bool) -> None:
    """Whether products in float32 may be rounded to ten digits on a GPU; process-wide.

    By default PyTorch rounds them so in convolutions and not in matrix products.
    """
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def describe_device(device: torch.device) -> Device:
    """What a device is."""
    name = platform.machine()
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    return Device(kind=device.type, name=name, threads=torch.get_num_threads())
