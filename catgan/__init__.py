"""catgan: from a folder of cat photos to a small GAN of your cat.

The Python API mirrors the commands: `curate_photos`, `curate_shard`, `copy_curated`,
`inspect_curated`, `train_gan`, `compare_runs` and `write_report`, `sample_run`, `export_run`,
`forget_photo`, `draw_album`, `fetch_photos`. Paths may be strings.
Nothing heavy is imported until one of them is asked for.
"""

from typing import TYPE_CHECKING, Any

from catgan.core.version import __version__ as __version__

if TYPE_CHECKING:
    from catgan.compare.config import CompareConfig
    from catgan.compare.pipeline import compare_runs
    from catgan.compare.report.page import write_report
    from catgan.curate.config import CurateConfig
    from catgan.curate.copying import copy_curated
    from catgan.curate.forget import forget_photo
    from catgan.curate.pipeline import curate_photos, curate_shard
    from catgan.demo.config import DemoConfig
    from catgan.demo.pipeline import draw_album
    from catgan.export.config import ExportConfig
    from catgan.export.pipeline import export_run
    from catgan.fetch.config import FetchConfig
    from catgan.fetch.pipeline import fetch_photos
    from catgan.inspect.summary import inspect_curated
    from catgan.sample.config import SampleConfig
    from catgan.sample.outputs import Outputs
    from catgan.sample.pipeline import sample_run
    from catgan.train.config import TrainConfig
    from catgan.train.loop import train_gan

__all__ = [
    "CompareConfig",
    "CurateConfig",
    "DemoConfig",
    "ExportConfig",
    "FetchConfig",
    "Outputs",
    "SampleConfig",
    "TrainConfig",
    "__version__",
    "compare_runs",
    "copy_curated",
    "curate_photos",
    "curate_shard",
    "draw_album",
    "export_run",
    "fetch_photos",
    "forget_photo",
    "inspect_curated",
    "sample_run",
    "train_gan",
    "write_report",
]

_HOMES = {
    "CompareConfig": "compare.config",
    "CurateConfig": "curate.config",
    "DemoConfig": "demo.config",
    "ExportConfig": "export.config",
    "FetchConfig": "fetch.config",
    "Outputs": "sample.outputs",
    "SampleConfig": "sample.config",
    "TrainConfig": "train.config",
    "compare_runs": "compare.pipeline",
    "copy_curated": "curate.copying",
    "curate_photos": "curate.pipeline",
    "curate_shard": "curate.pipeline",
    "draw_album": "demo.pipeline",
    "export_run": "export.pipeline",
    "forget_photo": "curate.forget",
    "fetch_photos": "fetch.pipeline",
    "inspect_curated": "inspect.summary",
    "sample_run": "sample.pipeline",
    "train_gan": "train.loop",
    "write_report": "compare.report.page",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
