"""`catgan export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catgan.cli.options import ConfigOption, DryRunOption, JsonOption, takes
from catgan.core.systems import command_line
from catgan.core.words import amount, listed
from catgan.export.config import ExportConfig

if TYPE_CHECKING:
    from catgan.export.hub import Pushed
    from catgan.export.pipeline import ExportPlan


@takes(ExportConfig())
def export(
    run: Annotated[str, typer.Argument(help="A run, by name under --runs or by path.")],
    out: Annotated[Path, typer.Argument(help="A folder for the files; made if missing.")],
    named: dict[str, Any],
    runs: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("runs"),
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Write a generator as safetensors and ONNX, with a card.

    The folder gets the weights, an ONNX file that was checked against PyTorch, a card with the
    figures of the run and code that samples from it, and 64 samples. It says so if the samples copy
    training images. The licence is for you to state, in README.md.
    """
    from catgan.console import Screen
    from catgan.export.card import copying_words
    from catgan.export.hub import push
    from catgan.export.pipeline import export_run, plan_export

    settings = ExportConfig(**named)
    screen = Screen(as_json=json)
    if dry_run:
        plan = plan_export(run, out, settings, runs=runs)
        screen.say(_origin_words(plan))
        screen.say(f"Would write {listed(plan.files)} to {out}. Nothing was written.")
        screen.say(copying_words(plan.model.figures))
        screen.result({**_plan_record(plan), "dry_run": True})
        return
    with screen.progress("Exporting") as bar:
        steps = iter(range(1, 10_000))
        result = export_run(
            run, out, settings, runs=runs, progress=lambda words: bar.update(next(steps), 0, words)
        )
    plan = result.plan
    screen.say(_origin_words(plan))
    for file, size in result.sizes.items():
        screen.say(f"  {out / file} ({amount(size)})")
    screen.say(copying_words(plan.model.figures))
    pushed = None
    if settings.push and settings.send:
        with screen.progress(f"Uploading to {settings.push}"):
            pushed = push(out, plan.files, settings.push, public=settings.public)
        screen.say(f"Uploaded: {pushed.address}")
    elif settings.push:
        who = "everybody" if settings.public else "you alone"
        screen.say(
            f"Would upload {listed(plan.files)} to {settings.push} "
            f"({amount(sum(result.sizes.values()))}; a new model is for {who} to see). "
            "Nothing was uploaded; add --send for that."
        )
    else:
        line = ["catgan", "export", run, str(out), "--push", "USER/NAME"]
        screen.say(f"To share it on the Hugging Face Hub: {command_line(line)}")
    screen.result({**_plan_record(plan), "sizes": result.sizes, "pushed": _pushed_record(pushed)})


def _origin_words(plan: "ExportPlan") -> str:
    return f"{plan.run.folder}: exported from {plan.checkpoint}, epoch {plan.model.epoch}."


def _plan_record(plan: "ExportPlan") -> dict[str, Any]:
    figures = plan.model.figures
    return {
        "run": str(plan.run.folder),
        "checkpoint": str(plan.checkpoint),
        "epoch": plan.model.epoch,
        "images_shown": plan.model.images_shown,
        "out": str(plan.out),
        "files": list(plan.files),
        "copies": None if figures is None else figures.copies,
        "copying": None if figures is None else figures.copying,
    }


def _pushed_record(pushed: "Pushed | None") -> dict[str, str] | None:
    return None if pushed is None else {"repo": pushed.repo, "address": pushed.address}
