"""`catgan demo`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from catgan.cli.options import ConfigOption, DryRunOption, JsonOption, takes
from catgan.demo.config import DemoConfig


@takes(DemoConfig())
def demo(
    named: dict[str, Any],
    raw: Annotated[
        Path, typer.Argument(help="Folder for the photos; nothing in it is written over.")
    ] = Path("raw"),
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Draw an album of a cat that never was, for those who have no photos at hand.

    Writes JPEG photos as a phone would, the blurred, the turned, the empty and the broken ones
    among them, and demo.jsonl, which says what is on each. The same line again draws what is
    missing.
    """
    from catgan.console import Screen
    from catgan.demo.pipeline import DemoProgress, draw_album, plan_album

    settings = DemoConfig(**named)
    screen = Screen(as_json=json)
    if dry_run:
        plan = plan_album(raw, settings)
        screen.say(
            f"{raw} would hold {plan.photos} photos, {len(plan.missing)} of them not drawn yet. "
            "Nothing was written."
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
    with screen.progress(f"Drawing {raw}") as bar:

        def show(progress: DemoProgress) -> None:
            words = f"{progress.done} of {progress.total} photos"
            bar.update(progress.done, progress.total, words)

        result = draw_album(raw, settings, progress=show)
    listed = ", ".join(f"{count} {kind}" for kind, count in result.kinds.items())
    screen.say(f"{raw}: {result.photos} photos, {result.fresh} of them drawn now ({listed}).")
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
