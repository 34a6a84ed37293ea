"""The state of the balance between the two networks, from signals that have a meaning.

Losses do not say when a GAN decays: both may lie flat while samples get worse, and either may climb
while they get better. These do: how alike the samples are, whether D still has anything to learn
from, whether it tells training images from held-out ones, and what the samples are worth.
"""

import dataclasses
import itertools
import math
from collections.abc import Sequence

from catgan.formats.stats import HEALTHY, EpochStats
from catgan.train.best import best_of

STEADY_EPOCHS = 3  # a state is called by its name once it has lasted for this many epochs
STEADY_IMAGES = 600  # and for this many images shown
EARLY_IMAGES = 3000  # before these, nothing is called by its name
UNFOLDED_IMAGES = 10000  # samples begin as one grey; they have grown apart by then (seen: 3,000)
SURE = 0.85  # D(x) - D(G(z)), means of an epoch, above which D is all but always right
STILL_SURE = 0.75  # and below which that has ceased, so that it does not come and go
STARVED = 3.0  # G's loss: D gives its pictures less than 5%
ALIKE = 0.15  # spread of samples over spread of real pictures, below which they look alike
FALLEN = 0.5  # of the widest spread so far: what tells a collapse from a beginning
FEWER = 0.5  # of the greatest diversity so far
VARIED = 0.3  # diversity that has to have been there before it can be lost
UNSTABLE = 2.0  # D's loss, mean of an epoch; chance is 2 ln 2 = 1.39, no sound run came to 1.4
AT_CHANCE_EPOCHS = 10  # D may be at a loss for a while, when G has just learnt something new
AT_CHANCE = 0.01  # D(x) - D(G(z)) below which D tells nothing apart
OVERFITTED = 0.5  # D's gap between training and held-out images
WORSE = 1.25  # KID over the best one so far
PATIENCE = 0.1  # of the epochs asked for: how long a run may be out of balance and not get better


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """How a run stands."""

    state: str
    """One of `formats.stats.STATES`."""
    since: int | None
    """The first epoch of that state; None where it is healthy."""


def judge_balance(stats: Sequence[EpochStats]) -> Balance:
    """The state of a run after the last of its epochs; it follows from their figures alone.

    Args:
        stats: The epochs of a run from the first, in order.

    Returns:
        The worst state that holds now. It has held for at least three epochs and 600 images (ten
        epochs for `at-chance`), and is over after three epochs without it; losses that are not
        finite count at once. With hinge losses only samples say how a run stands, their spread,
        diversity and KID, and the gap of D: a D that is all but always right is what such losses
        live on, and what cross entropy costs is no scale for them.
    """
    if stats and not _sound(stats[-1]):
        since = len(stats)
        while since > 1 and not _sound(stats[since - 2]):
            since -= 1
        return Balance(state="diverged", since=stats[since - 1].epoch)
    # from the worst to the least
    for state, found in (
        ("unstable", _streak(stats, _unstable(stats))),
        ("collapsed", _streak(stats, _collapsed(stats))),
        ("winning", _streak(stats, _winning(stats))),
        (
            "at-chance",
            _streak(stats, _at_chance(stats), AT_CHANCE_EPOCHS),
        ),
        ("copying", _copying(stats)),
        ("overfitted", _overfitted(stats)),
        ("collapsing", _collapsing(stats)),
        ("past-best", _past_best(stats)),
    ):
        if found is not None:
            return Balance(state=state, since=found)
    return Balance(state=HEALTHY, since=None)


def is_lost(stats: Sequence[EpochStats], epochs: int) -> bool:
    """Whether training has failed: long out of balance, and no better for as long.

    Args:
        stats: The epochs of a run.
        epochs: Epochs asked for.

    Returns:
        True where the run has been in one state other than healthy for a tenth of its epochs (and
        at least five), with no new best KID in that time.
    """
    since = judge_balance(stats).since
    if since is None:
        return False
    best = best_of(stats)
    if best is not None:
        since = max(since, best.epoch)
    return stats[-1].epoch - since >= max(5, PATIENCE * epochs)


def _sound(epoch: EpochStats) -> bool:
    return not epoch.lost and epoch.loss_d is not None and epoch.loss_g is not None


def _lead(epoch: EpochStats) -> float:
    """D(x) - D(G(z))."""
    return (epoch.d_real or 0.0) - (epoch.d_fake or 0.0)


def _collapsed(stats: Sequence[EpochStats]) -> list[bool]:
    """For every epoch, whether its samples look alike and did not before, or never ceased to."""
    flags, widest = [], 0.0
    for epoch in stats:
        real = epoch.spread_real or 0.0
        spread = (epoch.spread_fake or 0.0) / real if real > 0 else 1.0
        widest = max(widest, spread)
        late = epoch.images_shown > UNFOLDED_IMAGES
        flags.append(spread < ALIKE and (late or spread < FALLEN * widest))
    return flags


def _unstable(stats: Sequence[EpochStats]) -> list[bool]:
    return [not epoch.hinge and (epoch.loss_d or 0.0) > UNSTABLE for epoch in stats]


def _at_chance(stats: Sequence[EpochStats]) -> list[bool]:
    return [not epoch.hinge and abs(_lead(epoch)) < AT_CHANCE for epoch in stats]


def _winning(stats: Sequence[EpochStats]) -> list[bool]:
    """For every epoch, whether D is all but always right, or was and is not much less so."""
    flags = []
    holds = False
    for epoch in stats:
        sure = _lead(epoch) > (STILL_SURE if holds else SURE)
        holds = not epoch.hinge and sure and (epoch.loss_g or 0.0) > STARVED
        flags.append(holds)
    return flags


def _streak(
    stats: Sequence[EpochStats], flags: Sequence[bool], steady: int = STEADY_EPOCHS
) -> int | None:
    """Since which epoch something holds, if it holds now.

    It begins once it has held for long enough, and ends once it has not held for three epochs: a
    single good epoch does not end a bad stretch.

    Args:
        stats: All epochs.
        flags: Whether it holds, for each.
        steady: Epochs that it must hold for.
    """
    since = first = None
    missed = before = 0
    for index, (epoch, holds) in enumerate(zip(stats, flags, strict=True)):
        shown = epoch.images_shown
        if holds and shown > EARLY_IMAGES:
            missed = 0
            if first is None:
                first, before = index, stats[index - 1].images_shown if index else 0
            lasted = index - first + 1 >= steady and shown - before >= STEADY_IMAGES
            if since is None and lasted:
                since = stats[first].epoch
        else:
            missed += 1
            if since is None or missed >= STEADY_EPOCHS:
                first = since = None
    return since


def _overfitted(stats: Sequence[EpochStats]) -> int | None:
    gaps = [(epoch.epoch, epoch.gap > OVERFITTED) for epoch in stats if epoch.gap is not None]
    return _twice(gaps)


def _copying(stats: Sequence[EpochStats]) -> int | None:
    """More samples are close to a training image than chance allows."""
    return _twice([(epoch.epoch, epoch.copying) for epoch in stats if epoch.copying is not None])


def _collapsing(stats: Sequence[EpochStats]) -> int | None:
    """Samples differ half as much as they once did."""
    widest = 0.0
    flags = []
    for epoch in stats:
        if epoch.diversity is not None:
            widest = max(widest, epoch.diversity)
            flags.append((epoch.epoch, widest > VARIED and epoch.diversity < FEWER * widest))
    return _twice(flags)


def _past_best(stats: Sequence[EpochStats]) -> int | None:
    """Samples are worse than the best by more than chance."""
    best = best_of(stats)
    if best is None or best.distance is None:
        return None
    least, error = best.distance, best.distance_error or 0.0
    flags = [
        (epoch.epoch, distance > max(least * WORSE, least + 2 * math.hypot(own, error)))
        for epoch in stats
        if (distance := epoch.distance) is not None and (own := epoch.distance_error) is not None
    ]
    return _twice(flags) if len(flags) >= 3 else None


def _twice(measured: Sequence[tuple[int, bool]]) -> int | None:
    """Since which epoch something was measured, twice in a row or more: once may be chance.

    Args:
        measured: Epochs, and whether it was so.
    """
    since = [epoch for epoch, _ in itertools.takewhile(lambda one: one[1], reversed(measured))]
    return since[-1] if len(since) >= 2 else None
