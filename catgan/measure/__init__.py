"""What pictures are worth, in numbers: features, metrics on them, and how sure these are.

The net that comes with catgan needs no download; those that papers measure with do.
"""

from catgan.measure.cache import CachedExtractor
from catgan.measure.coverage import (
    DensityCoverage,
    coverage_of_equals,
    density_coverage,
    density_coverage_estimates,
)
from catgan.measure.differences import (
    NO_DIFFERENCE,
    Difference,
    OverRuns,
    estimate_difference,
    estimate_over_runs,
    level_with_best,
    rate_difference,
    rate_over_runs,
)
from catgan.measure.estimate import Estimate
from catgan.measure.extractors import EXTRACTORS, open_extractor
from catgan.measure.faces import FaceFinder, FoundFaces, face_rate
from catgan.measure.features import EfficientNetLite0, Extractor, Features
from catgan.measure.fidelity import register_extractor
from catgan.measure.metrics import (
    MIN_PICTURES,
    Kid,
    PrecisionRecall,
    Rate,
    kid,
    kid_estimate,
    precision_recall,
    precision_recall_estimates,
    rate,
    recognised_rate,
)
from catgan.measure.paired import Paired, judge_of
from catgan.measure.variety import Diversity, diversity, diversity_estimate

__all__ = [
    "EXTRACTORS",
    "MIN_PICTURES",
    "NO_DIFFERENCE",
    "CachedExtractor",
    "DensityCoverage",
    "Difference",
    "Diversity",
    "EfficientNetLite0",
    "Estimate",
    "Extractor",
    "FaceFinder",
    "Features",
    "FoundFaces",
    "Kid",
    "OverRuns",
    "Paired",
    "PrecisionRecall",
    "Rate",
    "coverage_of_equals",
    "density_coverage",
    "density_coverage_estimates",
    "diversity",
    "diversity_estimate",
    "estimate_difference",
    "estimate_over_runs",
    "face_rate",
    "judge_of",
    "kid",
    "kid_estimate",
    "level_with_best",
    "open_extractor",
    "precision_recall",
    "precision_recall_estimates",
    "rate",
    "rate_difference",
    "rate_over_runs",
    "recognised_rate",
    "register_extractor",
]
