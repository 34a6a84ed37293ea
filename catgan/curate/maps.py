"""What a network trained on photographs sees, and where: its maps of a picture at three depths.

The network is that of `measure.extractors.efficientnet`, EfficientNet-Lite0 with ImageNet weights.
Its maps tell at each place what kind of thing is there, which is what finding a face needs; the
cascades see light and dark only.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from catgan.core.pictures import Picture
from catgan.curate.cut import to_longer_side
from catgan.curate.onnx import Graph, Network
from catgan.measure.extractors.stored import Weights, read_weights
from catgan.measure.extractors.variants import CATS, CLASSES, EPSILON, LITE0, MEAN, STD

STRIDE = 16  # pixels between two places of the finer map
FINE = 112  # channels of the finer map, after block 4
COARSE = 320  # channels of the coarser map, after block 6
POOLED = 1280  # features after the last convolution, averaged over the picture
PLACE = FINE + COARSE  # what is known of one place
GROUND = 128  # grey around a picture that does not fill the network's grid

Map = NDArray[np.float32]


@dataclasses.dataclass(frozen=True, slots=True)
class Maps:
    """The maps of N pictures."""

    fine: Map
    """(N, H/16, W/16, 112)."""
    coarse: Map
    """(N, H/32, W/32, 320), rounded up."""
    pooled: Map
    """(N, 1280)."""
    cat: Map
    """(N,): how likely ImageNet's five kinds of cat are together, 0 to 1; by chance 0.005."""

    def places(self) -> Map:
        """Both maps on the finer grid, (N, H/16, W/16, 432); its sides are twice the coarser's."""
        coarse = _doubled(_doubled(self.coarse, axis=1), axis=2)
        return np.concatenate([self.fine, coarse], axis=3)


def _doubled(values: Map, axis: int) -> Map:
    """Twice as many along an axis, interpolated linearly: places halve, and edges are kept."""
    count = values.shape[axis]
    index = np.arange(count)
    before = values.take(np.maximum(index - 1, 0), axis)
    after = values.take(np.minimum(index + 1, count - 1), axis)
    three = np.float32(0.75) * values
    pairs = np.stack([three + np.float32(0.25) * side for side in (before, after)], axis + 1)
    shape = list(values.shape)
    shape[axis] *= 2
    return pairs.reshape(shape)


class NetMaps:
    """The frozen network, giving maps instead of an answer."""

    def __init__(self) -> None:
        """Load the network.

        Raises:
            MissingPackage: The package with the weights is missing or broken, or ONNX Runtime is.
        """
        self._network = Network(maps_file(read_weights(LITE0)))

    def look(self, pictures: Picture) -> Maps:
        """The maps of pictures.

        Args:
            pictures: (N, H, W, 3) uint8; sides that 32 divides, or small squares.
        """
        return Maps(*self._network(pictures))


def maps_file(weights: Weights) -> bytes:
    """EfficientNet-Lite0 with its maps as a file of ONNX.

    Each batch norm is taken into the convolution before it, which it only scales and shifts.

    Args:
        weights: As `read_weights` gives them.

    Raises:
        MissingPackage: They are not that network's.
    """
    left = iter(weights)
    graph = Graph()
    x = graph.input("pictures", ("N", "H", "W", 3), np.uint8)
    x = graph.node("Transpose", graph.node("Cast", x, to=1), perm=(0, 3, 1, 2))
    x = graph.node("Mul", x, graph.constant(np.array(1 / (255 * STD), np.float32)))
    x = graph.node("Sub", x, graph.constant(np.array(MEAN / STD, np.float32)))
    least, most = (graph.constant(np.array(end, np.float32)) for end in (0, 6))

    def conv(x: str, shape: tuple[int, ...], *, stride: int = 1, acts: bool = True) -> str:
        groups = shape[0] if shape[1] == 1 else 1
        weight, shift = _folded(left, shape)
        x = graph.node(
            "Conv",
            x,
            graph.constant(weight),
            graph.constant(shift),
            strides=(stride, stride),
            group=groups,
            auto_pad="SAME_UPPER",  # an odd pixel goes below and to the right
        )
        return graph.node("Clip", x, least, most) if acts else x

    x = conv(x, (32, 3, 3, 3), stride=2)
    seen = []
    for stage in LITE0.stages():
        for block in stage:
            before, wide = x, block.wide
            if block.expansion > 1:
                x = conv(x, (wide, block.into, 1, 1))
            x = conv(x, (wide, 1, block.side, block.side), stride=block.stride)
            x = conv(x, (block.out, wide, 1, 1), acts=False)
            if block.adds:
                x = graph.node("Add", x, before)
        seen.append(x)
    last = conv(x, (POOLED, COARSE, 1, 1))
    fine, coarse = (graph.node("Transpose", seen[at], perm=(0, 2, 3, 1)) for at in (4, 6))
    pooled = graph.node("ReduceMean", last, axes=(2, 3), keepdims=0)
    weight, bias = _classifier(left)
    chances = graph.node("Gemm", pooled, graph.constant(weight), graph.constant(bias), transB=1)
    chances = graph.node("Softmax", chances, axis=1)
    ends = [graph.constant(np.array([end])) for end in (CATS.start, CATS.stop, 1)]
    cats = graph.node("Slice", chances, *ends)
    cat = graph.node("ReduceSum", cats, ends[2], keepdims=0)
    return graph.to_bytes(
        {
            fine: ("N", "h", "w", FINE),
            coarse: ("N", "i", "j", COARSE),
            pooled: ("N", POOLED),
            cat: ("N",),
        }
    )


def _folded(weights: Iterator[Map], shape: tuple[int, ...]) -> tuple[Map, Map]:
    """The next convolution, with the batch norm behind it: its weights, and what it adds.

    Args:
        weights: Of the convolution, then scale, shift, mean, variance and a count of the norm.
        shape: What those of the convolution should have.
    """
    weight = _next(weights, shape)
    scale, shift, mean, variance = (_next(weights, shape[:1]) for _ in range(4))
    _next(weights, ())
    factor = scale / np.sqrt(variance + np.float32(EPSILON))
    return weight * factor[:, None, None, None], shift - mean * factor


def _classifier(weights: Iterator[Map]) -> tuple[Map, Map]:
    """The last layer's weights and what it adds."""
    return _next(weights, (CLASSES, POOLED)), _next(weights, (CLASSES,))


def _next(weights: Iterator[Map], shape: tuple[int, ...]) -> Map:
    found = next(weights, None)
    if found is None or found.shape != shape:
        raise LITE0.refused("broken (its file holds other weights)")
    return found


def on_grid(pixels: Picture, side: int) -> tuple[Picture, float]:
    """A photo brought to a longer side, on a canvas that the network's grid divides.

    Args:
        pixels: (H, W, 3) uint8.
        side: Longer side that it is brought to, pixels; 32 must divide it.

    Returns:
        (H', W', 3) uint8 with sides that 32 divides, the photo in its upper left corner; and the
        canvas's pixels for one of the photo.
    """
    small, factor = to_longer_side(pixels, side)
    height, width = small.shape[:2]
    canvas = np.full((-(-height // 32) * 32, -(-width // 32) * 32, 3), GROUND, np.uint8)
    canvas[:height, :width] = small
    return canvas, factor
