"""`catgan curate`."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catgan.cli.options import ConfigOption, DryRunOption, JsonOption, takes
from catgan.cli.privacy import contains_photos
from catgan.core.systems import command_line
from catgan.core.words import count, duration, listed
from catgan.curate.config import CurateConfig
from catgan.formats.datasets import FACE_CROP, FULL_BODY
from catgan.formats.photos import Verdict

if TYPE_CHECKING:
    from catgan.console import Screen
    from catgan.curate.decisions import DecisionCounts
    from catgan.curate.find import Unlisted
    from catgan.curate.unused import Unused

MEANING = {
    Verdict.KEPT: "a face was found and cropped",
    Verdict.NO_FACE: "no cat face found; the whole photo is kept",
    Verdict.FACE_TOO_SMALL: "the crop would have to be enlarged; the whole photo is kept",
    Verdict.BLURRY: "the face is blurred; the whole photo is kept",
    Verdict.TOO_DARK: "the face is nearly black; the whole photo is kept",
    Verdict.DUPLICATE: "the same as another photo, or nearly; left out",
    Verdict.REJECTED: "rejected by hand; left out of face-crop",
    Verdict.UNREADABLE: "broken or not a picture; left out",
}


@takes(CurateConfig())
def curate(
    raw: Annotated[Path, typer.Argument(help="Folder of photos, at any depth; never written to.")],
    curated: Annotated[Path, typer.Argument(help="Folder for the data sets; made if missing.")],
    named: dict[str, Any],
    decisions: Annotated[
        Path | None,
        typer.Option(
            help="Also apply what was decided on a page of catgan review, and keep it with the "
            "folder's own decisions.",
            metavar="FILE.jsonl",
        ),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Turn cat photos into clean data sets.

    Writes full-body (every readable photo whole) and face-crop (the best face of each photo that
    has one), 64 x 64 pixels each, with a record of every photo and why it was kept or not. With
    --ablation also full-body-kept, the photos of face-crop whole, which separates the effect of
    filtering from the effect of cropping. Rerun the same command to process only new photos.
    """
    from catgan.console import Screen
    from catgan.curate.pipeline import CurateProgress, curate_photos, plan_curation
    from catgan.curate.unused import reasons

    settings = CurateConfig(**named)
    screen = Screen(as_json=json)
    if dry_run:
        plan = plan_curation(raw, curated, settings)
        screen.say(
            f"{raw} holds {count(plan.photos, 'photo')}, {plan.fresh:,} of them not looked at yet "
            f"with these settings; {curated} would get their images. Nothing was written."
        )
        for name in plan.dropped:
            screen.say(f"{curated / name} would be removed; it stays with --ablation.")
        _say_what_else(screen, raw, plan.unlisted, plan.unused)
        screen.result(
            {
                "photos": plan.photos,
                "fresh": plan.fresh,
                "dropped": list(plan.dropped),
                "unlisted": _json_of(plan.unlisted),
                "unused": dict(plan.unused),
                "dry_run": True,
            }
        )
        return
    with screen.progress(f"Looking at {raw}") as bar:

        def show(progress: CurateProgress) -> None:
            kept = progress.counts.get(Verdict.KEPT, 0)
            words = f"{progress.done:,} of {count(progress.total, 'photo')}, {kept:,} with a face"
            if not progress.fresh and progress.done < progress.total:
                words = f"loading the face finder; {words}"
            if progress.frames:
                words += f", {count(progress.frames, 'frame')} of videos"
            if progress.seconds_left is not None:
                words += f", {duration(progress.seconds_left)} left"
            bar.update(progress.done, progress.total, words)

        result = curate_photos(raw, curated, settings, decisions=decisions, progress=show)
    for difference in result.changed:
        screen.say(f"Changed since the last run: {difference}.")
    if result.gone:
        whose = "its" if result.gone == 1 else "their"
        screen.say(f"Removed since the last run: {count(result.gone, 'photo')} and {whose} images.")
    for name in result.dropped:
        screen.say(f"{curated / name} was removed; --ablation brings it back at once.")
    frames = f" ({count(result.frames, 'frame')} of videos)" if result.frames else ""
    rows = [
        (str(verdict), str(result.counts[verdict]), meaning)
        for verdict, meaning in MEANING.items()
        if result.counts[verdict]
    ]
    screen.table(
        f"{count(result.photos, 'photo')}, {result.fresh:,} of them new{frames}",
        ("verdict", "photos", "meaning"),
        rows,
    )
    if said := _decided(result.decisions):
        screen.say(said)
    if result.unreadable:
        screen.say(f"Unreadable: {reasons(result.unreadable, most=8)}.")
    _say_what_else(screen, raw, result.unlisted, result.unused)
    for name, images in result.data_sets.items():
        where = f"; contact sheet: {result.sheets[name]}" if name in result.sheets else ""
        screen.say(f"{curated / name}: {count(images, 'image')}{where}")
    if result.sheets:
        screen.say(contains_photos("Each sheet"))
    if not result.data_sets[FACE_CROP]:
        look = f"look at {result.sheets[FULL_BODY]}, or " if FULL_BODY in result.sheets else ""
        screen.say(
            "No photo had a usable face, so there is no face-crop data set; "
            f"{look}try --strictness lenient."
        )
    line = ["catgan", "inspect", str(curated), "--page", "inspect.html"]
    screen.say(f"To see each photo and its verdict: {command_line(line)}")
    line = ["catgan", "review", str(curated)]
    screen.say(f"To throw out what is wrong, by hand: {command_line(line)}")
    screen.say(f"Next: {command_line(['catgan', 'train', str(curated)])}")
    screen.result(
        {
            "curated": str(curated),
            "photos": result.photos,
            "frames": result.frames,
            "fresh": result.fresh,
            "gone": result.gone,
            "dropped": list(result.dropped),
            "verdicts": result.counts,
            "unreadable": dict(result.unreadable),
            "unlisted": _json_of(result.unlisted),
            "unused": dict(result.unused),
            "data_sets": result.data_sets,
            "decisions": dataclasses.asdict(result.decisions),
            "sheets": {name: str(path) for name, path in result.sheets.items()},
        }
    )


def _decided(found: "DecisionCounts") -> str:
    """What was applied of a person's decisions."""
    told = [
        f"{number:,} {what}"
        for number, what in (
            (found.rejected, "rejected"),
            (found.kept, "kept"),
            (found.drawn, "drawn by hand"),
        )
        if number
    ]
    said = f"Your decisions: {listed(told)}." if told else ""
    if found.waiting:
        are = "is" if found.waiting == 1 else "are"
        said += (
            f" Decisions about {count(found.waiting, 'photo')} that {are} not here "
            "(or cannot be read now) are kept for later."
        )
    return said.strip()


def _say_what_else(
    screen: "Screen", raw: Path, unlisted: "Sequence[Unlisted]", unused: "Mapping[Unused, int]"
) -> None:
    """What could not be looked into, and what was passed over."""
    from catgan.curate.unused import sentences

    for folder in unlisted:
        screen.say(
            f"{raw / folder.name}/ could not be listed ({folder.why}); "
            "what is known of its photos was kept. Rerun the same command once it can."
        )
    for sentence in sentences(unused):
        screen.say(sentence)


def _json_of(unlisted: "Sequence[Unlisted]") -> list[dict[str, str]]:
    return [{"folder": folder.name, "reason": folder.why} for folder in unlisted]
