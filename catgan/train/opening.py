"""Finding the networks that a run starts from, and putting them on record."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from catgan.core.errors import CheckpointRefused, NoSuchFolder
from catgan.formats.runs import CONFIG, Run, StartRecord
from catgan.model.base import load_base
from catgan.model.checkpoint import facts_of, load_checkpoint, sampler_of
from catgan.train.config import BASE
from catgan.train.start import StartNetworks

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
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointRefused(
            f"{path} does not hold what a run could start from ({error}); name another one."
        ) from error


def record_start(start: StartNetworks) -> StartRecord:
    """What `config.json` says of the start, so that it can be told from others later."""
    digest = hashlib.sha256()
    for state in (start.generator, start.discriminator):
        for value in state.values():
            digest.update(value.contiguous().numpy().tobytes())
    return StartRecord(
        from_=start.source, images_shown=start.facts.images_shown, digest=digest.hexdigest()
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
