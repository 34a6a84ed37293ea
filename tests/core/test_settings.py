"""Settings to and from JSON and TOML."""

import dataclasses
from pathlib import Path
from typing import Annotated

import pytest

from catgan.core.errors import BadSettings, BadUsage
from catgan.core.settings import Change, Option, changes, declared, load_toml, require, to_json


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bowl:
    size: int = 3
    full: bool = True
    food: tuple[str, ...] = ("tuna",)


def test_to_json_keeps_the_order_of_the_fields() -> None:
    assert list(to_json(Bowl()).items()) == [("size", 3), ("full", True), ("food", ("tuna",))]


def test_differences() -> None:
    now = {"size": 4, "full": True, "lid": "blue"}
    assert changes({"size": 3, "full": True, "old": 1}, now) == [
        Change(name="size", then=3, now=4),
        Change(name="lid", then="not set", now="blue"),
        Change(name="old", then=1, now="not set"),
    ]
    assert changes(now, now) == []
    assert changes({"size": 3}, {"size": 4}, ignore=frozenset({"size"})) == []


def test_a_difference_reads_like_the_flag() -> None:
    assert str(Change(name="min_face", then=0, now=80)) == "min-face was 0, is 80"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    seed: Annotated[int, Option("Random seed.")] = 0
    height: Annotated[float, Option("Height.")] = 1.0
    soft: Annotated[bool, Option("Cushioned.")] = True
    place: Annotated[str | None, Option("Where it stands.")] = None
    lid: Annotated[str, Option("Its lid.", default="")] = "wicker"
    cats: Annotated[int, Option("How many.", default="as many as fit")] = -1


def test_the_default_stands_behind_the_help() -> None:
    """0 and 1 are numbers, though they equal False and True."""
    assert [one.help for one in declared(Basket())] == [
        "Random seed. [default: 0]",
        "Height. [default: 1]",
        "Cushioned. [default: yes]",
        "Where it stands.",
        "Its lid.",
        "How many. [default: as many as fit]",
    ]


def test_require() -> None:
    require(True, "never said")
    with pytest.raises(BadSettings, match="too small"):
        require(False, "too small")


class TestToml:
    def test_flag_names_either_way(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.toml"
        path.write_text('min-face = 80\nmax_megapixels = 12.5\ncascade = "quick"\n')
        assert load_toml(path) == {"min_face": 80, "max_megapixels": 12.5, "cascade": "quick"}

    @pytest.mark.parametrize("data", [b"size = ", b"\xff\xfe\x00", b"a = 1\na = 2"])
    def test_not_toml(self, tmp_path: Path, data: bytes) -> None:
        path = tmp_path / "mine.toml"
        path.write_bytes(data)
        with pytest.raises(BadUsage, match=r"mine\.toml is not a TOML file"):
            load_toml(path)

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(BadUsage, match="no settings file"):
            load_toml(tmp_path / "mine.toml")
        with pytest.raises(BadUsage):
            load_toml(tmp_path)
