"""`catgan train`: a data set to a DCGAN run that can be stopped and carried on."""

from catgan.train.config import TrainConfig
from catgan.train.loop import TrainProgress, TrainResult, TrainStart, plan_training, train_gan

__all__ = [
    "TrainConfig",
    "TrainProgress",
    "TrainResult",
    "TrainStart",
    "plan_training",
    "train_gan",
]
