"""Opening the report: where somebody can see it, and never a reason to fail."""

import webbrowser
from pathlib import Path

import pytest

from catgan.demo.browser import has_screen, show


def test_without_a_display_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    assert not has_screen("linux")
    assert has_screen("darwin")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert has_screen("linux")


def test_a_browser_that_fails_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened = []

    def fail(url: str) -> bool:
        opened.append(url)
        raise webbrowser.Error("none found")

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    monkeypatch.setattr(webbrowser, "open", fail)
    assert show(tmp_path / "report.html") is False
    assert opened == [(tmp_path / "report.html").as_uri()]
