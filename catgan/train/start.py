"""The nets that a run starts from, where these are not drawn anew: `--start-from`."""

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from catgan.core.config import require
from catgan.core.errors import CheckpointRefused, NoSuchFolder
from catgan.core.files import Json
from catgan.core.runs import CONFIG, Run
from catgan.model.base import base_facts, load_base_discriminator, load_base_generator
from catgan.model.checkpoint import load_checkpoint
from catgan.train.config import BASE, TrainConfig

SHAPE = ("latent_dim", "ngf", "ndf", "size")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StartNets:
    """Both nets of an earlier training."""

    words: str
    """What they are, for people."""
    latent_dim: int
    """Numbers that a picture is made from."""
    ngf: int
    """Width of the generator."""
    ndf: int
    """Width of the discriminator."""
    size: int
    """Side of the pictures, pixels."""
    norm: str
    """What stands behind the discriminator's hidden layers."""
    images_shown: int
    """Real pictures that they have seen."""
    generator: dict[str, Tensor]
    """The generator's state: the averaged one's, where there is one."""
    discriminator: dict[str, Tensor]
    """The discriminator's state."""

    @property
    def shape(self) -> Json:
        """The settings that a run from here takes over where it is not told its own."""
        return {name: getattr(self, name) for name in SHAPE}

    def to_json(self) -> Json:
        """What `config.json` says of the start, so that it can be told from others later."""
        digest = hashlib.sha256()
        for state in (self.generator, self.discriminator):
            for value in state.values():
                digest.update(value.contiguous().numpy().tobytes())
        return {
            "from": self.words,
            "images_shown": self.images_shown,
            "digest": digest.hexdigest(),
        }


def open_start(name: str) -> StartNets:
    """The nets that `--start-from` names.

    Args:
        name: `base`, the model that comes with catgan; or a run's folder, of which the best
            checkpoint is taken where there is one, else the last; or a checkpoint.

    Raises:
        NoSuchFolder: There is nothing of that name.
        CheckpointRefused: It holds no nets that can be read.
        MissingPackage: The base model is missing or broken.
    """
    if name == BASE:
        facts = base_facts()
        return StartNets(
            words="the base model",
            latent_dim=facts.latent_dim,
            ngf=facts.ngf,
            ndf=facts.ndf,
            size=facts.size,
            norm=facts.norm,
            images_shown=facts.images_shown,
            generator=load_base_generator().state_dict(),
            discriminator=load_base_discriminator().state_dict(),
        )
    path = _checkpoint_of(Path(name))
    state = load_checkpoint(path)
    try:
        settings = state["settings"]
        return StartNets(
            words=str(path),
            latent_dim=settings["latent_dim"],
            ngf=settings["ngf"],
            ndf=settings["ndf"],
            size=settings["size"],
            norm=settings["norm"],
            images_shown=state["images_shown"],
            generator=state["average" if "average" in state else "generator"],
            discriminator=state["discriminator"],
        )
    except (KeyError, TypeError) as error:
        raise CheckpointRefused(
            f"{path} lacks what a run could start from ({error}); name another one."
        ) from error


def shape_of_start(name: str, runs: Sequence[Run]) -> Json:
    """The settings that follow from a start where none are given.

    A run that began from there keeps the ones it began with, also where the start is gone by now
    or has become another one.

    Args:
        name: See `open_start`.
        runs: What is about to be trained, there or not.

    Raises:
        NoSuchFolder, CheckpointRefused, MissingPackage: See `open_start`.
    """
    for run in runs:
        settings = (run.read_config() or {}).get("settings", {})
        if settings.get("start_from") == name:
            return {setting: settings[setting] for setting in SHAPE}
    return open_start(name).shape


def check_start(start: StartNets, config: TrainConfig) -> None:
    """Whether a run of these settings can begin with these nets.

    Raises:
        BadSettings: Its nets would have another shape.
    """
    needed = start.shape | {"norm": start.norm}
    if start.norm == "batch" and config.r1:
        needed["r1"] = 0.0  # the two do not go together
    wrong = {
        f"--{name.replace('_', '-')} {value}": f"{getattr(config, name)}"
        for name, value in needed.items()
        if getattr(config, name) != value
    }
    require(
        not wrong,
        f"The nets of {start.words} have another shape; take {' '.join(wrong)} "
        f"(not {', '.join(wrong.values())}), or start from something else.",
    )


def _checkpoint_of(path: Path) -> Path:
    if path.is_file():
        return path
    run = Run(folder=path)
    if not (path / CONFIG).is_file():
        raise NoSuchFolder(
            f"--start-from is {path}, which is no run's folder and no checkpoint; "
            f"name one, or {BASE} for the model that comes with catgan."
        )
    return run.best if run.best.is_file() else run.last
