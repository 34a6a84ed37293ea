"""Where things go that no command names."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def cache_folder(
    environment: Mapping[str, str] | None = None, platform: str = sys.platform
) -> Path:
    """Where a program keeps what it can make again: the person's own folder for that.

    Args:
        environment: Variables to look in; None for those of this process.
        platform: As `sys.platform` has it.
    """
    variables = os.environ if environment is None else environment
    if named := variables.get("XDG_CACHE_HOME"):
        return Path(named) / "catgan"
    if platform == "win32":
        local = variables.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "catgan" / "Cache"
    if platform == "darwin":
        return Path.home() / "Library" / "Caches" / "catgan"
    return Path.home() / ".cache" / "catgan"
