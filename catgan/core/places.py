"""Where things go that no command names."""

from pathlib import Path


def cache_folder() -> Path | None:
    """Where a program keeps what it can make again: the person's own folder for that.

    None where there is no such person, as for a user of a container without a name and HOME.
    """
    import platformdirs  # here: who keeps nothing does not need it

    try:
        folder = platformdirs.user_cache_path("catgan", appauthor=False)
    except (RuntimeError, KeyError, OSError):
        return None
    return folder if folder.is_absolute() else None
