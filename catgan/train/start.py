"""The networks that a run starts from, where these are not new: `--start-from`."""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from catgan.core.errors import CheckpointRefused, NoSuchFolder
from catgan.core.settings import flag_of, require
from catgan.formats.runs import CONFIG, Run, StartRecord
from catgan.model.base import load_base
from catgan.model.checkpoint import facts_of, load_checkpoint, sampler_of
from catgan.model.choices import PIXELS, PROJECTED
from catgan.model.networks import NetworkFacts
from catgan.train.config import BASE, TrainConfig

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

    def record(self) -> StartRecord:
        """What `config.json` says of the start, so that it can be told from others later."""
        digest = hashlib.sha256()
        for state in (self.generator, self.discriminator):
            for value in state.values():
                digest.update(value.contiguous().numpy().tobytes())
        return StartRecord(
            from_=self.source, images_shown=self.facts.images_shown, digest=digest.hexdigest()
        )


LOOKED_AT = {PIXELS: "pixels", PROJECTED: "features of a pretrained network"}

OpenNetworks = Callable[[str], StartNetworks]
"""What finds the networks that `start_from` names: `open_start`, or one that remembers them."""


def open_start(name: str) -> StartNetworks:
    """The networks that `--start-from` names.

    Args:
        name: `base`, the model that comes with catgan; or a run's folder, whose best checkpoint
            counts where there is one, else the last; or a checkpoint.

    Raises:
        NoSuchFolder: There is nothing of that name.
        CheckpointRefused: It holds no networks that can be read.
        MissingPackage: The base model is missing or broken.
    """
    if name == BASE:
        base = load_base()
        return StartNetworks(
            source="the base model",
            facts=base.facts,
            generator=base.generator.state_dict(),
            discriminator=base.discriminator.state_dict(),
        )
    path = _checkpoint_of(Path(name))
    state = load_checkpoint(path)
    try:
        return StartNetworks(
            source=str(path),
            facts=facts_of(state),
            generator=sampler_of(state),
            discriminator=state["discriminator"],
        )
    except (KeyError, TypeError) as error:
        raise CheckpointRefused(
            f"{path} lacks what a run could start from ({error}); name another one."
        ) from error


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


def _checkpoint_of(path: Path) -> Path:
    if path.is_file():
        return path
    if not (path / CONFIG).is_file():
        raise NoSuchFolder(
            f"--start-from is {path}, which is neither a run's folder nor a checkpoint; "
            f"name one, or {BASE} for the model that comes with catgan."
        )
    run = Run(folder=path)
    return run.checkpoint() or run.last
