"""The generator to draw with: of which run, which checkpoint, which epoch."""

import dataclasses
import zipfile
from pathlib import Path

from catgan.core.errors import CheckpointRefused
from catgan.formats.runs import BEST, LAST, Run
from catgan.model.checkpoint import load_generator
from catgan.model.networks import Generator
from catgan.sample.config import AUTO


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainedGenerator:
    """A generator and where it comes from."""

    network: Generator = dataclasses.field(repr=False)
    """In evaluation mode, on the CPU."""
    checkpoint: Path
    """The file it came from."""
    epoch: int
    """Complete epochs that it was trained for."""
    size: int
    """Side of its images, pixels."""


def open_generator(run: Run, checkpoint: str) -> TrainedGenerator:
    """Load a run's generator.

    Args:
        run: The run.
        checkpoint: As in `SampleConfig`.

    Raises:
        CheckpointRefused: There is no such checkpoint, or it is broken or of another version.
    """
    path = find_checkpoint(run, checkpoint)
    network, state = load_generator(path)
    return TrainedGenerator(
        network=network,
        checkpoint=path,
        epoch=int(state["epoch"]),
        size=int(state["settings"]["size"]),
    )


def find_checkpoint(run: Run, checkpoint: str) -> Path:
    """The file that `best`, `last`, `auto` or a path means for a run.

    Raises:
        CheckpointRefused: It is not there.
    """
    if checkpoint not in (AUTO, BEST, LAST):
        path = Path(checkpoint)
        if not path.is_file():
            raise CheckpointRefused(
                f"There is no checkpoint {path}; --checkpoint is best, last or a file."
            )
        if not zipfile.is_zipfile(path):  # which PyTorch's files are; this may be any, a photo say
            raise CheckpointRefused(f"{path} is not a checkpoint of catgan; name another file.")
        return path
    return run.find_checkpoint(None if checkpoint == AUTO else checkpoint)
