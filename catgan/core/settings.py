"""Settings: one frozen dataclass a command, in which every option is declared once.

A field's type, default and `Option` are all that there is to say of it: the command line makes its
flags from them, and `--help` its text.
"""

import dataclasses
import json
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from catgan.core.errors import BadSettings, BadUsage
from catgan.core.files import Json, read_file
from catgan.core.names import printable
from catgan.core.words import setting

MOST_TOML = 1 << 20  # bytes of a file of settings or of a recipe


class Settings(Protocol):
    """Any dataclass of plain values."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """What a field of a settings class is, for people: `size: Annotated[int, Option(...)] = 64`."""

    help: str
    """What it means, with its unit; the default is added."""
    default: str | None = None
    """The default in words, where the value does not say it; "" to say none."""
    metavar: str | None = None
    """What stands for the value in `--help`; None for its type."""
    flag: str | None = None
    """The flag, where it is not the field's name: `--never-stop`, or `--flip/--no-flip`."""
    on_command_line: bool = True
    """Whether there is a flag for it; else it can be set from Python alone."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One option of a settings class."""

    name: str
    """The field."""
    type: Any
    """What its value is; without None."""
    default: Any
    """Its default."""
    option: Option
    """The rest."""

    @property
    def help(self) -> str:
        """The meaning, and behind it the default."""
        words = self.option.default
        if words is None:
            words = "" if self.default is None else setting(self.default)
        return f"{self.option.help} [default: {words}]" if words else self.option.help


def declared(settings: Settings) -> list[Declared]:
    """The options of a settings class, in the order of its fields.

    Args:
        settings: An instance, which says the defaults.
    """
    kinds = typing.get_type_hints(type(settings), include_extras=True)
    found = []
    for field in dataclasses.fields(settings):
        kind, option = typing.get_args(kinds[field.name])
        plain = [part for part in typing.get_args(kind) if part is not type(None)]
        found.append(
            Declared(
                name=field.name,
                type=plain[0] if plain else kind,
                default=getattr(settings, field.name),
                option=option,
            )
        )
    return found


def flag_of(name: str) -> str:
    """The flag of a field."""
    return "--" + name.replace("_", "-")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One setting that differs between a folder on disk and this call."""

    name: str
    then: Any
    now: Any

    def __str__(self) -> str:
        return f"{flag_of(self.name)[2:]} was {setting(self.then)}, is {setting(self.now)}"


def to_json(settings: Settings) -> Json:
    """The settings as a JSON object, in the order of the fields."""
    return dataclasses.asdict(settings)


def changes(then: Json, now: Json, *, ignore: frozenset[str] = frozenset()) -> list[Change]:
    """The settings that differ, in the order of `now`; a name that one side lacks counts."""
    names = [*now, *(name for name in then if name not in now)]
    return [
        Change(name=name, then=then.get(name, "not set"), now=now.get(name, "not set"))
        for name in names
        if name not in ignore and _as_kept(then, name) != _as_kept(now, name)
    ]


def _as_kept(settings: Json, name: str) -> object:
    value = settings.get(name, "not set")
    return printable(value) if isinstance(value, str) else value


def require(condition: bool, sentence: str) -> None:
    """Raise `BadSettings` with the sentence unless the condition holds."""
    if not condition:
        raise BadSettings(sentence)


def paths_of_strings(record: object, *names: str) -> None:
    """Make paths of the fields so named of a frozen dataclass, where they are strings."""
    for name in names:
        value = getattr(record, name)
        if isinstance(value, str):
            object.__setattr__(record, name, Path(value))


def check_most(settings: Settings, most: Mapping[str, float]) -> None:
    """Refuse numbers that no machine could mean.

    Args:
        settings: An instance.
        most: Field -> the largest value that it may have.

    Raises:
        BadSettings: One is larger, or is NaN.
    """
    for name, largest in most.items():
        value = getattr(settings, name)
        require(value <= largest, f"{flag_of(name)} is {value}; it may be {largest:,} at most.")


def read_toml(path: Path) -> Json:
    """A TOML file.

    Raises:
        OSError: See `open_file`.
        ValueError, RecursionError: It is not TOML.
    """
    return tomllib.loads(read_file(path, most=MOST_TOML).decode())


def to_toml(settings: Settings) -> str:
    """Settings as a file for `--config`, each with its meaning; what has no value is left out.

    Every value is written as JSON writes it, which for strings, numbers and switches is TOML.
    """
    lines = []
    for one in declared(settings):
        if not one.option.on_command_line:
            continue
        name = flag_of(one.name)[2:]
        value = "" if one.default is None else json.dumps(one.default)
        lines += [f"# {one.option.help}", f"{name} = {value}" if value else f"# {name} ="]
    return "\n".join(lines) + "\n"


def load_toml(path: Path) -> Json:
    """Settings from a TOML file: flag names (with - or _) and their values.

    Raises:
        BadUsage: The file is missing or is not TOML.
    """
    try:
        table = read_toml(path)
    except FileNotFoundError:
        raise BadUsage(f"There is no settings file {path}.") from None
    except (OSError, ValueError, RecursionError) as error:  # what is no TOML is a ValueError
        why = error.strerror if isinstance(error, OSError) else str(error) or "nested too deeply"
        raise BadUsage(f"{path} is not a TOML file that can be read: {why}.") from error
    return {name.replace("-", "_"): value for name, value in table.items()}
