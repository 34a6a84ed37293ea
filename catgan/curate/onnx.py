"""Small networks for ONNX Runtime: described here, and run in one thread.

PyTorch would run them, too, in twice the time, and costs a process a second and 400 MB to import.
A network is handed over as a file of ONNX, which is made in memory each time: that takes as long as
reading one from a cache and checking it (figures in docs/log.md). Its few kinds of messages are
written field by field (https://protobuf.dev/programming-guides/encoding/ and
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, from where the numbers of the fields are).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catgan.core.errors import MissingPackage

Array = NDArray[Any]
Attribute = int | str | Sequence[int]
Shape = Sequence[int | str]
"""Lengths along each axis; a name where it may be any."""

FORMAT, OPERATORS = 8, 17  # versions of the file and of the operators: of 2022
_FLOAT, _UINT8, _INT64 = 1, 2, 7  # types of elements
_KINDS = {np.dtype(np.float32): _FLOAT, np.dtype(np.uint8): _UINT8, np.dtype(np.int64): _INT64}


class Graph:
    """A network under construction: operators of ONNX, each fed by names."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._nodes: list[bytes] = []
        self._constants: list[bytes | memoryview] = []
        self._count = 0
        self._inputs: list[bytes] = []

    def input(self, name: str, shape: Shape, kind: type[np.generic] = np.float32) -> str:
        """What the network is given; returns the name."""
        self._inputs.append(_value(name, shape, _KINDS[np.dtype(kind)]))
        return name

    def constant(self, values: Array) -> str:
        """Numbers that are part of the network; returns their name."""
        name = f"constant{self._count}"
        self._count += 1
        kind, values = _KINDS[values.dtype], values.astype(values.dtype.newbyteorder("<"), "C")
        about = [_number(1, length) for length in values.shape]
        about += [_number(2, kind), _text(8, name), _head(9, values.nbytes)]
        self._constants += [_head(5, sum(map(len, about)) + values.nbytes), *about, values.data]
        return name

    def node(self, operator: str, *inputs: str, **attributes: Attribute) -> str:
        """What an operator makes of its inputs; returns the name."""
        name = f"value{len(self._nodes)}"
        self._nodes.append(
            b"".join(_text(1, one) for one in inputs)
            + _text(2, name)
            + _text(4, operator)
            + b"".join(_bytes(5, _attribute(key, value)) for key, value in attributes.items())
        )
        return name

    def to_bytes(self, outputs: Mapping[str, Shape]) -> bytes:
        """The file, in the format of ONNX.

        Args:
            outputs: The names of what the network gives, float32, in order.
        """
        graph = [
            *(_bytes(1, node) for node in self._nodes),
            _text(2, "network"),
            *self._constants,
            *(_bytes(11, value) for value in self._inputs),
            *(_bytes(12, _value(name, shape, _FLOAT)) for name, shape in outputs.items()),
        ]
        size = sum(memoryview(piece).nbytes for piece in graph)
        operators = _bytes(8, _text(1, "") + _number(2, OPERATORS))
        return b"".join([_number(1, FORMAT), _head(7, size), *graph, operators])


class Network:
    """A network that runs."""

    def __init__(self, file: bytes) -> None:
        """Have it planned for this processor.

        Args:
            file: What `Graph.to_bytes` gave.

        Raises:
            MissingPackage: ONNX Runtime is missing or broken.
        """
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingPackage(
                f"ONNX Runtime, which runs the face finder's networks, cannot be loaded ({error}). "
                "To get it: pip install --force-reinstall onnxruntime"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # plans of memory for every shape of picture
        options.log_severity_level = 3  # errors
        self._session = onnxruntime.InferenceSession(
            file, options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [one.name for one in self._session.get_inputs()]

    def __call__(self, *inputs: Array) -> list[NDArray[np.float32]]:
        """The outputs for some inputs, both in the order in which they were declared."""
        named = dict(zip(self._inputs, map(np.ascontiguousarray, inputs), strict=True))
        outputs: list[NDArray[np.float32]] = self._session.run(None, named)
        return outputs


def _value(name: str, shape: Shape, kind: int) -> bytes:
    axes = (_text(2, one) if isinstance(one, str) else _number(1, one) for one in shape)
    tensor = _number(1, kind) + _bytes(2, b"".join(_bytes(1, axis) for axis in axes))
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, str):
        return _text(1, name) + _text(4, value) + _number(20, 3)
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, 2)
    return _text(1, name) + b"".join(_number(8, one) for one in value) + _number(20, 7)


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _head(field: int, size: int) -> bytes:
    return _varint(field << 3 | 2) + _varint(size)


def _bytes(field: int, value: bytes) -> bytes:
    return _head(field, len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())
