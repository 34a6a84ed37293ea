"""What several commands share: their options, and settings from a file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from catgan.core.errors import BadUsage


def _settings_file(context: typer.Context, path: Path | None) -> Path | None:
    """Put a TOML file's values under the flags: a flag that is given wins."""
    if path is None:
        return None
    from catgan.core.config import load_toml

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
        help="Settings from a TOML file, named like the flags; flags win over it.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON document on standard output, words on the other.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
]


def given(**flags: Any) -> dict[str, Any]:
    """The flags that were given; the others keep the defaults of the settings class."""
    return {name: value for name, value in flags.items() if value is not None}
