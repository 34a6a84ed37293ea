"""Settings to and from JSON and TOML."""

import dataclasses
from pathlib import Path

import pytest

from catgan.core.config import Difference, differences, load_toml, require, to_json
from catgan.core.errors import BadSettings, BadUsage


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bowl:
    size: int = 3
    full: bool = True
    food: tuple[str, ...] = ("tuna",)


def test_to_json_keeps_the_order_of_the_fields() -> None:
    assert list(to_json(Bowl()).items()) == [("size", 3), ("full", True), ("food", ("tuna",))]


def test_differences() -> None:
    now = {"size": 4, "full": True, "lid": "blue"}
    assert differences({"size": 3, "full": True, "old": 1}, now) == [
        Difference(name="size", then=3, now=4),
        Difference(name="lid", then="not set", now="blue"),
        Difference(name="old", then=1, now="not set"),
    ]
    assert differences(now, now) == []
    assert differences({"size": 3}, {"size": 4}, ignore=frozenset({"size"})) == []


def test_a_difference_reads_like_the_flag() -> None:
    assert str(Difference(name="min_face", then=0, now=80)) == "min-face was 0, is 80"


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
