"""`catgan curate`."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catgan.cli.ahead import training_words
from catgan.cli.options import ConfigOption, DryRunOption, JsonOption, takes
from catgan.cli.privacy import contains_photos
from catgan.core.errors import BadUsage
from catgan.core.systems import command_line
from catgan.core.words import count, duration, listed
from catgan.curate.config import CurateConfig
from catgan.formats.datasets import FACE_CROP, FULL_BODY
from catgan.formats.photos import Verdict

if TYPE_CHECKING:
    from catgan.console import Screen
    from catgan.core.remote import Remote
    from catgan.curate.copying import CopyResult
    from catgan.curate.decisions import DecisionCounts
    from catgan.curate.find import Unlisted
    from catgan.curate.pipeline import ShardResult
    from catgan.curate.unused import Unused

MEANING = {
    Verdict.KEPT: "a face was found and cropped",
    Verdict.NO_FACE: "no cat face found; in full-body only",
    Verdict.FACE_TOO_SMALL: "the crop would have to be enlarged; in full-body only",
    Verdict.BLURRY: "the face is blurred; in full-body only",
    Verdict.TOO_DARK: "the face is nearly black; in full-body only",
    Verdict.DUPLICATE: "nearly identical to a better photo; left out",
    Verdict.REJECTED: "rejected by hand",
    Verdict.UNREADABLE: "corrupt or not an image; left out",
}


@takes(CurateConfig())
def curate(
    raw: Annotated[
        str,
        typer.Argument(
            help="Folder of photos, at any depth; never written to. Or an address, such as "
            "s3://bucket/photos.",
        ),
    ],
    curated: Annotated[str, typer.Argument(help="Folder for the data sets; made if missing.")],
    named: dict[str, Any],
    decisions: Annotated[
        Path | None,
        typer.Option(
            help="Also apply what was decided on a page of catgan review, and keep it with the "
            "folder's own decisions.",
            metavar="FILE.jsonl",
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Process one part of the photos only, such as the third of 16. Every part can run "
            "on a machine of its own.",
            metavar="3/16",
        ),
    ] = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Make data sets of the parts that --shard left.")
    ] = False,
    copy_to: Annotated[
        str | None,
        typer.Option(
            help="Copy the finished data sets to an address, such as s3://bucket/cats. Only what "
            "has changed is sent.",
            metavar="ADDRESS",
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
    from catgan.core.remote import place_of
    from catgan.curate.folder import curated_path
    from catgan.curate.pipeline import CurateProgress, curate_photos, curate_shard, plan_curation
    from catgan.curate.unused import reasons

    settings = CurateConfig(**named)
    screen = Screen(as_json=json)
    photos_at, folder = place_of(raw), curated_path(curated)
    _check_together(shard, merge=merge, decisions=decisions, copy_to=copy_to)
    if dry_run:
        plan = plan_curation(raw, folder, settings, shard=shard, merge=merge)
        part = "" if shard is None else f"Part {shard} of "
        screen.say(
            f"{part}{photos_at} holds {count(plan.photos, 'photo')}, {plan.fresh:,} of them not "
            f"looked at yet with these settings; {folder} would get their images. "
            "Nothing was written."
        )
        for name in plan.dropped:
            screen.say(f"{folder / name} would be removed; it stays with --ablation.")
        _say_what_else(screen, photos_at, plan.unlisted, plan.unused)
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
    with screen.progress(f"Looking at {photos_at}") as bar:

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

        if shard is not None:
            part_done = curate_shard(raw, folder, shard, settings, progress=show)
        else:
            result = curate_photos(
                raw, folder, settings, decisions=decisions, progress=show, merge=merge
            )
    if shard is not None:
        _say_part(screen, raw, folder, part_done)
        return
    for difference in result.changed:
        screen.say(f"Changed since the last run: {difference}.")
    if result.gone:
        whose = "its" if result.gone == 1 else "their"
        screen.say(f"Removed since the last run: {count(result.gone, 'photo')} and {whose} images.")
    for name in result.dropped:
        screen.say(f"{folder / name} was removed; --ablation brings it back at once.")
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
    _say_what_else(screen, photos_at, result.unlisted, result.unused)
    for name, images in result.data_sets.items():
        where = f"; contact sheet: {result.sheets[name]}" if name in result.sheets else ""
        screen.say(f"{folder / name}: {count(images, 'image')}{where}")
    if result.sheets:
        screen.say(contains_photos("Each sheet"))
    if not result.data_sets[FACE_CROP]:
        look = f"look at {result.sheets[FULL_BODY]}, or " if FULL_BODY in result.sheets else ""
        screen.say(
            "No photo had a usable face, so there is no face-crop data set; "
            f"{look}try --strictness lenient."
        )
    copied = None if copy_to is None else _copy(screen, folder, copy_to)
    line = ["catgan", "inspect", str(folder), "--page", "inspect.html"]
    screen.say(f"To see each photo and its verdict: {command_line(line)}")
    line = ["catgan", "review", str(folder)]
    screen.say(f"To throw out what is wrong, by hand: {command_line(line)}")
    for sentence in training_words(folder, result.data_sets, settings.size):
        screen.say(sentence)
    screen.result(
        {
            "curated": str(folder),
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
            "copied": None if copied is None else dataclasses.asdict(copied),
        }
    )


def _check_together(
    shard: str | None, *, merge: bool, decisions: Path | None, copy_to: str | None
) -> None:
    """Refuse options that cannot mean anything, or not together."""
    from catgan.curate.copying import check_address

    if copy_to is not None:
        check_address(copy_to)
    if shard is None:
        return
    if merge:
        raise BadUsage("--shard and --merge do not go together: merge once all parts are there.")
    for flag, named in (("--decisions", decisions), ("--copy-to", copy_to)):
        if named is not None:
            raise BadUsage(
                f"--shard and {flag} do not go together: {flag} belongs to the run that merges all "
                "parts."
            )


def _say_part(screen: "Screen", raw: str, folder: Path, part: "ShardResult") -> None:
    """What became of one part, and what to do next."""
    readable = sum(number for verdict, number in part.counts.items() if verdict != "unreadable")
    screen.say(
        f"Part {part.shard}: {count(part.photos, 'photo')}, {part.fresh:,} of them new; "
        f"{part.counts[Verdict.KEPT]:,} of {count(readable, 'readable one')} with a face."
    )
    if part.missing:
        some = [str(shard) for shard in part.missing[:8]]
        more = ", ..." if len(part.missing) > len(some) else ""
        screen.say(f"Not finished yet: {', '.join(some)}{more}.")
    line = command_line(["catgan", "curate", raw, str(folder), "--merge"])
    when = "Once all parts are finished" if part.missing else "Next"
    screen.say(f"{when}, with the same options: {line}")
    screen.result(
        {
            "shard": str(part.shard),
            "photos": part.photos,
            "fresh": part.fresh,
            "verdicts": part.counts,
            "missing": [str(shard) for shard in part.missing],
        }
    )


def _copy(screen: "Screen", folder: Path, address: str) -> "CopyResult":
    from catgan.curate.copying import copy_curated

    with screen.progress(f"Copying {folder}") as bar:
        copied = copy_curated(
            folder,
            address,
            progress=lambda done, total: bar.update(
                done, total, f"{done:,} of {count(total, 'file')}"
            ),
        )
    removed = f", {copied.removed:,} removed" if copied.removed else ""
    screen.say(
        f"Copied to {copied.address}: {count(copied.sent, 'file')} sent, {copied.kept:,} unchanged"
        f"{removed}."
    )
    screen.say(contains_photos("The copy"))
    return copied


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
    screen: "Screen",
    raw: "Path | Remote",
    unlisted: "Sequence[Unlisted]",
    unused: "Mapping[Unused, int]",
) -> None:
    """What could not be looked into, and what was passed over."""
    from catgan.curate.unused import sentences

    for folder in unlisted:
        screen.say(
            f"{raw}/{folder.name} could not be listed ({folder.why}); "
            "what is known of its photos was kept. Rerun the same command once it can."
        )
    for sentence in sentences(unused):
        screen.say(sentence)


def _json_of(unlisted: "Sequence[Unlisted]") -> list[dict[str, str]]:
    return [{"folder": folder.name, "reason": folder.why} for folder in unlisted]
