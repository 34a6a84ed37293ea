"""Features kept on disk, so that the same pictures are looked at once.

A file is named after all that its features follow from, and checked from end to end before it is
believed. The cache only ever saves time: where it cannot be read or written, the net looks again.
"""

import contextlib
import hashlib
import io
import json
import os
import re
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catgan.core.errors import CatganError
from catgan.core.files import PARTIAL, read_file, whole_file
from catgan.core.pictures import Pictures
from catgan.core.systems import replace
from catgan.measure.extractors.base import Extractor, Features, judge_of

FORMAT = 1  # raised when the same name begins to mean other features, or the files change
MOST_BYTES = 256 * 2**20  # some 50,000 pictures of 1,280 features
ABANDONED = 3600.0  # seconds after which a file being written was left behind by a kill

_KEPT = re.compile(r"[0-9a-f]{64}\.npz")
_IN_WORK = re.compile(rf"\.?[0-9a-f]{{64}}-\d+-\d+\.npz({re.escape(PARTIAL)})?")


class CachedExtractor:
    """An extractor that remembers what it saw, across runs of the program and at once in several.

    Its files hold features, never pictures, and the oldest unused ones make room for new ones.
    """

    def __init__(self, extractor: Extractor, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        """Wrap an extractor.

        Args:
            extractor: Looks at pictures that are not known yet.
            folder: Where features are kept; made when first needed. Files of other names in it
                are left alone.
            most_bytes: What all files together may take, bytes.
        """
        self._extractor = extractor
        self._folder = folder
        self._most_bytes = most_bytes

    @property
    def name(self) -> str:
        """The extractor's."""
        return self._extractor.name

    @property
    def judge(self) -> str:
        """The extractor's judge of cats."""
        return judge_of(self._extractor)

    def extract(self, pictures: Pictures) -> Features:
        """The features of pictures: kept ones, to the last bit, where these very pictures in this
        very order were looked at before.

        Args:
            pictures: (N, H, W, 3) uint8 sRGB, N from 1.
        """
        key = self._key(pictures)
        path = self._folder / f"{key}.npz"
        kept = self._read(path, key, len(pictures))
        if kept is not None:
            with contextlib.suppress(OSError):
                os.utime(path)  # used now, so not the first to be thrown away
            return kept
        features = self._extractor.extract(pictures)
        if _sound(features.pooled, features.cat, len(pictures)):
            self._write(path, key, features)
        return features

    def _key(self, pictures: Pictures) -> str:
        facts = (FORMAT, self.name, self.judge, str(pictures.dtype), pictures.shape)
        digest = hashlib.sha256(json.dumps(facts).encode() + b"\n")
        digest.update(np.ascontiguousarray(pictures).data)
        return digest.hexdigest()

    def _read(self, path: Path, key: str, count: int) -> Features | None:
        try:
            data = read_file(path, most=self._most_bytes)
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                    return None  # none of ours, and it may unfold to any size
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                pooled, cat, digest = file["pooled"], file["cat"], file["sha256"]
        except Exception:  # whatever a spoiled file makes the readers stumble over
            return None
        if not _sound(pooled, cat, count) or digest.tobytes() != _digest(key, pooled, cat):
            return None
        return Features(pooled=pooled, cat=cat)

    def _write(self, path: Path, key: str, features: Features) -> None:
        pooled = np.ascontiguousarray(features.pooled)
        cat = np.ascontiguousarray(features.cat)
        if pooled.nbytes + cat.nbytes > self._most_bytes:
            return
        # a name of our own: another process may be writing the same features
        own = path.with_name(f"{key}-{os.getpid()}-{threading.get_ident()}.npz")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with whole_file(own) as partial, partial.open("wb") as out:
                digest = np.frombuffer(_digest(key, pooled, cat), dtype=np.uint8)
                np.savez(out, pooled=pooled, cat=cat, sha256=digest)
            replace(own, path)
            self._make_room(path)
        except (OSError, CatganError):  # no room or no right to: nothing is lost but time
            with contextlib.suppress(OSError):
                own.unlink()

    def _make_room(self, newest: Path) -> None:
        """Throw the longest unused files away until the rest fits, and what kills left behind."""
        kept: list[tuple[int, int, Path]] = []
        for path in self._folder.iterdir():
            ours, in_work = _KEPT.fullmatch(path.name), _IN_WORK.fullmatch(path.name)
            if not (ours or in_work):
                continue
            with contextlib.suppress(OSError):  # another process threw it away
                status = path.stat()
                if ours and path != newest:
                    kept.append((status.st_mtime_ns, status.st_size, path))
                elif in_work and time.time() - status.st_mtime > ABANDONED:
                    path.unlink()
        total = newest.stat().st_size + sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if total <= self._most_bytes:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            total -= size


def _sound(pooled: NDArray[np.generic], cat: NDArray[np.generic], count: int) -> bool:
    """Whether arrays can be features of so many pictures."""
    if pooled.dtype != np.float32 or cat.dtype != np.float32:
        return False
    if pooled.ndim != 2 or len(pooled) != count or cat.shape != (count,):
        return False
    # a net that does not judge cats gives no number for any of them
    judged = bool(((cat >= np.float32(0)) & (cat <= np.float32(1))).all()) or bool(
        np.isnan(cat).all()
    )
    return judged and bool(np.isfinite(pooled).all())


def _digest(key: str, pooled: NDArray[np.generic], cat: NDArray[np.generic]) -> bytes:
    """The SHA-256 of everything in a file and of what it belongs to."""
    facts = json.dumps((key, pooled.shape, cat.shape)).encode() + b"\n"
    return hashlib.sha256(facts + pooled.tobytes() + cat.tobytes()).digest()
