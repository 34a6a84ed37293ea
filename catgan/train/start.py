"""The networks that a run starts from, where these are not new: `--start-from`."""

import dataclasses
from typing import Any

from torch import Tensor

from catgan.core.settings import flag_of, require
from catgan.model.choices import PIXELS, PROJECTED
from catgan.model.networks import NetworkFacts
from catgan.train.config import TrainConfig

SHAPE = ("latent_dim", "ngf", "ndf", "size", "upsample", "skip")
RECIPE_OF = {PIXELS: "balanced", PROJECTED: PROJECTED}
"""The recipe that goes on with a discriminator of that kind, where none is named."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StartNetworks:
    """Both networks of an earlier training."""

    source: str
    """What they are: the base model, or a checkpoint."""
    facts: NetworkFacts
    """Their shapes, and how much they have seen."""
    generator: dict[str, Tensor]
    """The generator's state: the averaged one's, where there is one."""
    discriminator: dict[str, Tensor]
    """The discriminator's state."""

    @property
    def shape(self) -> dict[str, Any]:
        """The settings that a run from here takes from it where it is not told its own."""
        return {name: getattr(self.facts, name) for name in SHAPE}

    @property
    def recipe(self) -> str:
        """The recipe that a run from here follows where it is not told another."""
        return RECIPE_OF[self.facts.discriminator]


LOOKED_AT = {PIXELS: "pixels", PROJECTED: "features of a pretrained network"}


def check_start(start: StartNetworks, config: TrainConfig) -> None:
    """Whether a run of these settings can begin with these networks.

    Raises:
        BadSettings: Its networks would have another shape.
    """
    kind = start.facts.discriminator
    require(
        config.discriminator == kind,
        f"The discriminator of {start.source} looks at {LOOKED_AT[kind]}, this run's at "
        f"{LOOKED_AT[config.discriminator]}; use --recipe {start.recipe}, or start from "
        "something else.",
    )
    norm = start.facts.norm
    needed = start.shape | {"norm": norm}
    if norm == "batch" and config.r1:
        needed["r1"] = 0.0  # the two do not go together
    wrong = {
        f"{flag_of(name)} {value}": f"{getattr(config, name)}"
        for name, value in needed.items()
        if getattr(config, name) != value
    }
    require(
        not wrong,
        f"The networks of {start.source} have another shape; use {' '.join(wrong)} "
        f"(not {', '.join(wrong.values())}), or start from something else.",
    )
