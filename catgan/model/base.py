"""The base model: both nets of a run on many cats' faces, kept in the package.

The files lie in `base/` beside this module, in half precision, and hold numbers and words alone;
`benchmarks/base.py` writes them from a run, with the model card beside them. `demo` draws its cat
with the generator, and `train --start-from base` begins with both nets.
"""

import dataclasses
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from catgan.core.errors import MissingPackage
from catgan.core.files import sha256, write_bytes
from catgan.model.choices import PIXELS, PROJECTED
from catgan.model.networks import Discriminator, Generator, NetworkFacts
from catgan.model.projected import ProjectedDiscriminator, blind_eyes, is_fixed

Net = TypeVar("Net", bound=nn.Module)

FORMAT = "catgan-base-1"
FOLDER = Path(__file__).with_name("base")
GENERATOR = "generator.safetensors"
DISCRIMINATOR = "discriminator.safetensors"
SEEN = "seen.safetensors"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BaseModel:
    """Both networks, in evaluation mode on the CPU, in float32."""

    facts: NetworkFacts
    """What they are."""
    generator: Generator
    """The averaged one."""
    discriminator: Discriminator | ProjectedDiscriminator
    """The one that the generator learned from; one on features is without the pretrained network,
    and cannot judge."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BaseSeen:
    """What the model was trained on, as far as it takes to tell a sample that is too like it.

    Of each training picture, and of its mirror image, a few numbers: its features along the axes
    in which the training pictures differ most (principal components). No picture comes of them.
    """

    extractor: str
    """In whose features."""
    mean: NDArray[np.float32]
    """(D,) float32, of the training pictures' features."""
    axes: NDArray[np.float32]
    """(D, K) float32, the axes, each of length 1."""
    pictures: NDArray[np.float32]
    """(N, K) float32, the training pictures along them."""
    limit: float
    """The distance below which a picture is too like one of them: 5% of the training pictures are
    nearer than that to another one."""

    def along_axes(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """Features (M, D) along the axes: (M, K) float32."""
        return ((features.astype(np.float32) - self.mean) @ self.axes).astype(np.float32)


def load_base_seen(folder: Path = FOLDER) -> BaseSeen:
    """What the model was trained on.

    Raises:
        MissingPackage: The file is missing, broken, or another version's.
    """
    path = folder / SEEN
    try:
        with safe_open(path, framework="pt") as file:
            words = file.metadata() or {}
            if words.get("format") != FORMAT:
                raise ValueError(f"its format is {words.get('format')}")
            mean, axes, pictures = (
                file.get_tensor(name).float().numpy() for name in ("mean", "axes", "pictures")
            )
            return BaseSeen(
                extractor=words["extractor"],
                mean=mean,
                axes=axes,
                pictures=pictures,
                limit=float(words["limit"]),
            )
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise _refused(path, error) from error


def save_base_seen(folder: Path, seen: BaseSeen) -> None:
    """Write it beside the nets, in half precision."""
    tensors = {
        name: torch.from_numpy(getattr(seen, name)).half().contiguous()
        for name in ("mean", "axes", "pictures")
    }
    words = {"format": FORMAT, "extractor": seen.extractor, "limit": f"{seen.limit:.6g}"}
    write_bytes(folder / SEEN, save(tensors, metadata=words))


def load_base(folder: Path = FOLDER) -> BaseModel:
    """Both networks; each file is read once.

    Raises:
        MissingPackage: A file is missing, broken, or another version's.
    """
    facts, generator = _load_generator(folder)
    path = folder / DISCRIMINATOR
    own, tensors = _read(path)
    discriminator: Discriminator | ProjectedDiscriminator
    if own.discriminator == PROJECTED:
        discriminator = ProjectedDiscriminator(blind_eyes(), ndf=own.ndf)
        tensors |= discriminator.fixed()
    else:
        discriminator = Discriminator(ndf=own.ndf, size=own.size, norm=own.norm)
    return BaseModel(
        facts=facts, generator=generator, discriminator=_filled(discriminator, tensors, path)
    )


def load_base_generator(folder: Path = FOLDER) -> Generator:
    """The generator alone, likewise.

    Raises:
        MissingPackage: The file is missing, broken, or another version's.
    """
    return _load_generator(folder)[1]


def base_digest(folder: Path = FOLDER) -> str:
    """Eight digits of the SHA-256 of what `demo` draws with: another model, other digits.

    Raises:
        MissingPackage: A file is missing or cannot be read.
    """
    paths = [folder / GENERATOR, folder / SEEN]
    try:
        return sha256(b"".join(path.read_bytes() for path in paths))[:8]
    except OSError as error:
        raise _refused(folder, error) from error


def save_base(
    folder: Path,
    facts: NetworkFacts,
    generator: dict[str, Tensor],
    discriminator: dict[str, Tensor],
) -> None:
    """Write both nets in half precision; whole numbers (batch norm's counters) stay what they are.

    Args:
        folder: Made where it is missing.
        facts: What the files are to say of them.
        generator: The generator's state, the averaged one's where there is one.
        discriminator: The discriminator's state.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if facts.discriminator == PROJECTED:  # what is drawn from a constant need not be kept
        discriminator = {k: v for k, v in discriminator.items() if not is_fixed(k)}
    words = {"format": FORMAT, **{k: str(v) for k, v in dataclasses.asdict(facts).items()}}
    for name, tensors in ((GENERATOR, generator), (DISCRIMINATOR, discriminator)):
        halves = {
            key: (value.half() if value.is_floating_point() else value).contiguous()
            for key, value in tensors.items()
        }
        write_bytes(folder / name, save(halves, metadata=words))


def _load_generator(folder: Path) -> tuple[NetworkFacts, Generator]:
    path = folder / GENERATOR
    facts, tensors = _read(path)
    generator = Generator(
        latent_dim=facts.latent_dim,
        ngf=facts.ngf,
        size=facts.size,
        upsample=facts.upsample,
        skip=facts.skip,
    )
    return facts, _filled(generator, tensors, path)


def _read(path: Path) -> tuple[NetworkFacts, dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            words = file.metadata() or {}
            if words.get("format") != FORMAT:
                raise ValueError(f"its format is {words.get('format')}")
            facts = NetworkFacts(
                ngf=int(words["ngf"]),
                ndf=int(words["ndf"]),
                latent_dim=int(words["latent_dim"]),
                size=int(words["size"]),
                norm=words["norm"],
                images_shown=int(words["images_shown"]),
                upsample=words.get("upsample", "transposed"),
                skip=words.get("skip") == "True",
                discriminator=words.get("discriminator", PIXELS),
            )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise _refused(path, error) from error
    floats = {
        name: value.float() if value.is_floating_point() else value
        for name, value in tensors.items()
    }
    return facts, floats


def _filled(net: Net, tensors: dict[str, Tensor], path: Path) -> Net:
    try:
        net.load_state_dict(tensors)
    except RuntimeError as error:
        raise _refused(path, error) from error
    return net.eval().requires_grad_(False)


def _refused(path: Path, error: Exception) -> MissingPackage:
    return MissingPackage(
        f"The base model {path} cannot be loaded ({type(error).__name__}); reinstall catgan."
    )
