"""Features kept on disk: the same to the last bit, or looked at again; never anything else."""

import contextlib
import errno
import multiprocessing
import os
import pickle
import signal
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from catgan.core.pictures import Pictures
from catgan.measure.extractors.base import Extractor, Features, judge_of
from catgan.measure.extractors.cache import CachedExtractor
from catgan.measure.extractors.efficientnet import EfficientNetLite0
from catgan.measure.extractors.paired import Paired

FEATURES = 64


class Counting:
    """Features that follow from the pixels, and how often it was asked for any."""

    def __init__(self, name: str = "counting", *, judges: bool = True) -> None:
        self.name = name
        self.judges = judges
        self.asked = 0

    def extract(self, pictures: Pictures) -> Features:
        self.asked += 1
        rows = pictures.reshape(len(pictures), -1).astype(np.float32)
        mix = np.sin(np.arange(FEATURES * rows.shape[1], dtype=np.float32))
        pooled = (rows @ mix.reshape(rows.shape[1], FEATURES)).astype(np.float32)
        cat = rows.mean(axis=1) / 255 if self.judges else np.full(len(rows), np.nan)
        return Features(pooled=pooled, cat=cat.astype(np.float32))


def drawn(count: int, seed: int = 0) -> Pictures:
    return np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)


def same(a: Features, b: Features) -> bool:
    """To the last bit, what is no number included."""
    return a.pooled.tobytes() == b.pooled.tobytes() and a.cat.tobytes() == b.cat.tobytes()


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.npz"))


@pytest.mark.parametrize("judges", [True, False])
def test_what_was_seen_once_is_not_looked_at_again(judges: bool, tmp_path: Path) -> None:
    pictures, folder = drawn(6), tmp_path / "made" / "when needed"
    fresh = Counting(judges=judges)
    first = CachedExtractor(fresh, folder).extract(pictures)
    other = Counting(judges=judges)
    again = CachedExtractor(other, folder).extract(pictures.copy())
    assert (fresh.asked, other.asked) == (1, 0)
    assert same(first, again)
    assert again.pooled.dtype == again.cat.dtype == np.float32
    again.pooled[0] = 0  # the caller's to write to
    assert same(first, CachedExtractor(other, folder).extract(pictures))


def test_it_is_the_extractor_to_those_who_ask(tmp_path: Path) -> None:
    both = Paired(Counting("sees"), Counting("judges"))
    cached: Extractor = CachedExtractor(both, tmp_path)
    assert cached.name == "sees"
    assert judge_of(cached) == "judges"
    assert judge_of(CachedExtractor(Counting("alone"), tmp_path)) == "alone"


def test_the_net_that_comes_with_catgan_is_cached_to_the_last_bit(
    net: EfficientNetLite0, heads: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = CachedExtractor(net, tmp_path)
    seen = cached.extract(heads[:3])
    monkeypatch.setattr(EfficientNetLite0, "extract", lambda *_: pytest.fail("looked again"))
    assert same(cached.extract(heads[:3]), seen)


def changed_pixel(pictures: Pictures) -> Pictures:
    pictures = pictures.copy()
    pictures[3, 2, 1, 0] ^= 1
    return pictures


@pytest.mark.parametrize(
    "change",
    [
        changed_pixel,
        lambda pictures: pictures[::-1],
        lambda pictures: pictures[:-1],
        lambda pictures: pictures.reshape(len(pictures), 4, 16, 3),  # the same bytes
    ],
)
def test_other_pictures_are_looked_at(
    change: Callable[[Pictures], Pictures], tmp_path: Path
) -> None:
    pictures, extractor = drawn(6), Counting()
    cached = CachedExtractor(extractor, tmp_path)
    cached.extract(pictures)
    assert same(cached.extract(change(pictures)), Counting().extract(change(pictures)))
    assert extractor.asked == 2
    cached.extract(pictures)
    assert extractor.asked == 2, "the first are still known"


def test_another_net_or_judge_looks_for_itself(tmp_path: Path) -> None:
    pictures = drawn(4)
    CachedExtractor(Counting("a"), tmp_path).extract(pictures)
    other = Counting("b")
    CachedExtractor(other, tmp_path).extract(pictures)
    assert other.asked == 1
    judged = [Paired(Counting("a"), Counting(judge)) for judge in ("a", "b")]
    for both in judged:
        CachedExtractor(both, tmp_path).extract(pictures)
    assert len(files(tmp_path)) == 3  # a by a is the same either way


def test_a_view_that_is_not_contiguous_is_what_it_shows(tmp_path: Path) -> None:
    wide, extractor = drawn(8), Counting()
    cached = CachedExtractor(extractor, tmp_path)
    cached.extract(wide[::2])
    cached.extract(wide[::2].copy())
    assert extractor.asked == 1


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def another_format(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04 and then something else entirely")


def an_array_of_its_own(path: Path) -> None:
    with path.open("wb") as out:
        np.save(out, np.zeros((6, FEATURES), dtype=np.float32))


def other_arrays(path: Path) -> None:
    np.savez(path, pooled=np.zeros((6, FEATURES), dtype=np.float32))


def compressed(path: Path) -> None:
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez_compressed(path, allow_pickle=False, **arrays)


def rewritten(path: Path) -> None:
    """A sound archive of the right shapes whose numbers are others."""
    with np.load(path) as file:
        pooled, cat, digest = file["pooled"], file["cat"], file["sha256"]
    pooled[2, 5] += 1
    np.savez(path, pooled=pooled, cat=cat, sha256=digest)


def not_finite(path: Path) -> None:
    with np.load(path) as file:
        pooled, cat, digest = file["pooled"], file["cat"], file["sha256"]
    pooled[2, 5] = np.inf
    np.savez(path, pooled=pooled, cat=cat, sha256=digest)


def wider_numbers(path: Path) -> None:
    with np.load(path) as file:
        pooled, cat, digest = file["pooled"], file["cat"], file["sha256"]
    np.savez(path, pooled=pooled.astype(np.float64), cat=cat, sha256=digest)


def of_other_pictures(path: Path) -> None:
    """Whole and sound, and in the wrong place."""
    CachedExtractor(Counting(), path.parent).extract(drawn(6, seed=9))
    (other,) = (file for file in files(path.parent) if file != path)
    other.replace(path)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [
        cut_short,
        emptied,
        another_format,
        an_array_of_its_own,
        other_arrays,
        compressed,
        rewritten,
        not_finite,
        wider_numbers,
        of_other_pictures,
        a_folder,
    ],
)
def test_a_spoiled_or_foreign_file_is_not_believed(
    spoil: Callable[[Path], None], tmp_path: Path
) -> None:
    pictures, extractor = drawn(6), Counting()
    cached = CachedExtractor(extractor, tmp_path)
    expected = cached.extract(pictures)
    (path,) = files(tmp_path)
    spoil(path)
    assert same(cached.extract(pictures), expected)
    assert extractor.asked == 2
    if spoil is not a_folder:  # which is nobody's to throw away
        assert same(cached.extract(pictures), expected)
        assert extractor.asked == 2, "and a good file has taken its place"


def test_any_flipped_bit_is_noticed_or_harmless(tmp_path: Path) -> None:
    """Every 97th byte of the file in turn, headers included: 30-odd of them."""
    pictures, extractor = drawn(6), Counting()
    cached = CachedExtractor(extractor, tmp_path)
    expected = cached.extract(pictures)
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    noticed = 0
    for place in range(0, len(whole), 97):
        spoiled = bytearray(whole)
        spoiled[place] ^= 0x10
        path.write_bytes(spoiled)
        before = extractor.asked
        assert same(cached.extract(pictures), expected)
        noticed += extractor.asked - before
    assert noticed > 15, "most of the file is numbers"


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    pictures, extractor = drawn(6), Counting()
    cached = CachedExtractor(extractor, tmp_path)
    cached.extract(pictures)
    (path,) = files(tmp_path)
    path.write_bytes(pickle.dumps(Bomb()))
    cached.extract(pictures)
    np.savez(path, pooled=np.array([Bomb()], dtype=object), allow_pickle=True)
    cached.extract(pictures)
    assert extractor.asked == 3
    assert not (tmp_path / "exploded").exists()


def test_features_that_are_no_numbers_are_handed_on_and_not_kept(tmp_path: Path) -> None:
    class Broken(Counting):
        def extract(self, pictures: Pictures) -> Features:
            seen = super().extract(pictures)
            seen.pooled[0, 0] = np.nan
            return seen

    assert np.isnan(CachedExtractor(Broken(), tmp_path).extract(drawn(3)).pooled[0, 0])
    assert not files(tmp_path)


def test_the_longest_unused_make_room(tmp_path: Path) -> None:
    extractor = Counting()
    size = 20 * (FEATURES + 1) * 4 + 1000  # of one file, at most
    cached = CachedExtractor(extractor, tmp_path, most_bytes=3 * size)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "mine.npz").write_bytes(bytes(9 * size))
    batches = [drawn(20, seed) for seed in range(5)]
    for age, batch in enumerate(batches[:3]):
        before = set(files(tmp_path))
        cached.extract(batch)
        (new,) = set(files(tmp_path)) - before
        os.utime(new, (1000 + age, 1000 + age))  # long ago, the first the longest
    cached.extract(batches[0])  # used again: now the second is the longest unused
    cached.extract(batches[3])
    asked = extractor.asked
    for known in (0, 2, 3):
        cached.extract(batches[known])
    assert extractor.asked == asked
    cached.extract(batches[1])
    assert extractor.asked == asked + 1
    assert (tmp_path / "notes.txt").exists(), "others' files are left alone"
    assert (tmp_path / "mine.npz").exists()


def test_what_does_not_fit_is_not_kept(tmp_path: Path) -> None:
    extractor = Counting()
    cached = CachedExtractor(extractor, tmp_path, most_bytes=1000)
    expected = cached.extract(drawn(6))
    assert same(cached.extract(drawn(6)), expected)
    assert extractor.asked == 2
    assert not list(tmp_path.iterdir())


def test_what_a_kill_left_behind_is_thrown_away(tmp_path: Path) -> None:
    key = "0" * 64
    left = [tmp_path / f"{key}-12-34.npz", tmp_path / f".{key}-12-34.npz.partial"]
    at_work = tmp_path / f".{key}-56-78.npz.partial"
    for path in (*left, at_work):
        path.write_bytes(b"half")
    for path in left:
        os.utime(path, (time.time() - 7200,) * 2)
    CachedExtractor(Counting(), tmp_path).extract(drawn(2))
    assert not any(path.exists() for path in left)
    assert at_work.exists(), "another process may be at it"


@contextlib.contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """What a full quota does to a process that writes: files grow to so many bytes and no more."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_without_room_everything_works_and_nothing_is_left(tmp_path: Path) -> None:
    extractor = Counting()
    cached = CachedExtractor(extractor, tmp_path)
    with no_file_over(500):
        seen = cached.extract(drawn(6))
    assert same(seen, Counting().extract(drawn(6)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_whatever_the_disk_refuses_the_features_come(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    cached = CachedExtractor(Counting(), tmp_path / "new")
    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", refuse)
        assert same(cached.extract(drawn(6)), Counting().extract(drawn(6)))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuse)
        assert same(cached.extract(drawn(6)), Counting().extract(drawn(6)))
    assert not files(tmp_path / "new")


def test_a_folder_that_cannot_be_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    cached = CachedExtractor(Counting(), tmp_path / "file" / "cache")
    assert same(cached.extract(drawn(6)), Counting().extract(drawn(6)))


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_that_may_only_be_read_is_read(tmp_path: Path) -> None:
    CachedExtractor(Counting(), tmp_path).extract(drawn(6))
    tmp_path.chmod(0o500)
    try:
        extractor = Counting()
        cached = CachedExtractor(extractor, tmp_path)
        cached.extract(drawn(6))
        assert extractor.asked == 0
        cached.extract(drawn(7))
        assert extractor.asked == 1
    finally:
        tmp_path.chmod(0o700)


def many_at_once(folder: Path, seed: int) -> None:
    """The same few sets over and over, in a cache too small for them."""
    rng = np.random.default_rng(seed)
    size = 20 * (FEATURES + 1) * 4 + 1000
    cached = CachedExtractor(Counting(), folder, most_bytes=3 * size)
    for _ in range(25):
        pictures = drawn(20, int(rng.integers(5)))
        if not same(cached.extract(pictures), Counting().extract(pictures)):
            os._exit(1)
    os._exit(0)


@pytest.mark.skipif(sys.platform != "linux", reason="forks, so as not to load PyTorch thrice")
def test_several_processes_share_a_folder(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=many_at_once, args=(tmp_path, seed)) for seed in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert all(path.suffix == ".npz" and len(path.stem) == 64 for path in tmp_path.iterdir())
    for path in files(tmp_path):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
