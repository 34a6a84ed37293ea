"""`catgan inspect`."""

from pathlib import Path
from typing import Annotated

import typer

from catgan.cli.options import ConfigOption, JsonOption


def inspect(
    curated: Annotated[
        Path, typer.Argument(help="What curate wrote, or any folder of equal pictures.")
    ],
    page: Annotated[
        Path | None, typer.Option(help="Write one HTML page to look at, too.", metavar="FILE.html")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Say what is in the data sets: verdicts, faces, sharpness, near-equal pictures."""
    from catgan.console import Screen
    from catgan.inspect import inspect_curated, write_page

    screen = Screen(as_json=json)
    inspection = inspect_curated(curated)
    if page is not None:
        write_page(inspection, page)
    if inspection.verdicts:
        screen.table(
            f"{inspection.photos} photos",
            ("verdict", "photos", "commonest reason"),
            [(count.verdict, str(count.photos), count.reason) for count in inspection.verdicts],
        )
    headers, rows = inspection.table()
    if rows:
        screen.table("The faces", headers, rows)
    for found in inspection.sets:
        width, height = found.side
        about = f" ({found.about})" if found.about else ""
        screen.say(f"{found.name}: {found.pictures} pictures of {width} x {height} pixels{about}")
        for pair, first, second, _ in found.pairs[:3]:
            screen.say(f"  most alike: {first} and {second} ({pair.alike:.3f}; 1 is the same)")
    if not inspection.finished:
        screen.say("The last curation was stopped before its end; the same line carries on.")
    if page is not None:
        screen.say(f"The page, to open in a browser: {page.resolve()}")
    else:
        screen.say(f"To look at it: catgan inspect {curated} --page inspect.html")
    screen.result(inspection.to_json())
