"""`catgan inspect`."""

from pathlib import Path
from typing import Annotated

import typer

from catgan.cli.ahead import training_words
from catgan.cli.options import ConfigOption, JsonOption
from catgan.cli.privacy import contains_photos
from catgan.core.pages import check_page
from catgan.core.systems import command_line
from catgan.core.words import count


def inspect(
    curated: Annotated[
        Path, typer.Argument(help="What curate wrote, or any folder of images of equal size.")
    ],
    raw: Annotated[
        Path | None,
        typer.Option(
            help="Folder of its photos. [default: where they were when it was curated]",
            metavar="FOLDER",
        ),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Also write one HTML page to look at.", metavar="FILE.html")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show what is in the data sets: verdicts, faces, near-duplicates."""
    from catgan.console import Screen
    from catgan.inspect.page import write_page
    from catgan.inspect.summary import inspect_curated

    screen = Screen(as_json=json)
    if page is not None:
        check_page(page, "inspect", option="--page", usual="inspect.html")
    with screen.progress(f"Inspecting {curated}"):
        inspection = inspect_curated(curated, raw)
    if page is not None:
        write_page(inspection, page)
    photos = count(inspection.photos, "photo")
    if inspection.verdicts:
        screen.table(
            photos,
            ("verdict", "photos", "commonest reason"),
            [(found.verdict, str(found.photos), found.reason) for found in inspection.verdicts],
        )
    headers, rows = inspection.table()
    if rows:
        screen.table("The faces", headers, rows)
    for found in inspection.sets:
        width, height = found.side
        about = f" ({found.about})" if found.about else ""
        images = count(found.pictures, "image")
        screen.say(f"{found.name}: {images} of {width} x {height} pixels{about}")
        for pair, first, second, _ in found.pairs[:3]:
            screen.say(f"  most similar: {first} and {second} ({pair.alike:.3f}; 1 is identical)")
    if not inspection.finished:
        screen.say("The last curation was interrupted; rerun its command to resume.")
    if inspection.gone:
        are = "is" if inspection.gone == 1 else "are"
        line = ["catgan", "curate", str(inspection.raw), str(curated)]
        screen.say(
            f"{inspection.gone:,} of {photos} {are} no longer in {inspection.raw}; "
            f"{command_line(line)} brings the data sets up to date."
        )
    if inspection.raw is not None and inspection.gone is None:
        screen.say(
            f"The photos are no longer in {inspection.raw}; pass their new folder: --raw FOLDER"
        )
    if page is None:
        line = ["catgan", "inspect", str(curated), "--page", "inspect.html"]
        screen.say(f"To see the images, and each photo without a crop: {command_line(line)}")
    else:
        screen.say(f"The page, to open in a browser: {page.resolve()}")
        screen.say(contains_photos("It"))
        sizes = {found.name: found.pictures for found in inspection.sets}
        side = max(max(found.side) for found in inspection.sets)
        for sentence in training_words(curated, sizes, side):
            screen.say(sentence)
    screen.result(inspection.to_json())
