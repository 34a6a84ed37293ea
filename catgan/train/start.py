"""The nets that a run starts from, where these are not drawn anew: `--start-from`."""

import dataclasses
import hashlib
from pathlib import Path

from torch import Tensor

from catgan.core.config import require
from catgan.core.errors import CheckpointRefused, NoSuchFolder
from catgan.core.files import Json
from catgan.core.runs import CONFIG, Run
from catgan.model.base import base_facts, load_base_discriminator, load_base_generator
from catgan.model.checkpoint import load_checkpoint
from catgan.train.config import BASE, TrainConfig


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
        names = ("latent_dim", "ngf", "ndf", "size")
        return {name: getattr(self, name) for name in names}

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


def check_start(start: StartNets, config: TrainConfig) -> None:
    """Whether a run of these settings can begin with these nets.

    Raises:
        BadSettings: Its nets would have another shape.
    """
    wrong = [
        (f"--{name.replace('_', '-')} {value}", f"{getattr(config, name)}")
        for name, value in (start.shape | {"norm": start.norm}).items()
        if getattr(config, name) != value
    ]
    require(
        not wrong,
        f"A run that starts from {start.words} has its nets: {' '.join(then for then, _ in wrong)} "
        f"(not {', '.join(now for _, now in wrong)}).",
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
