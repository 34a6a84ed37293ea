"""The command line: parse, call, render. Errors are caught here and nowhere else.

One module a command; each imports what it needs when it is called, so that `--help` is quick.
"""

import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

from catgan.cli import compare, curate, demo, inspect, sample, train
from catgan.core.errors import CatganError, Interrupted
from catgan.core.version import __version__

app = typer.Typer(
    name="catgan",
    help="From a folder of cat photos to a small GAN of your cat.",
    epilog="Example: catgan curate raw/ curated/ && catgan train curated/ && "
    "catgan compare full-body face-crop",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 could not, 2 wrong usage, 130 interrupted."""
    before = signal.signal(signal.SIGINT, _interrupt)
    try:
        app(args=arguments, prog_name="catgan")
    except CatganError as error:
        _complain(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of a pipe has seen enough
        sys.stderr.close()
        sys.exit(0)
    finally:
        signal.signal(signal.SIGINT, before)
    sys.exit(0)


def _interrupt(_: int, __: FrameType | None) -> NoReturn:
    # not KeyboardInterrupt, for which typer ends the program without a word
    raise Interrupted("Interrupted. Progress is saved; rerun the same command to resume.")


def _complain(sentence: str) -> None:
    from catgan.console import complain

    complain(sentence)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"catgan {__version__}")
        raise typer.Exit


@app.callback()
def _catgan(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    pass


app.command(epilog="Example: catgan curate raw/ curated/")(curate.curate)
app.command(epilog="Example: catgan inspect curated/")(inspect.inspect)
app.command(epilog="Example: catgan train curated/ --epochs 200")(train.train)
app.command(epilog="Example: catgan compare full-body face-crop")(compare.compare)
app.command(epilog="Example: catgan sample face-crop --walk cats.gif")(sample.sample)
app.command(epilog="Example: catgan demo raw/")(demo.demo)
