"""Pictures that are nearly the same: a burst, a second export, a resized copy."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Of 1.09 million pairs of different photos in the labelled album none lies within 10 bits; of
# frames moved by up to 2%, zoomed by 2% and turned by 1 degree, 93% lie within 8.
NEAR = 8
# Frames that are mostly ground lie near whatever is on it, so that one of the two must be near,
# too. Of copies, recompressed or at 0.6 of the size, every one is (at most 14 and 8 bits); of 780
# pairs of different cats on white or on a scanner's glass none (at least 20 and 16).
NEAR_CONTENT = 14
NEAR_CROP = 12
BLOCK = 1024  # photos compared at a time, against all before them
FAR = 255  # bits between pictures that are not near

Codes = NDArray[np.uint64]
Bits = NDArray[np.uint8]


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
class _Codes:
    """Fingerprints of N photos as numbers."""

    frame: Codes
    content: Codes
    crop: Codes
    has_crop: NDArray[np.bool_]
    clip: NDArray[np.int64]

    def __getitem__(self, chosen: slice | NDArray[np.int64]) -> "_Codes":
        return _Codes(
            self.frame[chosen],
            self.content[chosen],
            self.crop[chosen],
            self.has_crop[chosen],
            self.clip[chosen],
        )

    def __len__(self) -> int:
        return len(self.frame)


def find_repeats(prints: Sequence[Prints], *, near: int = NEAR) -> dict[int, int]:
    """Which pictures repeat an earlier one.

    The first picture stays; each further one repeats the nearest earlier picture that stays, if one
    lies near enough, and stays otherwise. Chains do not form: a repeat is near to what stays, not
    only to another repeat.

    Args:
        prints: Those to be kept first.
        near: Most bits in which a repeat's frame differs, 0 to 64.

    Returns:
        Index of a repeat -> index of the picture that it repeats.
    """
    codes = _codes_of(prints)
    repeats: dict[int, int] = {}
    staying = np.empty(len(codes), dtype=np.int64)
    count = 0
    for start in range(0, len(codes), BLOCK):
        block = codes[start : start + BLOCK]
        earlier = codes[staying[:count]]
        # Against all that stay from earlier blocks at once; within the block one by one.
        before = count
        if before:
            nearest, bits = _nearest(block, earlier, near)
        for offset in range(len(block)):
            best, least = -1, near + 1
            if before and bits[offset] < least:
                best, least = int(staying[nearest[offset]]), int(bits[offset])
            if count > before:
                here = block[offset : offset + 1]
                own = _distances(here, codes[staying[before:count]], near)[0]
                if own.min() < least:
                    best = int(staying[before + int(own.argmin())])
            if best >= 0:
                repeats[start + offset] = best
            else:
                staying[count] = start + offset
                count += 1
    return repeats


def _codes_of(prints: Sequence[Prints]) -> _Codes:
    def numbers(texts: list[str]) -> Codes:
        return np.array([int(text or "0", 16) for text in texts], dtype=np.uint64)

    clips = {"": 0}
    return _Codes(
        numbers([one.frame for one in prints]),
        numbers([one.content or one.frame for one in prints]),
        numbers([one.crop for one in prints]),
        np.array([bool(one.crop) for one in prints], dtype=np.bool_),
        np.array([clips.setdefault(one.clip, len(clips)) for one in prints], dtype=np.int64),
    )


def _distances(codes: _Codes, others: _Codes, near: int) -> Bits:
    """Bits between frames, (len(codes), len(others)); `FAR` where the two are not near."""
    bits = np.bitwise_count(codes.frame[:, None] ^ others.frame[None])
    one, other = np.nonzero(bits <= near)  # few
    alike = np.bitwise_count(codes.content[one] ^ others.content[other]) <= NEAR_CONTENT
    alike |= (
        codes.has_crop[one]
        & others.has_crop[other]
        & (np.bitwise_count(codes.crop[one] ^ others.crop[other]) <= NEAR_CROP)
    )
    alike &= (codes.clip[one] != others.clip[other]) | (codes.clip[one] == 0)
    found = np.full(bits.shape, FAR, dtype=np.uint8)
    found[one[alike], other[alike]] = bits[one[alike], other[alike]]
    return found


def _nearest(codes: _Codes, earlier: _Codes, near: int) -> tuple[NDArray[np.int64], Bits]:
    """For each code the index of its nearest earlier one, the first of equals, and the bits."""
    nearest = np.zeros(len(codes), dtype=np.int64)
    least = np.full(len(codes), FAR, dtype=np.uint8)
    for start in range(0, len(earlier), 8192):  # 8 million pairs at a time: 64 MB
        bits = _distances(codes, earlier[start : start + 8192], near)
        best = bits.argmin(axis=1)
        found = bits[np.arange(len(codes)), best]
        better = found < least
        nearest[better] = best[better] + start
        least[better] = found[better]
    return nearest, least
