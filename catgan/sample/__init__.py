"""Draw from a trained generator: grids, single pictures, walks, and the training as a film."""

from catgan.sample.config import SampleConfig
from catgan.sample.outputs import Outputs
from catgan.sample.pipeline import Clip, SamplePlan, SampleResult, plan_samples, sample_run

__all__ = [
    "Clip",
    "Outputs",
    "SampleConfig",
    "SamplePlan",
    "SampleResult",
    "plan_samples",
    "sample_run",
]
