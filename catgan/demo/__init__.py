"""`catgan demo`: an album of photos drawn by catgan itself, for those who have none at hand.

Faces come from the base model, everything else is drawn by code. No photo of anybody's is in it.
"""

from catgan.demo.config import DemoConfig
from catgan.demo.pipeline import DemoPlan, DemoProgress, DemoResult, draw_album, plan_album
from catgan.demo.truth import FaceTruth, Truth, read_truth

__all__ = [
    "DemoConfig",
    "DemoPlan",
    "DemoProgress",
    "DemoResult",
    "FaceTruth",
    "Truth",
    "draw_album",
    "plan_album",
    "read_truth",
]
