"""Walks as videos, decoded again by the library that wrote them."""

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catgan.core.errors import MissingPackage
from catgan.core.pictures import Picture
from catgan.sample.config import SampleConfig
from catgan.sample.gif import Movie, hundredths
from catgan.sample.outputs import Outputs
from catgan.sample.pipeline import sample_run
from catgan.sample.stamp import is_ours
from catgan.sample.video import encode_video
from tests.sample.conftest import MakeRun

av = pytest.importorskip("av", reason="needs PyAV")


def decode(path: Path) -> tuple[list[Picture], float]:
    """The frames of a video, and how many a second has."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        rate = float(container.streams.video[0].average_rate)
    return frames, rate


def flat(*colour: int, height: int = 47, width: int = 63) -> Picture:
    return np.full((height, width, 3), colour, dtype=np.uint8)


def test_frames_colours_and_durations_come_back(tmp_path: Path) -> None:
    colours = [(200, 120, 60), (40, 90, 160), (128, 128, 128)]
    movie = Movie(frames=[flat(*one) for one in colours], durations=[10, 10, 30])
    path = tmp_path / "a.mp4"
    path.write_bytes(encode_video(movie, 10, "three colours"))
    assert is_ours(path)
    frames, rate = decode(path)
    assert rate == 10
    assert len(frames) == 5  # the last is shown three times as long
    assert frames[0].shape == (48, 64, 3)  # sides are even
    for frame, colour in zip(frames, [*colours, colours[2], colours[2]], strict=True):
        # 8-bit luma and chroma round a level or two away, and so does the encoder
        assert abs(frame[8:40, 8:56].astype(int) - colour).max() <= 6


def test_the_same_bytes_again() -> None:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (32, 48, 3), dtype=np.uint8) for _ in range(3)]
    movie = Movie(frames=frames, durations=[hundredths(24)] * 3)
    assert encode_video(movie, 24, "noise") == encode_video(movie, 24, "noise")


def test_a_walk_is_longer_and_smoother_than_a_gif(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    path = tmp_path / "walk.mp4"
    for _ in range(2):  # its own is written over
        result = sample_run(run.folder, SampleConfig(tiles=2, scale=2), Outputs(walk=path))
    assert result.walk is not None
    assert (result.walk.frames, result.walk.seconds) == (144, 6.0)
    assert result.walk.size == path.stat().st_size
    frames, rate = decode(path)
    assert (len(frames), rate) == (144, 24)
    assert "gif" not in result._repr_html_()


def test_only_a_video_with_the_word_is_ours(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    data = encode_video(Movie(frames=[flat(1, 2, 3)], durations=[10]), 10, "x")
    path.write_bytes(data.replace(b"catgan sample", b"somebody else"))
    assert not is_ours(path)
    for broken in (data[:40], data[: data.index(b"moov")], data[:4] + b"ftyp" + b"\xff" * 50):
        path.write_bytes(broken)
        assert not is_ours(path)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "av":
            raise ImportError("No module named 'av'")
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingPackage, match=r"pip install av, or name a .gif"):
        Outputs(walk=tmp_path / "walk.mp4").check(1)
    Outputs(walk=tmp_path / "walk.gif").check(1)
