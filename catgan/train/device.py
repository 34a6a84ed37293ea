"""Where training computes."""

import dataclasses
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from catgan.core.errors import BadSettings, OutOfMemory
from catgan.train.config import FITTING, TrainConfig
from catgan.train.ranks import ALONE, Ranks


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Computing:
    """How a run computes on its device."""

    precision: str
    """One of `config.PRECISIONS`."""
    graphs: bool
    """Whether steps are recorded and repeated as CUDA graphs."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What a run computes on."""

    kind: str
    """`cpu`, `cuda` or `mps`."""
    name: str
    """Of the GPU; of the processor's kind where there is none."""
    threads: int
    """That the processor computes with."""
    computing: Computing
    """How."""
    ranks: int = 1
    """How many processes train together, each on a device of its own."""


def own_device(device: torch.device, ranks: Ranks) -> torch.device:
    """The device of this rank: of a machine's GPUs each rank has another one.

    Args:
        device: From `pick_device`.
        ranks: Who trains together.

    Raises:
        BadSettings: There are fewer GPUs than ranks on this machine, or ranks cannot share one.
    """
    if not ranks.joined or device.type == "cpu":
        return device
    if device.type != "cuda":
        raise BadSettings(
            f"Several processes cannot train together on {device.type}; use --device cpu, or "
            "train without torchrun."
        )
    if ranks.local_count > 1 and device.index is not None:
        raise BadSettings(
            f"--device is {device}, but {ranks.local_count} ranks train on this machine, each on "
            "a GPU of its own; use --device cuda."
        )
    there = torch.cuda.device_count()
    if ranks.local_count > there:
        raise BadSettings(
            f"torchrun started {ranks.local_count} ranks on a machine with {there} "
            f"GPU{'s' if there > 1 else ''}; use --nproc-per-node {there}, or --device cpu."
        )
    own = torch.device("cuda", ranks.local if device.index is None else device.index)
    torch.cuda.set_device(own)
    return own


def pick_computing(config: TrainConfig, device: torch.device, ranks: Ranks = ALONE) -> Computing:
    """How settings compute on a device; the same for all runs of one command.

    What is named is taken; what is left to the machine is the fastest that it can. On a GPU:
    bfloat16 from compute capability 8.0 (Ampere) on, float16 from 7.0 (Volta, T4), and graphs. On
    the CPU bfloat16 where there are instructions for it, else float32.

    Args:
        config: Settings; of these `precision` and `graphs` count.
        device: From `pick_device`.
        ranks: Who trains together. Steps in which they exchange are not recorded as graphs.

    Raises:
        BadSettings: The device cannot compute as named.
    """
    precision = config.precision
    if precision == FITTING:
        precision = _fastest(device)
    elif precision in ("tf32", "float16") and device.type != "cuda":
        raise BadSettings(
            f"--precision {precision} needs an NVIDIA GPU, but this run computes on {device}; "
            "use auto, float32 or bfloat16."
        )
    if config.graphs == "on" and device.type != "cuda":
        raise BadSettings(
            f"--graphs on needs an NVIDIA GPU, but this run computes on {device}; use auto."
        )
    if config.graphs == "on" and ranks.joined:
        raise BadSettings(
            "--graphs on does not work with torchrun; use auto, which turns them off there."
        )
    graphs = device.type == "cuda" and config.graphs != "off" and not ranks.joined
    return Computing(precision=precision, graphs=graphs)


def _fastest(device: torch.device) -> str:
    if device.type == "cuda":
        major, _ = torch.cuda.get_device_capability(device)
        return "bfloat16" if major >= 8 else "float16" if major >= 7 else "float32"
    return "bfloat16" if device.type == "cpu" and _has_bfloat16() else "float32"


def _has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16 (AMX, AVX512-BF16, Arm's BF16).

    Without such instructions PyTorch computes in float32 all the same and rounds, which is slower.
    """
    # PyTorch's own probes of the processor, which it lists nowhere: one that is gone says no
    probes = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    if any(getattr(torch.cpu, probe, bool)() for probe in probes):
        return True
    if platform.machine().lower() not in ("arm64", "aarch64"):
        return False
    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    except (AttributeError, RuntimeError):  # built without that library
        return False


def allow_tf32(allowed: bool) -> None:
    """Whether products in float32 may be rounded to ten digits on a GPU; process-wide.

    By default PyTorch rounds them so in convolutions and not in matrix products.
    """
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def describe_device(device: torch.device, computing: Computing, ranks: Ranks = ALONE) -> Device:
    """What a device is, and how it computes."""
    name = platform.machine()
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    return Device(
        kind=device.type,
        name=name,
        threads=torch.get_num_threads(),
        computing=computing,
        ranks=ranks.count,
    )


@contextmanager
def explain_memory(run: Path | str, config: TrainConfig) -> Iterator[None]:
    """Turn a GPU's lack of memory into a sentence that says which setting to lower.

    Raises:
        OutOfMemory: There is too little.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(
            f"The GPU has too little memory to train {run}; lower --batch-size (now "
            f"{config.batch_size}), or --ngf and --ndf (now {config.ngf} and {config.ndf}), "
            "or close what else uses the GPU. What is in its last checkpoint stays."
        ) from error
