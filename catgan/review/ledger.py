"""The album and its file of decisions: what one window decides is on the disk, then in all."""

import threading
from collections.abc import Sequence
from pathlib import Path

from catgan.formats.curated import read_note
from catgan.formats.decisions import (
    NAME,
    Decision,
    append_decisions,
    read_decisions,
)
from catgan.formats.photos import NAME as PHOTOS
from catgan.formats.photos import read_photos
from catgan.review.album import Album


class Ledger:
    """One album, for as many threads as there are; the file may be added to by others, too."""

    def __init__(self, curated: Path) -> None:
        """Read a curated folder.

        Raises:
            BadRecord: A file in it is damaged; names the line.
        """
        self.curated = curated
        self.lock = threading.RLock()
        """Held while the album is read or changed."""
        self._path = curated / NAME
        self._known = self._size = 0
        self._load()

    def _load(self) -> None:
        self.stamp = self._stamp()
        """Of the records that the album is of: with others, everything has other numbers."""
        made = read_decisions(self._path)
        self._known = len(made)
        self._size = self._bytes()
        self.album = Album(read_photos(self.curated), made)

    def decide(self, decisions: Sequence[Decision]) -> None:
        """Keep decisions for good, and take them in.

        Raises:
            DiskFull, NotWritable, FileRefused: They cannot be kept, and nothing was decided.
        """
        with self.lock:
            self.refresh()
            append_decisions(self._path, decisions)
            self._known += len(decisions)
            self._size = self._bytes()
            self.album.decide(decisions)

    def refresh(self) -> None:
        """Take in what another program added to the file, or that `curate` was run again.

        Raises:
            BadRecord: A file is damaged by now.
        """
        with self.lock:
            if self._stamp() != self.stamp and self._is_finished():
                self._load()
                return
            size = self._bytes()
            if size == self._size:
                return
            made = read_decisions(self._path)
            if len(made) > self._known:
                self.album.decide(made[self._known :])
                self._known = len(made)
            self._size = size

    def pending(self) -> bool:
        """Whether the data sets are to follow yet: something was decided since they were made."""
        try:
            note = self.curated / "catgan.json"
            if read_note(self.curated) is None:
                return False
            return self._path.stat().st_mtime_ns > note.stat().st_mtime_ns
        except OSError:
            return False

    def _is_finished(self) -> bool:
        note = read_note(self.curated)
        return note is not None and note.finished

    def _stamp(self) -> str:
        try:
            return str((self.curated / PHOTOS).stat().st_mtime_ns)
        except OSError:
            return ""

    def _bytes(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0
