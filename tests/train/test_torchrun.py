"""Training on two real ranks, through the command line; with one of them killed, or stalled."""

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.soak import ranks as soak
from benchmarks.soak.ground import tree
from benchmarks.soak.outcome import Ended, run
from benchmarks.soak.stops import differs
from catgan.train.config import RECIPES
from tests.train.conftest import MakeDataSet

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for ranks in /proc"),
]

SMALL = (
    "--size", "16", "--ngf", "4", "--ndf", "4", "--latent-dim", "8", "--device", "cpu",
    "--precision", "float32", "--held-out", "4", "--evaluate-samples", "50",
)  # fmt: skip


def line(*more: str) -> tuple[str, ...]:
    return ("train", "data/blobs", *SMALL, *more)


def stats(place: Path) -> list[dict[str, Any]]:
    return [json.loads(one) for one in (place / "stats.jsonl").read_text().splitlines()]


def settings(place: Path) -> dict[str, Any]:
    found = json.loads((place / "config.json").read_text())
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("recipe", RECIPES)
def test_two_ranks_train_what_one_process_trains(
    recipe: str, make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    """Two epochs of 21 images, the last of them measured: what is on record is the same to
    rounding, and is said once."""
    make_data_set(25)
    asked = line("--recipe", recipe, "--batch-size", "8", "--epochs", "2", "--evaluate-every", "2")
    ended = soak.launch((*asked, "--name", "two"), tmp_path)
    assert ended.code == 0, ended.err
    alone = run((*asked, "--name", "one"), cwd=tmp_path)
    assert alone.code == 0, alone.err
    assert "2 ranks train together, each on 4 images per step." in ended.out
    assert ended.out.count("is finished: 2 epochs") == 1
    two, one = tmp_path / "runs" / "two", tmp_path / "runs" / "one"
    for ours, theirs in zip(stats(two), stats(one), strict=True):
        assert ours["images_shown"] == theirs["images_shown"]
        for name in ("loss_d", "loss_g", "spread_real", "kid_train", "diversity"):
            if name in theirs:  # float32 has seven digits, and a step makes ten roundings of one
                assert ours[name] == pytest.approx(theirs[name], rel=1e-2, abs=1e-4), name
    ours, theirs = settings(two), settings(one)
    assert [entry.pop("ranks") for entry in ours["computed"] + theirs["computed"]] == [2, 1]
    assert ours["settings"] == theirs["settings"]
    assert tree(two).keys() == tree(one).keys()


@pytest.mark.parametrize(("rank", "number"), [(0, signal.SIGKILL), (1, signal.SIGSTOP)])
def test_a_rank_that_is_lost_ends_all_and_the_same_line_resumes(
    rank: int, number: int, make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    """One sentence, no traceback of ours; then what an undisturbed run leaves, to the bit."""
    make_data_set(25)
    asked = line(
        "--recipe", "balanced", "--batch-size", "4", "--epochs", "12", "--evaluate-every", "0",
        "--checkpoint-minutes", "0", "--rank-minutes", "0.5",
    )  # fmt: skip
    assert soak.launch((*asked, "--name", "whole"), tmp_path).code == 0
    lost = soak.launch(
        (*asked, "--name", "lost"),
        tmp_path,
        lambda: (tmp_path / "runs" / "lost" / "checkpoints" / "last.pt").exists(),
        0.0,
        lambda pids: soak.send(pids, rank, number),
    )
    assert soak.fault_of(lost, f"Rank {rank} of this training") is None, lost.err
    again = soak.launch((*asked, "--name", "lost"), tmp_path)
    assert again.code == 0, again.err
    assert "Resuming after epoch" in again.out
    runs = tmp_path / "runs"
    assert differs(tree(runs / "lost"), tree(runs / "whole")) is None


def test_what_cannot_be_is_said_once_and_another_number_of_ranks_goes_on(
    make_data_set: MakeDataSet, tmp_path: Path
) -> None:
    make_data_set(25)

    def refused(ended: Ended, words: str) -> None:
        assert soak.fault_of(ended, words) is None, ended.err
        assert not (tmp_path / "runs").exists()

    refused(soak.launch(line("--batch-size", "3"), tmp_path), "--batch-size is 3 for all ranks")
    refused(soak.launch(("train", "nowhere", *SMALL), tmp_path), "nowhere")
    refused(soak.launch(line("--rank-minutes", "0"), tmp_path), "--rank-minutes is 0")
    asked = line("--recipe", "balanced", "--batch-size", "4", "--evaluate-every", "0")
    assert soak.launch((*asked, "--epochs", "1"), tmp_path).code == 0
    alone = run((*asked, "--epochs", "2"), cwd=tmp_path)
    assert alone.code == 0, alone.err
    assert "Resuming after epoch 1, on 1 rank from here on (2 before)." in alone.out
    done = soak.launch((*asked, "--epochs", "2"), tmp_path)
    assert done.code == 0, done.err
    assert done.out.count("is finished already: 2 epochs") == 1
    entries = settings(tmp_path / "runs" / "blobs")["computed"]
    assert [(one["after_epoch"], one["ranks"]) for one in entries] == [(0, 2), (1, 1)]
