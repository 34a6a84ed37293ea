"""64-bit codes that are found again by those a few bits away, without comparing each with each.

Two codes that differ in no more than r bits, cut into m pieces alike, differ in at most r_i bits
of some piece i, whenever the r_i add up to r - m + 1: Norouzi, Punjani and Fleet 2014, "Fast exact
search in Hamming space with multi-index hashing". So each piece has a table of its values, and a
search looks up the values within r_i of its own and compares what stands there. How many pieces pay
depends on how many codes there are. Where codes crowd in a few values (pictures all of one kind)
all are compared, which is no more than there would be without a table.
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint64]
Bits = NDArray[np.uint8]
Places = NDArray[np.int64]
Values = NDArray[np.uint32]
Mask = NDArray[np.bool_]
Alike = Callable[[Places, Places], Mask]
"""Whether codes asked for and codes found belong together in all else, by their places, which are
joined as numpy joins shapes."""

WIDTH = 64  # bits of a code
BUFFER = 2048  # codes that are simply compared, until a table is made of them
GROWTH = 4  # times as many as those after it has a table at least, so that each code moves rarely
TILE = 1 << 18  # pairs compared at once: they stay in the processor's cache
MOST_WIDTH = 22  # bits of a piece: 4 million values
CROWDED = 4  # times as long a pair takes that a table gives than one in a row of all
MANY = 8  # of a tile this part near: the rest is asked of all of it at once


@dataclasses.dataclass(frozen=True, slots=True)
class Pairs:
    """Codes that were searched for, and those found near them; a pair may come more than once."""

    asked: Places
    """(N,) places among the codes asked for."""
    found: Places
    """(N,) places among the codes added, in the order of adding."""
    bits: Bits
    """(N,) in which the two differ."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Piece:
    """Which bits of a code a table goes by, and how many of them may differ."""

    shift: int
    width: int
    radius: int

    def of(self, codes: Codes) -> Values:
        part = (codes >> np.uint64(self.shift)) & np.uint64((1 << self.width) - 1)
        return part.astype(np.uint32)


class BitIndex:
    """Codes in the order of adding, and a search for those near others."""

    def __init__(self, near: int) -> None:
        """Begin without codes.

        Args:
            near: Most bits in which what is found differs, 0 to 64.
        """
        self._near = near
        self._tables: list[_Table] = []
        self._buffer: Codes = np.empty(0, dtype=np.uint64)
        self._before = 0  # codes in the tables

    def add(self, codes: Codes) -> None:
        """Add codes, (N,) uint64."""
        self._buffer = np.concatenate([self._buffer, codes])
        if len(self._buffer) < BUFFER:
            return
        fresh, self._before = self._buffer, self._before + len(self._buffer)
        while self._tables and len(self._tables[-1].codes) < GROWTH * len(fresh):
            fresh = np.concatenate([self._tables.pop().codes, fresh])
        self._tables.append(_Table(fresh, self._before - len(fresh), self._near))
        self._buffer = np.empty(0, dtype=np.uint64)

    def search(self, codes: Codes, alike: Alike) -> Iterator[Pairs]:
        """All codes added that are near some of these, a part at a time.

        Args:
            codes: (N,) uint64.
            alike: What else must hold of a pair.
        """
        everyone = np.arange(len(codes))
        for table in self._tables:
            yield from table.search(codes, everyone, alike)
        yield from _pairs(codes, everyone, self._buffer, self._before, self._near, alike)


class _Table:
    """Codes that stay as they are, by the values of their pieces."""

    def __init__(self, codes: Codes, first: int, near: int) -> None:
        self.codes = codes
        self._first = first
        self._near = near
        self._pieces = _pieces(len(codes), near)
        self._starts: list[Values] = []  # 32 bits: half the memory that a search jumps about in
        self._order: list[Values] = []
        for piece in self._pieces:
            values = piece.of(codes)
            self._order.append(np.argsort(values, kind="stable").astype(np.uint32))
            starts = np.zeros((1 << piece.width) + 1, dtype=np.uint32)
            np.cumsum(np.bincount(values, minlength=1 << piece.width), out=starts[1:])
            self._starts.append(starts)

    def search(self, codes: Codes, asked: Places, alike: Alike) -> Iterator[Pairs]:
        spans = [self._spans(codes, place) for place in range(len(self._pieces))]
        sizes = np.zeros(len(codes), dtype=np.int64)
        for _, counts in spans:
            sizes += counts.sum(axis=1, dtype=np.int64)
        crowded = sizes * CROWDED > len(self.codes)
        if not spans:
            crowded[:] = True
        if crowded.any():
            some = codes[crowded], asked[crowded]
            yield from _pairs(*some, self.codes, self._first, self._near, alike)
        for order, (begins, counts) in zip(self._order, spans, strict=True):
            counts[crowded] = 0
            for part in _parts(counts.sum(axis=1, dtype=np.int64)):
                one, other, bits = self._near_ones(codes[part], order, begins[part], counts[part])
                one, other = asked[part][one], other + self._first
                fit = np.flatnonzero(alike(one, other))
                yield Pairs(one[fit], other[fit], bits[fit])

    def _spans(self, codes: Codes, place: int) -> tuple[Values, Values]:
        """Where the codes stand whose piece is near enough, and how many: both (N, probes)."""
        piece, starts = self._pieces[place], self._starts[place]
        values = piece.of(codes)[:, None] ^ _flips(piece.width, piece.radius)
        begins = starts[values]
        return begins, starts[values + np.uint32(1)] - begins

    def _near_ones(
        self, codes: Codes, order: Values, begins: Values, counts: Values
    ) -> tuple[Places, Places, Bits]:
        """Places of the codes asked for and of those near them, and the bits between."""
        some = np.flatnonzero(counts.ravel() != 0)
        row = some // counts.shape[1]
        first, sizes = (part.ravel()[some].astype(np.int64) for part in (begins, counts))
        ends = np.cumsum(sizes)
        steps = np.arange(ends[-1]) - np.repeat(ends - sizes, sizes)
        found = order[np.repeat(first, sizes) + steps]
        row = np.repeat(row, sizes)
        bits = bits_between(codes[row], self.codes[found])
        near = np.flatnonzero(bits <= self._near)
        return row[near], found[near].astype(np.int64), bits[near]


def bits_between(codes: Codes, others: Codes) -> Bits:
    """In how many bits codes differ; shapes as numpy joins them."""
    bits: Bits = np.bitwise_count(codes ^ others)
    return bits


def all_pairs(codes: Codes, others: Codes, near: int, alike: Alike) -> Iterator[Pairs]:
    """The same without a table: each of these compared with each of the others."""
    return _pairs(codes, np.arange(len(codes)), others, 0, near, alike)


def _pairs(
    codes: Codes, asked: Places, others: Codes, first: int, near: int, alike: Alike
) -> Iterator[Pairs]:
    """Each with each, a tile at a time."""
    if not len(codes):
        return
    step = max(1, TILE // len(codes))
    for start in range(0, len(others), step):
        bits = bits_between(codes[:, None], others[None, start : start + step])
        fits = bits <= near
        found = np.arange(first + start, first + start + bits.shape[1])
        if np.count_nonzero(fits) * MANY > fits.size:
            fits &= alike(asked[:, None], found[None])
            one, other = np.nonzero(fits)
        else:
            one, other = np.nonzero(fits)
            some = np.flatnonzero(alike(asked[one], found[other]))
            one, other = one[some], other[some]
        yield Pairs(asked[one], found[other], bits[one, other])


def _parts(sizes: Places) -> Iterator[slice]:
    """Consecutive codes that have no more than a tile of pairs together."""
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + TILE, side="right")))
        if ends[stop - 1] > before:
            yield slice(start, stop)
        start = stop


@functools.cache
def _flips(width: int, radius: int) -> Values:
    """The numbers of so many bits of which no more than `radius` are ones."""
    masks = [
        sum(1 << bit for bit in chosen)
        for ones in range(radius + 1)
        for chosen in itertools.combinations(range(width), ones)
    ]
    return np.array(masks, dtype=np.uint32)


def _pieces(count: int, near: int) -> tuple[_Piece, ...]:
    """The pieces by which so many codes are found soonest; none where comparing all is sooner."""
    best: tuple[_Piece, ...] = ()
    least = count / CROWDED  # as many lookups as that take as long as comparing all
    for number in range(2, min(near + 1, 8) + 1):
        pieces = _cut(number, near)
        if max(piece.width for piece in pieces) > MOST_WIDTH:
            continue
        if sum(_ways(piece) for piece in pieces) > least:
            continue
        cost = sum(_ways(piece) * (1 + count / 2**piece.width) for piece in pieces)
        if cost < least:
            best, least = pieces, cost
    return best


def _cut(number: int, near: int) -> tuple[_Piece, ...]:
    """So many pieces, as equal as can be, and what may differ in each."""
    edges = [WIDTH * place // number for place in range(number + 1)]
    least, more = divmod(near - number + 1, number)
    return tuple(
        _Piece(start, end - start, least + (place < more))
        for place, (start, end) in enumerate(itertools.pairwise(edges))
    )


def _ways(piece: _Piece) -> int:
    """How many values lie within the radius of one."""
    return sum(math.comb(piece.width, ones) for ones in range(piece.radius + 1))
