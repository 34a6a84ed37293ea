"""`catgan compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catgan.cli.options import ConfigOption, DryRunOption, JsonOption, given
from catgan.core.errors import CatganError

if TYPE_CHECKING:
    from catgan.measure import FaceFinder


def compare(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Runs, by name under --runs or by path; face-crop stands for face-crop-s0, "
            "face-crop-s1, ... too. Or folders of pictures, which are taken for samples.",
        ),
    ],
    report: Annotated[Path, typer.Option(help="The report to write, one HTML file.")] = Path(
        "report.html"
    ),
    csv: Annotated[
        Path | None, typer.Option(help="Write the numbers as a table, too.", metavar="FILE.csv")
    ] = None,
    samples: Annotated[
        int | None, typer.Option(help="Pictures drawn from each run. [default: 500]")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Where randomness starts. [default: 0]")] = None,
    faces: Annotated[
        int | None,
        typer.Option(help="Pictures of each kind to look for a face in. [default: 150; 0: none]"),
    ] = None,
    apart: Annotated[
        bool | None,
        typer.Option(
            "--apart", help="Every run by itself; else -s0, -s1, ... of one name are one arm."
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="What folders of pictures are measured against: a run's real pictures, or a "
            "folder. [default: what all runs named are]",
        ),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(
            help="The net that looks: efficientnet, inception or dinov2. [default: efficientnet, "
            "which comes with catgan]"
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="A file of weights for inception or dinov2. [default: download]"),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, mps or auto. [default: auto]")
    ] = None,
    cache: Annotated[
        bool,
        typer.Option(
            help="Keep what the nets saw (numbers, no pictures) in your folder of caches, so that "
            "the next time is quicker."
        ),
    ] = True,
    runs: Annotated[Path, typer.Option(help="Folder that runs lie in.")] = Path("runs"),
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Show what the cleaning changed: a table here, and a report with pictures.

    Each run is measured against pictures of its own data set that it was not trained on. Several
    runs of one kind, which differ in their seeds, are taken together, and differences between kinds
    come with an interval that allows for the seeds.
    """
    from catgan.compare import (
        CompareConfig,
        check_outputs,
        compare_runs,
        plan_groups,
        write_report,
    )
    from catgan.console import Screen
    from catgan.core.places import cache_folder

    settings = CompareConfig(
        **given(
            samples=samples,
            seed=seed,
            faces=faces,
            apart=apart,
            against=against,
            features=features,
            weights=weights,
            device=device,
        )
    )
    screen = Screen(as_json=json)
    check_outputs(report, csv)
    if dry_run:
        groups = plan_groups(names, runs, against=settings.against, apart=settings.apart)
        arms = {group.label: [str(one.folder) for one in group.sources] for group in groups}
        listed = "; ".join(f"{label} ({', '.join(folders)})" for label, folders in arms.items())
        files = str(report) if csv is None else f"{report} and {csv}"
        screen.say(f"Would compare {listed} and write {files}. Nothing was written.")
        screen.result({"arms": arms, "report": str(report), "dry_run": True})
        return
    with screen.progress("Comparing") as bar:
        steps = iter(range(1, 10_000))
        finder, why_not = _finder() if settings.faces else (None, "")
        comparison = compare_runs(
            names,
            settings,
            runs=runs,
            finder=finder,
            why_no_finder=why_not,
            cache=cache_folder() / "features" if cache else None,
            progress=lambda words: bar.update(next(steps), 0, words),
        )
        bar.update(next(steps), 0, "writing the report")
        write_report(comparison, report)
        if csv is not None:
            comparison.write_csv(csv)
    headers, rows = comparison.table()
    screen.table("What the runs came to", headers, rows)
    for sentence in comparison.sentences():
        screen.say(sentence)
    screen.say(f"The report, to open in a browser: {report.resolve()}")
    written = {"report": str(report.resolve())}
    if csv is not None:
        screen.say(f"The numbers, for a spreadsheet: {csv.resolve()}")
        written["csv"] = str(csv.resolve())
    screen.result({**comparison.to_json(), **written})


def _finder() -> "tuple[FaceFinder | None, str]":
    """The face finder of `curate`, or why there is none: the rest can be measured without."""
    try:
        from catgan.curate.finder import PictureFinder

        return PictureFinder(), ""
    except CatganError as error:  # a package is missing; the row of the table says so
        return None, str(error)
