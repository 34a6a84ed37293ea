"""Training is tested on machines that have little more than PyTorch and a GPU."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BARE = """
import importlib.abc, importlib.metadata, re, sys
import pytest

def plain(name):
    return re.sub("[-_.]+", "-", name).lower()

def needs(name, found):
    if name not in found:
        found.add(name)
        for line in importlib.metadata.requires(name) or []:
            needed = plain(re.match("[A-Za-z0-9_.-]+", line)[0])
            if "extra ==" not in line:
                try:
                    needs(needed, found)
                except importlib.metadata.PackageNotFoundError:
                    pass
    return found

found = set()
for name in ("torch", "numpy", "pillow", "pytest"):
    needs(name, found)
homes = importlib.metadata.packages_distributions()
mine = {"catgan", "tests", "benchmarks"}
kept = {top for top, names in homes.items() if found & {plain(name) for name in names}} | mine
kept |= set(sys.stdlib_module_names) | {"torch", "numpy", "PIL", "pytest", "_pytest"}

class Only(importlib.abc.MetaPathFinder):
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top in homes and top not in kept:
            return None  # as where it is not installed
        return self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Only(finder) for finder in sys.meta_path]
sys.exit(pytest.main(sys.argv[1:]))
"""
"""pytest where only PyTorch, NumPy, Pillow, pytest and what these need can be imported."""


def bare_pytest(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BARE, "-q", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return done.stdout


def test_the_tests_for_gpus_are_collected() -> None:
    """And what needs the records on disk is left out, so what is tried here is what it says."""
    said = bare_pytest("-m", "cuda or not cuda", "tests/train", "--collect-only")
    files = {line.split(":")[0].removeprefix("tests/train/") for line in said.splitlines()}
    assert {"test_cuda.py", "test_step.py", "test_trainer.py"} <= files
    assert not {"test_run.py", "test_data.py", "test_bare.py"} & files


def test_they_run() -> None:
    assert "test_cuda.py" in bare_pytest("tests/train/test_trainer.py", "tests/train/test_cuda.py")
