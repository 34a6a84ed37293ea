"""`stats.jsonl`: written, read, and read where an older catgan wrote it."""

import json
import math
from pathlib import Path

import pytest

from catgan.core import words
from catgan.formats.stats import (
    STATES,
    EpochStats,
    append_stats,
    read_stats,
    write_stats,
)

FIXTURE = Path(__file__).parents[1] / "fixtures" / "before" / "runs" / "blobs" / "stats.jsonl"


def stats(epoch: int, **more: float | str | int) -> EpochStats:
    return EpochStats(epoch=epoch, images_shown=10 * epoch, **more)  # type: ignore[arg-type]


def test_appended_or_written_it_is_the_same(tmp_path: Path) -> None:
    records = [stats(1, loss_d=0.5), stats(2, kid=0.25, balance="winning", since=2)]
    for record in records:
        append_stats(tmp_path / "a.jsonl", record)
    write_stats(tmp_path / "b.jsonl", records)
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert read_stats(tmp_path / "a.jsonl") == records
    assert read_stats(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_left_out(tmp_path: Path, value: float) -> None:
    append_stats(tmp_path / "stats.jsonl", stats(1, loss_d=value, loss_g=1.0))
    assert read_stats(tmp_path / "stats.jsonl") == [stats(1, loss_g=1.0)]
    assert "loss_d" not in json.loads((tmp_path / "stats.jsonl").read_text())


def test_an_epoch_written_twice_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "stats.jsonl"
    for record in (stats(1), stats(2, loss_d=1.0), stats(2, loss_d=2.0), stats(3)):
        append_stats(path, record)
    assert [(one.epoch, one.loss_d) for one in read_stats(path)] == [(1, None), (2, 2.0), (3, None)]


@pytest.mark.parametrize(
    ("sentence", "state", "since"),
    [
        ("healthy", "healthy", None),
        ("lost: the losses are no numbers any more since epoch 9", "diverged", 9),
        ("D has run wild since epoch 12: it does worse than guessing, ...", "unstable", 12),
        ("collapsed: all samples look alike since epoch 5", "collapsed", 5),
        ("D is winning since epoch 61: it is never fooled, and G learns ...", "winning", 61),
        ("D has given up since epoch 4: it tells real from fake no better ...", "at-chance", 4),
        ("D knows the training pictures by heart since epoch 40", "overfitted", 40),
        (
            "collapsing: samples have been growing more and more alike since epoch 7",
            "collapsing",
            7,
        ),
        ("past its best: samples have been getting worse since epoch 150", "past-best", 150),
        ("purring", "purring", None),  # a newer catgan may
    ],
)
def test_sentences_of_format_2(
    tmp_path: Path, sentence: str, state: str, since: int | None
) -> None:
    line = {"epoch": 1, "images_shown": 10, "balance": sentence}
    (tmp_path / "stats.jsonl").write_text(json.dumps(line) + "\n")
    (found,) = read_stats(tmp_path / "stats.jsonl")
    assert (found.balance, found.since) == (state, since)


def test_a_run_of_format_2() -> None:
    records = read_stats(FIXTURE)
    assert [one.epoch for one in records] == list(range(1, 121))
    assert (records[0].balance, records[0].since) == ("healthy", None)
    assert (records[-1].balance, records[-1].since) == ("winning", 61)
    assert records[-1].recognised is not None
    assert records[-2].recognised is None


@pytest.mark.parametrize("state", STATES)
def test_every_state_can_be_said(state: str) -> None:
    said = words.balance(state, None if state == "healthy" else 12)
    assert ("epoch 12" in said) == (state != "healthy")
    assert "{" not in said


def test_a_state_that_a_newer_catgan_knows_can_be_said_too() -> None:
    assert words.balance("purring", 3) == "purring since epoch 3"
    assert words.balance("a{b}{", 3) == "a{b}{ since epoch 3"
    assert words.balance(None, None) == ""
