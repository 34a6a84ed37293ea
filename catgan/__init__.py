"""catgan: from a folder of cat photos to a small GAN of your cat.

The Python API mirrors the commands: `curate_photos`, `train_gan`, `compare_runs`, `sample_run`,
`draw_album`.
Nothing heavy is imported until one of them is asked for.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from catgan.compare import CompareConfig, compare_runs
    from catgan.curate import CurateConfig, curate_photos
    from catgan.demo import DemoConfig, draw_album
    from catgan.sample import SampleConfig, sample_run
    from catgan.train import TrainConfig, train_gan

__all__ = [
    "CompareConfig",
    "CurateConfig",
    "DemoConfig",
    "SampleConfig",
    "TrainConfig",
    "__version__",
    "compare_runs",
    "curate_photos",
    "draw_album",
    "sample_run",
    "train_gan",
]

_HOME = {
    "CompareConfig": "catgan.compare",
    "compare_runs": "catgan.compare",
    "CurateConfig": "catgan.curate",
    "curate_photos": "catgan.curate",
    "DemoConfig": "catgan.demo",
    "draw_album": "catgan.demo",
    "SampleConfig": "catgan.sample",
    "sample_run": "catgan.sample",
    "TrainConfig": "catgan.train",
    "train_gan": "catgan.train",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOME[name]), name)
