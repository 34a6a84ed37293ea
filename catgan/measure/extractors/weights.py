"""Weights that do not come with catgan: found, downloaded, checked, loaded safely."""

import dataclasses
import hashlib
from pathlib import Path

import torch
from torch import Tensor

from catgan.core.errors import BadUsage, CatganError, MissingPackage
from catgan.core.files import open_file


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Weights in memory."""

    tensors: dict[str, Tensor]
    """By their names, on the CPU."""
    digest: str
    """The first eight digits of the file's SHA-256: other weights, other digits."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PublishedWeights:
    """A file of weights that its makers offer for download."""

    net: str
    """What the network is called."""
    url: str
    """Where the file is, and after the last slash what it is called."""
    sha256: str
    """How its SHA-256 begins: what a download must."""

    @property
    def place(self) -> Path:
        """Where it is kept: PyTorch's folder of downloads, as the makers' own code does."""
        hub = Path(torch.hub.get_dir())
        return hub / "checkpoints" / self.url.rsplit("/", 1)[-1]

    def load(self, named: Path | None = None) -> Loaded:
        """The weights, downloaded if they are nowhere; no code in the file is run.

        Args:
            named: A file that a person named; None for the one in `place`.

        Raises:
            BadUsage: `named` is missing or holds something else.
            MissingPackage: The file in `place` is broken, or is missing and cannot be downloaded.
        """
        path = self.place if named is None else named
        if not path.is_file():
            if named is not None:
                raise BadUsage(
                    f"There is no file {named} to take the weights of {self.net} from; "
                    f"fetch {self.url} and name that."
                )
            self._download()
        try:
            with open_file(path, most=1 << 32) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                file.seek(0)  # the file that was hashed, whatever lies there by now
                tensors = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # the unpickler raises whatever it stumbles over
            raise self.refused(named) from error
        if not isinstance(tensors, dict) or not all(
            isinstance(tensor, Tensor) for tensor in tensors.values()
        ):
            raise self.refused(named)
        return Loaded(tensors=tensors, digest=digest[:8])

    def refused(self, named: Path | None = None) -> CatganError:
        """What to raise where a file holds something else than these weights."""
        if named is not None:
            return BadUsage(
                f"{named} does not hold the weights of {self.net}; fetch {self.url} and name that."
            )
        return MissingPackage(
            f"The weights of {self.net} are broken: delete {self.place} and rerun the same command."
        )

    def _download(self) -> None:
        try:
            self.place.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(
                self.url, str(self.place), hash_prefix=self.sha256, progress=False
            )
        except Exception as error:  # no network, no room, another file: whatever it raises
            raise MissingPackage(
                f"The weights of {self.net} are not on this machine and could not be downloaded "
                f"({error}); fetch {self.url} where there is a network and put it at {self.place}."
            ) from error
