"""What a network costs who wants a network alone."""

import subprocess
import sys

import pytest

HEAVY = ("torch_fidelity", "torchvision", "scipy", "timm")


@pytest.mark.parametrize(
    "module",
    [
        "catgan.measure",
        "catgan.measure.extractors.efficientnet",
        "catgan.measure.extractors.opening",
        "catgan.measure.metrics.kid",
        "catgan.measure.metrics.neighbours",
        "catgan.measure.metrics.precision_recall",
        "catgan.measure.statistics.differences",
    ],
)
def test_what_is_heavy_is_imported_where_it_is_needed_and_no_sooner(module: str) -> None:
    code = f"import sys, {module}; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []
