"""The two fitted parts of the face finder: small networks on the maps of a large frozen one.

Both are fitted on labelled photos by `benchmarks/fit_verifier.py`, and lie in one safetensors file
of `cascades/`, which holds numbers and text and can hold no program.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from catgan.core.errors import BadRecipe
from catgan.curate.maps import COARSE, FINE, PLACE, POOLED
from catgan.curate.onnx import Graph, Network

FORMAT = "1"  # of the file
CROP_SIDE = 112  # pixels of the levelled crop that the verifier looks at
CROP_REACH = 1.45  # side of that crop, in sides of the box
REFERENCE = 96.0  # canvas pixels that the proposal head counts in
ROLL_UNIT = 30.0  # degrees

Weights = Mapping[str, NDArray[np.float32]]

_FINE, _COARSE = (7, 7), (4, 4)  # the maps of that crop
_PARTS = 49 * 24 + 16 * 24 + 64
PROPOSAL: Mapping[str, tuple[int, ...]] = {
    "mean": (PLACE,),
    "std": (PLACE,),
    "layers.0.weight": (128, PLACE),
    "layers.0.bias": (128,),
    "layers.2.weight": (64, 128),
    "layers.2.bias": (64,),
    "layers.4.weight": (5, 64),
    "layers.4.bias": (5,),
}
"""The proposal head's weights and their shapes."""
VERIFIER: Mapping[str, tuple[int, ...]] = {
    "fine_scale": (2, FINE),
    "coarse_scale": (2, COARSE),
    "pooled_scale": (2, POOLED),
    "fine.weight": (24, FINE),
    "fine.bias": (24,),
    "coarse.weight": (24, COARSE),
    "coarse.bias": (24,),
    "pooled.weight": (64, POOLED),
    "pooled.bias": (64,),
    "where.weight": (96, _PARTS),
    "where.bias": (96,),
    "offsets.weight": (4, 96),
    "offsets.bias": (4,),
    "hidden.weight": (32, 64 + 96),
    "hidden.bias": (32,),
    "face.weight": (1, 32),
    "face.bias": (1,),
}
"""The verifier's."""


class ProposalHead:
    """Of each place on a photo: is a face centred here, where exactly, how large, how turned."""

    def __init__(self, weights: Weights) -> None:
        """Take the weights named in `PROPOSAL`."""
        graph = Graph()
        x = graph.input("places", ("N", PLACE))
        x = _scaled(graph, x, weights["mean"], weights["std"])
        for layer in (0, 2, 4):
            x = _linear(graph, x, weights, f"layers.{layer}", acts=layer < 4)
        self._network = Network(graph.to_bytes({x: ("N", 5)}))

    def __call__(self, places: NDArray[np.float32]) -> NDArray[np.float32]:
        """Per place: logit, offset across and down (in `REFERENCE`), log side, roll (30 degrees).

        Args:
            places: (..., 432).

        Returns:
            (..., 5).
        """
        (found,) = self._network(places.reshape(-1, PLACE))
        return found.reshape(*places.shape[:-1], 5)


class VerifierHead:
    """Of a levelled crop: is it a face, and how far off are its box and its roll."""

    def __init__(self, weights: Weights) -> None:
        """Take the weights named in `VERIFIER`."""
        graph = Graph()
        parts = []
        for name, shape in (
            ("fine", (*_FINE, FINE)),
            ("coarse", (*_COARSE, COARSE)),
            ("pooled", (POOLED,)),
        ):
            x = graph.input(name, ("N", *shape))
            x = _scaled(graph, x, *weights[f"{name}_scale"])
            x = graph.node("MatMul", x, graph.constant(weights[f"{name}.weight"].T))
            x = graph.node("Relu", graph.node("Add", x, graph.constant(weights[f"{name}.bias"])))
            parts.append(graph.node("Flatten", x, axis=1))
        where = graph.node("Concat", *parts, axis=1)
        where = _linear(graph, where, weights, "where")
        face = graph.node("Concat", parts[-1], where, axis=1)
        face = _linear(graph, face, weights, "hidden")
        face = _linear(graph, face, weights, "face", acts=False)
        offsets = _linear(graph, where, weights, "offsets", acts=False)
        x = graph.node("Concat", face, offsets, axis=1)
        self._network = Network(graph.to_bytes({x: ("N", 5)}))

    def __call__(
        self,
        fine: NDArray[np.float32],
        coarse: NDArray[np.float32],
        pooled: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Per crop: logit, offset across and down, log of the side's factor, roll (in 30 degrees).

        Offsets are in sides of the box, in the levelled crop's own directions.

        Args:
            fine: (N, 7, 7, 112).
            coarse: (N, 4, 4, 320).
            pooled: (N, 1280).

        Returns:
            (N, 5).
        """
        (found,) = self._network(fine, coarse, pooled)
        return found


def _scaled(graph: Graph, x: str, mean: NDArray[np.float32], std: NDArray[np.float32]) -> str:
    x = graph.node("Sub", x, graph.constant(mean))
    return graph.node("Div", x, graph.constant(std))


def _linear(graph: Graph, x: str, weights: Weights, name: str, *, acts: bool = True) -> str:
    weight, bias = (graph.constant(weights[f"{name}.{what}"]) for what in ("weight", "bias"))
    x = graph.node("Gemm", x, weight, bias, transB=1)
    return graph.node("Relu", x) if acts else x


def load_heads(path: Path) -> tuple[ProposalHead, VerifierHead]:
    """Both heads, ready to be used.

    Raises:
        BadRecipe: The file is missing, broken, of another format, or holds other numbers.
        MissingPackage: ONNX Runtime is missing or broken.
    """
    proposal, verifier = read_heads(path)
    return ProposalHead(proposal), VerifierHead(verifier)


def read_heads(path: Path) -> tuple[Weights, Weights]:
    """The weights of both heads, as `PROPOSAL` and `VERIFIER` name them.

    Raises:
        BadRecipe: The file is missing, broken, of another format, or holds other numbers.
    """
    try:
        with safe_open(path, framework="np") as file:
            if (file.metadata() or {}).get("format") != FORMAT:
                raise BadRecipe(f"{path} is not a verifier that this version of catgan can use.")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise _unusable(path, type(error).__name__) from error
    heads = []
    for prefix, shapes in (("proposal.", PROPOSAL), ("verifier.", VERIFIER)):
        own = {
            name.removeprefix(prefix): values.astype(np.float32)
            for name, values in tensors.items()
            if name.startswith(prefix)
        }
        if {name: values.shape for name, values in own.items()} != shapes:
            raise _unusable(path, "other numbers")
        heads.append(own)
    return heads[0], heads[1]


def _unusable(path: Path, why: str) -> BadRecipe:
    return BadRecipe(
        f"{path} is not a verifier that can be loaded ({why}); reinstall "
        "catgan, or fit one: python -m benchmarks.fit_verifier"
    )
