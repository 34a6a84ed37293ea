"""The state of the balance between the two nets, in words, from signals that have a meaning.

Losses do not say when a GAN decays: both may lie flat while samples get worse, and either may climb
while they get better. These do: how alike the samples are, whether D still has anything to learn
from, whether it tells training pictures from held-out ones, and what the samples are worth.
"""

import dataclasses
import math
from collections.abc import Sequence

from catgan.core.files import Json
from catgan.train.best import best_record

HEALTHY = "healthy"

STEADY_EPOCHS = 3  # a state is called by its name once it has lasted for this many epochs
STEADY_IMAGES = 600  # and for this many pictures shown
EARLY_IMAGES = 3000  # before these, nothing is called by its name
UNFOLDED_IMAGES = 10000  # samples begin as one grey; they have grown apart by then (seen: 3,000)
SURE = 0.85  # D(x) - D(G(z)), means of an epoch, above which D is all but always right
STILL_SURE = 0.75  # and below which that has ceased, so that it does not come and go
STARVED = 3.0  # G's loss: D gives its pictures less than 5%
ALIKE = 0.15  # spread of samples over spread of real pictures, below which they look alike
FALLEN = 0.5  # of the widest spread so far: what tells a collapse from a beginning
FEWER = 0.5  # of the greatest diversity so far
VARIED = 0.3  # diversity that has to have been there before it can be lost
WILD = 2.0  # D's loss, mean of an epoch; guessing costs 2 ln 2 = 1.39, and no sound run came to 1.4
BLIND_EPOCHS = 10  # D may be at a loss for a while, when G has just learnt something new
BLIND = 0.01  # D(x) - D(G(z)) below which D tells nothing apart
BY_HEART = 0.5  # D's gap between training and held-out pictures
WORSE = 1.25  # KID over the best one so far
PATIENCE = 0.1  # of the epochs asked for: how long a run may be out of balance and not get better


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """How a run stands."""

    state: str
    """`healthy`, `lost`, `wild`, `collapsed`, `winning`, `blind`, `by heart`, `fewer` or
    `past its best`."""
    since: int | None
    """The first epoch of that state; None where it is healthy."""

    @property
    def words(self) -> str:
        """One phrase for a person; begins with `healthy` where all is well."""
        return _WORDS[self.state].format(since=self.since)


_WORDS = {
    HEALTHY: "healthy",
    "lost": "lost: the losses are no numbers any more since epoch {since}",
    "wild": "D has run wild since epoch {since}: it does worse than guessing, for its steps "
    "(--lr-d) are too large",
    "collapsed": "collapsed: all samples look alike since epoch {since}",
    "winning": "D is winning since epoch {since}: it is never fooled, and G learns nothing from it",
    "blind": "D has given up since epoch {since}: it tells real from fake no better than by chance",
    "by heart": "D knows the training pictures by heart since epoch {since}",
    "fewer": "collapsing: samples have been growing more and more alike since epoch {since}",
    "past its best": "past its best: samples have been getting worse since epoch {since}",
}


def judge_balance(records: Sequence[Json]) -> Balance:
    """The state of a run after the last of its epochs; it follows from the records alone.

    Args:
        records: The lines of `stats.jsonl`, one for each epoch from the first, in order.

    Returns:
        The worst state that holds now. It has held for at least three epochs and 600 pictures (ten
        epochs for `blind`), and is over after three epochs without it; numbers that have run off
        count at once.
    """
    if records and not _sound(records[-1]):
        since = len(records)
        while since > 1 and not _sound(records[since - 2]):
            since -= 1
        return Balance(state="lost", since=int(records[since - 1]["epoch"]))
    # from the worst to the least
    for state, flags in (
        ("wild", [record["loss_d"] > WILD for record in records]),
        ("collapsed", _collapsed(records)),
        ("winning", _winning(records)),
        ("blind", [_blind(record) for record in records]),
    ):
        since_ = _streak(records, flags, BLIND_EPOCHS if state == "blind" else STEADY_EPOCHS)
        if since_ is not None:
            return Balance(state=state, since=since_)
    for state, found in (
        ("by heart", _by_heart(records)),
        ("fewer", _fewer(records)),
        ("past its best", _past_best(records)),
    ):
        if found is not None:
            return Balance(state=state, since=found)
    return Balance(state=HEALTHY, since=None)


def is_lost(records: Sequence[Json], epochs: int) -> bool:
    """Whether a run is past saving: long out of balance, and no better for as long.

    Args:
        records: The lines of `stats.jsonl`.
        epochs: Epochs asked for.

    Returns:
        True where the run has been in one state other than healthy for a tenth of its epochs (and
        at least five), with no new best KID in that time.
    """
    balance = judge_balance(records)
    if balance.since is None:
        return False
    now = int(records[-1]["epoch"])
    since = balance.since
    best = best_record(records)
    if best is not None:
        since = max(since, int(best["epoch"]))
    return now - since >= max(5, PATIENCE * epochs)


def _sound(record: Json) -> bool:
    return not record.get("lost", False) and all(
        isinstance(record.get(name), int | float) and math.isfinite(record[name])
        for name in ("loss_d", "loss_g")
    )


def _collapsed(records: Sequence[Json]) -> list[bool]:
    """For every epoch, whether its samples look alike and did not before, or never ceased to."""
    flags, widest = [], 0.0
    for record in records:
        real = record.get("spread_real") or 0.0
        spread = (record.get("spread_fake") or 0.0) / real if real > 0 else 1.0
        widest = max(widest, spread)
        late = record["images_shown"] > UNFOLDED_IMAGES
        flags.append(spread < ALIKE and (late or spread < FALLEN * widest))
    return flags


def _winning(records: Sequence[Json]) -> list[bool]:
    """For every epoch, whether D is all but always right, or was and is not much less so."""
    flags = []
    holds = False
    for record in records:
        lead = record["d_real"] - record["d_fake"]
        holds = lead > (STILL_SURE if holds else SURE) and record["loss_g"] > STARVED
        flags.append(holds)
    return flags


def _blind(record: Json) -> bool:
    return bool(abs(record["d_real"] - record["d_fake"]) < BLIND)


def _streak(records: Sequence[Json], flags: Sequence[bool], steady: int) -> int | None:
    """Since which epoch something holds, if it holds now.

    It begins once it has held for long enough, and ends once it has not held for three epochs: a
    single good epoch does not end a bad stretch.

    Args:
        records: All epochs.
        flags: Whether it holds, for each.
        steady: Epochs that it must hold for.
    """
    since = first = None
    missed = before = 0
    for index, (record, holds) in enumerate(zip(records, flags, strict=True)):
        shown = record["images_shown"]
        if holds and shown > EARLY_IMAGES:
            missed = 0
            if first is None:
                first, before = index, records[index - 1]["images_shown"] if index else 0
            lasted = index - first + 1 >= steady and shown - before >= STEADY_IMAGES
            if since is None and lasted:
                since = int(records[first]["epoch"])
        else:
            missed += 1
            if since is None or missed >= STEADY_EPOCHS:
                first = since = None
    return since


def _by_heart(records: Sequence[Json]) -> int | None:
    """Two measurements in a row: one alone may be chance."""
    gaps = [record for record in records if isinstance(record.get("gap"), float)]
    first = len(gaps)
    while first > 0 and gaps[first - 1]["gap"] > BY_HEART:
        first -= 1
    return int(gaps[first]["epoch"]) if len(gaps) - first >= 2 else None


def _fewer(records: Sequence[Json]) -> int | None:
    """Two measurements in a row in which samples differ half as much as they once did."""
    measured = [record for record in records if isinstance(record.get("diversity"), float)]
    widest = 0.0
    flags = []
    for record in measured:
        widest = max(widest, record["diversity"])
        flags.append(widest > VARIED and record["diversity"] < FEWER * widest)
    first = len(flags)
    while first > 0 and flags[first - 1]:
        first -= 1
    return int(measured[first]["epoch"]) if len(flags) - first >= 2 else None


def _past_best(records: Sequence[Json]) -> int | None:
    """Two measurements in a row that are worse than the best by more than chance."""
    measured = [record for record in records if isinstance(record.get("kid"), float)]
    best = best_record(records)
    if best is None or len(measured) < 3:
        return None

    def worse(record: Json) -> bool:
        error = math.hypot(record["kid_error"], best["kid_error"])
        return bool(record["kid"] > best["kid"] + 2 * error and record["kid"] > best["kid"] * WORSE)

    first = len(measured)
    while first > 0 and worse(measured[first - 1]):
        first -= 1
    return int(measured[first]["epoch"]) if len(measured) - first >= 2 else None
