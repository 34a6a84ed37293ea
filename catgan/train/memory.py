"""How much memory there is to use: of this machine, of the container in it, of the device."""

import os
from collections.abc import Iterator
from pathlib import Path

import torch

UNKNOWN = 4_000_000_000  # bytes, where a system does not say: what a small laptop has free


def free_memory() -> int:
    """Bytes of main memory that this process may still take without anything being pushed out.

    The least of what the system says and of what its control groups (containers, batch systems)
    leave.
    """
    return min([_free_of_system(), *_free_of_groups(Path("/proc/self/cgroup"))])


def free_device_memory(device: torch.device) -> int:
    """Bytes free on a graphics card or its like; 0 for the processor, which has none of its own."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        # One memory for both; what is recommended is for all of the graphics.
        taken = torch.mps.driver_allocated_memory()
        return max(0, min(torch.mps.recommended_max_memory() - taken, free_memory()))
    return 0


def _free_of_system() -> int:
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    try:
        # macOS says only how much there is; a desktop has about half of it to spare.
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return UNKNOWN


def _free_of_groups(memberships: Path, root: Path = Path("/sys/fs/cgroup")) -> Iterator[int]:
    """What each control group around this process leaves of its limit.

    Args:
        memberships: The process's `/proc/.../cgroup`: lines `hierarchy:controllers:path`.
        root: Where the groups are mounted.
    """
    for line in _lines(memberships):
        _, controllers, path = line.strip().split(":", 2)
        if controllers == "":  # version 2
            top, limit, usage, idle = root, "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):  # version 1
            top, limit, usage = root / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
            idle = "total_inactive_file"
        else:
            continue
        group = top / path.lstrip("/")
        # Inside a container the path may be one of the host's, not to be seen from here.
        for folder in (group, *group.parents):
            if not folder.is_relative_to(top):
                break
            allowed, used = _number(folder / limit), _number(folder / usage)
            if allowed is not None and used is not None:
                # files read long ago count as used, and make room when it is wanted
                yield max(0, allowed - used + _field(folder / "memory.stat", idle))


def _number(path: Path) -> int | None:
    text = "".join(_lines(path)).strip()
    return int(text) if text.isdigit() else None  # "max" is no limit


def _field(path: Path, name: str) -> int:
    for line in _lines(path):
        if line.startswith(f"{name} "):
            return int(line.split()[1])
    return 0


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
