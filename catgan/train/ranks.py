"""Several processes that train one run together, and what each of them does of it.

torchrun calls such a process a rank. Every rank draws the same random numbers and takes its own
images of each batch, so a run is the same, to rounding, on however many ranks. Nothing here knows
how ranks reach each other: that is a `Link`.
"""

import dataclasses
import io
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Protocol

import torch
from torch import Tensor

from catgan.core.errors import BadSettings, RankLost


class Link(Protocol):
    """How a rank reaches the others; all of them make the same calls in the same order.

    Every method raises `RankLost` where another rank has ended or does not answer.
    """

    def add(self, values: Tensor) -> None:
        """Add up a tensor over all ranks, in place; the result has the same bits on all."""

    def gather(self, values: Tensor) -> list[Tensor]:
        """The tensors of all ranks, of one shape and type, in the order of the ranks."""

    def first(self, data: bytes | None) -> bytes:
        """What the first rank gives, on every rank; the others give None."""


class _Word(IntEnum):
    """What ranks tell each other between steps; the greatest one counts."""

    GO_ON = 0
    BUSY = 1
    STOP = 2
    ENDED = 3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranks:
    """The processes that train a run together, as one of them sees it."""

    rank: int = 0
    """Which one this is, from 0; the first one writes and prints."""
    count: int = 1
    """How many there are, on all machines."""
    local: int = 0
    """Which one this is on its machine, from 0."""
    local_count: int = 1
    """How many there are on this machine."""
    link: Link | None = None
    """How the others are reached; None for a process that trains by itself."""

    @property
    def is_first(self) -> bool:
        """Whether this rank is the one that writes and prints."""
        return self.rank == 0

    @property
    def joined(self) -> bool:
        """Whether this process is one of several, or was started as such."""
        return self.link is not None

    def own(self, values: Tensor) -> Tensor:
        """This rank's rows of a batch: every `count`-th one, so that none is anybody else's.

        Args:
            values: (B, ...), the same on every rank.
        """
        return values[self.rank :: self.count]

    def part(self, images: int) -> int:
        """How many of so many images are this rank's."""
        return len(range(self.rank, images, self.count))

    def any(self, flag: bool) -> bool:
        """Whether a flag is up on any rank; all ranks ask together."""
        return self._agree(_Word.STOP if flag else _Word.GO_ON) is _Word.STOP

    def busy(self, stop: bool) -> bool:
        """Said by the first rank while the others `wait`, now and then.

        Args:
            stop: Whether it is to stop.

        Returns:
            Whether any rank is to stop; then all of them do.
        """
        return self._agree(_Word.STOP if stop else _Word.BUSY) is _Word.STOP

    def tell(self, *, ended: bool) -> bool:
        """Said by the first rank once it is done with what the others `wait` for.

        Args:
            ended: Whether the run is over.

        Returns:
            Whether another rank is to stop; then all of them do.
        """
        return self._agree(_Word.ENDED if ended else _Word.GO_ON) is _Word.STOP

    def wait(self, should_stop: Callable[[], bool]) -> bool | None:
        """Wait until the first rank is done with what it alone does.

        Returns:
            True where the run is over, None where all are to stop; False where it goes on.
        """
        while True:
            word = self._agree(_Word.STOP if should_stop() else _Word.GO_ON)
            if word is _Word.STOP:
                return None
            if word is not _Word.BUSY:
                return word is _Word.ENDED

    def _agree(self, word: _Word) -> _Word:
        if self.link is None:
            return word
        words = self.link.gather(torch.tensor([int(word)]))
        return _Word(max(int(one) for one in words))

    def from_first(self, value: Any) -> Any:
        """What the first rank has, on every rank.

        Args:
            value: Of the first rank: tensors, plain values, and catgan's own classes. What the
                others give does not matter.
        """
        if self.link is None:
            return value
        data = None
        if self.is_first:
            buffer = io.BytesIO()
            torch.save(value, buffer)
            data = buffer.getvalue()
        data = self.link.first(data)
        if self.is_first:
            return value
        # not weights_only: it comes from a process of the same command, not from a file
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=False)

    def total(self, value: float) -> float:
        """The sum of a number over all ranks."""
        if self.link is None:
            return value
        values = torch.tensor([value], dtype=torch.float64)
        self.link.add(values)
        return float(values)

    def check_same(self, value: object, sentence: str) -> None:
        """That this rank has what the first one has.

        Args:
            value: What is compared.
            sentence: What is wrong where it differs, to be continued by what to do.

        Raises:
            BadSettings: It differs.
        """
        if self.from_first(value) != value:
            raise BadSettings(f"Rank {self.rank} {sentence}")

    def check_alike(self, nets: Sequence[torch.nn.Module]) -> None:
        """That the networks are the same on all ranks, to the bit.

        They are by construction. Machines that round differently would make them drift apart
        without a word.

        Raises:
            RankLost: They are not.
        """
        if self.link is None:
            return
        values = [value for net in nets for value in net.state_dict().values()]
        own = torch.stack([_bits(value) for value in values]).cpu()
        for rank, other in enumerate(self.link.gather(own)):
            if not torch.equal(own, other):
                raise RankLost(
                    f"The networks of rank {rank} differ from those of rank {self.rank}: their "
                    "machines compute differently. Rerun the same command on machines of one "
                    "kind; it resumes from the last checkpoint."
                )

    def check_batch(self, batch_size: int) -> None:
        """That a batch can be shared evenly.

        Raises:
            BadSettings: It cannot.
        """
        if batch_size % self.count:
            fewer = max(self.count, batch_size // self.count * self.count)
            raise BadSettings(
                f"--batch-size is {batch_size} for all ranks together, but {self.count} ranks "
                f"cannot share it evenly; use --batch-size {fewer}, or another number of ranks."
            )


ALONE = Ranks()
"""A process that trains by itself."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SharedBatch:
    """The batch of one step, of which every rank has some images, or none."""

    ranks: Ranks
    """Who shares it."""
    images: int
    """All of them."""

    def mean(self, values: Tensor) -> Tensor:
        """This rank's part of a mean over the whole batch; over all ranks the parts add up to it.

        Args:
            values: (B, ...) of this rank's images, B from 0.

        Returns:
            (...), what is left without the first dimension.
        """
        return values.sum(dim=0) / self.images

    def add(self, values: Tensor) -> None:
        """Add up over all ranks, in place."""
        assert self.ranks.link is not None
        self.ranks.link.add(values)

    def add_gradients(self, optimizer: torch.optim.Optimizer) -> None:
        """Make the gradients of parts of a loss those of the whole, in one exchange.

        NaN and infinity of any rank become all ranks', so that all of them go on alike: a step is
        skipped on all, or the weights are lost on all and the run ends as it would on one.
        """
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        slopes = [weight.grad for weight in weights if weight.grad is not None]
        flat = torch.cat([slope.flatten() for slope in slopes])
        self.add(flat)
        # in place: optimisers want a gradient in the layout of its weight
        wholes = torch.split(flat, [slope.numel() for slope in slopes])
        for slope, whole in zip(slopes, wholes, strict=True):
            slope.copy_(whole.view(slope.shape))


def _bits(value: Tensor) -> Tensor:
    """The sum of a tensor's bits as whole numbers, which another value all but surely changes."""
    if value.is_floating_point():
        kinds = {2: torch.int16, 4: torch.int32, 8: torch.int64}
        value = value.nan_to_num()  # NaN has many bit patterns
        value = value.contiguous().view(kinds[value.element_size()])
    return value.sum(dtype=torch.int64)
