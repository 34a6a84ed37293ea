"""The command line: parse, call, render. Errors are caught here and nowhere else.

One module a command; each imports what it needs when it is called, so that `--help` is quick.
"""

import os
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from catgan.cli import (
    compare,
    curate,
    demo,
    doctor,
    export,
    fetch,
    forget,
    inspect,
    review,
    runs,
    sample,
    train,
)
from catgan.cli.interrupts import interrupts
from catgan.cli.options import shared
from catgan.cli.streams import safe_streams
from catgan.core.errors import CatganError, Interrupted
from catgan.core.version import program

app = typer.Typer(
    name="catgan",
    help="From a folder of cat photos to a small GAN of your cat.",
    epilog="Example: catgan curate raw/ curated/ && catgan train curated/ && "
    "catgan compare full-body face-crop",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 could not, 2 wrong usage, 130 interrupted."""
    code = 0
    with interrupts():
        try:
            with safe_streams():
                app(args=arguments, prog_name="catgan")
        except SystemExit as ended:  # how typer says that it is done
            code = ended.code if isinstance(ended.code, int) else 1
        except (CatganError, Interrupted) as error:
            _complain(str(error))
            code = error.exit_code
        except OSError as error:  # whatever else a file system may refuse
            _complain(_of_system(error))
            code = 1
        except MemoryError:
            _complain("Out of memory; use a smaller size or batch.")
            code = 1
    sys.exit(code)


def _of_system(error: OSError) -> str:
    what = error.strerror or type(error).__name__
    if error.filename is None:
        return (
            f"The operating system reported an error ({what}); fix that and rerun the same command."
        )
    return (
        f"{os.fsdecode(error.filename)} cannot be used ({what}); "
        "check its permissions and its disk, and rerun the same command."
    )


def _complain(sentence: str) -> None:
    from catgan.console import complain

    if not sentence:  # another process of the same training has said it
        return
    with suppress(OSError):  # where nobody can be told, the exit status still says it
        complain(sentence)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(program())
        raise typer.Exit


@app.callback()
def _catgan(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


for _command, _example in (
    (curate.curate, "curate raw/ curated/"),
    (inspect.inspect, "inspect curated/"),
    (review.review, "review curated/"),
    (train.train, "train curated/ --epochs 200"),
    (compare.compare, "compare full-body face-crop"),
    (sample.sample, "sample face-crop --walk cats.gif"),
    (export.export, "export face-crop model/"),
    (runs.runs, "runs --slim"),
    (forget.forget, "forget raw/IMG_0042.jpg curated/"),
    (doctor.doctor, "doctor --json"),
    (demo.demo, "demo"),
    (fetch.fetch, "fetch oxford-pets raw/"),
):
    app.command(epilog=f"Example: catgan {_example}")(shared(_command))
