"""`catgan curate`."""

from pathlib import Path
from typing import Annotated

import typer

from catgan.cli.options import ConfigOption, DryRunOption, JsonOption, given


def curate(
    raw: Annotated[Path, typer.Argument(help="Folder of photos, at any depth; never written to.")],
    curated: Annotated[Path, typer.Argument(help="Folder for the data sets; made if missing.")],
    size: Annotated[
        int | None, typer.Option(help="Side of the pictures, pixels. [default: 64]")
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(help="Room around the face box, in widths of the box. [default: 0.25]"),
    ] = None,
    cascade: Annotated[
        str | None,
        typer.Option(help="Recipe by name, or a .toml or .xml file. [default: verified]"),
    ] = None,
    min_face: Annotated[
        int | None,
        typer.Option(help="Narrower faces are left out, pixels. [default: those to be enlarged]"),
    ] = None,
    faces: Annotated[
        str | None, typer.Option(help="best: one face a photo; all: every one. [default: best]")
    ] = None,
    blur_screen: Annotated[
        bool, typer.Option(help="Leave blurred faces out of face-crop, or not.")
    ] = True,
    dark_screen: Annotated[
        bool, typer.Option(help="Leave nearly black faces out of face-crop, or not.")
    ] = True,
    duplicate_screen: Annotated[
        bool, typer.Option(help="Of nearly equal photos keep the sharpest only, or all.")
    ] = True,
    ablation: Annotated[
        bool, typer.Option(help="Write full-body-kept too: the photos of face-crop, whole.")
    ] = False,
    max_megapixels: Annotated[
        float | None, typer.Option(help="Larger photos are not opened. [default: 250]")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes. [default: one a processor]")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Turn cat photos into clean data sets.

    Writes full-body (every readable photo whole) and face-crop (the best face of each photo that
    has one), 64 x 64 pixels each, with a record of every photo and why it was kept or not. With
    --ablation also full-body-kept, the photos of face-crop whole, to tell what the filter brings
    from what the crop brings. The same line again does only what is new.
    """
    from catgan.console import Screen, duration
    from catgan.curate import CurateConfig, CurateProgress, curate_photos, plan_curation
    from catgan.curate.verdict import MEANING

    settings = CurateConfig(
        **given(
            size=size,
            margin=margin,
            cascade=cascade,
            min_face=min_face,
            faces=faces,
            blur_screen=blur_screen,
            dark_screen=dark_screen,
            duplicate_screen=duplicate_screen,
            ablation=ablation,
            max_megapixels=max_megapixels,
            workers=workers,
        )
    )
    screen = Screen(as_json=json)
    if dry_run:
        plan = plan_curation(raw, curated, settings)
        screen.say(
            f"{raw} holds {plan.photos} photos, {plan.fresh} of them not looked at yet with these "
            f"settings; {curated} would get their pictures. Nothing was written."
        )
        for name in plan.dropped:
            screen.say(f"{curated / name} would be removed; it stays with --ablation.")
        screen.result(
            {
                "photos": plan.photos,
                "fresh": plan.fresh,
                "dropped": list(plan.dropped),
                "dry_run": True,
            }
        )
        return
    with screen.progress(f"Looking at {raw}") as bar:

        def show(progress: CurateProgress) -> None:
            kept = progress.counts.get("kept", 0)
            words = f"{progress.done} of {progress.total} photos, {kept} with a face"
            if progress.seconds_left is not None:
                words += f", {duration(progress.seconds_left)} left"
            bar.update(progress.done, progress.total, words)

        result = curate_photos(raw, curated, settings, progress=show)
    for difference in result.changed:
        screen.say(f"Other settings than the last time: {difference}.")
    if result.gone:
        screen.say(f"Photos that are gone since the last time: {result.gone}; their pictures too.")
    for name in result.dropped:
        screen.say(f"{curated / name} was removed; --ablation brings it back at once.")
    rows = [
        (str(verdict), str(result.counts[verdict]), meaning)
        for verdict, meaning in MEANING.items()
        if result.counts[verdict]
    ]
    screen.table(
        f"{result.photos} photos, {result.fresh} of them new",
        ("verdict", "photos", "meaning"),
        rows,
    )
    for name, count in result.data_sets.items():
        where = f"; to look at: {result.sheets[name]}" if name in result.sheets else ""
        screen.say(f"{curated / name}: {count} pictures{where}")
    if not result.data_sets.get("face-crop"):
        screen.say(
            "No cat face was found in any photo, so there is no face-crop data set; "
            "look at contact-full-body.jpg, or try another recipe: --cascade turned."
        )
    screen.result(
        {
            "curated": str(curated),
            "photos": result.photos,
            "fresh": result.fresh,
            "gone": result.gone,
            "dropped": list(result.dropped),
            "verdicts": result.counts,
            "data_sets": result.data_sets,
            "sheets": {name: str(path) for name, path in result.sheets.items()},
        }
    )
