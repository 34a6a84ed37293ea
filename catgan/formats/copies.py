"""`.catgan-copy.jsonl`: what of a curated folder lies at an address, and is catgan's to change."""

import dataclasses
import json
from collections.abc import Iterable, Mapping

from catgan.core.errors import BadRecord
from catgan.core.files import to_json_line
from catgan.formats.records import from_json, to_json

NAME = ".catgan-copy.jsonl"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CopyRecord:
    """A line: one file."""

    file: str
    """Relative to the folder, with forward slashes."""
    size: int
    """Bytes."""
    sha256: str
    """Of its contents, hexadecimal."""


def copies_as_bytes(records: Iterable[CopyRecord]) -> bytes:
    """The file's contents."""
    return "".join(to_json_line(to_json(record)) + "\n" for record in records).encode()


def read_copies(data: bytes) -> Mapping[str, CopyRecord]:
    """What the file says, by name; the file of a damaged line is only sent again."""
    found = {}
    for line in data.decode("utf-8", "replace").splitlines():
        try:
            record = from_json(json.loads(line), CopyRecord, NAME)
        except (BadRecord, ValueError, RecursionError):
            continue
        found[record.file] = record
    return found
