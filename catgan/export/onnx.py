"""A generator as an ONNX file, which is checked against PyTorch before anybody gets it."""

import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import torch

from catgan.core.errors import ExportFailed, MissingPackage
from catgan.core.files import read_file
from catgan.export.plain import PlainGenerator
from catgan.model.sample import draw_latents

BATCHES = (1, 2, 7, 64)
"""That the file is tried at: exporters have fixed the batch, and written other networks."""
TOLERANCE = 1e-4  # largest difference of an image's value, of -1 to 1
TRACED = 2  # latents of the batch that exporters follow; they take one alone for a constant
SEED = 0
LATENTS, IMAGES = "latents", "images"  # what the file calls its input and its output


def check_packages() -> None:
    """That there is what exporting and checking need.

    Raises:
        MissingPackage: There is not.
    """
    try:
        import onnx
        import onnxruntime
        import onnxscript
    except ImportError as error:
        raise MissingPackage(
            f"An ONNX file needs packages that are not there ({error}): "
            "pip install onnx onnxscript onnxruntime. Or leave it out: --no-onnx."
        ) from error
    del onnx, onnxruntime, onnxscript


def to_onnx(network: PlainGenerator, latent_dim: int) -> bytes:
    """The ONNX file of a generator: `latents` (N, latent_dim) to `images` (N, 3, size, size).

    PyTorch's newer exporter is tried first, then the older one.

    Args:
        network: In evaluation mode, on the CPU.
        latent_dim: Length of its latents.

    Raises:
        ExportFailed: Neither gives a file that draws the same images; says why.
        MissingPackage: See `check_packages`.
    """
    check_packages()
    failures = []
    for name, export in EXPORTERS.items():
        with tempfile.TemporaryDirectory() as folder, _quiet():
            path = Path(folder) / "generator.onnx"
            try:
                export(network, torch.zeros(TRACED, latent_dim), path)
                data = read_file(path)
                off = largest_difference(network, latent_dim, data)
            except Exception as error:  # whatever the exporter or the runtime stumbles over
                failures.append(f"{name}: {type(error).__name__}")
                continue
        if off <= TOLERANCE:
            return data
        failures.append(f"{name}: its images differ by {off:.1g}")
    raise ExportFailed(
        f"This PyTorch ({torch.__version__}) makes no ONNX file that draws the same images "
        f"({'; '.join(failures)}). Try another version of PyTorch or onnx, or leave it out: "
        "--no-onnx."
    )


def largest_difference(network: PlainGenerator, latent_dim: int, data: bytes) -> float:
    """How far a file's images are from PyTorch's, at every size of batch that is tried.

    Returns:
        The largest difference of a value; infinity where one is no number or shapes differ.

    Raises:
        Exception: The runtime does not take the file or the latents; any class.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    worst = 0.0
    for batch in BATCHES:
        latents = draw_latents(batch, latent_dim, SEED + batch)
        with torch.inference_mode():
            wanted = network(latents).numpy()
        (found,) = session.run([IMAGES], {LATENTS: latents.numpy()})
        if found.shape != wanted.shape or not np.isfinite(found).all():
            return float("inf")
        worst = max(worst, float(np.abs(found - wanted).max()))
    return worst


def _export_newer(network: PlainGenerator, latents: torch.Tensor, path: Path) -> None:
    torch.onnx.export(
        network,
        (latents,),
        path,
        dynamo=True,
        dynamic_shapes={"latents": {0: torch.export.Dim("batch")}},
        input_names=[LATENTS],
        output_names=[IMAGES],
        external_data=False,
        verbose=False,
    )


def _export_older(network: PlainGenerator, latents: torch.Tensor, path: Path) -> None:
    torch.onnx.export(
        network,
        (latents,),
        path,
        dynamo=False,
        dynamic_axes={LATENTS: {0: "batch"}, IMAGES: {0: "batch"}},
        input_names=[LATENTS],
        output_names=[IMAGES],
    )


EXPORTERS: dict[str, Callable[[PlainGenerator, torch.Tensor, Path], None]] = {
    "the newer exporter": _export_newer,
    "the older one": _export_older,
}
"""Ways to make a file, in the order in which they are tried."""


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what exporters tell everybody about themselves."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
