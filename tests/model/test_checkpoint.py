"""Checkpoints: whole or not at all, and never a program."""

import os
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from catgan.core.errors import CheckpointRefused, DiskFull
from catgan.core.files import partial_of
from catgan.model.checkpoint import (
    FORMAT,
    facts_of,
    load_checkpoint,
    load_generator,
    save_checkpoint,
)
from catgan.model.networks import Discriminator, Generator

SETTINGS = {"latent_dim": 5, "ngf": 4, "size": 16}


def make_state(**changes: Any) -> dict[str, Any]:
    net = Generator(latent_dim=5, ngf=4, size=16)
    state = {
        "settings": SETTINGS,
        "data_digest": "d",
        "epoch": 2,
        "images_shown": 24,
        "generator": net.state_dict(),
    }
    return state | changes


def test_comes_back_as_it_was(tmp_path: Path) -> None:
    state = make_state()
    save_checkpoint(tmp_path / "last.pt", state)
    loaded = load_checkpoint(tmp_path / "last.pt")
    assert (loaded["format"], loaded["epoch"]) == (FORMAT, 2)
    for name, tensor in state["generator"].items():
        assert torch.equal(loaded["generator"][name], tensor)
    generator, _ = load_generator(tmp_path / "last.pt")
    assert not generator.training


class Malicious:
    """A pickle that runs a program when it is loaded."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.proof}",)


def test_a_malicious_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    torch.save(make_state(format=1, extra=Malicious(tmp_path / "run")), path)
    with pytest.raises(CheckpointRefused, match="not a checkpoint of catgan"):
        load_checkpoint(path)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"PK\x03\x04 not a zip", b"G", b"}}}s.", b"\x80\x02]q"]
)
def test_a_file_that_is_no_checkpoint(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "last.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointRefused, match="not a checkpoint"):
        load_checkpoint(path)


def test_a_checkpoint_cut_short_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    save_checkpoint(path, make_state())
    whole = path.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(CheckpointRefused):
            load_checkpoint(path)


def test_another_format_and_other_weights(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    for written, words in (
        (FORMAT + 1, f"a newer version .* this one reads {FORMAT}"),
        (FORMAT - 1, "an older version"),
        ("two", "is not a checkpoint of catgan"),
    ):
        torch.save({**make_state(), "format": written}, path)
        with pytest.raises(CheckpointRefused, match=words):
            load_checkpoint(path)
    save_checkpoint(path, make_state(settings={**SETTINGS, "ngf": 8}))
    with pytest.raises(CheckpointRefused):
        load_generator(path)


def test_a_missing_one_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(CheckpointRefused, match="catgan train"):
        load_checkpoint(tmp_path / "last.pt")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_keeps_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    save_checkpoint(path, make_state())
    before = path.read_bytes()
    partial_of(path).symlink_to("/dev/full")
    with pytest.raises(DiskFull, match="full"):
        save_checkpoint(path, make_state(epoch=3))
    assert path.read_bytes() == before
    assert [child.name for child in tmp_path.iterdir()] == ["last.pt"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epoch", -5),
        ("epoch", 10**30),
        ("epoch", 1.5),
        ("images_shown", 10**30),
        ("settings", None),
        ("data_digest", 7),
        ("generator", {"main.0.weight": torch.full((2, 2), float("nan"))}),
        ("generator", [1]),
        ("average", {"main.0.weight": torch.tensor(float("inf"))}),
    ],
)
def test_what_no_training_leaves_is_refused(tmp_path: Path, name: str, value: object) -> None:
    state = {
        "settings": {},
        "data_digest": "",
        "epoch": 1,
        "images_shown": 10,
        "generator": {"main.0.weight": torch.zeros(2, 2)},
    }
    save_checkpoint(tmp_path / "last.pt", state)
    assert load_checkpoint(tmp_path / "last.pt")["epoch"] == 1
    save_checkpoint(tmp_path / "last.pt", {**state, name: value})
    with pytest.raises(CheckpointRefused, match=r"last\.pt holds .*training never writes"):
        load_checkpoint(tmp_path / "last.pt")


FITTING = SETTINGS | {"ndf": 4, "norm": "batch"}


def whole_state() -> dict[str, Any]:
    discriminator = Discriminator(ndf=4, size=16, norm="batch").state_dict()
    return make_state(settings=FITTING, discriminator=discriminator)


def test_facts_are_those_of_the_weights() -> None:
    facts = facts_of(whole_state())
    assert (facts.ngf, facts.ndf, facts.latent_dim, facts.size) == (4, 4, 5, 16)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ngf": "x"}, {"ngf": 4.0}, {"ngf": True}, {"ngf": 8}, {"ndf": 8}, {"latent_dim": 6},
        {"size": 32}, {"size": 24}, {"size": 2**40}, {"latent_dim": 2**60}, {"norm": "none"},
        {"norm": ["batch"]}, {"ndf": 0},
    ],
)  # fmt: skip
def test_settings_that_are_not_those_of_the_weights(tmp_path: Path, wrong: dict[str, Any]) -> None:
    state = whole_state() | {"settings": FITTING | wrong}
    with pytest.raises(ValueError, match=r"weights of its|\w"):
        facts_of(state)
    if wrong.keys() <= {"ngf", "latent_dim", "size"}:
        save_checkpoint(tmp_path / "last.pt", state)
        with pytest.raises(CheckpointRefused, match="not a checkpoint of catgan, or is broken"):
            load_generator(tmp_path / "last.pt")


def test_a_tensor_that_nobody_computes_with(tmp_path: Path) -> None:
    state = whole_state()
    state["generator"] = state["generator"] | {"main.0.weight": torch.ones(2).to_sparse()}
    torch.save({"format": FORMAT, **state}, tmp_path / "last.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # one sentence, and nothing of PyTorch's beside it
        with pytest.raises(CheckpointRefused):
            load_generator(tmp_path / "last.pt")
