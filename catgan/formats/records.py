"""Typed records to and from JSON: checked field by field, refused in one sentence."""

import dataclasses
import functools
import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from catgan.core.errors import BadRecord
from catgan.core.files import Json, open_file, read_file

Record = TypeVar("Record")

PLAIN = frozenset({str, int, float, bool})  # what is the same in JSON
_PLACE = re.compile(r"(.*) - at `\$\.?(.*)`")


def to_json(record: Any) -> Json:
    """A record (a dataclass) as a JSON object, in the order of its fields; those of None left out.

    A field that would be a word of Python's ends in an underscore, and does not on disk. Mappings
    are kept as they are: what is in them is not this module's affair.
    """
    return {
        key: value if type(value) in PLAIN else _plain(value)
        for name, key in _fields(record.__class__)
        if (value := getattr(record, name)) is not None
    }


@functools.cache
def _fields(kind: Any) -> tuple[tuple[str, str], ...]:
    """The fields of a class of records, and what they are called on disk."""
    return tuple((field.name, field.name.rstrip("_")) for field in dataclasses.fields(kind))


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [item if type(item) in PLAIN else _plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        return to_json(value)
    return str(value) if isinstance(value, Enum) else value


def check_ranges(record: Any, ranges: Mapping[str, tuple[int, int]]) -> None:
    """For `__post_init__`: whole numbers that can be, so that nothing is computed with others.

    Args:
        record: A dataclass.
        ranges: Field -> the least and the most that it may be; None is passed over.

    Raises:
        ValueError: One lies outside; `read_records` and `from_json` make `BadRecord` of it.
    """
    for name, (least, most) in ranges.items():
        value = getattr(record, name)
        if value is not None and not least <= value <= most:
            raise ValueError(f"{name} is {value}")


def from_json(table: Json, kind: type[Record], where: str) -> Record:
    """The record of a JSON object; fields that are not known are passed over.

    Args:
        table: The object.
        kind: A dataclass.
        where: What it is of, to begin a sentence with.

    Raises:
        BadRecord: A field is missing, of another type, or cannot be; names it.
    """
    try:
        return msgspec.convert(table, kind)
    except (ValueError, RecursionError) as error:
        raise _damaged(where, error) from error


def read_object(path: Path) -> Json | None:
    """The JSON object in a file; None where there is no such file.

    Raises:
        BadRecord: The file holds something else, or cannot be read.
    """
    try:
        return msgspec.json.decode(read_file(path), type=dict[str, Any])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(str(path), error) from error


def read_records(
    path: Path,
    kind: type[Record],
    *,
    upgrade: Callable[[Json], Json] | None = None,
    forgiving: bool = False,
    skip: int = 0,
) -> Iterator[Record]:
    """The records of a file of JSON lines; nothing where there is no such file.

    A last line without its line end was cut short by a kill, and is passed over.

    Args:
        path: The file.
        kind: A dataclass.
        upgrade: Makes of what an older catgan wrote what this one would write.
        forgiving: Pass over every line that is no such record, instead of refusing the file.
        skip: Lines at the beginning that are of another kind.

    Raises:
        BadRecord: A line is no such record; names the line and the field.
    """
    try:
        lines = open_file(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _damaged(str(path), error) from error
    decoder = msgspec.json.Decoder(kind)
    with lines:
        for number, line in enumerate(lines, start=1):
            if number <= skip or not line.strip():
                continue
            try:
                if upgrade is None:
                    record = decoder.decode(line)
                else:
                    table = msgspec.json.decode(line, type=dict[str, Any])
                    record = msgspec.convert(upgrade(table), kind)
            except (ValueError, RecursionError) as error:
                if forgiving or not line.endswith(b"\n"):
                    continue
                raise _damaged(f"{path}, line {number},", error) from error
            yield record


def _damaged(where: str, error: Exception) -> BadRecord:
    if isinstance(error, RecursionError):
        why = "nested too deeply"
    elif isinstance(error, OSError):
        why = error.strerror or type(error).__name__
    else:
        found = _PLACE.fullmatch(str(error))
        why = f"{found[2]}: {found[1]}" if found and found[2] else str(error)
    return BadRecord(
        f"{where} is not what catgan wrote there ({why.replace('`', '')}); "
        "put the file back as it was, or make its folder anew."
    )
