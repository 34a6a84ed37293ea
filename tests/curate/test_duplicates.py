"""The index of fingerprints gives what comparing each with each would, without doing so."""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catgan.core.files import sha256
from catgan.curate import bitindex, duplicates, judge
from catgan.curate.bitindex import BitIndex, Bits, Codes, Mask, Places, bits_between
from catgan.curate.config import CurateConfig
from catgan.curate.duplicates import (
    NEAR,
    NEAR_CONTENT,
    NEAR_CROP,
    PrintCodes,
    Prints,
    find_repeats,
)
from catgan.curate.finding import Crop, Face, Finding
from catgan.curate.judge import WIDER, Judged
from catgan.curate.square import Square
from catgan.formats.photos import Verdict

CENTRES = (0, (1 << 64) - 1, 0x0F0F_3C3C_5A5A_9999)
codes = st.builds(  # a few bits from one of a few, so that many are just near, or just not
    lambda centre, bits: centre ^ sum(1 << bit for bit in bits),
    st.sampled_from(CENTRES),
    st.sets(st.integers(0, 63), max_size=11),
)
prints = st.builds(
    lambda frame, content, crop, clip: Prints(
        frame=f"{frame:016x}",
        content="" if content is None else f"{content:016x}",
        crop="" if crop is None else f"{crop:016x}",
        clip=clip,
    ),
    codes,
    st.none() | codes,
    st.none() | codes,
    st.sampled_from(["", "", "one.mov", "other.mov"]),
)


def apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def near(one: Prints, other: Prints) -> bool:
    """Whether two pictures are nearly the same, as the module says it."""
    if apart(one.frame, other.frame) > NEAR or (one.clip and one.clip == other.clip):
        return False
    content = apart(one.content or one.frame, other.content or other.frame)
    crop = apart(one.crop, other.crop) if one.crop and other.crop else 64
    return content <= NEAR_CONTENT or crop <= NEAR_CROP


def repeats_by_definition(pictures: Sequence[Prints]) -> dict[int, int]:
    staying: list[int] = []
    expected: dict[int, int] = {}
    for index, one in enumerate(pictures):
        alike = [other for other in staying if near(one, pictures[other])]
        if alike:
            expected[index] = min(
                alike, key=lambda other: (apart(one.frame, pictures[other].frame), other)
            )
        else:
            staying.append(index)
    return expected


@contextmanager
def going(way: str) -> Iterator[None]:
    """A search goes this way, from a handful of codes on."""
    with pytest.MonkeyPatch.context() as patch:
        if way != "usual":
            patch.setattr(bitindex, "BUFFER", 3)
            patch.setattr(bitindex, "TILE", 8)
            patch.setattr(duplicates, "BLOCK", 5)
            # how much dearer a pair of a table is than one of all decides between the two
            patch.setattr(bitindex, "CROWDED", 1e-6 if way == "tables" else 1e6)
        yield


ways = pytest.mark.parametrize("way", ["usual", "tables", "all pairs"])


@ways
@settings(max_examples=50, deadline=None)
@given(pictures=st.lists(prints, max_size=30))
def test_repeats_are_those_of_comparing_each_with_each(way: str, pictures: list[Prints]) -> None:
    with going(way):
        assert find_repeats(PrintCodes.of(pictures)) == repeats_by_definition(pictures)


@ways
@settings(max_examples=30, deadline=None)
@given(
    added=st.lists(codes, max_size=25), asked=st.lists(codes, max_size=8), bits=st.integers(0, 12)
)
def test_a_search_finds_all_that_are_near_and_nothing_else(
    way: str, added: list[int], asked: list[int], bits: int
) -> None:
    with going(way):
        index = BitIndex(bits)
        for start in range(0, len(added), 4):
            index.add(np.array(added[start : start + 4], dtype=np.uint64))
        found = {
            (int(one), int(other)): int(between)
            for pairs in index.search(np.array(asked, dtype=np.uint64), everything)
            for one, other, between in zip(pairs.asked, pairs.found, pairs.bits, strict=True)
        }
    assert found == {
        (one, other): (code ^ added[other]).bit_count()
        for one, code in enumerate(asked)
        for other in range(len(added))
        if (code ^ added[other]).bit_count() <= bits
    }


def everything(one: Places, other: Places) -> Mask:
    return np.ones(np.broadcast_shapes(one.shape, other.shape), dtype=np.bool_)


@pytest.mark.parametrize("bits", [0, 1, 8, 14, 64])
@pytest.mark.parametrize("number", range(2, 9))
def test_pieces_cover_every_bit_and_leave_no_pair_out(number: int, bits: int) -> None:
    """Were all pieces further apart than their radius, the codes would be more than so many bits
    apart: the pigeonhole, counted."""
    if number > bits + 1:
        return  # never cut so
    pieces = bitindex._cut(number, bits)
    assert sum(piece.width for piece in pieces) == 64
    assert sum(piece.radius + 1 for piece in pieces) > bits


class Counted:
    """Counts the pairs that are compared."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.pairs = 0
        patch.setattr(bitindex, "bits_between", self)

    def __call__(self, one: Codes, other: Codes) -> Bits:
        bits = bits_between(one, other)
        self.pairs += bits.size
        return bits


COUNT = 12_000
IN_BLOCKS = COUNT * duplicates.BLOCK  # pairs of photos that are looked at together


class TestFewAreCompared:
    """What grows with the square is counted, not timed."""

    def test_of_photos_that_all_differ(self, monkeypatch: pytest.MonkeyPatch) -> None:
        counted = Counted(monkeypatch)
        frames = np.random.default_rng(0).integers(0, 2**64, COUNT, dtype=np.uint64)
        assert find_repeats(of_frames(frames)) == {}
        # 14 of 10,000 codes share a piece; the rest is what waits for a table, and the blocks
        assert counted.pairs < IN_BLOCKS + COUNT * (bitindex.BUFFER + 100)

    def test_of_one_photo_many_times(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A folder of black frames, say: each is compared with the one that stays."""
        counted = Counted(monkeypatch)
        repeats = find_repeats(of_frames(np.zeros(COUNT, dtype=np.uint64)))
        assert repeats == dict.fromkeys(range(1, COUNT), 0)
        assert counted.pairs <= COUNT + duplicates.BLOCK**2

    def test_of_one_view_for_days(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A camera that stands still: few stay, whatever the number."""
        counted = Counted(monkeypatch)
        rng = np.random.default_rng(0)
        flips = np.uint64(1) << rng.integers(0, 64, (COUNT, 4), dtype=np.uint64)
        repeats = find_repeats(of_frames(np.bitwise_xor.reduce(flips, axis=1)))
        staying = COUNT - len(repeats)
        assert staying < 20
        assert counted.pairs <= IN_BLOCKS + COUNT * staying

    def test_and_never_more_than_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Frames all alike, and something else on each: no table of frames tells them apart."""
        counted = Counted(monkeypatch)
        content = np.random.default_rng(0).integers(0, 2**64, COUNT // 3, dtype=np.uint64)
        alike = dataclasses.replace(of_frames(content), frame=np.zeros_like(content))
        # of pairs of 64 random bits, 4 in a million differ in 14 or fewer
        assert len(find_repeats(alike)) < len(content) / 50
        blocks = len(content) * duplicates.BLOCK
        assert counted.pairs <= len(content) ** 2 / 2 + blocks


def of_frames(frames: Codes) -> PrintCodes:
    none = np.zeros(len(frames), dtype=np.int64)
    crops = np.zeros_like(frames)
    return PrintCodes(frames, frames, crops, none.astype(np.bool_), none)


def photo(index: int, one: Prints, detail: float, side: int, *, kept: bool) -> Judged:
    face = Face(
        square=Square(cx=50, cy=50, side=side),
        crop=Crop(sharpness=0.9, brightness=200.0, detail=detail, fingerprint=one.crop or "0" * 16),
    )
    finding = Finding(
        path=f"{index:03d}.jpg",
        sha256=sha256(str(index).encode()),
        bytes=1,
        modified=1,
        width=side,
        height=side,
        faces=(face,) if kept else (),
        sharpness=detail,
        fingerprint=one.frame,
        content=one.content,
    )
    return judge.judge([finding], CurateConfig())[0]


photos = st.lists(
    st.tuples(
        prints, st.sampled_from([0.5, 0.7, 0.9]), st.sampled_from([64, 128, 400]), st.booleans()
    ),
    max_size=14,
)


def heaps_by_definition(judged: Sequence[Judged]) -> list[list[int]]:
    """The best of each heap first; what is not near to a wider one is judged among itself."""
    order = sorted(
        (index for index, one in enumerate(judged) if one.pictures),
        key=lambda index: (
            judged[index].verdict is not Verdict.KEPT,
            -(judged[index].detail or judged[index].finding.sharpness),
            index,
        ),
    )
    return list(_heaps_of(judged, order))


def _heaps_of(judged: Sequence[Judged], order: list[int]) -> Iterator[list[int]]:
    marks = [_prints_of(judged[index]) for index in order]
    heaps: dict[int, list[int]] = {}
    for repeat, first in repeats_by_definition(marks).items():
        heaps.setdefault(first, [first]).append(repeat)
    for heap in heaps.values():
        kept = [at for at in heap if judged[order[at]].verdict is Verdict.KEPT] or heap
        widest = max(_width(judged[order[at]]) for at in kept)
        best = next(at for at in kept if _width(judged[order[at]]) * WIDER > widest)
        if best == heap[0]:
            yield [order[at] for at in heap]
            continue
        others = [at for at in heap if at != best]
        yield [order[best], *(order[at] for at in others if near(marks[best], marks[at]))]
        yield from _heaps_of(
            judged, [order[at] for at in others if not near(marks[best], marks[at])]
        )


def _prints_of(one: Judged) -> Prints:
    crops = one.finding.crops()
    return Prints(
        frame=one.finding.fingerprint,
        content=one.finding.content,
        crop=crops[0].fingerprint if crops else "",
    )


def _width(one: Judged) -> float:
    return one.face or min(one.finding.width, one.finding.height)


@settings(max_examples=80, deadline=None)
@given(drawn=photos)
def test_which_of_a_heap_stays_is_as_it_is_defined(
    drawn: list[tuple[Prints, float, int, bool]],
) -> None:
    judged = [
        photo(index, one, detail, side, kept=kept)
        for index, (one, detail, side, kept) in enumerate(drawn)
    ]
    found = [heap for heap in judge._heaps(judged) if len(heap) > 1]
    expected = [heap for heap in heaps_by_definition(judged) if len(heap) > 1]
    assert sorted(found) == sorted(expected)
