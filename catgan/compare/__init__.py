"""`catgan compare`: what runs have learnt, side by side, in pictures and honest numbers."""

from catgan.compare.arm import Arm
from catgan.compare.comparison import Comparison
from catgan.compare.config import CompareConfig
from catgan.compare.outputs import check_outputs
from catgan.compare.pipeline import compare_runs
from catgan.compare.plan import plan_groups
from catgan.compare.report import write_report
from catgan.compare.rows import Row

__all__ = [
    "Arm",
    "CompareConfig",
    "Comparison",
    "Row",
    "check_outputs",
    "compare_runs",
    "plan_groups",
    "write_report",
]
