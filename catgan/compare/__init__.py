"""`catgan compare`: what runs have learnt, side by side, in pictures and honest numbers."""

from catgan.compare.arm import Arm
from catgan.compare.config import CompareConfig
from catgan.compare.pipeline import compare_runs
from catgan.compare.report import write_report
from catgan.compare.summary import Comparison, Row

__all__ = ["Arm", "CompareConfig", "Comparison", "Row", "compare_runs", "write_report"]
