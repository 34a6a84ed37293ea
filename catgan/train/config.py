"""What `train` can be told, and the recipes that settings start from."""

import dataclasses
from typing import Any

from catgan.core.config import require
from catgan.core.errors import BadSettings
from catgan.core.files import Json

AUTO = -1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """The settings of `train`; the defaults are the recipe `article`."""

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
    held_out: int = AUTO
    """Pictures never trained on, to measure against; -1: a fifth, at most 500, and none of fewer
    than 250 pictures, where training needs them more."""
    seed: int = 0
    """Where all randomness starts; the same seed on the same machine gives the same run."""
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
        for name in ("epochs", "batch_size", "latent_dim", "ngf", "ndf", "sample_every"):
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
        require(0 <= self.seed < 2**62, f"--seed is {self.seed}; it must be from 0 to 2^62 - 1.")
        require(
            self.checkpoint_minutes >= 0,
            f"--checkpoint-minutes is {self.checkpoint_minutes}; it may not be negative.",
        )

    @classmethod
    def of_recipe(cls, recipe: str, **changes: Any) -> "TrainConfig":
        """A recipe's settings, with some changed.

        Raises:
            BadSettings: There is no such recipe, or a setting lies outside what it may be.
        """
        if recipe not in RECIPES:
            raise BadSettings(f"--recipe is {recipe}; there is {_names()}.")
        return cls(recipe=recipe, **(RECIPES[recipe] | changes))

    def held_out_of(self, pictures: int) -> int:
        """How many pictures of so many are held out."""
        if self.held_out == AUTO:
            return min(pictures // 5, 500) if pictures >= 250 else 0
        return self.held_out


RECIPES: dict[str, dict[str, Any]] = {
    # Radford et al. 2015 (arXiv:1511.06434) as the PyTorch DCGAN tutorial has it, at the batch
    # size and length of the run that this project began with.
    "article": {},
}

# Settings that do not change what an epoch brings: a run may go on under other ones.
FREE = frozenset({"epochs", "sample_every", "checkpoint_minutes", "device", "recipe"})


def to_record(config: TrainConfig) -> Json:
    """The settings as `config.json` has them."""
    return dataclasses.asdict(config)


def _names() -> str:
    return " and ".join(RECIPES)
