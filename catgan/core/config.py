"""Settings: frozen dataclasses to and from JSON and TOML, and what differs between two."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any, ClassVar, Protocol

from catgan.core.errors import BadSettings, BadUsage
from catgan.core.files import Json


class Settings(Protocol):
    """Any dataclass of plain values."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One setting that differs between a folder on disk and this call."""

    name: str
    then: Any
    now: Any

    def __str__(self) -> str:
        flag = self.name.replace("_", "-")
        return f"{flag} was {self.then}, is {self.now}"


def to_json(settings: Settings) -> Json:
    """The settings as a JSON object, in the order of the fields."""
    return dataclasses.asdict(settings)


def differences(then: Json, now: Json, *, ignore: frozenset[str] = frozenset()) -> list[Difference]:
    """The settings that differ, in the order of `now`; a name that one side lacks counts."""
    names = [*now, *(name for name in then if name not in now)]
    return [
        Difference(name=name, then=then.get(name, "not set"), now=now.get(name, "not set"))
        for name in names
        if name not in ignore and then.get(name, "not set") != now.get(name, "not set")
    ]


def require(condition: bool, sentence: str) -> None:
    """Raise `BadSettings` with the sentence unless the condition holds."""
    if not condition:
        raise BadSettings(sentence)


def load_toml(path: Path) -> Json:
    """Settings from a TOML file: flag names (with - or _) and their values.

    Raises:
        BadUsage: The file is missing or is not TOML.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadUsage(f"There is no settings file {path}.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadUsage(f"{path} is not a TOML file that can be read: {error}.") from error
    return {name.replace("-", "_"): value for name, value in table.items()}
