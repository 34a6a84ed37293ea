"""What to expect of a run before it begins, from what such runs came to."""

import dataclasses
import time

import numpy as np

from catgan.measure.metrics.recognised import images_needed
from catgan.model.device import pick_device
from catgan.train.config import FINE_TUNING_IMAGES, TrainConfig
from catgan.train.device import explain_memory
from catgan.train.pictures import TrainingPictures
from catgan.train.ranks import ALONE, Ranks
from catgan.train.trainer import Trainer


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """How long a run is, and how long its recipe needs."""

    images: int
    """Training images that the whole run shows, over all epochs."""
    first: int | None
    """Training images after which some samples are recognised as cats; None where few ever are."""
    half: int | None
    """Training images after which half of them are; None where that is not reached."""

    @property
    def is_short(self) -> bool:
        """Whether the run ends before there is much to be seen."""
        return self.half is None or self.images < self.half


FINE_TUNED = (0, FINE_TUNING_IMAGES)  # from networks that have seen more than this many already
TRAINED = 20_000


def look_ahead(config: TrainConfig, pictures: int, *, seen_before: int = 0) -> Outlook:
    """What to expect of a run.

    Args:
        config: Settings.
        pictures: Training pictures.
        seen_before: Images that the networks it starts from have seen; 0 for new ones.
    """
    images = config.epochs * pictures
    if seen_before >= TRAINED:
        return Outlook(images=images, first=FINE_TUNED[0], half=FINE_TUNED[1])
    first, half = images_needed(config.recipe, config.ngf) or (None, None)
    return Outlook(images=images, first=first, half=half)


PROBED = 3  # steps that are timed, after one that is not
MOST_BATCH = 16


def probe_speed(config: TrainConfig, ranks: Ranks = ALONE) -> float | None:
    """Training images a second on this machine, from a few steps on grey images.

    None on an NVIDIA GPU, where recorded steps are many times as fast, and only a while later.

    It takes a second or two. Measuring, samples and checkpoints come on top of it: about a tenth.

    Args:
        config: Settings. Larger batches are probed at 16 images, which is a little pessimistic.
        ranks: Who trains together. Each takes its part of a batch by itself, at the same time, and
            their speeds are added up: what they exchange is not counted.

    Raises:
        BadSettings, OutOfMemory, MissingPackage: See `loop.train_gan`.
    """
    device = pick_device(config.device)
    if device.type == "cuda":
        return None
    asked = config
    own = max(1, config.batch_size // ranks.count)
    config = dataclasses.replace(config, batch_size=min(own, MOST_BATCH), start_from="")
    grey = np.full((config.batch_size, config.size, config.size, 3), 128, dtype=np.uint8)
    with explain_memory("a run of these settings", asked):
        trainer = Trainer(TrainingPictures(grey, device), config, device)
        times = []
        for _ in range(1 + PROBED):
            began = time.perf_counter()
            trainer.step(1)
            trainer.means()  # waits for a GPU
            trainer.end_epoch()
            times.append(time.perf_counter() - began)
    return ranks.total(config.batch_size / float(np.median(times[1:])))
