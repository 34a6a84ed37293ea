"""Downloads that are broken off, gone on with, moved, too large and changed on the way."""

from pathlib import Path

import numpy as np
import pytest

from catgan.core.errors import FetchRefused, NotReached
from catgan.fetch.download import TRIES, download
from tests.fetch.conftest import Site

DATA = np.random.default_rng(0).integers(0, 256, 50_000, dtype=np.uint8).tobytes()


def fetch(url: str, path: Path, most: int = 1_000_000) -> list[tuple[int, int]]:
    told: list[tuple[int, int]] = []
    download(url, path, most=most, progress=lambda done, total: told.append((done, total)))
    return told


def test_a_file_comes_whole(site: Site, tmp_path: Path) -> None:
    site.files["a"] = DATA
    told = fetch(site.url("a"), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == DATA
    assert told[-1] == (len(DATA), len(DATA))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    fetch(site.url("a"), tmp_path / "a")
    assert len(site.asked) == 1  # it is there


def test_what_broke_off_is_gone_on_with(site: Site, tmp_path: Path) -> None:
    site.files["a"] = DATA
    site.breaks_after = [20_000, 10_000]
    fetch(site.url("a"), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == DATA
    assert [wanted for _, wanted in site.asked] == [None, "bytes=20000-", "bytes=30000-"]


def test_a_later_call_goes_on(site: Site, tmp_path: Path) -> None:
    site.files["a"] = DATA
    site.breaks_after = [20_000, *[0] * TRIES]
    with pytest.raises(NotReached, match="rerun the same command to resume"):
        fetch(site.url("a"), tmp_path / "a")
    assert not (tmp_path / "a").exists()
    assert (tmp_path / "a.part").read_bytes() == DATA[:20_000]
    site.asked.clear()
    fetch(site.url("a"), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == DATA
    assert [wanted for _, wanted in site.asked] == ["bytes=20000-"]


@pytest.mark.parametrize("change", ["tag", "no tag", "no ranges", "other address", "shorter"])
def test_parts_of_different_files_are_never_joined(site: Site, tmp_path: Path, change: str) -> None:
    site.files["a"] = DATA
    site.breaks_after = [20_000, *[0] * TRIES]
    with pytest.raises(NotReached):
        fetch(site.url("a"), tmp_path / "a")
    new, name = DATA[::-1], "a"
    if change == "tag":
        site.tag = '"2"'
    elif change == "no tag":
        site.tag = None
    elif change == "no ranges":
        site.ranges = False
    elif change == "other address":
        name = "b"
    else:
        new = DATA[:20_000][::-1]  # nothing behind what is here, and yet another file
    site.files[name] = new
    fetch(site.url(name), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == new


def test_a_server_that_does_not_say_how_long(site: Site, tmp_path: Path) -> None:
    site.files["a"] = DATA
    site.says_length = False
    assert fetch(site.url("a"), tmp_path / "a")[-1] == (len(DATA), 0)
    assert (tmp_path / "a").read_bytes() == DATA


@pytest.mark.parametrize("says", [True, False])
def test_what_is_too_large_is_refused(site: Site, tmp_path: Path, says: bool) -> None:
    site.files["a"] = DATA
    site.says_length = says
    with pytest.raises(FetchRefused, match=r"allowed; use a larger --max-gigabytes"):
        fetch(site.url("a"), tmp_path / "a", most=49_999)
    part = tmp_path / "a.part"
    assert not part.exists() or part.stat().st_size <= 49_999
    assert not (tmp_path / "a").exists()


def test_moves_are_followed_on_the_web_alone(site: Site, tmp_path: Path) -> None:
    site.files["a"] = DATA
    site.moved = {"b": site.url("a"), "c": (tmp_path / "secret").as_uri(), "d": "ftp://127.0.0.1/"}
    (tmp_path / "secret").write_text("secret")
    fetch(site.url("b"), tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == DATA
    for name in "cd":
        with pytest.raises(FetchRefused):
            fetch(site.url(name), tmp_path / name)
        assert not (tmp_path / name).exists()


def test_a_no_is_final_and_a_busy_server_is_asked_again(site: Site, tmp_path: Path) -> None:
    with pytest.raises(FetchRefused, match="the server says 404 Not Found"):
        fetch(site.url("none"), tmp_path / "a")
    assert len(site.asked) == 1
    site.files["a"], site.errors = DATA, [503, 429, 500]
    fetch(site.url("a"), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == DATA


def test_without_a_connection(site: Site, tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:1/cats.zip"  # a port that no server of ours may have
    with pytest.raises(NotReached, match=r"cannot be reached \(.*\); check your connection"):
        fetch(nobody, tmp_path / "a")
    assert not list(tmp_path.iterdir())
