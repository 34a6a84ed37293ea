"""Which crops are alike: by features that a network sees in them, looked at in the background."""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catgan.core.errors import CatganError
from catgan.core.loading import load_pictures
from catgan.core.pictures import Pictures

Vectors = NDArray[np.float32]
"""(N, D) float32, each of length 1."""

KEPT = 128  # directions that features are reduced to: those in which crops differ most
FITTED = 4000  # crops that these are taken from, at most
HEAP = 256  # crops that are put in a row one by one; more are divided first
BATCH = 64


class Likeness:
    """The features of crops, once they are known."""

    def __init__(self, look: Callable[[Pictures], NDArray[np.float32]]) -> None:
        """Nothing is looked at yet.

        Args:
            look: (N, H, W, 3) uint8 to (N, D) float32; may raise `CatganError`.
        """
        self._look = look
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.done = 0
        """Crops looked at."""
        self.total = 0
        """Crops to look at."""
        self.why_not = ""
        """Why there are no features."""
        self.ids: tuple[int, ...] = ()
        """The crops that have features, in the order of `vectors`."""
        self.vectors: Vectors | None = None
        """Their features; None before they are known."""

    def start(self, files: Mapping[int, Path]) -> None:
        """Begin to look at crops, unless that was done.

        Args:
            files: Number of a crop -> its picture.
        """
        with self._lock:
            if self._thread is not None:
                return
            self.total = len(files)
            self._thread = threading.Thread(target=self._run, args=(dict(files),), daemon=True)
            self._thread.start()

    def fresh(self) -> "Likeness":
        """One of the same kind that has not looked at anything."""
        return Likeness(self._look)

    def wait(self) -> None:
        """Until all crops are looked at, if that has begun."""
        if self._thread is not None:
            self._thread.join()

    def _run(self, files: dict[int, Path]) -> None:
        try:
            self._look_at(files)
        except CatganError as error:
            self.why_not = str(error)
        except Exception as error:  # a thread has nobody to tell
            self.why_not = f"the crops could not be looked at ({type(error).__name__})"

    def _look_at(self, files: dict[int, Path]) -> None:
        ids: list[int] = []
        parts: list[NDArray[np.float16]] = []
        for heap in heaps(files):
            for start in range(0, len(heap), BATCH * 4):
                chunk = heap[start : start + BATCH * 4]
                pictures = load_pictures([files[index] for index in chunk])
                parts.append(self._look(pictures).astype(np.float16))
                ids += chunk
                self.done = len(ids)
        if not ids:
            self.why_not = "there are no crops"
            return
        vectors = reduced(np.concatenate(parts))
        self.ids, self.vectors = tuple(ids), vectors

    def nearest(self, index: int) -> list[int]:
        """All crops, those most like one first, itself the first of all; empty if not known."""
        if self.vectors is None or index not in self.ids:
            return []
        alike = self.vectors @ self.vectors[self.ids.index(index)]
        return [self.ids[place] for place in np.argsort(-alike, kind="stable")]

    def row(self) -> list[int]:
        """All crops in one row, in which neighbours are alike; empty if not known."""
        if self.vectors is None:
            return []
        return [self.ids[place] for place in in_a_row(self.vectors)]


def heaps(files: Mapping[int, Path]) -> list[list[int]]:
    """Crops in heaps by their names, so that a new photo changes one of them: each is kept as one
    in the cache of features."""
    number = 16 if len(files) <= 4096 else 256
    found: dict[int, list[int]] = {}
    for index, path in sorted(files.items(), key=lambda item: item[1].name):
        digest = hashlib.sha256(path.name.encode("utf-8", "surrogateescape")).digest()
        found.setdefault(digest[0] % number, []).append(index)
    return [found[key] for key in sorted(found)]


def reduced(features: NDArray[np.float16]) -> Vectors:
    """Features in the directions in which they differ most, each of length 1.

    Args:
        features: (N, D).

    Returns:
        (N, K) float32, K at most 128.
    """
    step = max(1, len(features) // FITTED)
    sample = features[::step].astype(np.float32)
    middle = sample.mean(axis=0)
    _, _, directions = np.linalg.svd(sample - middle, full_matrices=False)
    kept = directions[:KEPT].T
    found = np.concatenate(
        [(part.astype(np.float32) - middle) @ kept for part in np.array_split(features, 64)]
    )
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.maximum(length, 1e-6), dtype=np.float32)


def in_a_row(vectors: Vectors) -> list[int]:
    """An order in which neighbours are alike.

    Many are divided in two along the direction in which they differ most, again and again; what is
    left is put in a row, each time with the one most like the last.
    """
    row: list[int] = []
    stack: list[NDArray[np.intp]] = [np.arange(len(vectors))]
    while stack:
        heap = stack.pop()
        if len(heap) > HEAP:
            here = vectors[heap] - vectors[heap].mean(axis=0)
            along = here @ _main_direction(here)
            order = np.argsort(along, kind="stable")
            first, second = heap[order[: len(heap) // 2]], heap[order[len(heap) // 2 :]]
            if row and _nearer(vectors, row[-1], second, first):
                first, second = second, first
            stack += [second, first]
            continue
        left = list(heap)
        while left:
            start = row[-1] if row else left[0]
            place = int(np.argmax(vectors[left] @ vectors[start]))
            row.append(int(left.pop(place)))
    return row


def _main_direction(centred: Vectors) -> NDArray[np.float32]:
    direction = np.ones(centred.shape[1], dtype=np.float32)
    for _ in range(8):  # the power method: enough to tell two halves apart
        direction = centred.T @ (centred @ direction)
        direction /= max(float(np.linalg.norm(direction)), 1e-12)
    return direction


def _nearer(vectors: Vectors, last: int, one: NDArray[np.intp], other: NDArray[np.intp]) -> bool:
    return float((vectors[one] @ vectors[last]).mean()) > float(
        (vectors[other] @ vectors[last]).mean()
    )


def together(order: Sequence[int], extra: Sequence[int]) -> list[int]:
    """An order, with what is not in it at its end."""
    known = set(order)
    return [*order, *(index for index in extra if index not in known)]
