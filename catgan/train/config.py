"""What `train` can be told, and the recipes that settings start from."""

import dataclasses
import inspect
import math
from collections.abc import Mapping
from typing import Annotated, Any

from catgan.core.settings import Option, check_most, flag_of, require
from catgan.measure.choices import MIN_PICTURES
from catgan.model.choices import (
    DISCRIMINATORS,
    LARGEST,
    NORMS,
    PIXELS,
    PROJECTED,
    STARTS,
    UPSAMPLES,
)

AUTO = -1
BASE = "base"
BASE_SIZE = 64  # side of the images that the bundled model generates, pixels
FINE_TUNING_IMAGES = 5_000  # that fine-tuning it takes; docs/training.md has the figures
DEFAULT_RECIPE = PROJECTED
FEW_RECIPE = "balanced"
"""The default where there are too few images for `DEFAULT_RECIPE`."""
COLOUR, TRANSLATION, CUTOUT = "colour", "translation", "cutout"
KINDS = (COLOUR, TRANSLATION, CUTOUT)
"""Of augmentation; see `train.augment`."""
FITTING = "auto"
"""Of `precision` and `graphs`: what fits the machine; see `train.device.pick_computing`."""
PRECISIONS = ("float32", "tf32", "bfloat16", "float16")
LOW_PRECISIONS = ("bfloat16", "float16")
GRAPHS = (FITTING, "on", "off")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, init=False)
class TrainConfig:
    """The settings of `train`.

    What is not named follows the recipe, `projected` unless another is named, as on the command
    line. The defaults below are those of `projected`.
    """

    recipe: Annotated[
        str,
        Option(
            "Starting point for all other settings: projected, whose discriminator looks through "
            "a pretrained network; balanced, a DCGAN; or article, the plain DCGAN.",
            default="projected; balanced for fewer than 32 images",
        ),
    ] = DEFAULT_RECIPE
    epochs: Annotated[int, Option("Passes over the training images.")] = 400
    batch_size: Annotated[
        int, Option("Images in one training step, of all processes together.")
    ] = 32
    size: Annotated[
        int, Option("Side of the images in pixels; a power of two from 16 up, such as 64.")
    ] = 64
    latent_dim: Annotated[int, Option("Length of the latent vector.")] = 100
    ngf: Annotated[
        int, Option("Width of the generator: feature maps of its last hidden layer.")
    ] = 64
    # On features: the channels of the finest map after mixing, and twice as many in each coarser
    # one, so that it scales the small discriminators as it does the one on pixels.
    ndf: Annotated[int, Option("Width of the discriminator: feature maps of its first layer.")] = 32
    upsample: Annotated[
        str,
        Option(
            "Upsampling in the generator: transposed (transposed convolutions, as in DCGAN) or "
            "nearest (nearest-neighbour upsampling, then a convolution)."
        ),
    ] = "nearest"
    skip: Annotated[bool, Option("Use skip-layer excitation in the generator.")] = True
    # The loss goes with it: cross entropy on pixels, hinge on features.
    discriminator: Annotated[
        str,
        Option(
            "Input of the discriminator: pixels, or projected (features of a pretrained "
            "EfficientNet-Lite1)."
        ),
    ] = PROJECTED
    lr_g: Annotated[float, Option("Adam's learning rate for the generator.")] = 2e-4
    lr_d: Annotated[float, Option("Adam's learning rate for the discriminator.")] = 2e-4
    beta1: Annotated[float, Option("Adam's beta1.")] = 0.0
    beta2: Annotated[float, Option("Adam's beta2.")] = 0.99
    norm: Annotated[str, Option("Normalisation in the discriminator: batch, group or none.")] = (
        "group"
    )
    start_d: Annotated[
        str,
        Option("Initialisation of the discriminator: dcgan, or he, for one without normalisation."),
    ] = "dcgan"
    start_from: Annotated[
        str,
        Option(
            "Fine-tune existing weights: base (the bundled cat-face model), or a run's folder or "
            "checkpoint.",
            default="train from scratch",
        ),
    ] = ""
    r1: Annotated[
        float, Option("Weight of the R1 gradient penalty on the discriminator; 0 for none.")
    ] = 0.0
    r1_every: Annotated[
        int, Option("Apply R1 every N steps, N times as strongly.", metavar="N")
    ] = 8
    flip: Annotated[bool, Option("Flip images horizontally at random.")] = True
    augment: Annotated[
        str,
        Option('Augmentations the discriminator sees: colour, translation, cutout; "" for none.'),
    ] = f"{COLOUR},{TRANSLATION}"
    average_kimg: Annotated[
        float,
        Option(
            "Half-life of the averaged generator (EMA), in thousands of images; 0 for no average."
        ),
    ] = 10.0
    # Weights, losses and optimisers are always float32. bfloat16 has a third of the digits and is
    # faster on GPUs since about 2020 and on the newest processors; tf32 is float32 whose factors
    # are rounded to ten binary digits (since Ampere); float16, whose losses are scaled so that
    # small gradients survive, is for GPUs without bfloat16, such as the T4. Of float32 alone the
    # results agree between machines to rounding.
    precision: Annotated[
        str,
        Option(
            "auto (the fastest on this machine), float32 or bfloat16; on NVIDIA GPUs also tf32 "
            "and float16."
        ),
    ] = FITTING
    # The same numbers to rounding, and more memory.
    graphs: Annotated[
        str,
        Option("Use CUDA graphs (NVIDIA only): on, off, or auto, which is on wherever they work."),
    ] = FITTING
    # Of fewer than 250 images none: training needs them more.
    held_out: Annotated[
        int,
        Option(
            "Images held out of training to measure against; -1 for the default.",
            default="a fifth, at most 500; none of fewer than 250",
        ),
    ] = AUTO
    seed: Annotated[int, Option("Random seed.")] = 0
    evaluate_every: Annotated[
        int,
        Option(
            "Epochs between two measurements; 0: none, -1 for the default.",
            default="as often as takes less than a tenth of the time",
        ),
    ] = AUTO
    evaluate_samples: Annotated[int, Option("Samples measured each time.")] = 500
    stop_when_lost: Annotated[
        bool,
        Option(
            "Stop automatically once training has failed.",
            flag="--stop-when-lost/--never-stop",
        ),
    ] = False
    # The first and the last epoch always have one.
    sample_every: Annotated[int, Option("Epochs between two sample grids.")] = 5
    checkpoint_minutes: Annotated[
        float,
        Option(
            "Minutes between checkpoints, at most this much is lost in a crash; 0 for every epoch."
        ),
    ] = 1.0
    device: Annotated[str, Option("cpu, cuda, mps, or auto for the fastest there is.")] = "auto"

    def __init__(self, *, recipe: str = DEFAULT_RECIPE, **changes: Any) -> None:
        """A recipe's settings, with some changed.

        A discriminator without norms is given a rate for its width: Adam moves every weight alike,
        so that its answers move the faster the more weights there are behind them (Yang et al.
        2022, arXiv:2203.03466: a rate in proportion to 1 / width).

        Raises:
            BadSettings: There is no such recipe, or a setting lies outside what it may be.
            TypeError: There is no such setting.
        """
        require(recipe in RECIPES, f"--recipe is {recipe}; there is {_names()}.")
        values = {field.name: field.default for field in dataclasses.fields(self)}
        if unknown := changes.keys() - values:
            raise TypeError(f"TrainConfig has no setting {sorted(unknown)[0]}")
        values |= RECIPES[recipe] | changes | {"recipe": recipe}
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self.__post_init__()
        if self.norm == "none" and "lr_d" not in changes:
            width = self.ndf * self.size / 64  # the last layer's: the first's, doubled so often
            object.__setattr__(self, "lr_d", self.lr_d * min(1.0, RATE_WIDTH / width))

    def __post_init__(self) -> None:
        """Check every setting.

        Raises:
            BadSettings: One lies outside what it may be.
        """
        require(self.recipe in RECIPES, f"--recipe is {self.recipe}; there is {_names()}.")
        for name, least in LEAST.items():
            value = getattr(self, name)
            require(value >= least, f"{flag_of(name)} is {value}; it must be {least} or more.")
        check_most(self, MOST)
        require(
            self.size >= 16 and self.size & (self.size - 1) == 0,
            f"--size is {self.size}; it may be 16, 32, 64, 128 or another power of two from there.",
        )
        for name in ("lr_g", "lr_d"):
            value = getattr(self, name)
            require(
                0 < value <= 1, f"{flag_of(name)} is {value}; it must be above 0 and at most 1."
            )
        for name in ("beta1", "beta2"):
            value = getattr(self, name)
            require(0 <= value < 1, f"--{name} is {value}; it must be from 0 to below 1.")
        require(
            self.held_out >= AUTO,
            f"--held-out is {self.held_out}; it must be a number of images, or -1 for a fifth.",
        )
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            require(
                value in choices, f"{flag_of(name)} is {value}; it may be {', '.join(choices)}."
            )
        require(0 <= self.r1 <= 1000, f"--r1 is {self.r1}; it must be from 0 (none) to 1000.")
        require(
            not (self.r1 and self.norm == "batch"),
            "--r1 needs a discriminator that judges each image by itself; "
            "set --norm to group or none.",
        )
        if self.discriminator == PROJECTED:
            for name, (fixed, why) in PROJECTED_NEEDS.items():
                value = getattr(self, name)
                require(
                    value == fixed,
                    f"{flag_of(name)} is {value}; with --discriminator {PROJECTED} it must be "
                    f"{fixed}: {why}. To set it, use --recipe {FEW_RECIPE}.",
                )
        unknown = [kind for kind in self.augmentations if kind not in KINDS]
        require(
            not unknown,
            f"--augment names {', '.join(unknown)}; it may name {', '.join(KINDS)}, "
            "separated by commas.",
        )
        require(
            0 <= self.average_kimg <= 1e6,
            f"--average-kimg is {self.average_kimg}; it must be from 0 (no average) to 1000000.",
        )
        require(
            self.evaluate_every >= AUTO,
            f"--evaluate-every is {self.evaluate_every}; it must be a number of epochs, 0 for "
            "never, or -1 to have it chosen.",
        )
        require(0 <= self.seed < 2**62, f"--seed is {self.seed}; it must be from 0 to 2^62 - 1.")

    @classmethod
    def of_recipe(cls, recipe: str, **changes: Any) -> "TrainConfig":
        """The same as `TrainConfig(recipe=recipe, ...)`."""
        return cls(recipe=recipe, **changes)

    @property
    def augmentations(self) -> tuple[str, ...]:
        """The names in `augment`."""
        return tuple(name.strip() for name in self.augment.split(",") if name.strip())

    def evaluates_after(self, epoch: int, *, pictures: int) -> bool:
        """Whether the run is measured after an epoch, the last one always.

        Args:
            epoch: Complete epochs.
            pictures: Training pictures; of fewer than 20 `AUTO` measures nothing.
        """
        every = self.evaluate_every
        if every == AUTO:
            if pictures < LEAST_MEASURED:
                return False
            # Measuring 500 samples takes as long as training on some 300 pictures at width 64 and
            # 900 at width 32 on a processor: a smaller net trains faster, and is measured rarer.
            # Settings alone decide, not the machine: seeds trained on different ones stay one arm.
            width = (self.ngf + self.ndf) / 2 * (self.size / 64)
            images = EVALUATION_INTERVAL * (64 / width) ** 1.5 * self.evaluate_samples / 500
            if self.precision in LOW_PRECISIONS:  # trains faster, and is measured in float32 still
                images *= 1.5
            every = math.ceil(images / pictures)
            # Networks that know cats already are at their best soon, and few images spoil them.
            if self.start_from and epoch < every and epoch.bit_count() == 1:
                return True
        return every > 0 and (epoch % every == 0 or epoch == self.epochs)

    def held_out_of(self, pictures: int) -> int:
        """How many pictures of so many are held out."""
        if self.held_out == AUTO:
            return min(pictures // 5, 500) if pictures >= 250 else 0
        return self.held_out


TrainConfig.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # for an editor
    [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default)
        for field in dataclasses.fields(TrainConfig)
    ]
)

MOST = {
    "epochs": 10**7, "batch_size": 65_536, **LARGEST, "r1_every": 10**6, "held_out": 10**7,
    "evaluate_every": 10**7, "evaluate_samples": 50_000, "sample_every": 10**7,
    "checkpoint_minutes": 10**6,
}  # fmt: skip
LEAST: dict[str, int] = {
    "epochs": 1,
    "batch_size": 1,
    "latent_dim": 1,
    "ngf": 1,
    "ndf": 1,
    "r1_every": 1,
    "sample_every": 1,
    "evaluate_samples": MIN_PICTURES,
    "checkpoint_minutes": 0,
}
CHOICES = {
    "norm": NORMS,
    "start_d": STARTS,
    "precision": (FITTING, *PRECISIONS),
    "graphs": GRAPHS,
    "upsample": UPSAMPLES,
    "discriminator": DISCRIMINATORS,
}

PROJECTED_NEEDS: dict[str, tuple[Any, str]] = {
    "norm": ("group", "batch norm collapses there, and nothing else was tried"),
    "start_d": ("dcgan", "spectral norm takes the size out of the weights"),
    "r1": (0, "spectral norm keeps it smooth"),
}
"""What a discriminator on features needs of the settings that are for one on pixels, and why."""

RATE_WIDTH = 32
"""Width, at size 64, up to which the rate of a discriminator without norms is the recipe's own."""

EVALUATION_INTERVAL = 3500
"""Pictures shown between two measurements of 500 samples, at size 64 and width 64."""

LEAST_MEASURED = 20
"""Training pictures, below which a run is measured only where that is asked for: 5% of them are not
one."""

PIXEL_NETS: dict[str, Any] = {
    "ndf": 64,
    "upsample": "transposed",
    "skip": False,
    "discriminator": PIXELS,
    "beta1": 0.5,
    "beta2": 0.999,
}
"""DCGAN's networks, and its Adam's betas."""

LEAST_PROJECTED = 32
"""Training pictures: one batch."""

RECIPES: dict[str, dict[str, Any]] = {
    # Sauer et al. 2021 (arXiv:2111.01007), with a small generator. Repeated pixels and gates in it
    # are no matter of taste: with transposed convolutions it collapses under this discriminator.
    DEFAULT_RECIPE: {},
    # A DCGAN that keeps its balance. D has no batch norm, by which it would know a few hundred
    # pictures by heart, and sees all pictures through differentiable augmentation; that keeps it
    # so honest that both nets may learn faster. docs/training.md says what each part brings.
    "balanced": PIXEL_NETS
    | {
        "batch_size": 8,
        "lr_g": 4e-4,
        "lr_d": 1e-3,
        "norm": "none",
        "start_d": "he",
        "r1": 0.01,
    },
    # Radford et al. 2015 (arXiv:1511.06434) as the PyTorch DCGAN tutorial has it, at the batch
    # size and length of the run that this project began with.
    "article": PIXEL_NETS
    | {
        "batch_size": 4,
        "norm": "batch",
        "flip": False,
        "augment": "",
        "average_kimg": 0.0,
    },
}

MACHINE = frozenset({"device", "graphs"})
"""Settings of the machine: no run keeps them for its next call."""

FREE = MACHINE | {"epochs", "sample_every", "checkpoint_minutes", "recipe", "stop_when_lost"}
"""Settings that do not change what an epoch brings: a run may go on under other ones."""


def default_recipe(pictures: int) -> str:
    """The recipe of a new run for which none is named.

    Args:
        pictures: Training pictures; fewer than one batch are too few for `projected`.
    """
    return DEFAULT_RECIPE if pictures >= LEAST_PROJECTED else FEW_RECIPE


def fitting_batch(batch_size: int, pictures: int) -> int:
    """A recipe's batch where it has no more pictures than there are, else the next power of two.

    Args:
        batch_size: The recipe's.
        pictures: Training pictures.
    """
    if batch_size <= pictures:
        return batch_size
    return 1 << (max(1, pictures).bit_length() - 1)


def check_each(named: Mapping[str, Any]) -> None:
    """That each of some settings may be what it is, whatever the others turn out to be.

    Raises:
        BadSettings: One lies outside what it may be.
    """
    for name, value in named.items():
        # with which every other setting goes
        TrainConfig(**{"recipe": "article", "norm": "group", name: value})


def _names() -> str:
    *most, last = RECIPES
    return f"{', '.join(most)} and {last}"
