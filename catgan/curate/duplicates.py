"""Pictures that are nearly the same: a burst, a second export, a resized copy."""

import dataclasses
from collections.abc import Iterable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from catgan.curate.bitindex import BitIndex, Bits, Codes, Mask, Places, all_pairs, bits_between

# Of 1.09 million pairs of different photos in the labelled album none lies within 10 bits; of
# frames moved by up to 2%, zoomed by 2% and turned by 1 degree, 93% lie within 8.
NEAR = 8
# Frames that are mostly ground lie near whatever is on it, so that one of the two must be near,
# too. Of copies, recompressed or at 0.6 of the size, every one is (at most 14 and 8 bits); of 780
# pairs of different cats on white or on a scanner's glass none (at least 20 and 16).
NEAR_CONTENT = 14
NEAR_CROP = 12
BLOCK = 1024  # photos searched for at a time among all before them
FAR = 255  # bits between pictures that are not near
PLACE_BITS = 40  # of a rank: bits between two pictures, then the place of the earlier one
PLACES = (1 << PLACE_BITS) - 1
NOBODY = np.iinfo(np.int64).max  # the rank where there is none


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Prints:
    """The fingerprints of a photo, 16 hexadecimal digits each."""

    frame: str
    """Of all of it."""
    content: str = ""
    """Of what is on it, where its ground is even; "" for that of the frame."""
    crop: str = ""
    """Of its best face's crop; "" where there is none."""
    clip: str = ""
    """What the frames of a video share, which were chosen to differ and so never repeat another."""


@dataclasses.dataclass(frozen=True, slots=True)
class PrintCodes:
    """Fingerprints of N photos as numbers."""

    frame: Codes
    """(N,) of all of each."""
    content: Codes
    """(N,) of what is on it; where its ground is not even, that of the frame."""
    crop: Codes
    """(N,) of the best face's crop; 0 where there is none."""
    has_crop: Mask
    """(N,)"""
    clip: NDArray[np.int64]
    """(N,) a number that the frames of a video share; 0 for photos."""

    @staticmethod
    def of(prints: Iterable[Prints]) -> "PrintCodes":
        """Those of so many photos."""
        clips = {"": 0}
        numbers = (
            (
                int(one.frame or "0", 16),
                int(one.content or one.frame or "0", 16),
                int(one.crop or "0", 16),
                bool(one.crop),
                clips.setdefault(one.clip, len(clips)),
            )
            for one in prints
        )
        fields = [
            ("frame", "u8"),
            ("content", "u8"),
            ("crop", "u8"),
            ("has_crop", "?"),
            ("clip", "i8"),
        ]
        table = np.fromiter(numbers, dtype=np.dtype(fields, align=True))
        return PrintCodes(*(table[name] for name, _ in fields))

    def __getitem__(self, chosen: slice | Places) -> "PrintCodes":
        """Some of them."""
        return PrintCodes(
            self.frame[chosen],
            self.content[chosen],
            self.crop[chosen],
            self.has_crop[chosen],
            self.clip[chosen],
        )

    def __len__(self) -> int:
        """How many photos."""
        return len(self.frame)


def find_repeats(codes: PrintCodes, *, near: int = NEAR) -> dict[int, int]:
    """Which pictures repeat an earlier one.

    The first picture stays; each further one repeats the nearest earlier picture that stays, if one
    lies near enough (the first of those equally near), and stays otherwise. Chains do not form: a
    repeat is near to what stays, not only to another repeat.

    Args:
        codes: Those to be kept first.
        near: Most bits in which a repeat's frame differs, 0 to 64.

    Returns:
        Index of a repeat -> index of the picture that it repeats.
    """
    repeats: dict[int, int] = {}
    staying = np.empty(len(codes), dtype=np.int64)
    count = 0
    index = BitIndex(near)
    for start in range(0, len(codes), BLOCK):
        block = codes[start : start + BLOCK]
        # Against all that stay from earlier blocks at once; within the block one by one.
        nearest = np.full(len(block), NOBODY)
        for pairs in index.search(block.frame, partial(_alike, block, codes, staying)):
            ranks = (pairs.bits.astype(np.int64) << PLACE_BITS) | staying[pairs.found]
            np.minimum.at(nearest, pairs.asked, ranks)
        stays = _stay(block, nearest, start, near)
        for place in np.flatnonzero(~stays).tolist():
            repeats[start + place] = int(nearest[place]) & PLACES
        fresh = np.flatnonzero(stays)
        staying[count : count + len(fresh)] = fresh + start
        count += len(fresh)
        index.add(block.frame[fresh])
    return repeats


def near_to(one: PrintCodes, others: PrintCodes, *, near: int = NEAR) -> Mask:
    """Which of N pictures are nearly the same as one: (N,).

    Args:
        one: Codes of a single picture.
        others: Of N.
        near: Most bits in which the frames differ.
    """
    all_ = np.arange(len(others))
    here = np.zeros(1, dtype=np.int64)
    alike: Mask = bits_between(one.frame, others.frame) <= near
    return alike & _alike(one, others, all_, here, all_)


def _stay(block: PrintCodes, nearest: Places, start: int, near: int) -> Mask:
    """Which of a block stay, (N,); of the others `nearest` has what they repeat.

    Args:
        block: N pictures.
        nearest: (N,) ranks of the nearest that stay from earlier blocks; lowered here.
        start: Place of the first among all pictures.
        near: Most bits in which frames differ.
    """
    # What is equal to one of an earlier block repeats that, whatever else is here.
    open_ = np.flatnonzero(nearest > PLACES)
    bits = _distances_before(block[open_], near)
    ranks, stays = nearest[open_], nearest[open_] == NOBODY
    linked = np.flatnonzero((bits < FAR).any(axis=1))
    stays[linked] = False  # until it is their turn
    for here in linked.tolist():
        own = np.where(stays, bits[here], FAR)
        before = int(own.argmin())
        if own[before] < FAR:
            rank = (int(own[before]) << PLACE_BITS) | (start + int(open_[before]))
            ranks[here] = min(rank, int(ranks[here]))
        stays[here] = ranks[here] == NOBODY
    nearest[open_] = ranks
    all_stays: Mask = nearest == NOBODY
    return all_stays


def _distances_before(codes: PrintCodes, near: int) -> Bits:
    """Bits from the frame of each of N pictures to those before it, (N, N); `FAR` for all others,
    and where two are not near."""
    places = np.arange(len(codes))

    def alike(one: Places, other: Places) -> Mask:
        return (other < one) & _alike(codes, codes, places, one, other)

    found = np.full((len(codes), len(codes)), FAR, dtype=np.uint8)
    for pairs in all_pairs(codes.frame, codes.frame, near, alike):
        found[pairs.asked, pairs.found] = pairs.bits
    return found


def _alike(
    codes: PrintCodes, others: PrintCodes, places: Places, one: Places, other: Places
) -> Mask:
    """Of pairs of near frames, which are nearly the same in what is on them, too.

    Args:
        codes: Pictures.
        others: Pictures.
        places: Of some of the others.
        one: Places among `codes`.
        other: Places among `places`, of a shape that numpy joins with that of `one`.
    """
    those = places[other]
    alike: Mask = bits_between(codes.content[one], others.content[those]) <= NEAR_CONTENT
    alike |= (
        codes.has_crop[one]
        & others.has_crop[those]
        & (bits_between(codes.crop[one], others.crop[those]) <= NEAR_CROP)
    )
    alike &= (codes.clip[one] != others.clip[those]) | (codes.clip[one] == 0)
    return alike
