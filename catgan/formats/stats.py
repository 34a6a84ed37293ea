"""`stats.jsonl`: the figures of a run, one line for each epoch."""

import dataclasses
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from catgan.core.files import Json, append_jsonl, write_jsonl
from catgan.formats.records import check_ranges, read_records, to_json

NAME = "stats.jsonl"

HEALTHY = "healthy"
STATES = (
    HEALTHY,
    "diverged",
    "unstable",
    "collapsed",
    "winning",
    "at-chance",
    "copying",
    "overfitted",
    "collapsing",
    "past-best",
)
"""The states of the balance; see `train.balance`."""

# Format 2 of a run has a sentence where there are a state and an epoch now.
_SENTENCES = {
    "healthy": HEALTHY,
    "lost: ": "diverged",
    "D has run wild": "unstable",
    "collapsed: ": "collapsed",
    "D is winning": "winning",
    "D has given up": "at-chance",
    "D knows the training pictures by heart": "overfitted",
    "collapsing: ": "collapsing",
    "past its best": "past-best",
}
_SINCE = re.compile(r"since epoch (\d+)")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EpochStats:
    """A line of `stats.jsonl`; what was not measured, or is not a finite number, is left out."""

    epoch: int
    """Complete epochs."""
    images_shown: int
    """Real images shown, over all epochs."""
    loss_d: float | None = None
    """Loss of the discriminator, mean of the epoch."""
    loss_g: float | None = None
    """Loss of the generator, likewise."""
    d_real: float | None = None
    """D(x): the discriminator's mean probability for real images, 0 to 1; with hinge losses the
    share of them that it calls real."""
    d_fake: float | None = None
    """D(G(z)) before the discriminator's update, 0 to 1."""
    d_fake_after: float | None = None
    """D(G(z)) after the discriminator's update and before the generator's, 0 to 1."""
    spread_real: float | None = None
    """Variance between real images, mean over squares of 8 x 8 pixels and channels."""
    spread_fake: float | None = None
    """The same between generated images."""
    hinge: bool | None = None
    """True where the losses are hinge losses; else they are cross entropies."""
    images_per_second: float | None = None
    """Real images shown a second."""
    lost: bool | None = None
    """True where the losses or weights are no longer finite."""
    kid: float | None = None
    """KID of samples against held-out images."""
    kid_error: float | None = None
    """Its standard error."""
    kid_train: float | None = None
    """KID of samples against the training images, where too few are held out."""
    kid_train_error: float | None = None
    """Its standard error."""
    recognised: float | None = None
    """Share of samples recognised as a cat, 0 to 1."""
    diversity: float | None = None
    """Variance of the samples' features over that of real images'."""
    copies: float | None = None
    """Share of samples close to a training image, 0 to 1; `neighbours.too_close` says how close."""
    copying: bool | None = None
    """Whether that share is larger than chance allows."""
    gap: float | None = None
    """How far the discriminator tells training images from held-out ones: 0 to 1."""
    evaluation_seconds: float | None = None
    """What measuring took, seconds."""
    balance: str | None = None
    """The state of the run after this epoch: one of `STATES`."""
    since: int | None = None
    """The first epoch of that state; None where it is healthy."""

    def __post_init__(self) -> None:
        """Refuse counts that cannot be.

        Raises:
            ValueError: Names the field.
        """
        most = {"epoch": 10**9, "images_shown": 10**15, "since": 10**9}
        check_ranges(self, {name: (0, largest) for name, largest in most.items()})

    @property
    def distance(self) -> float | None:
        """KID against held-out images; against those trained on where too few are held out."""
        return self.kid_train if self.kid is None else self.kid

    @property
    def distance_error(self) -> float | None:
        """Its standard error."""
        return self.kid_train_error if self.kid is None else self.kid_error

    def finite(self) -> "EpochStats":
        """The same without NaN and infinity, which JSON does not have."""
        off: dict[str, Any] = {
            field.name: None
            for field in dataclasses.fields(self)
            if isinstance(value := getattr(self, field.name), float) and not math.isfinite(value)
        }
        return dataclasses.replace(self, **off)


def read_stats(path: Path) -> list[EpochStats]:
    """The epochs done so far, oldest first, each once; none where there is no such file.

    A run that was carried on may have written its newest epoch twice: the later one counts.

    Raises:
        BadRecord: A line is damaged; names it.
    """
    by_epoch = {
        record.epoch: record for record in read_records(path, EpochStats, upgrade=_upgraded)
    }
    return [by_epoch[epoch] for epoch in sorted(by_epoch)]


def write_stats(path: Path, records: Iterable[EpochStats]) -> None:
    """Write all epochs, whole or not at all.

    Raises:
        DiskFull: There is no room for it.
    """
    write_jsonl(path, map(to_json, records))


def append_stats(path: Path, record: EpochStats) -> None:
    """Add an epoch; a kill costs at most this line.

    Raises:
        DiskFull: There is no room for it.
    """
    append_jsonl(path, [to_json(record.finite())])


def _upgraded(table: Json) -> Json:
    words = table.get("balance")
    if not isinstance(words, str) or words in STATES:
        return table
    found = [state for start, state in _SENTENCES.items() if words.startswith(start)]
    if not found:  # a state that a newer catgan knows
        return table
    since = _SINCE.search(words)
    state = found[0]
    return table | {
        "balance": state,
        "since": int(since[1]) if since and state != HEALTHY else None,
    }
