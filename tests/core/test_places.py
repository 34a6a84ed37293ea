"""The folder of the cache: where each system keeps such things."""

from pathlib import Path

from catgan.core.places import cache_folder


def test_a_person_who_names_a_cache_is_heard(tmp_path: Path) -> None:
    for platform in ("linux", "darwin", "win32"):
        assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}, platform) == tmp_path / "catgan"


def test_else_it_is_where_the_system_keeps_such_things(tmp_path: Path) -> None:
    assert cache_folder({}, "linux") == Path.home() / ".cache" / "catgan"
    assert cache_folder({}, "darwin") == Path.home() / "Library" / "Caches" / "catgan"
    windows = cache_folder({"LOCALAPPDATA": str(tmp_path)}, "win32")
    assert windows == tmp_path / "catgan" / "Cache"
    assert cache_folder({}, "win32").is_relative_to(Path.home())


def test_looking_makes_nothing(tmp_path: Path) -> None:
    cache_folder({"XDG_CACHE_HOME": str(tmp_path)})
    assert not list(tmp_path.iterdir())
