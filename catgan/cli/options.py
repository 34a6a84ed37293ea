"""What several commands share: their options, and settings from a file."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from catgan.core.errors import BadUsage
from catgan.core.settings import Declared, Settings, declared, flag_of


def _settings_file(context: typer.Context, path: Path | None) -> Path | None:
    """Put a TOML file's values under the flags: a flag that is given wins."""
    if path is None:
        return None
    from catgan.core.settings import load_toml

    table = load_toml(path)
    known = {name for name in (parameter.name for parameter in context.command.params) if name}
    unknown = sorted(set(table) - (known - {"config"}))
    if unknown:
        raise BadUsage(
            f"{path} sets {unknown[0].replace('_', '-')}, which {context.info_name} does not have; "
            f"see catgan {context.info_name} --help."
        )
    context.default_map = {**(context.default_map or {}), **table}
    return path


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        callback=_settings_file,
        is_eager=True,
        help="Read options from a TOML file; command-line flags take precedence.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document to stdout; messages go to stderr.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
]


def takes(settings: Settings) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command a flag for every option of its settings.

    The command gets those that were named, on the line or in the file of `--config`, as a mapping
    `named`: name -> value. What was not named is not in it.

    Args:
        settings: Says the options and their defaults.
    """
    flags = [one for one in declared(settings) if one.option.on_command_line]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)

        @functools.wraps(command)
        def run(**values: Any) -> None:
            found = {flag.name: values.pop(flag.name) for flag in flags}
            named = {name: value for name, value in found.items() if value is not None}
            command(**values, named=named)

        own = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in signature.parameters.values()
            if parameter.name != "named"
        ]
        arguments = [one for one in own if one.default is inspect.Parameter.empty]
        others = [one for one in own if one.default is not inspect.Parameter.empty]
        parameters = [*arguments, *map(_parameter, flags), *others]
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.settings = settings  # type: ignore[attr-defined]  # for the pages in docs/commands
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        return run

    return decorate


def _parameter(flag: Declared) -> inspect.Parameter:
    kind = typer.Option(
        flag.option.flag or _flag(flag), help=flag.help, metavar=flag.option.metavar
    )
    return inspect.Parameter(
        flag.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[flag.type | None, kind],
    )


def _flag(flag: Declared) -> str:
    name = flag_of(flag.name)
    return f"{name}/--no-{name[2:]}" if flag.type is bool else name
