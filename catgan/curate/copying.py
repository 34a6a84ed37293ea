"""A finished curated folder taken up to an address: what has changed of it, and checked.

Object storages can neither rename nor lock, so nothing is curated there. What lies there is listed
in a manifest, by which the next copy knows what it need not send again, and what is catgan's.
"""

import dataclasses
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from catgan.core.errors import BadUsage, FolderRefused, NotReached
from catgan.core.files import LOCK, PARTIAL, AnyPath, locked, open_file, read_file
from catgan.core.names import printable
from catgan.core.remote import Remote, place_of
from catgan.core.systems import LITTER
from catgan.core.words import count
from catgan.curate.folder import MERGED, SHARDS, curated_path
from catgan.curate.selection import MEETING
from catgan.formats import copies, curated
from catgan.formats.copies import CopyRecord
from catgan.formats.curated import check_finished, read_note

BATCH = 64  # files sent at a time,
BATCH_BYTES = 32 << 20  # and bytes; a larger file goes by itself
NOTED = 2000  # files sent until that is written down,
NOTED_SHARE = 8  # and one for so many that are: the list is written as a whole each time
NOT_SENT = LITTER | {LOCK, MEETING, copies.NAME}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CopyResult:
    """What a copy came to."""

    address: str
    """Where to."""
    sent: int
    """Files that were sent."""
    kept: int
    """Files that were there already."""
    removed: int
    """Files of an earlier copy that the folder no longer has."""


def copy_curated(
    folder: AnyPath, address: str, *, progress: Callable[[int, int], None] | None = None
) -> CopyResult:
    """Copy a finished curated folder to an address, so that the same is there as here.

    Only what has changed is sent. `catgan.json` goes first there and comes last, so that the copy
    has one only while it is whole. Interrupted, the same call carries on.

    Args:
        folder: The curated folder.
        address: Empty, or holding an earlier copy: `s3://bucket/cats`.
        progress: Called with files dealt with and files in all.

    Raises:
        BadUsage: The address is none, or the folder is one.
        FolderRefused: The folder is not curated, or not finished; or the address holds other files.
        NotWritable: It may not be written to.
        NotReached: It does not answer, or does not have what was sent to it.
    """
    root, target = curated_path(folder), check_address(address)
    if read_note(root) is None:
        raise FolderRefused(f"{root} was not made by catgan curate; name the folder that was.")
    check_finished(root)
    with locked(root):
        return _Copy(root, target, progress or (lambda done, total: None)).run()


def check_address(address: str) -> Remote:
    """What an address names.

    Raises:
        BadUsage: It is a path.
    """
    target = place_of(address)
    if not isinstance(target, Remote):
        raise BadUsage(
            f"--copy-to is {address}; it takes an address, such as s3://bucket/cats. "
            "To copy into another folder, use your system's own tools."
        )
    return target


class _Copy:
    """One copy under way."""

    def __init__(self, root: Path, target: Remote, progress: Callable[[int, int], None]) -> None:
        self._target = target
        self._progress = progress
        self._here = dict(_files(root))
        self._there = {file.name: file.place.size for file in target.files()}
        self._noted: dict[str, CopyRecord] = {}
        if copies.NAME in self._there:
            self._noted = dict(copies.read_copies(target.read(copies.NAME)))
        elif self._there:
            raise FolderRefused(
                f"{target} holds other files, such as {min(self._there)}; "
                "name one that holds nothing yet: --copy-to"
            )

    def run(self) -> CopyResult:
        """Send, remove and check."""
        last = curated.NAME
        records = {name: _record(name, path) for name, path in self._here.items()}
        changed = [name for name in records if not self._is_there(records[name])]
        gone = sorted(name for name in self._noted if name not in self._here)
        gone = [name for name in gone if name in self._there]
        total, kept = len(records), len(records) - len(changed)
        self._progress(kept, total)
        if changed or gone:
            self._note()  # before anything else: what lies there is catgan's from now on
            if last in self._there:
                self._target.remove([last])
            if gone:
                self._target.remove(gone)
                self._noted = {n: one for n, one in self._noted.items() if n in self._here}
            self._send([name for name in changed if name != last], records, kept, total)
            self._note()
            self._check([name for name in records if name != last])
            self._send([last], records, total - 1, total)
            self._note()
        self._check(list(records))
        return CopyResult(
            address=str(self._target), sent=len(changed), kept=kept, removed=len(gone)
        )

    def _is_there(self, record: CopyRecord) -> bool:
        return (
            self._noted.get(record.file) == record and self._there.get(record.file) == record.size
        )

    def _send(
        self, names: Sequence[str], records: Mapping[str, CopyRecord], done: int, total: int
    ) -> None:
        unnoted = 0
        for batch in _batches(names, records):
            if records[batch[0]].size > BATCH_BYTES:
                self._target.upload(batch[0], self._here[batch[0]])
            else:
                self._target.write({name: read_file(self._here[name]) for name in batch})
            self._noted |= {name: records[name] for name in batch}
            done, unnoted = done + len(batch), unnoted + len(batch)
            if unnoted >= max(NOTED, len(self._noted) // NOTED_SHARE):
                self._note()
                unnoted = 0
            self._progress(done, total)

    def _note(self) -> None:
        data = copies.copies_as_bytes(self._noted[name] for name in sorted(self._noted))
        self._target.write({copies.NAME: data})

    def _check(self, names: Sequence[str]) -> None:
        there = {file.name: file.place.size for file in self._target.files()}
        wrong = [n for n in names if there.get(n) != self._here[n].stat().st_size]
        if wrong:
            raise NotReached(
                f"{count(len(wrong), 'file')} at {self._target}, such as {wrong[0]}, did not "
                "arrive complete; rerun the same command to send them again."
            )


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    """The files of a curated folder by name; never through a link."""
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        if here == root:
            folders[:] = [
                name for name in folders if name != SHARDS and not name.startswith(MERGED)
            ]
        folders.sort()
        for name in sorted(names):
            path = here / name
            if name in NOT_SENT or name.endswith(PARTIAL) or path.is_symlink():
                continue
            if path.is_file():
                yield printable(path.relative_to(root).as_posix()), path


def _record(name: str, path: Path) -> CopyRecord:
    with open_file(path, most=1 << 62) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return CopyRecord(file=name, size=file.tell(), sha256=digest)


def _batches(names: Sequence[str], records: Mapping[str, CopyRecord]) -> Iterator[list[str]]:
    batch: list[str] = []
    held = 0
    for name in names:
        size = records[name].size
        if batch and (len(batch) == BATCH or held + size > BATCH_BYTES):
            yield batch
            batch, held = [], 0
        batch.append(name)
        held += size
    if batch:
        yield batch
