"""What several commands share: their options, and settings from a file."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from catgan.core.errors import BadUsage
from catgan.core.settings import Declared, Settings, declared, flag_of, to_toml


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
PrintConfigOption = Annotated[
    bool,
    typer.Option(
        "--print-config",
        help="Print the settings as a file for --config, defaults included, and do nothing else.",
    ),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", help="Print neither messages nor progress, only errors.")
]

Make = Callable[..., Settings]


def shared(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command what every command has: `--quiet`."""
    signature = inspect.signature(command, eval_str=True)

    @functools.wraps(command)
    def run(*, quiet: bool = False, **values: Any) -> None:
        if not quiet:
            command(**values)
            return
        from catgan.console import quietly

        with quietly():
            command(**values)

    own = [
        one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in signature.parameters.values()
    ]
    added = inspect.Parameter(
        "quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=QuietOption
    )
    return _with(run, signature, [*own, added])


def takes(
    settings: Settings, make: Make | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command a flag for every option of its settings, and `--print-config`.

    The command gets those that were named, on the line or in the file of `--config`, as a mapping
    `named`: name -> value. What was not named is not in it.

    Args:
        settings: Says the options and their defaults.
        make: The settings of what was named; None for the class of `settings`.
    """
    flags = [one for one in declared(settings) if one.option.on_command_line]
    make = make or type(settings)

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)

        @functools.wraps(command)
        def run(**values: Any) -> None:
            found = {flag.name: values.pop(flag.name) for flag in flags}
            named = {name: value for name, value in found.items() if value is not None}
            if values.pop("print_config"):
                typer.echo(to_toml(make(**named)), nl=False)
                return
            command(**values, named=named)

        own = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in signature.parameters.values()
            if parameter.name != "named"
        ]
        arguments = [one for one in own if one.default is inspect.Parameter.empty]
        others = [one for one in own if one.default is not inspect.Parameter.empty]
        added = inspect.Parameter(
            "print_config",
            inspect.Parameter.KEYWORD_ONLY,
            default=False,
            annotation=PrintConfigOption,
        )
        run.settings = settings  # type: ignore[attr-defined]  # for the pages in docs/commands
        return _with(run, signature, [*arguments, *map(_parameter, flags), *others, added])

    return decorate


def _with(
    run: Callable[..., None], signature: inspect.Signature, parameters: list[inspect.Parameter]
) -> Callable[..., None]:
    """A function that typer takes to have these parameters."""
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


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
