"""`catgan demo`: the whole of catgan on an album that it generates itself."""

from pathlib import Path
from typing import Annotated, Any

import typer

from catgan.cli.options import ConfigOption, DryRunOption, JsonOption, takes
from catgan.core.errors import BadUsage, FolderRefused
from catgan.core.systems import command_line
from catgan.core.words import count
from catgan.demo.config import DemoConfig

SHORT = (
    "--recipe",
    "balanced",
    "--held-out",
    "50",
    "--epochs",
    "100",
    "--ngf",
    "16",
    "--ndf",
    "16",
)
"""Small DCGANs, trained briefly: cats after minutes on two CPU cores."""
FEWER = ("--samples", "300", "--second-judge", "100")
"""Samples than by default: enough to tell blots from cats."""
FINE_TUNED = ("--name", "from-base", "--start-from", "base", "--held-out", "50", "--epochs", "10")


@takes(DemoConfig())
def demo(
    named: dict[str, Any],
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Folder for the album, the data sets, the runs and the report; with --album-only "
            "for the photos themselves. [default: demo; with --album-only raw]"
        ),
    ] = None,
    album_only: Annotated[
        bool, typer.Option("--album-only", help="Generate the album and nothing else.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Try catgan without photos, on an album that it generates.

    Generates phone photos of a cat that does not exist, with blurred, rotated, empty and corrupt
    ones among them. Then it runs curate, train and compare on them as you would, and fine-tunes
    the bundled cat-face model on the same crops: about five minutes on two CPU cores, offline.
    Rerun the same command to resume.
    """
    settings = DemoConfig(**named)
    if album_only:
        _album(folder or Path("raw"), settings, as_json=json, dry_run=dry_run)
        return
    place = folder or Path("demo")
    _check_mine(place)
    lines = _lines(place, named)
    if json:
        raise BadUsage("--json goes with --album-only; catgan demo runs several commands.")
    if dry_run:
        for _, line in lines:
            _say(f"$ {command_line(['catgan', *line])}")
        _say("Nothing was run.")
        return
    for what, line in lines:
        _say(f"\n# {what}\n$ {command_line(['catgan', *line])}")
        _run(line)
    _say(
        f"\nOpen {place / 'report.html'} in a browser: whole photos against face crops, both "
        f"trained from scratch. {place / 'cats.png'} shows what the bundled model makes of the "
        "same face crops. Next, with your own photos: catgan curate PHOTOS curated/"
    )
    from catgan.demo.browser import show

    show(place / "report.html")


def _lines(place: Path, named: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """The commands of the demo, without `catgan`, and what each is for."""
    raw, curated = str(place / "raw"), str(place / "curated")
    runs, report = str(place / "runs"), str(place / "report.html")
    crops = str(place / "curated" / "face-crop")
    where = ["--runs", runs]
    album = [f"--{name}={value}" for name, value in named.items()]
    workers = [word for word in album if word.startswith("--workers")]
    return [
        (
            f"Photos of a cat that does not exist, as messy as real ones. Look at: {raw}",
            ["demo", raw, "--album-only", *album],
        ),
        (
            "Find the faces and write two data sets, whole photos and face crops. Look at the "
            "contact sheets.",
            ["curate", raw, curated, *workers],
        ),
        (
            "Train a small GAN on each. The training is short, but one cat is learned sooner than "
            f"the varied photos that the advice below is about. Look at: {runs}/*/samples",
            ["train", curated, *SHORT, *where],
        ),
        (
            f"What the cleaning changed, in numbers and pictures. Look at: {report}",
            ["compare", "full-body", "face-crop", *FEWER, *where, "--report", report],
        ),
        (
            "Fine-tune the bundled cat-face model on the same crops, for comparison.",
            ["train", crops, *FINE_TUNED, *where],
        ),
        (
            f"Sample it. Look at: {place / 'cats.png'}",
            ["sample", "from-base", *where, "--out", str(place / "cats.png")],
        ),
    ]


def _run(line: list[str]) -> None:
    from catgan.cli import app

    code = app(args=line, prog_name="catgan", standalone_mode=False)
    if code:  # interrupted, say: the command has said so itself
        raise typer.Exit(code)


def _check_mine(place: Path) -> None:
    """That nothing of a person's would be written to.

    Raises:
        FolderRefused: The folder has data sets, runs or a report that no demo made.
    """
    if (place / "raw" / "demo.jsonl").exists():
        return
    for name in ("curated/catgan.json", "runs", "report.html", "cats.png"):
        if (place / name).exists():
            raise FolderRefused(
                f"{place / name} exists already and no demo made it; name an empty folder: "
                "catgan demo FOLDER"
            )


def _say(text: str) -> None:
    from catgan.console import Screen

    Screen().say(text)


def _album(raw: Path, settings: DemoConfig, *, as_json: bool, dry_run: bool) -> None:
    from catgan.console import Screen
    from catgan.demo.pipeline import DemoProgress, draw_album, plan_album

    screen = Screen(as_json=as_json)
    if dry_run:
        plan = plan_album(raw, settings)
        screen.say(
            f"{raw} would hold {count(plan.photos, 'photo')}, {len(plan.missing):,} of them not "
            "generated yet. Nothing was written."
        )
        screen.result(
            {
                "raw": str(raw),
                "photos": plan.photos,
                "fresh": len(plan.missing),
                "kinds": plan.kinds,
                "dry_run": True,
            }
        )
        return
    with screen.progress(f"Generating {raw}") as bar:

        def show(progress: DemoProgress) -> None:
            words = f"{progress.done} of {count(progress.total, 'photo')}"
            bar.update(progress.done, progress.total, words)

        result = draw_album(raw, settings, progress=show)
    listed = ", ".join(f"{number} {kind}" for kind, number in result.kinds.items())
    screen.say(
        f"{raw}: {count(result.photos, 'photo')}, {result.fresh:,} generated now ({listed})."
    )
    screen.say(f"What is on each of them: {result.truth}")
    screen.result(
        {
            "raw": str(raw),
            "truth": str(result.truth),
            "photos": result.photos,
            "fresh": result.fresh,
            "kinds": result.kinds,
        }
    )
