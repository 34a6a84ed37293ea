"""`catgan runs`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catgan.cli.options import ConfigOption, DryRunOption, JsonOption
from catgan.core.errors import BadUsage
from catgan.core.systems import command_line
from catgan.core.words import amount, count, listed

if TYPE_CHECKING:
    from catgan.runs.kept import KeptRun


def runs(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Runs, by name or path. [default: all]", metavar="RUN..."),
    ] = None,
    folder: Annotated[Path, typer.Option("--runs", help="Folder of runs.")] = Path("runs"),
    slim: Annotated[
        bool,
        typer.Option(
            "--slim",
            help="Remove what finished runs need only to be trained further: two thirds of them.",
        ),
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the runs named.")] = False,
    clear_cache: Annotated[
        bool, typer.Option("--clear-cache", help="Empty the cache of image features.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """List the runs and what they take on disk, and clean up.

    A slim run can still be sampled, compared, exported and fine-tuned, but not trained further.
    Files that catgan did not write are never removed.
    """
    from catgan.console import Screen
    from catgan.core.places import cache_folder
    from catgan.runs.clean import clear
    from catgan.runs.kept import cached_files, kept_runs

    if slim and remove:
        raise BadUsage("--slim and --remove exclude each other; choose one.")
    if remove and not names:
        raise BadUsage("--remove needs the names of the runs: catgan runs NAME --remove")
    screen = Screen(as_json=json)
    kept = kept_runs(names or [], folder)
    cached = cached_files(cache_folder())
    record: dict[str, Any] = {
        "runs": [_record(one) for one in kept],
        "cache": {
            "folder": str(cached[0].parent) if cached else None,
            "files": len(cached),
            "bytes": sum(path.stat().st_size for path in cached),
        },
    }
    if not (slim or remove or clear_cache):
        _list(screen, kept, folder, record["cache"]["bytes"], all_of_them=not names)
        screen.result(record)
        return
    freed = 0
    chosen = kept if remove else [one for one in kept if one.spare or (names and slim)]
    if slim or remove:
        freed += _clean(screen, chosen, remove=remove, dry_run=dry_run)
    if clear_cache:
        size = record["cache"]["bytes"] if dry_run else clear(cached)
        would = "Would empty" if dry_run else "Emptied"
        screen.say(f"{would} the cache of image features ({amount(size) if size else 'empty'}).")
        freed += size
    screen.say("Nothing was removed." if dry_run else f"Freed: {amount(freed) if freed else 0}.")
    screen.result(record | {"freed": freed, "dry_run": dry_run})


def _clean(screen: Any, chosen: "list[KeptRun]", *, remove: bool, dry_run: bool) -> int:
    """Remove runs, or make them slim; how many bytes that frees."""
    from catgan.runs import clean

    freed = 0
    if not chosen:
        screen.say("No finished run has anything to spare.")
    for one in chosen:
        if dry_run:
            size = one.bytes if remove else one.spare
            what = "remove" if remove else "make slim"
            screen.say(f"Would {what}: {one.run.folder} ({amount(size)}).")
            freed += size
            continue
        done = clean.remove(one) if remove else clean.slim(one)
        freed += done.bytes
        what = "Removed" if remove else "Made slim"
        screen.say(f"{what}: {one.run.folder} ({amount(done.bytes)} freed).")
        if done.left:
            names = listed([path.name for path in done.left])
            screen.say(f"  {one.run.folder} stays, with what catgan did not write: {names}.")
    return freed


def _list(
    screen: Any, kept: "list[KeptRun]", folder: Path, cache: int, *, all_of_them: bool
) -> None:
    if not kept:
        screen.say(f"There are no runs in {folder}; train one: catgan train curated/")
    else:
        total = amount(sum(one.bytes for one in kept))
        screen.table(
            f"{count(len(kept), 'run')}, {total}",
            ("run", "state", "epochs", "best KID", "size", "to spare"),
            [
                (
                    one.run.name,
                    one.state,
                    str(one.epoch),
                    "-" if one.best_kid is None else f"{one.best_kid:.3f}",
                    amount(one.bytes),
                    amount(one.spare) if one.spare else "-",
                )
                for one in kept
            ],
        )
    if cache and all_of_them:
        screen.say(f"The cache of image features: {amount(cache)} (--clear-cache empties it)")
    if any(one.spare for one in kept):
        where = [] if folder == Path("runs") else ["--runs", str(folder)]
        screen.say(
            f"To free what they can spare: {command_line(['catgan', 'runs', *where])} --slim"
        )


def _record(one: "KeptRun") -> dict[str, Any]:
    return {
        "run": str(one.run.folder),
        "state": one.state,
        "epoch": one.epoch,
        "best_kid": one.best_kid,
        "bytes": one.bytes,
        "spare": one.spare,
    }
