"""Joining other processes: by the environment that torchrun sets, here of one rank and of too few.

Several real processes are in `test_torchrun`; the exchanges themselves in `test_ranks`.
"""

import contextlib
import socket
from collections.abc import Iterator

import pytest
import torch
import torch.distributed as dist

from catgan.core.errors import BadSettings, DiskFull, Interrupted, RankLost, SaidElsewhere
from catgan.train.launch import TOLD, _Group, joined, launched
from catgan.train.ranks import ALONE


@contextlib.contextmanager
def told(monkeypatch: pytest.MonkeyPatch, count: int = 1, **changes: str) -> Iterator[None]:
    """The environment of the first of so many ranks."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {
        "RANK": "0", "WORLD_SIZE": str(count), "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
    }  # fmt: skip
    for name, value in (variables | changes).items():
        monkeypatch.setenv(name, value)
    try:
        yield
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def test_a_process_that_nobody_launched_trains_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster may set some of the variables for purposes of its own."""
    monkeypatch.setenv("RANK", "3")
    for name in TOLD[1:]:
        monkeypatch.delenv(name, raising=False)
    assert not launched()
    with joined(1) as ranks:
        assert ranks is ALONE
    assert not dist.is_initialized()


def test_one_rank_reaches_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    with told(monkeypatch), joined(1) as ranks:
        assert ranks.joined and ranks.is_first and ranks.count == 1
        assert ranks.any(True) and not ranks.any(False)
        state = {"weight": torch.arange(3.0), "epoch": 2}
        assert ranks.from_first(state) is state
        assert ranks.total(2.5) == 2.5
        assert ranks.link is not None
        values = torch.arange(4.0)
        ranks.link.add(values)
        assert torch.equal(values, torch.arange(4.0))
        assert ranks.link.first(b"some bytes") == b"some bytes"
        ranks.check_alike([torch.nn.Linear(2, 2)])
    assert not dist.is_initialized()


def test_ranks_that_do_not_come_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        told(monkeypatch, count=2),
        pytest.raises(RankLost, match=r"Rank 0 cannot reach the other 1 .* rerun"),
        joined(0.01),
    ):
        raise AssertionError("there is no second rank")


def test_an_environment_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        told(monkeypatch, LOCAL_RANK="first"),
        pytest.raises(BadSettings, match="not to numbers; start with torchrun"),
        joined(0.01),
    ):
        raise AssertionError("what is its rank?")


@pytest.mark.parametrize("said", [True, False])
def test_one_that_is_missed_at_the_end_is_said_once(
    said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after its last step: the others must not all say so, nor wait for it in the end."""
    ends: list[int] = []
    monkeypatch.setattr("atexit.register", lambda _, code: ends.append(code))

    def missed(_: object) -> None:
        raise RankLost("Rank 1 ended.")

    monkeypatch.setattr(_Group, "leave", missed)
    with told(monkeypatch), pytest.raises(SaidElsewhere if said else RankLost), joined(1) as ranks:
        if said:
            assert isinstance(ranks.link, _Group)
            assert ranks.link.speaks()
    assert ends == [RankLost.exit_code]


@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize("error", [DiskFull("No room."), OSError("No room."), Interrupted("No.")])
def test_what_ends_all_is_said_once(
    error: BaseException, said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one to fail raises what it found; others end with its status, without words."""
    ends: list[int] = []
    monkeypatch.setattr("atexit.register", lambda _, code: ends.append(code))
    code = getattr(error, "exit_code", 1)
    with told(monkeypatch), pytest.raises(BaseException) as caught, joined(1) as ranks:
        if said:  # by another rank
            assert isinstance(ranks.link, _Group)
            assert ranks.link.speaks()
        raise error
    assert ends == [code]  # the process is not kept by what waits for the others
    assert getattr(caught.value, "exit_code", 1) == code
    if said:
        assert str(caught.value) == ""
        assert isinstance(caught.value, SaidElsewhere | Interrupted)
    else:
        assert str(caught.value) == str(error)
        assert type(caught.value) is type(error)
