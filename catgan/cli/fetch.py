"""`catgan fetch`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from catgan.cli.options import ConfigOption, DryRunOption, JsonOption, takes
from catgan.core.systems import command_line
from catgan.core.words import amount, count
from catgan.fetch.config import FetchConfig


@takes(FetchConfig())
def fetch(
    source: Annotated[
        str,
        typer.Argument(
            help="oxford-pets (2,400 cats, 0.8 GB to fetch); or the web address or file of a ZIP "
            "or tar archive."
        ),
    ],
    raw: Annotated[Path, typer.Argument(help="Folder of photos; made if missing.")],
    named: dict[str, Any],
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Get photos of cats, if you have none of your own.

    Puts them into a folder of their own in RAW, with SOURCE.md beside them: where they are from,
    their licence and what to cite. Rerun the same command to resume. It needs a network
    connection, unless the archive is on your disk.
    """
    from catgan.console import Screen
    from catgan.fetch.pipeline import SOURCE, FetchProgress, fetch_photos, plan_fetch

    settings = FetchConfig(**named)
    screen = Screen(as_json=json)
    if dry_run:
        plan = plan_fetch(source, raw)
        if plan.there:
            screen.say(f"{plan.folder} is there already. Nothing was written.")
        else:
            screen.say(f"Would fetch {source} into {plan.folder}. Nothing was written.")
        screen.result({"folder": str(plan.folder), "there": plan.there, "dry_run": True})
        return
    with screen.progress(f"Fetching {source}") as bar:

        def show(progress: FetchProgress) -> None:
            if progress.doing == "unpacking":
                words = f"unpacking, {count(progress.done, 'photo')}"
            else:
                of = f" of {amount(progress.total)}" if progress.total else ""
                words = f"{progress.doing}, {amount(progress.done)}{of}"
            bar.update(progress.done, progress.total, words)

        result = fetch_photos(source, raw, settings, progress=show)
    folder = result.plan.folder
    already = " is there already," if result.plan.there else ":"
    screen.say(f"{folder}{already} {count(result.photos, 'photo')}, {amount(result.bytes)}.")
    if result.passed_over:
        screen.say(
            f"{count(result.passed_over, 'file')} of the archive skipped, which are not photos."
        )
    if result.plan.album is not None:
        screen.say(f"Licence: {result.plan.album.licence}")
    screen.say(f"Where they are from, and what to cite: {folder / SOURCE}")
    screen.say(f"Next: {command_line(['catgan', 'curate', str(raw), 'curated/'])}")
    screen.result(
        {
            "folder": str(folder),
            "there": result.plan.there,
            "photos": result.photos,
            "bytes": result.bytes,
            "passed_over": result.passed_over,
            "sha256": result.sha256,
            "source": str(folder / SOURCE),
        }
    )
