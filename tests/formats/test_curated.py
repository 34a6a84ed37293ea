"""`catgan.json`: whose the folder is, and where the photos are."""

import json
import os
from pathlib import Path

import pytest

from catgan.core.errors import BadRecord, FolderRefused, NoSuchFolder
from catgan.formats.curated import (
    FORMAT,
    NAME,
    CuratedNote,
    find_raw,
    raw_of,
    read_note,
    write_note,
)

FIXTURE = Path(__file__).parents[1] / "fixtures" / "before" / "curated"
NOTE = CuratedNote(finished=True, settings={"size": 64}, raw="../raw", counts={"kept": 3})


def test_comes_back(tmp_path: Path) -> None:
    write_note(tmp_path, NOTE)
    assert read_note(tmp_path) == NOTE


def test_a_folder_without_one(tmp_path: Path) -> None:
    assert read_note(tmp_path) is None


def test_one_of_format_1() -> None:
    note = read_note(FIXTURE)
    assert note is not None
    assert note.format == 1
    assert note.raw is None
    assert note.counts is not None
    assert note.counts["duplicate"] == 2
    with pytest.raises(NoSuchFolder, match="--raw"):
        find_raw(FIXTURE, note)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"format": FORMAT + 1, "catgan": "9.0"}, FolderRefused, r"newer catgan \(9\.0\)"),
        ({"kind": "run"}, FolderRefused, "not a curated folder"),
        ({"kind": None}, FolderRefused, "not a curated folder"),
        ({"settings": [1]}, BadRecord, r"catgan\.json .*settings"),
        ({"format": "two"}, BadRecord, r"catgan\.json .*format"),
        ({"finished": None}, BadRecord, r"catgan\.json .*finished"),
    ],
)
def test_others_are_refused(
    tmp_path: Path, change: dict[str, object], error: type[Exception], words: str
) -> None:
    write_note(tmp_path, NOTE)
    (tmp_path / NAME).write_text(json.dumps(json.loads((tmp_path / NAME).read_text()) | change))
    with pytest.raises(error, match=words):
        read_note(tmp_path)


class TestRaw:
    def test_both_can_be_moved_together(self, tmp_path: Path) -> None:
        raw, curated = tmp_path / "here" / "raw", tmp_path / "here" / "curated"
        raw.mkdir(parents=True)
        curated.mkdir()
        note = CuratedNote(finished=True, settings={}, raw=raw_of(raw, curated))
        assert note.raw == "../raw"
        assert find_raw(curated, note) == raw
        (tmp_path / "here").rename(tmp_path / "there")
        moved = tmp_path / "there"
        assert find_raw(moved / "curated", note) == moved / "raw"

    def test_gone_is_a_sentence_that_says_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(NoSuchFolder, match=r"no longer in .*raw; .*--raw"):
            find_raw(tmp_path / "curated", NOTE)
        (tmp_path / "photos").mkdir()
        assert find_raw(tmp_path / "curated", NOTE, tmp_path / "photos") == tmp_path / "photos"
        with pytest.raises(NoSuchFolder, match="no folder"):
            find_raw(tmp_path / "curated", NOTE, tmp_path / "nowhere")

    @pytest.mark.skipif(os.name == "nt", reason="needs links")
    def test_a_link_is_followed(self, tmp_path: Path) -> None:
        (tmp_path / "disk" / "raw").mkdir(parents=True)
        (tmp_path / "curated").mkdir()
        (tmp_path / "raw").symlink_to(tmp_path / "disk" / "raw")
        assert raw_of(tmp_path / "raw", tmp_path / "curated") == "../disk/raw"
