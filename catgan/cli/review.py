"""`catgan review`."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from catgan.cli.interrupts import stop_on_signal
from catgan.cli.options import ConfigOption
from catgan.cli.privacy import contains_photos
from catgan.core.pages import check_page
from catgan.core.systems import command_line
from catgan.core.words import count


def review(
    curated: Annotated[Path, typer.Argument(help="What curate wrote.")],
    raw: Annotated[
        Path | None,
        typer.Option(
            help="Folder of its photos. [default: where they were when it was curated]",
            metavar="FOLDER",
        ),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            help="Write one HTML page of up to 5,000 crops instead. It needs no server and saves a "
            "decisions.jsonl for curate --decisions.",
            metavar="FILE.html",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to serve at. Any other than the default lets others in.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="Port to serve at. [default: one that is free]")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in your browser.")] = True,
    config: ConfigOption = None,
) -> None:
    """Throw out bad crops by hand, in a browser.

    Serves a page on this computer, and saves every decision in decisions.jsonl at once. The data
    sets change when you rerun catgan curate. Press Ctrl-C when you have finished.
    """
    from catgan.console import Screen
    from catgan.core.places import cache_folder
    from catgan.curate.scissors import CurateScissors
    from catgan.review.features import CropFeatures
    from catgan.review.likeness import Likeness
    from catgan.review.opening import open_curated
    from catgan.review.pictures import PictureShelf
    from catgan.review.serving import check_packages, served, wait_for

    screen = Screen(as_json=False)
    if page is not None:
        check_page(page, "review", option="--page", usual="review.html")
    else:
        check_packages()
    opened = open_curated(curated, raw)
    scissors = CurateScissors(size=opened.size, margin=opened.margin)
    shelf = PictureShelf(curated, opened.raw, scissors)
    likeness = Likeness(CropFeatures(folder / "features" if (folder := cache_folder()) else None))
    line = ["catgan", "curate", opened.photos, str(curated)]
    if page is not None:
        from catgan.review.page import write_page

        with screen.progress(f"Writing {page}"):
            shown = write_page(page, opened.ledger, shelf, likeness, line=command_line(line))
        screen.say(f"{count(shown, 'crop')}; to open in a browser: {page.resolve()}")
        screen.say(contains_photos("It"))
        save = command_line([*line, "--decisions", "decisions.jsonl"])
        screen.say(f"When you have saved your decisions there: {save}")
        return
    from catgan.review.server import Review

    if opened.why_no_raw:
        screen.say(f"Whole photos cannot be shown. {opened.why_no_raw}")
    app = Review(opened.ledger, shelf, likeness, scissors, opened.raw).app()
    with stop_on_signal() as closed, served(app, host=host, port=port or 0) as address:
        screen.say(f"{opened.ledger.curated} is open for review at {address}")
        screen.say(
            "Whoever has this address can see your photos. Press Ctrl-C when you have finished."
        )
        if browser:
            webbrowser.open(address)
        wait_for(closed)
    if opened.ledger.pending():
        screen.say(f"Your decisions are saved. To apply them: {command_line(line)}")
    else:
        screen.say("There are no new decisions to apply.")
