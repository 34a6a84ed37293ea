"""Write docs/commands/: a page for each command, from what the code says of it.

make docs
"""

import dataclasses
import inspect
import re
import typing
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from catgan.cli import app
from catgan.core.errors import BadUsage, CatganError, Interrupted
from catgan.core.settings import Settings, declared, flag_of
from catgan.core.words import setting

FOLDER = Path(__file__).resolve().parent / "commands"

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "curate": (
        ("catgan curate raw/ curated/", "Two data sets of the photos in `raw/`."),
        (
            "catgan curate raw/ curated/ --ablation --no-blur-screen",
            "Keep blurred faces, and add the photos of `face-crop`, whole.",
        ),
    ),
    "inspect": (
        ("catgan inspect curated/ --page inspect.html", "A page to look at, in a browser."),
        ("catgan inspect curated/ --json", "The figures, for other programs."),
    ),
    "review": (
        ("catgan review curated/", "A page to throw out bad crops on."),
        (
            "catgan review curated/ --page review.html",
            "The same as one file, for a drive or a notebook without a server.",
        ),
    ),
    "train": (
        ("catgan train curated/", "A run on each data set, from scratch."),
        (
            "catgan train curated/face-crop --name fine-tuned --start-from base --epochs 20",
            "Fine-tune the bundled cat-face model on one of them.",
        ),
    ),
    "compare": (
        ("catgan compare full-body face-crop", "A table, and `report.html`."),
        (
            "catgan compare face-crop --apart --csv numbers.csv",
            "`face-crop-s0`, `face-crop-s1`, ... one by one, and the figures for a spreadsheet.",
        ),
    ),
    "sample": (
        ("catgan sample face-crop", "A grid of 64 samples."),
        (
            "catgan sample face-crop --walk walk.mp4 --timelapse training.gif --page cats.html",
            "Two films, and a map of cats to explore in a browser.",
        ),
    ),
    "fetch": (
        ("catgan fetch oxford-pets raw/", "About 2,400 photos of cats, for those who have none."),
        (
            "catgan fetch cats.zip raw/ --max-gigabytes 2",
            "The photos in an archive, which may unpack to 2 GB.",
        ),
    ),
    "export": (
        ("catgan export face-crop model/", "Weights, ONNX, samples and a card."),
        (
            "catgan export face-crop model/ --push tama/cats --send",
            "The same, uploaded to the Hugging Face Hub.",
        ),
    ),
    "runs": (
        ("catgan runs", "What there is, and what it takes on disk."),
        ("catgan runs full-body --remove --dry-run", "What removing a run would free."),
    ),
    "forget": (
        ("catgan forget raw/IMG_0042.jpg curated/", "A photo and every copy of it."),
        (
            "catgan forget tama-1f0c9a7be2.png curated/ --dry-run",
            "What would go, for the photo of an image.",
        ),
    ),
    "doctor": (
        ("catgan doctor", "Whether everything is there, and how fast this machine is."),
        ("catgan doctor --json --no-speed", "For a bug report."),
    ),
    "demo": (
        ("catgan demo", "The whole pipeline, in a new folder `demo/`."),
        (
            "catgan demo raw/ --album-only --photos 1000 --seed 1",
            "An album alone, a larger one and of another cat.",
        ),
    ),
}
"""Command -> lines and what each does."""

CODES = (
    (0, "success"),
    (CatganError.exit_code, "failure; one sentence on standard error says why"),
    (BadUsage.exit_code, "usage error; likewise"),
    (Interrupted.exit_code, "interrupted; rerun the same command to resume"),
)

TYPES: dict[Any, str] = {
    int: "integer",
    float: "number",
    str: "text",
    bool: "switch",
    Path: "path",
    list[str]: "text, one or more",
    tuple[Path, Path]: "two paths",
}

HEAD = "<!-- Written by `make docs` from the code: change the code, not this page. -->"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An argument or an option of a command."""

    name: str
    """As it is typed."""
    type: str
    """What its value is, in words."""
    default: str
    """Its default, in words; "" for none."""
    meaning: str
    """What it does."""


def main() -> None:
    """Write all pages, and remove those of commands that are no more."""
    FOLDER.mkdir(exist_ok=True)
    wanted = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")


def pages() -> dict[str, str]:
    """File name -> page."""
    found = {name: _page(name, function) for name, function in commands().items()}
    return {f"{name}.md": page for name, page in found.items()} | {"README.md": _index()}


def commands() -> dict[str, Callable[..., Any]]:
    """Name of a command -> its function, in the order of `catgan --help`."""
    functions = [one.callback for one in app.registered_commands]
    return {function.__name__: function for function in functions if function is not None}


def _index() -> str:
    rows = [
        (f"[catgan {name}]({name}.md)", _paragraphs(function)[0])
        for name, function in commands().items()
    ]
    return _lines(HEAD, "", "# The commands", "", *_table(("command", "what it does"), rows))


def _page(name: str, function: Callable[..., Any]) -> str:
    arguments, settings, others = rows_of(function)
    words = " ".join(("catgan", name, "[OPTIONS]", *(row.name for row in arguments)))
    text = [HEAD, "", f"# catgan {name}", ""]
    for paragraph in _paragraphs(function):
        text += [paragraph, ""]
    text += ["```", words, "```", "", "## Examples", ""]
    for line, what in EXAMPLES[name]:
        text += [what, "", "```", line, "```", ""]
    if arguments:
        cells = [(f"`{row.name}`", row.type, row.default, row.meaning) for row in arguments]
        text += ["## Arguments", "", *_table(("argument", "type", "default", "meaning"), cells), ""]
    if settings:
        kind = type(_settings_of(function)).__name__
        text += [
            "## Settings",
            "",
            f"They are also the fields of `catgan.{kind}` in Python, and the keys of a `--config` "
            "file, with `_` for `-`.",
            "",
            *_options(settings),
            "",
        ]
    text += ["## Other options", "", *_options(others), "", "## Exit codes", ""]
    return _lines(*text, *_table(("code", "meaning"), [(str(code), what) for code, what in CODES]))


def rows_of(function: Callable[..., Any]) -> tuple[list[Row], list[Row], list[Row]]:
    """The arguments of a command, its settings and its other options, as `--help` has them."""
    arguments: list[Row] = []
    others: list[Row] = []
    settings = _settings_of(function)
    shown = [] if settings is None else [d for d in declared(settings) if d.option.on_command_line]
    fields = {one.name for one in shown}
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        if parameter.name in fields:
            continue
        kind, info = typing.get_args(parameter.annotation)[:2]
        plain = [part for part in typing.get_args(kind) if part is not type(None)]
        value_type = plain[0] if plain and kind not in (list[str], tuple[Path, Path]) else kind
        meaning, default = _split(info.help, parameter.default)
        is_option = type(info).__name__ == "OptionInfo"
        if is_option:
            flags = [one for one in (info.default, *info.param_decls) if isinstance(one, str)]
            name = _typed(flags[0] if flags else "", parameter.name, value_type)
            others.append(_row(name, value_type, default, meaning, info.metavar))
        else:
            name = info.metavar or parameter.name.upper()
            if parameter.default is not inspect.Parameter.empty:
                name = f"[{name}]"
            arguments.append(_row(name, value_type, default, meaning, None))
    others.append(_row("--help", bool, "", "Show this message and exit.", None))
    rows = []
    for one in shown:
        name = _typed(one.option.flag or "", one.name, one.type)
        meaning, default = _split(one.help, None)
        rows.append(_row(name, one.type, default, meaning, one.option.metavar))
    return arguments, rows, others


def _row(name: str, kind: Any, default: str, meaning: str, metavar: str | None) -> Row:
    words = TYPES[kind] if metavar is None or kind is not Path else f"path: {metavar}"
    return Row(name=name, type=words, default=default, meaning=meaning)


def _typed(flag: str, field: str, kind: Any) -> str:
    """A flag as it is typed; of a switch both ways."""
    name = flag or flag_of(field)
    return name if flag or kind is not bool else f"{name}/--no-{name[2:]}"


def _split(text: str, default: Any) -> tuple[str, str]:
    """A help text without its default, and the default in words."""
    found = re.fullmatch(r"(.*?)(?: \[default: (.*)\])?", text, re.DOTALL)
    assert found is not None
    if found[2] is None and default not in (None, inspect.Parameter.empty):
        return found[1], setting(default)
    return found[1], found[2] or ""


def _settings_of(function: Callable[..., Any]) -> Settings | None:
    """The settings that a command takes; see `cli.options.takes`."""
    return getattr(function, "settings", None)


def _paragraphs(function: Callable[..., Any]) -> list[str]:
    return [" ".join(part.split()) for part in (inspect.getdoc(function) or "").split("\n\n")]


def _options(rows: list[Row]) -> list[str]:
    cells = []
    for row in rows:
        names = " ".join(f"`{name}`" for name in row.name.split("/"))
        cells.append((names, row.type, row.default, row.meaning))
    return list(_table(("option", "type", "default", "meaning"), cells))


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    for cells in (heads, ("---",) * len(heads), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
