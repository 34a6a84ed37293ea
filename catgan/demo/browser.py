"""Shows a page where there is a screen to show it on.

It is the end of `catgan demo`, and no reason for it to fail.
"""

import os
import sys
import webbrowser
from pathlib import Path


def has_screen(platform: str = sys.platform) -> bool:
    """Whether somebody may see a window; a browser for text would take the terminal over."""
    if platform in ("darwin", "win32"):
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def show(page: Path) -> bool:
    """Open a page in the browser, and say whether that was tried."""
    if not has_screen():
        return False
    try:
        return webbrowser.open(page.resolve().as_uri())
    except (OSError, webbrowser.Error):
        return False
