"""What a video costs beside decoding it alone: part of `make bench-curate`.

A clip is drawn and encoded as phones do (H.264, 1280 x 720, 30 frames a second), and looked at with
the default face finder, by one process.
"""

import tempfile
import time
from pathlib import Path

import av
import cv2
import numpy as np

from catgan.curate.config import CurateConfig
from catgan.curate.detector import make_recipe_detector
from catgan.curate.find import find_photos
from catgan.curate.footage import examine_clip
from catgan.curate.recipe import load_recipe

SECONDS = 20
RATE = 30
WIDTH, HEIGHT = 1280, 720


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "clip.mp4"
        _draw(path)
        (clip,) = find_photos(Path(scratch), clips=True).clips
        detector = make_recipe_detector(load_recipe("verified"))
        started = time.perf_counter()
        frames = _decode(path)
        decoding = time.perf_counter() - started
        started = time.perf_counter()
        found = examine_clip(clip, detector, CurateConfig())
        looking = time.perf_counter() - started
    print(f"\n{SECONDS} s of {WIDTH} x {HEIGHT}, {frames} frames, one process\n")
    print("| | seconds | frames a second |")
    print("| --- | --- | --- |")
    print(f"| decoding alone | {decoding:.1f} | {frames / decoding:.0f} |")
    print(f"| curate ({len(found)} used) | {looking:.1f} | {frames / looking:.0f} |")
    print(f"\n{looking / decoding:.1f} times decoding alone")


def _draw(path: Path) -> None:
    """A window that wanders over blots and noise: as much to encode as a room."""
    rng = np.random.default_rng(0)
    blots = rng.integers(0, 256, (24, 40, 3), dtype=np.uint8)
    ground = cv2.resize(blots, (WIDTH + 200, HEIGHT + 200), interpolation=cv2.INTER_CUBIC)
    noise = rng.integers(-12, 13, ground.shape)
    room = (ground.astype(np.int64) + noise).clip(0, 255).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(SECONDS * RATE):
            x = round(100 + 99 * np.sin(index / 40))
            y = round(100 + 99 * np.cos(index / 55))
            view = np.ascontiguousarray(room[y : y + HEIGHT, x : x + WIDTH])
            frame = av.VideoFrame.from_ndarray(view, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _decode(path: Path) -> int:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        return sum(1 for _ in container.decode(stream))


if __name__ == "__main__":
    main()
