"""The checkpoint: one file with everything a run needs to go on, bit for bit.

It is PyTorch's own format, and only tensors and plain values are ever read out of it
(`weights_only=True`), so a checkpoint from a stranger can hold no program.
"""

import io
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from catgan.core.errors import CheckpointRefused
from catgan.core.files import open_file, write_bytes
from catgan.model.choices import DISCRIMINATORS, LARGEST, NORMS, PIXELS, PROJECTED, UPSAMPLES
from catgan.model.networks import Discriminator, Generator, NetworkFacts
from catgan.model.projected import ProjectedDiscriminator, blind_eyes

FORMAT = 2
"""Of the file; no other one is read."""

State = dict[str, Any]
"""Tensors and plain values, nested in dicts and lists:

`format` (int), `settings` (dict, as `config.json` has it), `data_digest` (str), `epoch` (complete
epochs, int), `images_shown` (int), `generator`, `discriminator`, `optimizer_g`, `optimizer_d`
(state dicts), `average` (state dict of the averaged generator, where the run has one), and what
else the trainer needs to go on exactly. The best checkpoint holds what is needed to draw and to
judge, not to go on.
"""

MOST_BYTES = 1 << 34  # of a file: 16 gibibytes
COUNTS = {"epoch": 10**9, "images_shown": 10**15, "position": 10**9}
"""Whole numbers of a checkpoint, and how large they may be."""

NEEDED = frozenset({"format", "settings", "data_digest", "epoch", "images_shown", "generator"})


def save_checkpoint(path: Path, state: State) -> None:
    """Write a checkpoint whole or not at all.

    Raises:
        DiskFull: There is no room for it; the one before stays.
    """
    # by way of memory: where a disk runs full, PyTorch's writer says that in ways of its own
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **state}, buffer)
    write_bytes(path, buffer.getvalue())


def load_checkpoint(path: Path) -> State:
    """Read a checkpoint onto the CPU.

    Raises:
        CheckpointRefused: It is missing, broken, of another format, or holds more than tensors
            and plain values.
    """
    try:
        with open_file(path, most=MOST_BYTES) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch's remarks on odd files; what matters raises
            state = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointRefused(
            f"There is no checkpoint {path}; train the run first: catgan train"
        ) from None
    except MemoryError:
        raise
    except Exception as error:  # PyTorch and pickle raise whatever the bytes make them stumble over
        raise _refused(path) from error
    if not isinstance(state, dict) or not state.keys() >= NEEDED:
        raise _refused(path)
    written = state["format"]
    if not isinstance(written, int):
        raise _refused(path)
    if written != FORMAT:
        age = "a newer" if written > FORMAT else "an older"
        raise CheckpointRefused(
            f"{path} was written by {age} version of catgan (format {written}; this one reads "
            f"{FORMAT}); use that version, or train the run anew."
        )
    try:
        wrong = _impossible(state)
    except Exception as error:  # tensors of kinds that nobody can compute with
        raise _refused(path) from error
    if wrong:
        raise CheckpointRefused(
            f"{path} holds {wrong}, which training never writes; "
            "name another file, or train the run anew."
        )
    return state


def _impossible(state: State) -> str:
    """What in a checkpoint cannot be; "" where all can."""
    if not isinstance(state["settings"], dict) or not isinstance(state["data_digest"], str):
        return "no settings"
    for name, most in COUNTS.items():
        count = state.get(name, 0)
        if type(count) is not int or not 0 <= count <= most:
            return f"{name.replace('_', ' ')} {count!r:.40}"
    for name in ("generator", "average", "discriminator"):
        values = state.get(name, {})
        if not isinstance(values, dict):
            return f"no weights for its {name}"
        for value in values.values():
            if not isinstance(value, Tensor):
                return f"no weights for its {name}"
            if value.is_floating_point() and not value.isfinite().all():
                return f"weights of its {name} that are NaN or infinite"
    return ""


def _refused(path: Path) -> CheckpointRefused:
    return CheckpointRefused(
        f"{path} is not a checkpoint of catgan, or is broken; "
        "nothing was loaded from it. Name another file, or train the run anew."
    )


def facts_of(state: State) -> NetworkFacts:
    """What the networks of a checkpoint are; both are there, and are what its settings say.

    Raises:
        KeyError: It has no discriminator, or its settings do not say.
        ValueError: Its settings cannot be, or its weights are others.
    """
    settings = state["settings"]
    shape, norm = _shape(settings, "latent_dim", "ngf", "ndf", "size"), settings["norm"]
    if norm not in NORMS:
        raise ValueError(f"norm {norm!r:.40}")
    kind = settings.get("discriminator", PIXELS)
    if kind not in DISCRIMINATORS:
        raise ValueError(f"discriminator {kind!r:.40}")
    facts = NetworkFacts(
        **shape,
        **_kinds(settings),
        norm=norm,
        discriminator=kind,
        images_shown=state["images_shown"],
    )
    _check_weights(_generator(shape, settings), sampler_of(state), "generator")
    discriminator: nn.Module
    with torch.device("meta"):
        if kind == PROJECTED:
            discriminator = ProjectedDiscriminator(blind_eyes(), ndf=facts.ndf, drawn=False)
        else:
            discriminator = Discriminator(ndf=facts.ndf, size=facts.size, norm=norm)
    _check_weights(discriminator, state["discriminator"], "discriminator")
    return facts


def _kinds(settings: dict[str, Any]) -> dict[str, Any]:
    """What a generator is beside its numbers; older settings do not say."""
    upsample, skip = settings.get("upsample", UPSAMPLES[0]), settings.get("skip", False)
    if upsample not in UPSAMPLES or type(skip) is not bool:
        raise ValueError(f"upsample {upsample!r:.40}, skip {skip!r:.40}")
    return {"upsample": upsample, "skip": skip}


def _shape(settings: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        value = settings[name]
        if type(value) is not int or not 1 <= value <= LARGEST[name]:
            raise ValueError(f"{name} {value!r:.40}")
    return {name: settings[name] for name in names}


def _generator(shape: dict[str, Any], settings: dict[str, Any]) -> Generator:
    """A generator that takes no memory: it is only to be compared with."""
    numbers = {name: shape[name] for name in ("latent_dim", "ngf", "size")}
    with torch.device("meta"):
        return Generator(**numbers, **_kinds(settings))


def _check_weights(network: nn.Module, found: dict[str, Tensor], name: str) -> None:
    wanted = {
        key: (value.shape, value.is_floating_point()) for key, value in network.state_dict().items()
    }
    if wanted != {key: (value.shape, value.is_floating_point()) for key, value in found.items()}:
        raise ValueError(f"weights of its {name} are not those of its settings")


def sampler_of(state: State) -> dict[str, Tensor]:
    """The state of the generator whose samples count: the average, where there is one."""
    sampler: dict[str, Tensor] = state["average" if "average" in state else "generator"]
    return sampler


def load_generator(path: Path) -> tuple[Generator, State]:
    """The generator of a checkpoint, ready to draw samples, and the checkpoint's state.

    It is the averaged one where the run has one.

    Raises:
        CheckpointRefused: See `load_checkpoint`; or the weights do not fit the settings.
    """
    state = load_checkpoint(path)
    try:
        settings = state["settings"]
        shape = _shape(settings, "latent_dim", "ngf", "size")
        _check_weights(_generator(shape, settings), sampler_of(state), "generator")
        generator = Generator(**shape, **_kinds(settings))
        generator.load_state_dict(sampler_of(state))
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise _refused(path) from error
    return generator.eval(), state
