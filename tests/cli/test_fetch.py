"""`catgan fetch` as a person meets it."""

import json
from pathlib import Path

from tests.cli.conftest import Catgan, one_sentence
from tests.fetch.conftest import photo, zip_of


def test_an_archive_on_the_disk(catgan: Catgan, tmp_path: Path) -> None:
    archive = tmp_path / "cats.zip"
    archive.write_bytes(zip_of({"a.jpg": photo(1), "b.txt": b"x"}))
    raw = tmp_path / "raw"
    planned = catgan("fetch", archive, raw, "--dry-run")
    assert "Would fetch" in planned.out
    assert not raw.exists()
    ended = catgan("fetch", archive, raw, "--json")
    assert ended.code == 0, ended.err
    done = json.loads(ended.out)
    assert (done["photos"], done["passed_over"], done["there"]) == (1, 1, False)
    assert Path(done["source"]).is_file()
    assert "1 file of the archive skipped" in ended.err
    assert "catgan curate" in ended.err
    again = catgan("fetch", archive, raw)
    assert "is there already" in again.out


def test_no_is_one_sentence(catgan: Catgan, tmp_path: Path) -> None:
    (tmp_path / "cats.zip").write_bytes(b"<html>")
    for line, code, words in (
        (("kittens", tmp_path / "raw"), 2, "albums are: oxford-pets"),
        (("http://127.0.0.1:1/cats.zip", tmp_path / "raw"), 1, "check your connection"),
        ((tmp_path / "cats.zip", tmp_path / "raw"), 1, "not a whole ZIP or tar archive"),
        ((tmp_path / "cats.zip", tmp_path / "raw", "--sha256", "1"), 2, "--sha256 is 1"),
    ):
        ended = catgan("fetch", *line)
        assert ended.code == code, ended.err
        assert words in one_sentence(ended)
    assert not [path for path in (tmp_path / "raw").iterdir() if path.name[0] != "."]
