"""`catgan forget`."""

import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catgan.cli.options import ConfigOption, DryRunOption, JsonOption
from catgan.core.files import beginning
from catgan.core.pages import PAGE
from catgan.core.words import count, listed

if TYPE_CHECKING:
    from catgan.curate.forget import ForgetPlan
    from catgan.curate.trained import TrainedRun

INSPECTED = re.compile(r"<title>(.*) \(catgan inspect\)</title>")
KNOWS = {
    "trained": "was trained on it, and cannot unlearn it; to remove the run: "
    "catgan runs --remove {name}",
    "measured": "held it out: its figures, and the choice of its best epoch, depend on it",
    "perhaps": "may have been trained on it; its data set has changed since",
    "inherited": "started from a run that was, or may have been, trained on it",
}


def forget(
    photo: Annotated[
        str,
        typer.Argument(help="The photo: its file, its name, or the name of one of its images."),
    ],
    curated: Annotated[Path, typer.Argument(help="What curate wrote.")] = Path("curated"),
    raw: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the photos. [default: where they were when it was curated]",
            metavar="FOLDER",
        ),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("runs"),
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Take one photo out of a curated folder.

    Removes it, copies of the same file, and everything made from them: images, records, journal,
    cards, contact sheets, and the page of catgan inspect if it lies in that folder, beside it or
    here. The photo itself is not touched. Says which runs were trained on it.
    """
    from catgan.console import Screen
    from catgan.curate.forget import forget_photo, plan_forgetting
    from catgan.curate.trained import trained_on

    screen = Screen(as_json=json)
    plan = plan_forgetting(photo, curated, raw)
    known = trained_on(plan.images, curated, runs)  # while the images are still there
    pages = _pages(curated)
    if dry_run:
        screen.say(f"Would forget {listed(plan.files)}: {_images_words(plan)}.")
        _say_the_rest(screen.say, plan, known, pages)
        screen.say("Nothing was written.")
        screen.result({**_record(plan, known), "dry_run": True})
        return
    with screen.progress(f"Forgetting {photo}"):
        done = forget_photo(photo, curated, raw)
        renewed = [page for page in pages if _is_of(page, curated)]
        for page in renewed:
            if done.left:
                _renew(page, curated, raw)
            else:  # there is nothing to show any more
                page.unlink()
    screen.say(f"Forgotten: {listed(plan.files)} ({_images_words(plan)} removed).")
    for name, files in done.instead.items():
        screen.say(
            f"In its place in {name}: {listed(files)}, left out until now as a near-duplicate."
        )
    for page in renewed:
        screen.say(f"{'Written anew without it' if done.left else 'Removed'}: {page}")
    _say_the_rest(screen.say, plan, known, [page for page in pages if page not in renewed])
    screen.result(
        {
            **_record(plan, known),
            "instead": {name: list(files) for name, files in done.instead.items()},
            "pages": [str(page) for page in renewed],
        }
    )


def _images_words(plan: "ForgetPlan") -> str:
    parts = [f"{count(len(files), 'image')} in {name}" for name, files in plan.images.items()]
    return listed(parts) if parts else "no image in any data set"


def _say_the_rest(
    say: Any, plan: "ForgetPlan", known: "Sequence[TrainedRun]", pages: Sequence[Path]
) -> None:
    """What still has it."""
    for path in plan.originals:
        say(f"{path} is still there, and the next catgan curate takes it in again: move it away.")
    for one in known:
        say(f"{one.run.folder} {KNOWS[one.knows].format(name=one.run.name)}.")
    for page in pages:
        say(f"{page} may show it: delete it, or write it anew.")


def _record(plan: "ForgetPlan", known: "Sequence[TrainedRun]") -> dict[str, Any]:
    return {
        "curated": str(plan.curated),
        "photos": list(plan.photos),
        "images": {name: list(files) for name, files in plan.images.items()},
        "originals": [str(path) for path in plan.originals],
        "runs": {str(one.run.folder): str(one.knows) for one in known},
    }


def _pages(curated: Path) -> list[Path]:
    """Pages that catgan wrote in the curated folder, beside it, or here."""
    folders = dict.fromkeys(
        folder.resolve() for folder in (curated, curated.absolute().parent, Path.cwd())
    )
    return [
        page
        for folder in folders
        for page in sorted(folder.glob("*.html"))
        if PAGE in (beginning(page) or b"")
    ]


def _renew(page: Path, curated: Path, raw: Path | None) -> None:
    """Write a page of `inspect` anew."""
    from catgan.inspect.page import write_page
    from catgan.inspect.summary import inspect_curated

    write_page(inspect_curated(curated, raw), page)


def _is_of(page: Path, curated: Path) -> bool:
    """Whether a page is what `inspect` wrote of this folder."""
    found = INSPECTED.search((beginning(page) or b"").decode("utf-8", "replace"))
    return found is not None and Path(html.unescape(found[1])).resolve() == curated.resolve()
