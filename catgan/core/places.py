"""Where things go that no command names."""

from pathlib import Path


def cache_folder() -> Path:
    """Where a program keeps what it can make again: the person's own folder for that."""
    import platformdirs  # here: who keeps nothing does not need it

    return platformdirs.user_cache_path("catgan", appauthor=False)
