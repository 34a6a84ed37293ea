"""`catgan compare`."""

from pathlib import Path
from typing import Annotated

import typer

from catgan.cli.options import ConfigOption, DryRunOption, JsonOption, given


def compare(
    names: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Runs, by name under --runs or by path.")
    ],
    report: Annotated[Path, typer.Option(help="The report to write, one HTML file.")] = Path(
        "report.html"
    ),
    samples: Annotated[
        int | None, typer.Option(help="Pictures drawn from each run. [default: 500]")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Where randomness starts. [default: 0]")] = None,
    runs: Annotated[Path, typer.Option(help="Folder that runs lie in.")] = Path("runs"),
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Show what the cleaning changed: a table here, and a report with pictures.

    Each run is measured against pictures of its own data set that it was not trained on.
    """
    from catgan.compare import CompareConfig, compare_runs, write_report
    from catgan.console import Screen
    from catgan.core.runs import resolve_run

    settings = CompareConfig(**given(samples=samples, seed=seed))
    screen = Screen(as_json=json)
    if dry_run:
        found = [resolve_run(name, runs) for name in names]
        listed = ", ".join(str(run.folder) for run in found)
        screen.say(f"Would compare {listed} and write {report}. Nothing was written.")
        screen.result({"runs": [str(run.folder) for run in found], "dry_run": True})
        return
    with screen.progress("Comparing") as bar:
        steps = iter(range(1, 10_000))
        comparison = compare_runs(
            names,
            settings,
            runs=runs,
            progress=lambda words: bar.update(next(steps), 0, words),
        )
        write_report(comparison, report)
    headers, rows = comparison.table()
    screen.table("What the runs came to", headers, rows)
    for sentence in comparison.sentences():
        screen.say(sentence)
    screen.say(f"The report, to open in a browser: {report.resolve()}")
    screen.result({**comparison.to_json(), "report": str(report.resolve())})
