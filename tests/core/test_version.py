"""The project's address: said in one place, and everywhere once there is one."""

import tomllib
from pathlib import Path

import pytest

from catgan.core.pages import page_environment
from catgan.core.version import HOMEPAGE, __version__, program

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def test_the_address_follows_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catgan.core.version.HOMEPAGE", "")
    assert program() == f"catgan {__version__}"
    monkeypatch.setattr("catgan.core.version.HOMEPAGE", "https://example.org/catgan")
    assert program() == f"catgan {__version__} (https://example.org/catgan)"
    environment = page_environment("catgan.inspect", "inspect")
    page = environment.from_string("<p>{{ program() }}</p>").render()
    assert page == f"<p>{program()}</p>"


def test_the_package_names_the_same_one() -> None:
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    assert project.get("urls", {}).get("Homepage", "") == HOMEPAGE
