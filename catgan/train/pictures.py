"""The training pictures: on the device as bytes where they fit, shown in a new order each epoch."""

import mmap

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catgan.core.pictures import Pictures
from catgan.train.memory import free_device_memory

DEVICE_SHARE = 0.5  # of what a graphics card has free; the nets want the rest
COPIED_AT_ONCE = 256_000_000  # bytes
AHEAD = 512  # pictures whose reading has begun before they are wanted


class TrainingPictures:
    """A whole data set as uint8: on the device, else in memory, else on disk.

    Where it fits on the device no loader and no worker stands between the pictures and the step,
    and no batch makes the device wait for the host: five hundred pictures are 6 MB. Where it does
    not, a batch is put together from memory or from a file, and sent over. Batches are equal to
    the last bit whichever it is.
    """

    def __init__(self, pictures: Pictures, device: torch.device) -> None:
        """Put the pictures where they are going to be taken from.

        Args:
            pictures: (N, H, W, 3) uint8; an array in memory, or a map of a file. Neither is copied
                on the processor, so neither may be written to any more.
            device: Where batches are wanted.
        """
        self._pictures = pictures
        self._device = device
        self._on_device: Tensor | None = None
        self._map: mmap.mmap | None = None
        self._order: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._given = 0  # pictures of the order that are given out
        self._begun = 0  # and whose reading has begun
        base: object = pictures.base if isinstance(pictures, np.memmap) else None
        if pictures.nbytes <= DEVICE_SHARE * free_device_memory(device):
            self._on_device = _copied(pictures, device)
        elif isinstance(base, mmap.mmap) and hasattr(base, "madvise"):  # Windows has none
            # The system would read the pictures around each, and those are not wanted soon.
            base.madvise(mmap.MADV_RANDOM)
            self._map = base

    def __len__(self) -> int:
        """How many there are."""
        return len(self._pictures)

    @property
    def place(self) -> str:
        """Where batches come from: `device`, `disk` or `memory`."""
        if self._on_device is not None:
            return "device"
        return "disk" if isinstance(self._pictures, np.memmap) else "memory"

    def expect(self, order: Tensor) -> None:
        """Hear which pictures are going to be asked for, so that a disk can begin to read them.

        Changes no batch. Without it, or where it turns out wrong, a disk is read more slowly.

        Args:
            order: (N,) int64, on the CPU: the indices of the coming batches, one after the other.
        """
        self._order = order.numpy()
        self._given = self._begun = 0
        self._read_ahead()

    def batch(self, indices: Tensor) -> Tensor:
        """Pictures as the nets take them.

        Args:
            indices: (B,) int64, on the CPU, or on the device where the pictures are there.

        Returns:
            (B, 3, H, W) float32 in -1 to 1, on the device.
        """
        if self._on_device is not None:
            return as_images(self._on_device[indices.to(self._device, non_blocking=True)])
        return as_images(self.bytes_of(indices).to(self._device))

    def bytes_of(self, indices: Tensor) -> Tensor:
        """Pictures that are not on the device, as they are: (B, H, W, 3) uint8, on the CPU.

        Args:
            indices: (B,) int64, on the CPU.
        """
        self._given += len(indices)
        self._read_ahead()
        return torch.from_numpy(self._pictures[indices.numpy()])

    def _read_ahead(self) -> None:
        """Have the system begin to read what comes next; it returns at once."""
        if self._map is None:
            return
        picture = self._pictures[0].nbytes
        first = max(self._begun, self._given)
        last = self._given + AHEAD
        for index in self._order[first:last].tolist():
            start = index * picture
            page = start % mmap.PAGESIZE
            self._map.madvise(mmap.MADV_WILLNEED, start - page, picture + page)
        self._begun = max(first, last)


def as_images(pictures: Tensor) -> Tensor:
    """Pictures (B, H, W, 3) uint8 as the nets take them: (B, 3, H, W) float32 in -1 to 1."""
    # Contiguous, since convolutions round differently in another layout.
    shown = pictures.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
    return shown.div_(127.5).sub_(1)


def _copied(pictures: Pictures, device: torch.device) -> Tensor:
    """All of them on the device, (N, H, W, 3) uint8, without a second copy in memory."""
    there = torch.empty(pictures.shape, dtype=torch.uint8, device=device)
    step = max(1, COPIED_AT_ONCE // max(1, pictures[:1].nbytes))
    for start in range(0, len(pictures), step):
        # np.array: torch takes no read-only map without a warning
        there[start : start + step] = torch.from_numpy(np.array(pictures[start : start + step]))
    return there
