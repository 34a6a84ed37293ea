"""What `train` can be told, and the recipes that settings start from."""

import dataclasses
import math
from typing import Any

from catgan.core.config import require
from catgan.core.errors import BadSettings
from catgan.core.files import Json
from catgan.measure.metrics import MIN_PICTURES
from catgan.model.networks import NORMS, STARTS
from catgan.train.augment import KINDS

AUTO = -1
BASE = "base"
PRECISIONS = ("float32", "tf32", "bfloat16", "float16")
LOW_PRECISIONS = ("bfloat16", "float16")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """The settings of `train`; the defaults are the recipe `article`.

    The command starts from `balanced` unless told otherwise.
    """

    recipe: str = "article"
    """The recipe that the other settings started from."""
    epochs: int = 400
    """Times that every training picture is shown."""
    batch_size: int = 4
    """Pictures shown in one step; the last step of an epoch shows what is left."""
    size: int = 64
    """Side of the pictures, pixels; a power of two from 16 up."""
    latent_dim: int = 100
    """Numbers that a picture is made from."""
    ngf: int = 64
    """Feature maps of the generator's last hidden layer; its width."""
    ndf: int = 64
    """Feature maps of the discriminator's first layer; its width."""
    lr_g: float = 2e-4
    """Adam's learning rate of the generator."""
    lr_d: float = 2e-4
    """Adam's learning rate of the discriminator."""
    beta1: float = 0.5
    """Adam's decay of the gradient's average, 0 to 1."""
    beta2: float = 0.999
    """Adam's decay of the squared gradient's average, 0 to 1."""
    norm: str = "batch"
    """What stands behind the discriminator's hidden layers: `batch`, `group` or `none`."""
    start_d: str = "dcgan"
    """How the discriminator's weights are drawn: `dcgan`, or `he` for one without norms."""
    start_from: str = ""
    """Whose nets the run begins with: `base` for the model that comes with catgan, or a run's
    folder, or a checkpoint; empty: weights drawn anew."""
    r1: float = 0.0
    """Weight of the penalty on D's slope at real pictures; 0: none."""
    r1_every: int = 8
    """Steps between two that have the penalty, so many times as heavy."""
    flip: bool = False
    """Whether half of the real pictures, anew each time, are shown mirrored."""
    augment: str = ""
    """What D sees all pictures through, joined by commas: `colour`, `translation`, `cutout`."""
    average_kimg: float = 0.0
    """Half-life of the averaged generator, thousands of pictures shown; 0: no average."""
    precision: str = "float32"
    """In which the nets compute; weights, losses and optimisers are always float32.

    `bfloat16` has a third of the digits and is faster on processors and cards since about 2020.
    Only on NVIDIA cards: `tf32`, float32 whose factors are rounded to ten binary digits (since
    Ampere), and `float16`, whose losses are scaled so that small gradients survive (for cards
    without bfloat16, such as the T4). Of `float32` alone the results agree between machines to
    rounding.
    """
    graphs: bool = False
    """Whether an NVIDIA card is given whole steps to repeat instead of one operation after another:
    the same numbers to rounding, faster where batches are small, and more memory."""
    held_out: int = AUTO
    """Pictures never trained on, to measure against; -1: a fifth, at most 500, and none of fewer
    than 250 pictures, where training needs them more."""
    seed: int = 0
    """Where all randomness starts; the same seed on the same machine gives the same run."""
    evaluate_every: int = AUTO
    """Epochs between two measurements; 0: none; -1: as many as keep measuring under a tenth of the
    time, and none with fewer than 50 pictures held out."""
    evaluate_samples: int = 500
    """Samples that are measured."""
    stop_when_lost: bool = False
    """Whether a run that is past saving ends by itself."""
    sample_every: int = 5
    """Epochs between two sample grids; the first and the last epoch always have one."""
    checkpoint_minutes: float = 1.0
    """Minutes between two checkpoints, what a kill may cost at most; 0: after every epoch."""
    device: str = "auto"
    """`cpu`, `cuda`, `mps`, or `auto` for the fastest there is."""

    def __post_init__(self) -> None:
        """Check every setting.

        Raises:
            BadSettings: One lies outside what it may be.
        """
        require(self.recipe in RECIPES, f"--recipe is {self.recipe}; there is {_names()}.")
        for name in (
            "epochs",
            "batch_size",
            "latent_dim",
            "ngf",
            "ndf",
            "sample_every",
            "r1_every",
        ):
            value = getattr(self, name)
            flag = name.replace("_", "-")
            require(value >= 1, f"--{flag} is {value}; it must be 1 or more.")
        require(
            self.size >= 16 and self.size & (self.size - 1) == 0,
            f"--size is {self.size}; it may be 16, 32, 64, 128 or another power of two from there.",
        )
        for name in ("lr_g", "lr_d"):
            value = getattr(self, name)
            flag = name.replace("_", "-")
            require(0 < value <= 1, f"--{flag} is {value}; it must be above 0 and at most 1.")
        for name in ("beta1", "beta2"):
            value = getattr(self, name)
            require(0 <= value < 1, f"--{name} is {value}; it must be from 0 to below 1.")
        require(
            self.held_out >= AUTO,
            f"--held-out is {self.held_out}; it must be a number of pictures, or -1 for a fifth.",
        )
        require(self.norm in NORMS, f"--norm is {self.norm}; it may be {', '.join(NORMS)}.")
        require(
            self.start_d in STARTS, f"--start-d is {self.start_d}; it may be {', '.join(STARTS)}."
        )
        require(0 <= self.r1 <= 1000, f"--r1 is {self.r1}; it must be from 0 (none) to 1000.")
        require(
            not (self.r1 and self.norm == "batch"),
            "--r1 needs a discriminator that judges each picture by itself; "
            "set --norm to group or none.",
        )
        unknown = [kind for kind in self.augmentations if kind not in KINDS]
        require(
            not unknown,
            f"--augment names {', '.join(unknown)}; it may name {', '.join(KINDS)}, "
            "with commas between.",
        )
        require(
            0 <= self.average_kimg <= 1e6,
            f"--average-kimg is {self.average_kimg}; it must be from 0 (no average) to 1000000.",
        )
        require(
            self.precision in PRECISIONS,
            f"--precision is {self.precision}; it may be {', '.join(PRECISIONS)}.",
        )
        require(
            self.evaluate_every >= AUTO,
            f"--evaluate-every is {self.evaluate_every}; it must be a number of epochs, 0 for "
            "never, or -1 to have it chosen.",
        )
        require(
            self.evaluate_samples >= 50,
            f"--evaluate-samples is {self.evaluate_samples}; fewer than 50 say nothing.",
        )
        require(0 <= self.seed < 2**62, f"--seed is {self.seed}; it must be from 0 to 2^62 - 1.")
        require(
            self.checkpoint_minutes >= 0,
            f"--checkpoint-minutes is {self.checkpoint_minutes}; it may not be negative.",
        )

    @classmethod
    def of_recipe(cls, recipe: str, **changes: Any) -> "TrainConfig":
        """A recipe's settings, with some changed.

        A discriminator without norms is given a rate for its width: Adam moves every weight alike,
        so that its answers move the faster the more weights there are behind them (Yang et al.
        2022, arXiv:2203.03466: a rate in proportion to 1 / width).

        Raises:
            BadSettings: There is no such recipe, or a setting lies outside what it may be.
        """
        if recipe not in RECIPES:
            raise BadSettings(f"--recipe is {recipe}; there is {_names()}.")
        config = cls(recipe=recipe, **(RECIPES[recipe] | changes))
        if config.norm != "none" or "lr_d" in changes:
            return config
        width = config.ndf * config.size / 64  # the last layer's: the first one's, doubled so often
        return dataclasses.replace(config, lr_d=config.lr_d * min(1.0, RATE_WIDTH / width))

    @property
    def augmentations(self) -> tuple[str, ...]:
        """The names in `augment`."""
        return tuple(name.strip() for name in self.augment.split(",") if name.strip())

    def evaluates_after(self, epoch: int, *, pictures: int, held_out: int) -> bool:
        """Whether the run is measured after an epoch, the last one always.

        Args:
            epoch: Complete epochs.
            pictures: Training pictures.
            held_out: Pictures to measure against; with too few for KID, `AUTO` measures nothing.
        """
        every = self.evaluate_every
        if every == AUTO:
            if held_out < MIN_PICTURES:
                return False
            # Measuring 500 samples takes as long as training on some 300 pictures at width 64 and
            # 900 at width 32 on a processor: a smaller net trains faster, and is measured rarer.
            width = (self.ngf + self.ndf) / 2 * (self.size / 64)
            images = EVALUATION_INTERVAL * (64 / width) ** 1.5 * self.evaluate_samples / 500
            if self.precision in LOW_PRECISIONS:  # trains faster, and is measured in float32 still
                images *= 1.5
            every = math.ceil(images / pictures)
        return every > 0 and (epoch % every == 0 or epoch == self.epochs)

    def held_out_of(self, pictures: int) -> int:
        """How many pictures of so many are held out."""
        if self.held_out == AUTO:
            return min(pictures // 5, 500) if pictures >= 250 else 0
        return self.held_out


RATE_WIDTH = 32
"""Width, at size 64, up to which the rate of a discriminator without norms is the recipe's own."""

EVALUATION_INTERVAL = 3500
"""Pictures shown between two measurements of 500 samples, at size 64 and width 64."""

RECIPES: dict[str, dict[str, Any]] = {
    # Radford et al. 2015 (arXiv:1511.06434) as the PyTorch DCGAN tutorial has it, at the batch
    # size and length of the run that this project began with.
    "article": {},
    # The same generator, averaged. D has no batch norm, by which it would know a few hundred
    # pictures by heart, and sees all pictures through differentiable augmentation; that keeps it
    # so honest that both nets may learn faster. docs/training.md says what each part brings.
    "balanced": {
        "batch_size": 8,
        "lr_g": 4e-4,
        "lr_d": 1e-3,
        "norm": "none",
        "start_d": "he",
        "r1": 0.01,
        "flip": True,
        "augment": "colour,translation",
        "average_kimg": 10.0,
    },
}
DEFAULT_RECIPE = "balanced"

# Settings that do not change what an epoch brings: a run may go on under other ones.
FREE = frozenset(
    {"epochs", "sample_every", "checkpoint_minutes", "device", "graphs", "recipe", "stop_when_lost"}
)


def to_record(config: TrainConfig) -> Json:
    """The settings as `config.json` has them."""
    return dataclasses.asdict(config)


def complete(record: Json) -> Json:
    """A record of settings, with those that came into being after it was written.

    The class's defaults leave out whatever a recipe does not name, as it was before.
    """
    return to_record(TrainConfig()) | record


def _names() -> str:
    return " and ".join(RECIPES)
