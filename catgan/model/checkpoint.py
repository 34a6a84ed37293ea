"""The checkpoint: one file with everything a run needs to go on, bit for bit.

It is PyTorch's own format, and only tensors and plain values are ever read out of it
(`weights_only=True`), so a checkpoint from a stranger can hold no program.
"""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from catgan.core.errors import CheckpointRefused
from catgan.core.files import open_file, write_bytes
from catgan.model.networks import Generator, NetworkFacts

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
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, buffer.getvalue())


def load_checkpoint(path: Path) -> State:
    """Read a checkpoint onto the CPU.

    Raises:
        CheckpointRefused: It is missing, broken, of another format, or holds more than tensors
            and plain values.
    """
    try:
        with open_file(path, most=MOST_BYTES) as file:
            state = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointRefused(
            f"There is no checkpoint {path}; train the run first: catgan train"
        ) from None
    except (OSError, RuntimeError, EOFError, ValueError, LookupError, AttributeError) as error:
        raise _refused(path) from error
    except (pickle.UnpicklingError, zipfile.BadZipFile) as error:
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
    if wrong := _impossible(state):
        raise CheckpointRefused(
            f"{path} holds {wrong}, which no training leaves; "
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
    """What the networks of a checkpoint are.

    Raises:
        KeyError: Its settings do not say.
    """
    settings = state["settings"]
    shape = {name: settings[name] for name in ("latent_dim", "ngf", "ndf", "size", "norm")}
    later = {
        name: settings[name] for name in ("upsample", "skip", "discriminator") if name in settings
    }
    return NetworkFacts(**shape, **later, images_shown=state["images_shown"])


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
    settings = state["settings"]
    later = {name: settings[name] for name in ("upsample", "skip") if name in settings}
    try:
        generator = Generator(
            latent_dim=settings["latent_dim"], ngf=settings["ngf"], size=settings["size"], **later
        )
        generator.load_state_dict(sampler_of(state))
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise _refused(path) from error
    return generator.eval(), state
