"""Two trainings on one machine: the second waits without spinning."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest

from catgan.core import threads

PROGRAM = """
import os, sys
from pathlib import Path
from catgan.core import threads
threads._is_busy = lambda: False
print(threads.wait_politely(Path(sys.argv[1])), os.environ.get("OMP_WAIT_POLICY"), flush=True)
sys.stdin.read()
"""


def start(place: Path, **more: str) -> "subprocess.Popen[str]":
    outside = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=outside | more,
    )


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: "subprocess.Popen[str]") -> None:
    process.communicate(timeout=30)


def test_the_first_spins_and_the_second_does_not(tmp_path: Path) -> None:
    first = start(tmp_path)
    assert said(first) == "False None"
    second = start(tmp_path)
    assert said(second) == "True PASSIVE"
    end(second)
    end(first)
    again = start(tmp_path)
    assert said(again) == "False None"
    end(again)


def test_without_a_load_or_a_place_for_the_lock(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse() -> NoReturn:
        raise OSError(2, "there is none")

    monkeypatch.setattr(os, "getloadavg", refuse, raising=False)
    monkeypatch.setattr(tempfile, "gettempdir", refuse)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert not threads.wait_politely()


def test_what_a_person_has_set_stays(tmp_path: Path) -> None:
    process = start(tmp_path, OMP_WAIT_POLICY="ACTIVE")
    assert said(process) == "False ACTIVE"
    end(process)
