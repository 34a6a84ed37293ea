"""`catgan curate` in parts, from and to addresses, and on a cluster, as a person meets it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Catgan, one_sentence
from tests.drawing import EyeDetector, Head, draw_photo, encode, write

# without a limit of time one worker works in this process, where the finder is another
HERE = ("--cascade", "quick", "--workers", "1", "--photo-seconds", "0")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six photos in `raw`, in the folder that commands are run in."""
    monkeypatch.setattr("catgan.curate.pipeline.make_recipe_detector", lambda _: EyeDetector())
    for seed in range(6):
        head = Head(cx=80, cy=60, w=50 + seed)
        write(tmp_path / "raw" / f"{seed}.jpg", encode(draw_photo(160, 120, head, seed=seed)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestParts:
    def test_each_says_what_is_next(self, catgan: Catgan, place: Path) -> None:
        line = ("curate", "raw", "curated", *HERE)
        first = catgan(*line, "--shard", "1/2")
        assert first.code == 0, first.err
        assert "Part 1/2: " in first.out
        assert "Not finished yet: 2/2." in first.out
        assert (
            "Once all parts are finished, with the same options: catgan curate raw curated --merge"
            in first.out
        )

        early = catgan(*line, "--merge")
        assert (early.code, "2/2 is missing" in one_sentence(early)) == (1, True)
        planned = catgan(*line, "--shard", "2/2", "--dry-run", "--json")
        second = json.loads(catgan(*line, "--shard", "2/2", "--json").out)
        assert json.loads(planned.out)["photos"] == second["photos"] == second["fresh"]
        assert (second["shard"], second["missing"]) == ("2/2", [])

        merged = catgan(*line, "--merge")
        assert merged.code == 0, merged.err
        assert "6 photos, 0 of them new" in merged.out
        assert not (place / "curated" / "shards").exists()

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            (("--shard", "3/2"), "--shard is 3/2"),
            (("--shard", "1/2", "--merge"), "merge once all parts are there"),
            (("--shard", "1/2", "--copy-to", "s3://b/c"), "--copy-to belongs to the run"),
            (("--shard", "1/2", "--decisions", "d.jsonl"), "--decisions belongs to the run"),
            (("--shard", "1/2", "--scheduler", "tcp://h:1"), "do not go together"),
            (("--merge",), "holds no parts to merge"),
        ],
    )
    def test_what_cannot_mean_anything(
        self, catgan: Catgan, place: Path, more: tuple[str, ...], words: str
    ) -> None:
        ended = catgan("curate", "raw", "curated", *HERE, *more)
        assert ended.code == 2
        assert words in one_sentence(ended)
        assert not (place / "curated").exists()

    def test_forget_waits_for_the_merge(self, catgan: Catgan, place: Path) -> None:
        """A part may have images of what is to be forgotten."""
        line = ("curate", "raw", "curated", *HERE)
        assert catgan(*line).code == 0
        assert catgan(*line, "--shard", "1/2").code == 0
        ended = catgan("forget", "raw/0.jpg", "curated")
        assert ended.code == 1
        assert "shards" in one_sentence(ended)


class TestAddresses:
    @pytest.fixture
    def memory(self, place: Path) -> Iterator[Any]:
        system = pytest.importorskip("fsspec").filesystem("memory")
        for photo in (place / "raw").iterdir():
            system.pipe(f"/cats/{photo.name}", photo.read_bytes())
        yield system
        system.rm("/", recursive=True)

    def test_from_one_and_to_one(self, catgan: Catgan, memory: Any, place: Path) -> None:
        line = ("curate", "memory://cats", "curated", *HERE, "--copy-to", "memory://copy")
        ended = catgan(*line)
        assert ended.code == 0, ended.err
        assert "6 photos, 6 of them new" in ended.out
        assert "Copied to memory://copy: " in ended.out
        assert memory.exists("/copy/catgan.json")
        again = json.loads(catgan(*line, "--json").out)
        assert (again["fresh"], again["copied"]["sent"]) == (0, 0)

    def test_other_commands_say_where_the_photos_are(
        self, catgan: Catgan, memory: Any, place: Path
    ) -> None:
        assert catgan("curate", "memory://cats", "curated", *HERE).code == 0
        seen = catgan("inspect", "curated", "--json")
        assert seen.code == 0, seen.err
        assert json.loads(seen.out)["raw"] is None
        seen = catgan("inspect", "curated", "--raw", "nowhere")
        assert seen.code == 2
        forgotten = catgan("forget", "0.jpg", "curated")
        assert forgotten.code == 0, forgotten.err
        assert "Forgotten: 0.jpg" in forgotten.out

    def test_curated_is_a_folder(self, catgan: Catgan, place: Path) -> None:
        ended = catgan("curate", "raw", "s3://bucket/cats", *HERE)
        assert ended.code == 2
        assert "--copy-to s3://bucket/cats" in one_sentence(ended)

    def test_copied_is_what_is_finished_to_an_address(self, catgan: Catgan, place: Path) -> None:
        ended = catgan("curate", "raw", "curated", *HERE, "--copy-to", "elsewhere")
        assert ended.code == 2
        assert "it takes an address" in one_sentence(ended)


def test_no_scheduler_there_is_one_sentence(
    catgan: Catgan, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("catgan.core.cluster.CONNECT", 0.5)
    ended = catgan("curate", "raw", "curated", *HERE, "--scheduler", "tcp://127.0.0.1:9")
    assert ended.code == 1
    assert "tcp://127.0.0.1:9 cannot be reached" in one_sentence(ended)
    assert not (place / "curated" / "catgan.json").exists()
