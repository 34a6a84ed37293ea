"""Where the cache is kept."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from catgan.core.places import cache_folder


def test_the_persons_own_folder_for_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = cache_folder()
    assert folder is not None
    assert folder.name == "catgan"
    assert not folder.exists()  # made by whoever needs it


@pytest.mark.skipif(os.name == "nt", reason="Windows always has one")
def test_a_user_without_a_home_has_none(tmp_path: Path) -> None:
    program = (
        "import os\n"
        "import platformdirs\n"
        "from catgan.core.places import cache_folder\n"
        "os.setuid(54321) if os.getuid() == 0 else None\n"
        "folder = cache_folder()\n"
        "assert folder is None or folder.is_absolute(), folder\n"
    )
    homeless = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_CACHE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=homeless
    )
    assert done.returncode == 0, done.stderr
