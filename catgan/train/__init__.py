"""`catgan train`: a data set to a DCGAN run that can be stopped and carried on."""

from catgan.train.config import DEFAULT_RECIPE, RECIPES, TrainConfig
from catgan.train.loop import (
    TrainProgress,
    TrainResult,
    TrainStart,
    check_plan,
    plan_training,
    train_gan,
)

__all__ = [
    "DEFAULT_RECIPE",
    "RECIPES",
    "TrainConfig",
    "TrainProgress",
    "TrainResult",
    "TrainStart",
    "check_plan",
    "plan_training",
    "train_gan",
]
