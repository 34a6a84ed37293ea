"""What pictures are worth, in numbers that need no download: features, and metrics on them."""

from catgan.measure.features import EfficientNetLite0, Extractor, Features
from catgan.measure.fidelity import register_extractor
from catgan.measure.metrics import (
    MIN_PICTURES,
    Kid,
    PrecisionRecall,
    Rate,
    kid,
    precision_recall,
    recognised_rate,
)

__all__ = [
    "MIN_PICTURES",
    "EfficientNetLite0",
    "Extractor",
    "Features",
    "Kid",
    "PrecisionRecall",
    "Rate",
    "kid",
    "precision_recall",
    "recognised_rate",
    "register_extractor",
]
