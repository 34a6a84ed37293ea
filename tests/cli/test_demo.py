"""`catgan demo` as a person meets it."""

import json
from pathlib import Path

from catgan.demo.truth import read_truth
from tests.cli.conftest import Catgan, one_sentence


def test_an_album_and_then_nothing_left_to_draw(catgan: Catgan, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    line: list[str | Path] = ["demo", raw, "--photos", "12", "--workers", "1", "--json"]
    plan = json.loads(catgan(*line, "--dry-run").out)
    assert (plan["photos"], plan["fresh"], plan["dry_run"]) == (12, 12, True)
    assert not raw.exists()

    ended = catgan(*line)
    assert ended.code == 0, ended.err
    record = json.loads(ended.out)
    assert (record["photos"], record["fresh"]) == (12, 12)
    assert sum(record["kinds"].values()) == 12
    assert Path(record["truth"]) == raw / "demo.jsonl"
    assert len(list(read_truth(raw))) == 12
    assert len(list(raw.glob("*.jpg"))) == 12

    again = json.loads(catgan(*line).out)
    assert again == record | {"fresh": 0}


def test_a_folder_of_somebodys_photos_is_refused(catgan: Catgan, tmp_path: Path) -> None:
    (tmp_path / "kotetsu.jpg").write_bytes(b"mine")
    ended = catgan("demo", tmp_path, "--photos", "12")
    assert ended.code == 1
    assert "kotetsu.jpg" in one_sentence(ended)
    assert [path.name for path in tmp_path.iterdir()] == ["kotetsu.jpg"]
