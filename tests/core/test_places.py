"""Where the cache is kept."""

from pathlib import Path

import pytest

from catgan.core.places import cache_folder


def test_the_persons_own_folder_for_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder().name == "catgan"
    assert not cache_folder().exists()  # made by whoever needs it
