"""What a process that looks at photos needs, and what it must not cost."""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import cv2
import pytest
import torch

from catgan import CurateConfig, curate_photos
from catgan.core.errors import DiskFull
from catgan.core.photos import Photo
from catgan.curate.square import Square
from tests.drawing import EyeDetector

PROGRAM = """
import sys
from pathlib import Path
import catgan.curate.worker
from catgan import CurateConfig
from catgan.curate.detector import make_recipe_detector
from catgan.curate.find import find_photos
from catgan.curate.recipe import load_recipe
from catgan.curate.selection import Selection
from catgan.curate.worker import look, start
raw, root = map(Path, sys.argv[1:])
selection = Selection(root=root, names=("full-body", "face-crop"))
selection.prepare(())
start(lambda: make_recipe_detector(load_recipe("verified")), CurateConfig(), selection)
print(len(look(find_photos(raw).photos)))
costly = {
    "torch", "torch_fidelity", "torchvision", "scipy", "timm", "onnx", "typer", "rich", "plotly"
} & set(sys.modules)
sys.exit(f"imported: {costly}" if costly else 0)
"""


def test_it_imports_nothing_that_it_does_not_need(album: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(album), str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10


COMMAND = """
import sys
from catgan.cli import main
raw, curated = sys.argv[1:]
try:
    main(["curate", raw, curated, "--workers", "1", "--photo-seconds", "0"])
except SystemExit as ended:
    assert not ended.code
costly = {"torch", "torch_fidelity", "torchvision", "scipy", "timm", "onnx"} & set(sys.modules)
sys.exit(f"imported: {costly}" if costly else 0)
"""


def test_nor_does_the_command(album: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, str(album), str(tmp_path / "curated")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert any((tmp_path / "curated" / "full-body" / "train").iterdir())


@pytest.mark.parametrize("fails", [False, True])
def test_a_call_leaves_the_threads_of_its_process_alone(
    album: Path, tmp_path: Path, fails: bool
) -> None:
    """One worker is this process, which may be a notebook that trains next."""
    seen = []

    class Looking(EyeDetector):
        def find(self, photo: Photo) -> Sequence[Square]:
            seen.append((torch.get_num_threads(), cv2.getNumThreads()))
            if fails:
                raise DiskFull("no room")
            return super().find(photo)

    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(3)
    cv2.setNumThreads(2)
    try:
        with pytest.raises(DiskFull) if fails else nullcontext():
            curate_photos(album, tmp_path / "c", CurateConfig(workers=1), make_detector=Looking())
        assert set(seen) == {(1, 1)}, "the results depend on it"
        assert (torch.get_num_threads(), cv2.getNumThreads()) == (3, 2)
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])
