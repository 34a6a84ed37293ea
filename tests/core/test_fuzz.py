"""Thousands of spoiled pictures: each read or refused with a reason; no crash, no hang."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory as Linux does")
@pytest.mark.parametrize("seed", [1, 2])
def test_spoiled_pictures(seed: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.core.fuzz_reader", "2500", str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout)
    assert seen["read"] + seen["refused"] == 2500
    # Both must happen, or the mutations are too weak or too strong to tell anything.
    assert seen["read"] > 200
    assert seen["refused"] > 1000
    # A spoiled header may claim a large picture, but not one that is decoded: 96 x 72 pixels are
    # 20 kB, and all that grows is what the decoders keep for themselves.
    assert seen["grown_mb"] < 300
