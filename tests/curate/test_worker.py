"""What a process that looks at photos needs, and what it must not cost."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path
import catgan.curate.worker, catgan.curate.cascades, catgan.curate.verified
from catgan import CurateConfig
from catgan.curate.detector import make_recipe_detector
from catgan.curate.find import find_photos
from catgan.curate.recipe import load_recipe
from catgan.curate.selection import Selection
from catgan.curate.worker import look, start
raw, root = map(Path, sys.argv[1:])
selection = Selection(root=root, names=("full-body", "face-crop"))
selection.prepare()
start(lambda: make_recipe_detector(load_recipe("quick")), CurateConfig(), selection)
print(len(look(find_photos(raw).photos)))
costly = {"torch_fidelity", "torchvision", "scipy", "timm", "typer", "rich"} & set(sys.modules)
sys.exit(f"imported: {costly}" if costly else 0)
"""


def test_it_imports_nothing_that_it_does_not_need(album: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(album), str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10
