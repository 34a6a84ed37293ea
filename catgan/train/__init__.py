"""`catgan train`: a data set to a DCGAN run that can be stopped and carried on."""

from catgan.train.config import BASE, DEFAULT_RECIPE, RECIPES, TrainConfig
from catgan.train.loop import (
    TrainProgress,
    TrainResult,
    TrainStart,
    check_plan,
    plan_training,
    train_gan,
)
from catgan.train.start import StartNets, open_start, shape_of_start

__all__ = [
    "BASE",
    "DEFAULT_RECIPE",
    "RECIPES",
    "StartNets",
    "TrainConfig",
    "TrainProgress",
    "TrainResult",
    "TrainStart",
    "check_plan",
    "open_start",
    "plan_training",
    "shape_of_start",
    "train_gan",
]
