"""`catgan compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catgan.cli.options import ConfigOption, DryRunOption, JsonOption, takes
from catgan.cli.privacy import contains_photos
from catgan.compare.config import CompareConfig
from catgan.core.errors import CatganError
from catgan.core.systems import command_line

if TYPE_CHECKING:
    from catgan.measure.metrics.faces import FaceFinder


@takes(CompareConfig())
def compare(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Runs, by name under --runs or by path; face-crop also stands for face-crop-s0, "
            "face-crop-s1, ... Or folders of images to measure as if they were samples.",
        ),
    ],
    named: dict[str, Any],
    report: Annotated[Path, typer.Option(help="The report to write, one HTML file.")] = Path(
        "report.html"
    ),
    csv: Annotated[
        Path | None, typer.Option(help="Also write the numbers as a table.", metavar="FILE.csv")
    ] = None,
    cache: Annotated[
        bool,
        typer.Option(help="Keep image features (no images) in your cache folder for next time."),
    ] = True,
    photos: Annotated[
        bool,
        typer.Option(
            help="Show images of the data sets in the report; --no-photos: generated images and "
            "figures only."
        ),
    ] = True,
    runs: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("runs"),
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Show what the cleaning changed: a table and a report.

    Each run is measured against images of its own data set that it was not trained on. Runs that
    differ only in their seeds are grouped, and intervals then allow for the seeds.
    """
    from catgan.compare.inputs.arms import plan_arms
    from catgan.compare.pipeline import compare_runs
    from catgan.compare.report.destinations import check_destinations
    from catgan.compare.report.page import write_report
    from catgan.compare.report.records import to_json, write_csv
    from catgan.compare.report.table import sentences, table
    from catgan.console import Screen
    from catgan.core.places import cache_folder

    settings = CompareConfig(**named)
    screen = Screen(as_json=json)
    check_destinations(report, csv)
    if dry_run:
        planned = plan_arms(
            names, runs, against=settings.against, apart=settings.apart, data=settings.data
        )
        arms = {arm.label: [str(one.folder) for one in arm.candidates] for arm in planned}
        listed = "; ".join(f"{label} ({', '.join(folders)})" for label, folders in arms.items())
        files = str(report) if csv is None else f"{report} and {csv}"
        screen.say(f"Would compare {listed} and write {files}. Nothing was written.")
        screen.result({"arms": arms, "report": str(report), "dry_run": True})
        return
    with screen.progress("Comparing") as bar:
        steps = iter(range(1, 10_000))
        finder, why_not = _finder() if settings.faces else (None, "")
        cascades, why_no_cascades = _cascades() if settings.faces else (None, "")
        comparison = compare_runs(
            names,
            settings,
            runs=runs,
            finder=finder,
            why_no_finder=why_not,
            cascades=cascades,
            why_no_cascades=why_no_cascades,
            cache=folder / "features" if cache and (folder := cache_folder()) else None,
            progress=lambda words: bar.update(next(steps), 0, words),
        )
        bar.update(next(steps), 0, "writing the report")
        write_report(comparison, report, photos=photos)
        if csv is not None:
            write_csv(comparison, csv)
    screen.table("Results", *table(comparison))
    for sentence in sentences(comparison):
        screen.say(sentence)
    screen.say(f"The report, to open in a browser: {report.resolve()}")
    if photos:
        screen.say(f"{contains_photos('It')} --no-photos leaves them out.")
    best = next((arm for arm in reversed(comparison.arms) if arm.is_run), None)
    if best is not None:
        where = [] if runs == Path("runs") else ["--runs", str(runs)]
        screen.say(f"Next: {command_line(['catgan', 'sample', best.shown.candidate.name, *where])}")
    written = {"report": str(report.resolve())}
    if csv is not None:
        screen.say(f"The numbers, for a spreadsheet: {csv.resolve()}")
        written["csv"] = str(csv.resolve())
    screen.result({**to_json(comparison), **written})


def _finder() -> "tuple[FaceFinder | None, str]":
    """The face finder of `curate`, or why there is none: the rest can be measured without."""
    try:
        from catgan.curate.finder import PictureFinder

        return PictureFinder(), ""
    except CatganError as error:  # a package is missing; the row of the table says so
        return None, str(error)


def _cascades() -> "tuple[FaceFinder | None, str]":
    """OpenCV's cascades, likewise."""
    try:
        from catgan.curate.finder import CascadeFinder

        return CascadeFinder(), ""
    except CatganError as error:
        return None, str(error)
