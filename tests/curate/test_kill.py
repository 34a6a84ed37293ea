"""Killed at any moment and run again, curate leaves the files of a run that was never killed."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from catgan.curate.config import CurateConfig
from catgan.curate.pipeline import CurateProgress, curate_photos
from tests.conftest import ROOT
from tests.drawing import EyeDetector, Head, draw_photo, encode, tree, write

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")


def test_killed_before_each_single_thing_it_does_to_its_folder(tmp_path: Path) -> None:
    """Every file opened to write, renamed, removed, every folder made: one kill before each."""
    raw = tmp_path / "raw"
    photos = {
        "1 face.jpg": encode(draw_photo(160, 120, Head(cx=80, cy=60, w=60), seed=1)),
        "2 none.jpg": encode(draw_photo(100, 90, seed=2)),
        "3 two.png": encode(
            draw_photo(240, 100, Head(cx=60, cy=50, w=56), Head(cx=180, cy=50, w=50), seed=3), "PNG"
        ),
        "4 cut.jpg": encode(draw_photo(100, 90, seed=4))[:900],
        "6 empty.jpg": b"",
        "7 text.jpg": b"text",
        "8 cut.png": encode(draw_photo(100, 90, seed=8), "PNG")[:900],
        "9 second chunk.jpg": encode(draw_photo(160, 120, Head(cx=80, cy=60, w=70, roll=30))),
    }
    photos["5 copy.jpg"] = photos["1 face.jpg"]
    burst = draw_photo(160, 120, Head(cx=80, cy=60, w=70, roll=30))[1:]
    photos["9a burst.jpg"] = encode(burst)
    for name, data in photos.items():
        write(raw / name, data)
    done = subprocess.run(
        [sys.executable, "-m", "tests.curate.killing", str(raw), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tried = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert [wrong for _, wrong in tried] == [0] * 9, done.stderr
    # a screen and the third data set go and come back without a look at a photo: less to stop
    for (moments, _), least in zip(tried, (50, 30, 20, 20, 30, 20, 20, 50, 50), strict=True):
        assert moments > least


@pytest.mark.parametrize("seed", [1, 2])
def test_the_whole_group_killed_again_and_again(album: Path, tmp_path: Path, seed: int) -> None:
    """Parent and workers at once, at random moments, each rerun carrying on from the last."""
    rng = random.Random(seed)
    curated = tmp_path / "curated"
    script = (
        "import sys; from pathlib import Path\n"
        "from catgan import CurateConfig, curate_photos\n"
        "from tests.drawing import EyeDetector\n"
        "curate_photos(Path(sys.argv[1]), Path(sys.argv[2]), CurateConfig(workers=2),\n"
        "              make_detector=EyeDetector(wait=0.3))\n"
    )
    killed = 0
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", script, str(album), str(curated)],
            cwd=ROOT,
            start_new_session=True,
        ) as run:
            try:
                run.wait(rng.uniform(0.5, 2.5))
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)
                killed += 1
    assert killed
    result = curate_photos(album, curated, CurateConfig(workers=1), make_detector=EyeDetector())
    assert result.photos == 19
    undisturbed = tmp_path / "undisturbed"
    curate_photos(album, undisturbed, CurateConfig(workers=1), make_detector=EyeDetector())
    assert tree(curated) == tree(undisturbed)


def test_a_journal_cut_at_any_byte(album: Path, tmp_path: Path) -> None:
    """As a power cut may leave it: what is lost is looked at again, nothing else."""
    curated = tmp_path / "curated"
    config = CurateConfig(workers=1)
    curate_photos(album, curated, config, make_detector=EyeDetector())
    whole = tree(curated)
    (journal,) = curated.glob(".findings-*")
    data = journal.read_bytes()
    lines = data.count(b"\n")
    for cut in sorted(random.Random(4).sample(range(len(data)), 6)):
        journal.write_bytes(data[:cut])
        result = curate_photos(album, curated, config, make_detector=EyeDetector())
        assert result.fresh == lines - data[:cut].count(b"\n")
        assert tree(curated) == whole


def test_what_follows_a_torn_line_is_not_lost_with_it(album: Path, tmp_path: Path) -> None:
    """Stopped in the middle of a line, then once more after eight photos: those eight are known."""
    curated = tmp_path / "curated"
    config = CurateConfig(workers=1)

    def stop(progress: CurateProgress) -> None:
        if progress.fresh:
            raise KeyboardInterrupt

    curate_photos(album, curated, config, make_detector=EyeDetector())
    whole = tree(curated)
    (journal,) = curated.glob(".findings-*")
    first, second = journal.read_bytes().splitlines(keepends=True)[:2]
    journal.write_bytes(first + second[:-20])
    with pytest.raises(KeyboardInterrupt):
        curate_photos(album, curated, config, make_detector=EyeDetector(), progress=stop)
    result = curate_photos(album, curated, config, make_detector=EyeDetector())
    assert result.fresh == result.photos - 1 - 8
    assert tree(curated) == whole
